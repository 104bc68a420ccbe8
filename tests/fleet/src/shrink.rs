//! Shortening a script that breaks a promise, until no event can be left out.

use crate::bug::Bug;
use crate::run::run;
use crate::script::Script;

/// The shortest script found that breaks the same promise; none when the script breaks nothing.
pub fn shrink(script: &Script, bug: Option<Bug>) -> Option<Script> {
    let (at, broken) = run(script, bug).broken?;
    let breaks = |candidate: &Script| {
        run(candidate, bug).broken.is_some_and(|(_, found)| found.rule == broken.rule)
    };
    let mut best = script.keeping(|number| number <= at);
    let mut chunk = best.events.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        while from < best.events.len() {
            let shorter = best.keeping(|number| number < from || number >= from + chunk);
            if breaks(&shorter) {
                best = shorter;
            } else {
                from += chunk;
            }
        }
        if chunk == 1 {
            return Some(best);
        }
        chunk = chunk.div_ceil(2);
    }
}
