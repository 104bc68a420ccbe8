//! A verdict in sentences that a technician can read to the household (A9).

use super::{Finding, Grounds, ReadingState, Verdict};
use crate::catalogue::Sentence;
use crate::measure::Volume;

/// The sentence that tells technician and household why a reading was judged so (A9).
pub fn explain(verdict: &Verdict) -> Sentence {
    let volume = |volume: Option<Volume>| volume.map(|it| it.to_string()).unwrap_or_default();
    let sentence = match (verdict.finding, verdict.expected) {
        // Without history there is nothing to compare with, and that is said.
        (Finding::Normal, None) => Sentence::new("verdict.normal_new"),
        (finding, None) if finding == Finding::BelowGuess || finding == Finding::Rollover => {
            Sentence::new(&format!("verdict.{}_new", finding.key()))
        }
        (finding, _) => Sentence::new(&format!("verdict.{}", finding.key())),
    };
    let guess = verdict.guess.map(|it| (it.state, it.on.to_string(), it.register.to_string()));
    let sentence = sentence
        .with("days", verdict.days.unwrap_or_default().to_string())
        .with("used", volume(verdict.used))
        .with("expected", volume(verdict.expected))
        .with("high", volume(verdict.high_above))
        .with("low", volume(verdict.low_below))
        .with("possible", volume(verdict.possible))
        .with("last", volume(verdict.since.map(|it| it.register)))
        .with("since", verdict.since.map(|it| it.on.to_string()).unwrap_or_default())
        .with("zero_since", verdict.zero_since.map(|it| it.to_string()).unwrap_or_default())
        .with_words_of("state", &name(verdict.state));
    match guess {
        Some((state, on, register)) => {
            sentence.with_words_of("guess", &name(state)).with("on", on).with("guessed", register)
        }
        None => sentence,
    }
}

/// What the use to expect rests on, in a sentence; `None` where nothing was expected.
pub fn grounds(verdict: &Verdict) -> Option<Sentence> {
    let Grounds { known_days, season_percent, neighbours, across_change } = verdict.grounds?;
    let season = if neighbours.is_some() { "neighbours" } else { "pack" };
    let change = if across_change { "_across_change" } else { "" };
    let sentence = Sentence::new(&format!("grounds.{season}{change}"))
        .with("known", known_days.to_string())
        .with("season", season_percent.to_string());
    Some(match neighbours {
        Some(homes) => sentence.with("homes", homes.to_string()),
        None => sentence,
    })
}

/// The key of what a state is called: a phone carries the catalogue with its screens and not with its rules.
fn name(state: ReadingState) -> String {
    format!("reading_state.{}", state.key())
}
