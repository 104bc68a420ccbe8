//! The dispatch board: each technician's round of a day as it is likely to go, and what a change would do to it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::id::{HallId, JobId, UserId};
use domain::job::{JobKind, Window};
use domain::pack::{SkillId, TravelRules};
use domain::place::Place;
use domain::qualification::Qualification;
use domain::round::{Call, Leg, Shift, newly_late, round};
use domain::stamp::Timestamp;
use domain::status::Status;

use crate::db::jobs::{self, CallRow};
use crate::db::users::{self, Filter};
use crate::db::{C, Result, qualifications};
use crate::identity::Role;

/// Technicians looked at; no hall has so many.
const MOST_TECHNICIANS: i64 = 500;

/// A job that somebody still has to go to.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What a round needs to know of it.
    pub call: Call,
    /// Who has it.
    pub holder: Option<UserId>,
    /// The address.
    pub address: String,
    /// When what was promised is broken.
    pub due: Option<Timestamp>,
    /// Whether its technician has not set out for it.
    pub is_waiting: bool,
    /// Where in the hall's feed it changed last.
    pub position: i64,
}

/// Somebody who could be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// What they are able to do, and where they usually work.
    pub qualification: Qualification,
}

/// A day's given-out jobs, as far as a plan needs to know them.
#[derive(Clone, Debug, Default)]
pub struct Day {
    calls: BTreeMap<UserId, Vec<Call>>,
    begin: Timestamp,
    shift: Option<Shift>,
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
        (now, rules): (Timestamp, &TravelRules),
    ) -> Result<Self> {
        let tasks = given_out(c, hall, (from, until)).await?;
        Ok(Self::of(&tasks, from, now, rules))
    }

    /// The rounds of those tasks that somebody has, on the day that begins at an instant.
    pub fn of(tasks: &[Task], day_start_ms: i64, now: Timestamp, rules: &TravelRules) -> Self {
        let start = Timestamp::from_timestamp_millis(day_start_ms).unwrap_or(now);
        let mut day = Self { begin: start.max(now), ..Self::default() };
        day.shift = Shift::of(rules, start);
        for task in tasks {
            if let Some(holder) = task.holder {
                day.calls.entry(holder).or_default().push(task.call);
            }
        }
        day
    }

    /// From when on it goes.
    pub fn begin(&self) -> Timestamp {
        self.begin
    }

    /// When people are sent out.
    pub fn shift(&self) -> Option<&Shift> {
        self.shift.as_ref()
    }

    /// Who has a door to go to.
    pub fn technicians(&self) -> impl Iterator<Item = UserId> {
        self.calls.keys().copied()
    }

    /// What one technician has to go to, in no order.
    pub fn calls(&self, technician: UserId) -> &[Call] {
        self.calls.get(&technician).map_or(&[], Vec::as_slice)
    }

    /// One technician's round.
    pub fn round(&self, technician: UserId, rules: &TravelRules) -> Vec<Leg> {
        self.walk(self.calls(technician).to_vec(), rules)
    }

    /// One technician's round if they took on one more.
    pub fn round_with(&self, technician: UserId, call: Call, rules: &TravelRules) -> Vec<Leg> {
        let mut calls = self.calls(technician).to_vec();
        insert(&mut calls, call);
        self.walk(calls, rules)
    }

    fn walk(&self, calls: Vec<Call>, rules: &TravelRules) -> Vec<Leg> {
        round(calls, self.begin, self.shift(), rules)
    }

    /// Gives a job to somebody.
    pub fn give(&mut self, technician: UserId, call: Call) {
        insert(self.calls.entry(technician).or_default(), call);
    }

    /// Takes a job back, whoever has it.
    pub fn take(&mut self, job: JobId) {
        for calls in self.calls.values_mut() {
            calls.retain(|call| call.job != job);
        }
    }

    /// The day after a move.
    #[must_use]
    pub fn moved(&self, what: &Move) -> Self {
        let mut after = self.clone();
        after.take(what.call.job);
        if let Some(to) = what.to {
            after.give(to, Call { window: what.window, ..what.call });
        }
        after
    }
}

/// As it would be read: what is paper here is the order of the day afterwards.
fn insert(calls: &mut Vec<Call>, call: Call) {
    calls.push(call);
    calls.sort_by_key(|call| call.job);
}

/// Somebody who could take something on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// Who.
    pub technician: UserId,
    /// When they would be at the door.
    pub reached_at: Timestamp,
    /// How long that is after the window's end, or after a promise is broken.
    pub late: TimeDelta,
    /// Straight metres to it from the door before.
    pub metres: Option<f64>,
    /// How many doors would be reached late, or later, by it: this one counts too.
    pub makes_late: usize,
    /// Whether the door lies in their own area.
    pub is_in_area: bool,
}

/// A door that somebody is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The job.
    pub call: Call,
    /// Where.
    pub address: &'a str,
    /// What whoever is sent has to be able to do.
    pub skills: &'a BTreeSet<SkillId>,
}

/// Who could take a call on and may be sent, who makes nobody late first, then who works there, then who is there first.
pub fn offers(
    day: &Day,
    wanted: &Wanted<'_>,
    people: &[Person],
    rules: &TravelRules,
) -> Vec<Offer> {
    let fit = people.iter().filter(|it| it.qualification.lacks(wanted.skills).is_empty());
    let mut offers: Vec<Offer> = fit
        .filter_map(|person| {
            let (technician, job) = (person.id, wanted.call.job);
            let will = day.round_with(technician, wanted.call, rules);
            let leg = will.iter().find(|leg| leg.job == job)?;
            let makes_late = newly_late(&day.round(technician, rules), &will).len();
            let (reached_at, late, metres) = (leg.reached_at, leg.late, leg.metres);
            let is_in_area = person.qualification.covers(wanted.address);
            Some(Offer { technician, reached_at, late, metres, makes_late, is_in_area })
        })
        .collect();
    offers.sort_by_key(|it| (it.makes_late, !it.is_in_area, it.reached_at, it.technician));
    offers
}

/// Lists the technicians of a hall who are not shut out, in the order of their log-ins.
pub async fn people(mut c: C<'_>, hall: HallId) -> Result<Vec<Person>> {
    let role = Some(Role::Technician.key().to_owned());
    let filter = Filter { role, disabled: Some(false), pattern: None };
    let page = (String::new(), MOST_TECHNICIANS);
    let rows = users::list_users(c.lend(), hall, &filter, page).await?;
    let mut recorded = qualifications::list_qualifications(c, hall).await?;
    let person = |id| Person { id, qualification: recorded.remove(&id).unwrap_or_default() };
    Ok(rows.into_iter().map(|row| UserId(row.user_id)).map(person).collect())
}

/// Finds a job; `None` when it is over, or none of the hall's.
pub async fn find(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<Task>> {
    Ok(jobs::find_call(c, hall, job).await?.and_then(task))
}

/// Lists what people have to go to in a span.
pub async fn given_out(c: C<'_>, hall: HallId, span: (i64, i64)) -> Result<Vec<Task>> {
    Ok(jobs::list_calls(c, hall, span).await?.into_iter().filter_map(task).collect())
}

/// Lists what nobody has: jobs with a window in a span, and those without one.
pub async fn left_open(c: C<'_>, hall: HallId, span: (i64, i64)) -> Result<Vec<Task>> {
    Ok(jobs::list_open_calls(c, hall, span).await?.into_iter().filter_map(task).collect())
}

/// Those whom a move touches.
pub fn touched(what: &Move) -> BTreeSet<UserId> {
    what.from.into_iter().chain(what.to).collect()
}

/// What a plan knows of a job; `None` when nobody has to go there any more.
fn task(row: CallRow) -> Option<Task> {
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
    let call = Call {
        job: JobId(row.job_id),
        kind,
        window: window.map(|(start, end)| Window { start, end }),
        place: place.map(|(latitude, longitude)| Place { latitude, longitude }),
        is_there,
    };
    Some(Task {
        call,
        holder: row.technician_id.map(UserId),
        address: row.address,
        due: instant(row.promise_due_at),
        is_waiting: matches!(status, Status::Unassigned | Status::Assigned),
        position: row.updated_position,
    })
}
