//! The script of a day: who does what when, and what has to come out, worked out without the product's own rules.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::id::{HoseId, JobId, MeterId};
use domain::job::{JobKind, Window};
use domain::measure::Volume;
use domain::place::Place;
use domain::stamp::Timestamp;

use super::fate::{self, Fate};
use super::scene::{self, Ending};
use crate::command::phone::act::Act;

/// A job of the day as the script's author knows it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The job.
    pub(crate) job: JobId,
    /// What is to be done.
    pub(crate) kind: JobKind,
    /// The technician's number in the crew.
    pub(crate) technician: usize,
    /// The window agreed, none for an emergency.
    pub(crate) window: Option<Window>,
    /// When the hall took it on.
    pub(crate) created_at: Timestamp,
    /// The household's meter.
    pub(crate) meter: Option<Register>,
    /// The household's hose.
    pub(crate) hose: Option<HoseId>,
    /// Where the door is.
    pub(crate) door: Option<Place>,
}

/// A meter with what it showed and shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Register {
    /// The meter.
    pub(crate) meter: MeterId,
    /// What was read last; what it shows today where it was never read.
    pub(crate) last: Volume,
    /// What it really shows today.
    pub(crate) today: Volume,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    /// When.
    pub(crate) at: Timestamp,
    /// What.
    pub(crate) deed: Deed,
}

/// Something that the hall or one of its phones does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    /// A technician taps.
    Tap {
        /// The technician's number in the crew.
        technician: usize,
        /// In which job.
        job: JobId,
        /// What.
        act: Act,
    },
    /// A phone meets the network.
    Sync {
        /// The technician's number in the crew.
        technician: usize,
    },
    /// A phone's process is killed and started again.
    Kill {
        /// The technician's number in the crew.
        technician: usize,
    },
    /// A phone is switched off and on: its monotonic clock begins again.
    Reboot {
        /// The technician's number in the crew.
        technician: usize,
    },
    /// The dispatcher gives a job to somebody else.
    Reassign {
        /// Which job.
        job: JobId,
        /// To whom.
        to: usize,
    },
    /// The dispatcher calls a job off.
    Cancel {
        /// Which job.
        job: JobId,
    },
}

/// What has to come out for one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The status that phone and server must both show.
    pub(crate) status: &'static str,
    /// The verdicts on its appointments, oldest first.
    pub(crate) punctuality: Vec<&'static str>,
    /// The clashes that must be named.
    pub(crate) clashes: Vec<&'static str>,
    /// Who is answerable for the punctuality.
    pub(crate) technician: usize,
}

/// A day with its outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// Everything that happens, in order of time.
    pub(crate) turns: Vec<Turn>,
    /// What has to come out, by job.
    pub(crate) expected: BTreeMap<JobId, Expected>,
}

/// Writes the day for these calls; `opens_at` is when the crew signs in.
pub(crate) fn write(calls: &[Call], crew: usize, opens_at: Timestamp) -> Script {
    let mut script = Script::default();
    for technician in 0..crew {
        let round: Vec<&Call> = calls.iter().filter(|call| call.technician == technician).collect();
        write_round(&mut script, &Fate::of(technician, opens_at), round);
    }
    let closes_at = script.turns.iter().map(|turn| turn.at).max().unwrap_or(opens_at);
    // Twice: the second time each phone hears what the others brought in.
    for time in 1..=2 {
        for technician in 0..crew {
            let at = closes_at + TimeDelta::minutes(10 * time);
            script.turns.push(Turn { at, deed: Deed::Sync { technician } });
        }
    }
    script.turns.sort_by_key(|turn| turn.at);
    script
}

/// Walks one technician's round from door to door.
fn write_round(script: &mut Script, fate: &Fate, mut round: Vec<&Call>) {
    let technician = fate.technician;
    script.turns.extend(fate.turns());
    round.sort_by_key(|call| (call.created_at.max(scene::wanted_at(call)), call.job));
    let mut free_at = fate.opens_at + TimeDelta::minutes(5);
    for (number, call) in round.into_iter().enumerate() {
        let ending = scene::ending(technician, number, call);
        if ending == Ending::CalledOff {
            let at = fate.opens_at + TimeDelta::minutes(2);
            script.turns.push(Turn { at, deed: Deed::Cancel { job: call.job } });
        }
        let played = scene::play(call, ending, number, free_at);
        let middle = played.acts.len() / 2;
        for (place, (at, act)) in played.acts.into_iter().enumerate() {
            if place == middle && fate.is_killed_in(number) {
                script.turns.push(Turn { at, deed: Deed::Kill { technician } });
            }
            script.turns.push(Turn { at, deed: Deed::Tap { technician, job: call.job, act } });
        }
        let race = played.arrived_at.and_then(|at| race(fate, number, call.job, ending, at));
        let clashes = race.iter().map(|(_, clash)| *clash).collect();
        script.turns.extend(race.into_iter().map(|(turn, _)| turn));
        let known = played.arrived_at.or(played.agreed_at).map(|at| fate.known(at));
        let punctuality = expected_punctuality(call, ending, known);
        let status = ending.status();
        script.expected.insert(call.job, Expected { status, punctuality, clashes, technician });
        if free_at < played.ends_at {
            free_at = played.ends_at;
            if !fate.is_offline(free_at) {
                script.turns.push(Turn { at: free_at, deed: Deed::Sync { technician } });
            }
        }
    }
}

/// Lets the dispatcher change a job while its technician is on the way to it without a network.
fn race(
    fate: &Fate,
    number: usize,
    job: JobId,
    ending: Ending,
    arrived_at: Timestamp,
) -> Option<(Turn, &'static str)> {
    let at = arrived_at - TimeDelta::minutes(1);
    if ending != Ending::Done || !fate.is_offline(at) || fate.phone != fate::Phone::OldQuarters {
        return None;
    }
    match (fate.technician, number) {
        (3 | 5, 6) => Some((Turn { at, deed: Deed::Cancel { job } }, "cancelled_while_visited")),
        (4 | 6, 6) => Some((Turn { at, deed: Deed::Reassign { job, to: 0 } }, "visited_by_other")),
        _ => None,
    }
}

/// Judges an arrival against its window by comparing four instants, nothing more.
fn expected_punctuality(
    call: &Call,
    ending: Ending,
    known: Option<(Timestamp, Timestamp)>,
) -> Vec<&'static str> {
    let Some(window) = call.window else { return Vec::new() };
    let side = |at: Timestamp| {
        if at < window.start {
            "early"
        } else if at <= window.end {
            "on_time"
        } else {
            "late"
        }
    };
    match (ending, known) {
        (Ending::CalledOff, _) => vec!["released"],
        (Ending::AgreedAnew, Some((_, latest))) if latest <= window.end => {
            vec!["released", "pending"]
        }
        (Ending::AgreedAnew, Some((earliest, _))) if earliest > window.end => {
            vec!["missed", "pending"]
        }
        (Ending::AgreedAnew, _) => vec!["cannot_tell", "pending"],
        (Ending::NeverCame, _) | (_, None) => vec!["missed"],
        (_, Some((earliest, latest))) if side(earliest) == side(latest) => vec![side(earliest)],
        (_, Some(_)) => vec!["cannot_tell"],
    }
}
