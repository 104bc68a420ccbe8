//! The dispatch board: each technician's round of a day as it is likely to go, and what a change would do to it.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{HallId, JobId, UserId};
use domain::job::{JobKind, Window};
use domain::pack::TravelRules;
use domain::place::Place;
use domain::round::{Call, Leg, newly_late, round};
use domain::stamp::Timestamp;
use domain::status::Status;

use crate::db::jobs::{self, CallRow};
use crate::db::{C, Result};

/// A day's given-out jobs, as far as a plan needs to know them.
#[derive(Clone, Debug, Default)]
pub struct Day {
    calls: BTreeMap<UserId, Vec<Call>>,
    begin: Timestamp,
}

/// A job moved on paper.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// The job as it stands.
    pub call: Call,
    /// Who has it now.
    pub from: Option<UserId>,
    /// Who would have it.
    pub to: Option<UserId>,
    /// When.
    pub window: Option<Window>,
}

impl Day {
    /// Reads the rounds of a span, as they go on from now, or from its beginning when that is still to come.
    pub async fn load(
        c: C<'_>,
        hall: HallId,
        (from, until): (i64, i64),
        now: Timestamp,
    ) -> Result<Self> {
        let mut calls: BTreeMap<UserId, Vec<Call>> = BTreeMap::new();
        for row in jobs::list_calls(c, hall, (from, until)).await? {
            let Some(technician) = row.technician_id.map(UserId) else { continue };
            calls.entry(technician).or_default().extend(call(&row));
        }
        let start = Timestamp::from_timestamp_millis(from).unwrap_or(now);
        Ok(Self { calls, begin: start.max(now) })
    }

    /// Who has a door to go to.
    pub fn technicians(&self) -> impl Iterator<Item = UserId> {
        self.calls.keys().copied()
    }

    /// One technician's round.
    pub fn round(&self, technician: UserId, rules: &TravelRules) -> Vec<Leg> {
        round(self.calls.get(&technician).cloned().unwrap_or_default(), self.begin, rules)
    }

    /// The day after a move.
    #[must_use]
    pub fn moved(&self, what: &Move) -> Self {
        let mut after = self.clone();
        for calls in after.calls.values_mut() {
            calls.retain(|call| call.job != what.call.job);
        }
        if let Some(to) = what.to {
            let call = Call { window: what.window, ..what.call };
            let calls = after.calls.entry(to).or_default();
            calls.push(call);
            // As they would be read: what is paper here is the order of the day afterwards.
            calls.sort_by_key(|call| call.job);
        }
        after
    }
}

/// Somebody who could take something on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// Who.
    pub technician: UserId,
    /// When they would be at the door.
    pub reached_at: Timestamp,
    /// Straight metres to it from the door before.
    pub metres: Option<f64>,
    /// How many doors would be reached late, or later, by it: this one counts too.
    pub makes_late: usize,
}

/// Who could take a call on, who makes nobody late first, and then who is there first.
pub fn offers(day: &Day, call: Call, technicians: &[UserId], rules: &TravelRules) -> Vec<Offer> {
    let mut offers: Vec<Offer> = technicians
        .iter()
        .filter_map(|technician| {
            let what = Move { call, from: None, to: Some(*technician), window: call.window };
            let will = day.moved(&what).round(*technician, rules);
            let leg = will.iter().find(|leg| leg.job == call.job)?;
            let makes_late = newly_late(&day.round(*technician, rules), &will).len();
            let (reached_at, metres) = (leg.reached_at, leg.metres);
            Some(Offer { technician: *technician, reached_at, metres, makes_late })
        })
        .collect();
    offers.sort_by_key(|offer| (offer.makes_late, offer.reached_at, offer.technician));
    offers
}

/// Finds a job and who has it; `None` when it is over, or none of the hall's.
pub async fn find(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<(Call, Option<UserId>)>> {
    let row = jobs::find_call(c, hall, job).await?;
    Ok(row.and_then(|row| Some((call(&row)?, row.technician_id.map(UserId)))))
}

/// Those whom a move touches.
pub fn touched(what: &Move) -> BTreeSet<UserId> {
    what.from.into_iter().chain(what.to).collect()
}

/// What a plan knows of a job; `None` when nobody has to go there any more.
fn call(row: &CallRow) -> Option<Call> {
    let status = Status::from_key(&row.status)?;
    let is_there = matches!(status, Status::AtDoor | Status::Working);
    if !is_there && !matches!(status, Status::Unassigned | Status::Assigned | Status::SetOut) {
        return None;
    }
    let kind = JobKind::from_key(&row.kind)?;
    let instant = |ms: Option<i64>| ms.and_then(Timestamp::from_timestamp_millis);
    let agreed = instant(row.window_start).zip(instant(row.window_end));
    // An emergency is due from its call until its promise is broken (B2).
    let due = instant(Some(row.created_at)).zip(instant(row.promise_due_at));
    let window = agreed.or(due.filter(|_| kind == JobKind::Emergency));
    let place = row.latitude.zip(row.longitude);
    Some(Call {
        job: JobId(row.job_id),
        kind,
        window: window.map(|(start, end)| Window { start, end }),
        place: place.map(|(latitude, longitude)| Place { latitude, longitude }),
        is_there,
    })
}
