//! What a technician looks at: the day, one job, a meter's past.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::household::PastReading;
use domain::id::{JobId, MeterId};
use domain::job::{Job, JobKind, Window};
use domain::pack::Pack;
use domain::promise::{self, PromiseVerdict};
use domain::stamp::{Heard, Interval, Stamp, Timestamp};
use domain::status::{Clash, Standing, Status, standing};
use domain::visit::{Fact, Recorded, live_facts};
use serde::Serialize;
use sync::device::{SetAside, Standing as Held};
use sync::document::Unread;
use uuid::Uuid;

use super::call::{CallPart, CallView};
use super::{CommandError, Phone, builtin_pack};
use crate::clock::{Clock, Rng};
use crate::entry::{Entry, Left};
use crate::log::LogStore;

/// One line of a technician's day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayJob {
    /// The job.
    pub job: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// Where it stands.
    pub status: Status,
    /// The window agreed.
    pub window: Option<Window>,
    /// Whose door it is.
    pub holder: String,
    /// Where.
    pub address: String,
    /// What was promised, and until when.
    pub promise: Option<PromiseVerdict>,
    /// What the technician has not seen yet.
    pub unseen: Vec<Unseen>,
    /// Where facts contradict each other.
    pub clashes: Vec<Clash>,
    /// Whether the job was given to somebody else; it stays until the hall has all of it.
    pub withdrawn: bool,
    /// Facts of it that are on this phone only.
    pub only_here: usize,
    /// Where the calling stands for this technician, when they were called to it (B2).
    pub call: Option<CallView>,
}

/// What changed since the technician last looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "what", content = "id")]
pub enum Unseen {
    /// The whole job is new.
    Job,
    /// Another window.
    Appointment(Uuid),
    /// Given or taken.
    Assignment(Uuid),
    /// Called off.
    Cancellation(Uuid),
    /// A clash decided.
    Ruling(Uuid),
    /// Something to mind.
    Instruction(Uuid),
    /// Called to an emergency, oneself or others.
    Call(Uuid),
    /// A line from somebody else.
    Message(Uuid),
}

/// A job with everything that the phone knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobView<'a> {
    /// The job.
    pub job: &'a Job,
    /// Where it stands.
    pub standing: Standing,
    /// The promise.
    pub promise: Option<PromiseVerdict>,
    /// What the technician has not seen yet.
    pub unseen: Vec<Unseen>,
    /// Entries that this version cannot read; they are kept.
    pub unread: &'a [Unread],
    /// Changes that the document cannot take; they are kept.
    pub set_aside: &'a [SetAside],
    /// Whether the job was given to somebody else.
    pub withdrawn: bool,
    /// Where the calling stands for this technician, when they were called to it (B2).
    pub call: Option<CallView>,
}

/// A job as work of a technician.
struct Turn {
    /// The day of its window, in the hall's city.
    on: Option<NaiveDate>,
    is_open: bool,
    stands: Standing,
    call: Option<CallView>,
}

/// A meter's past, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterHistory {
    /// What the hall sent.
    pub known: Vec<PastReading>,
    /// What was read in this job, corrections and withdrawn ones left out.
    pub read_here: Vec<Recorded>,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// The technician's work on a day: windows of that day by their start, then work without a
    /// window, with what earlier days left open.
    pub fn my_day(&self, day: NaiveDate) -> Vec<DayJob> {
        self.my_days(day, 0).pop_first().map(|(_, lines)| lines).unwrap_or_default()
    }

    /// The work of a day as [`Self::my_day`] has it, and of so many days after it what has its window then.
    pub fn my_days(&self, first: NaiveDate, ahead: u32) -> BTreeMap<NaiveDate, Vec<DayJob>> {
        let last = first + TimeDelta::days(ahead.into());
        let mut days = BTreeMap::<NaiveDate, Vec<DayJob>>::new();
        for job in self.jobs() {
            let Some(turn) = self.turn(job) else { continue };
            let day = match turn.on {
                Some(day) if first <= day && day <= last => day,
                Some(day) if day < first && turn.is_open => first,
                None if turn.is_open => first,
                Some(_) | None => continue,
            };
            days.entry(day).or_default().push(self.line(job, turn));
        }
        for lines in days.values_mut() {
            lines.sort_by_key(|line| {
                let due = line.promise.as_ref().map(|promise| promise.due_at);
                let at = line.window.map(|it| it.start).or(due);
                (at.is_none(), at, line.job)
            });
        }
        days
    }

    /// The day that it is in the hall's city.
    pub fn city_today(&self) -> NaiveDate {
        self.today(&builtin_pack())
    }

    /// How far east of UTC the hall's city is.
    pub fn utc_offset_minutes(&self) -> i32 {
        builtin_pack().time.utc_offset_minutes
    }

    /// One job.
    pub fn job(&self, id: JobId) -> Result<JobView<'_>, CommandError> {
        let job = self.held(id)?;
        let view = self.device.view(id).ok_or(CommandError::NoSuchJob(id))?;
        Ok(JobView {
            job,
            standing: standing(job),
            promise: self.promise(job),
            unseen: self.unseen(job),
            unread: &view.unread,
            set_aside: &view.set_aside,
            withdrawn: self.device.is_withdrawn(id),
            call: self.call(job),
        })
    }

    /// What is known of a meter.
    pub fn meter_history(&self, job: JobId, meter: MeterId) -> Result<MeterHistory, CommandError> {
        let known = self.meter(job, meter)?.readings;
        let job = self.held(job)?;
        let facts: Vec<_> = job.visits.values().flat_map(live_facts).collect();
        let corrected: BTreeSet<_> = facts
            .iter()
            .filter_map(|(_, it)| {
                let Fact::Read { corrects, .. } = it.fact else { return None };
                corrects
            })
            .collect();
        let is_here = |fact: &Fact| matches!(fact, Fact::Read { meter: it, .. } if *it == meter);
        let read_here = facts
            .into_iter()
            .filter(|(id, recorded)| is_here(&recorded.fact) && !corrected.contains(id))
            .map(|(_, recorded)| recorded.clone())
            .collect();
        Ok(MeterHistory { known, read_here })
    }

    /// Notes that the technician has looked at a job, so that only later changes stand out.
    pub async fn mark_seen(&mut self, id: JobId) -> Result<(), CommandError> {
        if self.left.contains_key(&id) {
            return Ok(self.keep(vec![Entry::Seen { job: id, ids: Vec::new() }]).await?);
        }
        let job = self.held(id)?;
        let ids: BTreeSet<Uuid> = entries(job).map(|(id, _)| id).collect();
        if self.seen.get(&id) == Some(&ids) {
            return Ok(());
        }
        let ids = ids.into_iter().collect();
        Ok(self.keep(vec![Entry::Seen { job: id, ids }]).await?)
    }

    /// Jobs that left for somebody else, until [`Self::mark_seen`].
    pub fn left(&self) -> &BTreeMap<JobId, Left> {
        &self.left
    }

    /// What has to be told of a job that leaves this phone now.
    pub(super) fn leaving(&self, id: JobId) -> Option<Entry> {
        let job = self.device.job(id)?;
        let enrolment = self.device.enrolment()?;
        let own = job.visits.values().filter(|visit| visit.device == enrolment.device);
        let facts: Vec<&Recorded> = own.flat_map(|visit| visit.facts.values()).collect();
        let arrived = facts.iter().find(|it| matches!(it.fact, Fact::Arrived { .. }));
        let left = Left {
            kind: job.kind,
            address: job.briefing.household.address.clone(),
            recorded: facts.len(),
            arrived_at: arrived.map(|it| it.stamp.wall_at.timestamp_millis()),
        };
        let is_over = is_over(standing(job).status);
        (!is_over).then_some(Entry::Left { job: id, left })
    }

    /// Whether a job is work of whose phone this is, and on which day.
    fn turn(&self, job: &Job) -> Option<Turn> {
        let pack = self.packs.get(&job.pack).cloned().unwrap_or_else(builtin_pack);
        let stands = standing(job);
        let me = self.device.enrolment().map(|enrolment| enrolment.user);
        let call = self.call(job);
        let is_mine = match call.as_ref().map(|call| call.part) {
            None => stands.technician == me || self.has_own_visit(job),
            Some(CallPart::Waiting | CallPart::Accepted | CallPart::Leads | CallPart::Supports) => {
                true
            }
            // What was declined, or taken on by others, is no work of one's own unless one went all the same.
            Some(CallPart::Declined | CallPart::Over) => {
                stands.technician == me || stands.visit.is_some() && self.has_own_visit(job)
            }
        };
        let offset = pack.time.utc_offset_minutes;
        let on = stands.appointment.map(|window| city_day(window.start, offset));
        let is_open = !is_over(stands.status);
        is_mine.then_some(Turn { on, is_open, stands, call })
    }

    fn line(&self, job: &Job, Turn { stands, call, .. }: Turn) -> DayJob {
        let household = &job.briefing.household;
        DayJob {
            job: job.id,
            kind: job.kind,
            status: stands.status,
            window: stands.appointment,
            holder: household.holder.clone(),
            address: household.address.clone(),
            promise: self.promise(job),
            unseen: self.unseen(job),
            clashes: stands.clashes,
            withdrawn: self.device.is_withdrawn(job.id),
            only_here: self.only_here(job.id),
            call,
        }
    }

    fn only_here(&self, job: JobId) -> usize {
        let epoch = self.device.cursor().map(|cursor| cursor.epoch);
        let own = self.device.own_of(job);
        own.filter(|own| match own.standing {
            Held::OnThisPhoneOnly => true,
            Held::Waiting(known) | Held::Quarantined(known, _) | Held::Acked(known, _) => {
                epoch != Some(*known)
            }
        })
        .count()
    }

    fn has_own_visit(&self, job: &Job) -> bool {
        let me = self.device.enrolment().map(|enrolment| enrolment.user);
        job.visits.values().any(|visit| Some(visit.technician) == me)
    }

    fn promise(&self, job: &Job) -> Option<PromiseVerdict> {
        let pack = self.packs.get(&job.pack)?;
        let now = self.hall_now();
        // A phone knows all that it recorded itself.
        let known = (now, Heard::Until(now));
        promise::judge(job, &|stamp| self.resolve(stamp, job.created_at, now, pack), known, pack)
    }

    pub(super) fn resolve(
        &self,
        stamp: &Stamp,
        from: Timestamp,
        now: Timestamp,
        pack: &Pack,
    ) -> Interval {
        let anchors: Vec<_> = self.device.anchor().into_iter().collect();
        // A phone whose clock is behind must not put what it just did before the job existed.
        let bounds = Interval { earliest: from, latest: now.max(from) + TimeDelta::minutes(1) };
        stamp.resolve(&anchors, bounds, pack.time.drift_ppm)
    }

    fn unseen(&self, job: &Job) -> Vec<Unseen> {
        let Some(seen) = self.seen.get(&job.id) else { return vec![Unseen::Job] };
        let me = self.device.enrolment().map(|enrolment| enrolment.user);
        let new = entries(job).filter(|(id, _)| !seen.contains(id));
        new.filter(|(id, _)| {
            let message = job.messages.iter().find(|(known, _)| known.0 == *id);
            message.is_none_or(|(_, message)| Some(message.author) != me)
        })
        .map(|(_, unseen)| unseen)
        .collect()
    }
}

/// Everything that others may add to a job.
fn entries(job: &Job) -> impl Iterator<Item = (Uuid, Unseen)> {
    let plan = &job.plan;
    let appointments = plan.appointments.keys().map(|id| (id.0, Unseen::Appointment(id.0)));
    let assignments = plan.assignments.keys().map(|id| (id.0, Unseen::Assignment(id.0)));
    let cancelled = plan.cancelled.keys().map(|id| (id.0, Unseen::Cancellation(id.0)));
    let rulings = plan.rulings.keys().map(|id| (id.0, Unseen::Ruling(id.0)));
    let instructions = plan.instructions.keys().map(|id| (id.0, Unseen::Instruction(id.0)));
    let calls = plan.calls.keys().map(|id| (id.0, Unseen::Call(id.0)));
    let messages = job.messages.keys().map(|id| (id.0, Unseen::Message(id.0)));
    (appointments.chain(assignments).chain(cancelled))
        .chain(rulings)
        .chain(instructions)
        .chain(calls)
        .chain(messages)
}

fn is_over(status: Status) -> bool {
    match status {
        Status::Done | Status::Cancelled => true,
        Status::Unassigned
        | Status::Assigned
        | Status::SetOut
        | Status::AtDoor
        | Status::Working
        | Status::NoOneHome
        | Status::Refused
        | Status::Empty
        | Status::WrongAddress
        | Status::CannotFinish => false,
    }
}
