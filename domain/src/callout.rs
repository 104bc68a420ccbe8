//! Calls to an emergency (B2): who was called, who answered what, who leads and who supports.
//!
//! Phones answer offline, so nobody asks first whether somebody else has accepted: both did, and the trusted time of
//! the two acceptances says afterwards who leads. A person who was never called answers nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{EntryId, FactId, UserId};
use crate::job::{Call, Job};
use crate::stamp::{Interval, Stamp, Timestamp};
use crate::visit::{Fact, Recorded, live_facts};

/// What somebody who was called said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Comes.
    Accepted,
    /// Cannot come.
    Declined {
        /// Why, in words; may be empty.
        reason: String,
    },
}

/// Somebody who was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// Who.
    pub technician: UserId,
    /// Their name.
    pub name: String,
    /// When they were called last.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// When the next person is called if they have not answered.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub until: Timestamp,
    /// What they said since; none while they have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// When they said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Interval>,
}

/// Where the calling of a job stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callout {
    /// Who was called, in the order in which they were called first.
    pub called: Vec<Called>,
    /// Who accepted first by trusted time and still comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<UserId>,
    /// Who else comes, in the order of their acceptances.
    #[serde(default)]
    pub supports: Vec<UserId>,
}

/// The last live answer of one person.
struct Said<'a> {
    id: FactId,
    recorded: &'a Recorded,
}

/// Whether somebody was ever called to the job.
pub fn was_called(job: &Job, technician: UserId) -> bool {
    job.plan.calls.values().any(|call| call.technician == technician)
}

/// Who accepted a call and still comes, whatever the times were.
pub fn accepted_by(job: &Job) -> BTreeSet<UserId> {
    let accepted = answers(job).into_iter();
    accepted.filter(|(_, it)| it.recorded.fact == Fact::CallAccepted).map(|(who, _)| who).collect()
}

/// The call that still waits for this person's answer; `None` as well once the job is somebody's or over.
pub fn waiting_for(job: &Job, technician: UserId) -> Option<&Call> {
    let is_open = job.plan.cancelled.is_empty() && crate::status::standing(job).status.is_open();
    if !is_open || crate::status::assigned(job).is_some() {
        return None;
    }
    let (id, call) = last_call(job, technician)?;
    let answered = answers(job).remove(&technician);
    // Ids are UUIDv7, and a phone makes its own after all it knows: a newer call asks again.
    answered.is_none_or(|said| said.id.0 < id.0).then_some(call)
}

/// Folds calls and answers; `times` places a phone's stamp in the hall's time.
///
/// Who accepted first leads: by the latest moment that it can have been, then by the earliest, then by the fact's id,
/// so that every copy of the document says the same.
pub fn callout(job: &Job, times: &dyn Fn(&Stamp) -> Interval) -> Callout {
    let answers = answers(job);
    let mut order: Vec<UserId> = Vec::new();
    for call in job.plan.calls.values() {
        if !order.contains(&call.technician) {
            order.push(call.technician);
        }
    }
    let called = order.into_iter().filter_map(|technician| {
        let (id, call) = last_call(job, technician)?;
        let said = answers.get(&technician);
        let said = said.filter(|it| it.recorded.fact == Fact::CallAccepted || it.id.0 > id.0);
        Some(Called {
            technician,
            name: call.name.clone(),
            at: call.author.at,
            until: call.until,
            answer: said.and_then(|it| answer(&it.recorded.fact)),
            answered_at: said.map(|it| times(&it.recorded.stamp)),
        })
    });
    let mut coming: Vec<_> = (answers.iter())
        .filter(|(_, it)| it.recorded.fact == Fact::CallAccepted)
        .map(|(who, it)| (times(&it.recorded.stamp), it.id, *who))
        .collect();
    coming.sort_by_key(|(at, id, _)| (at.latest, at.earliest, *id));
    let mut coming = coming.into_iter().map(|(_, _, who)| who);
    Callout { called: called.collect(), lead: coming.next(), supports: coming.collect() }
}

/// The newest call to this person.
fn last_call(job: &Job, technician: UserId) -> Option<(EntryId, &Call)> {
    let own = job.plan.calls.iter().filter(|(_, call)| call.technician == technician);
    own.max_by_key(|(id, _)| **id).map(|(id, call)| (*id, call))
}

/// What each of those who were called said last, as far as it stands.
fn answers(job: &Job) -> BTreeMap<UserId, Said<'_>> {
    let mut found: BTreeMap<UserId, Said<'_>> = BTreeMap::new();
    for visit in job.visits.values().filter(|visit| was_called(job, visit.technician)) {
        for (id, recorded) in live_facts(visit) {
            if answer(&recorded.fact).is_none() {
                continue;
            }
            let last = found.entry(visit.technician).or_insert(Said { id, recorded });
            if last.id < id {
                *last = Said { id, recorded };
            }
        }
    }
    found
}

fn answer(fact: &Fact) -> Option<Answer> {
    if let Fact::CallDeclined { reason } = fact {
        return Some(Answer::Declined { reason: reason.clone() });
    }
    (*fact == Fact::CallAccepted).then_some(Answer::Accepted)
}
