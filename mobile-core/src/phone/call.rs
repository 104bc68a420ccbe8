//! Calls to an emergency (B2): what waits for this technician, their answer, and who leads.

use domain::callout::{self, Answer};
use domain::id::{JobId, UserId};
use domain::job::{Job, JobKind};
use domain::stamp::Timestamp;
use domain::status;
use domain::visit::Fact;
use serde::Serialize;

use super::{CommandError, Phone, Saved, builtin_pack};
use crate::clock::{Clock, Rng};
use crate::log::LogStore;

/// What a call asks of this technician.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallPart {
    /// To answer.
    Waiting,
    /// To go; the hall has not said yet who leads.
    Accepted,
    /// To lead.
    Leads,
    /// To support who leads.
    Supports,
    /// Nothing: declined.
    Declined,
    /// Nothing: others took it on, or it is over.
    Over,
}

/// Where the calling of a job stands for this technician.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallView {
    /// What is asked of them.
    pub part: CallPart,
    /// When they were called last.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// When the next person is called.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub until: Timestamp,
    /// The name of who leads, by the hall's word; none while nobody does.
    pub lead: Option<String>,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Takes on a call.
    pub async fn accept_call(&mut self, job: JobId) -> Result<Saved, CommandError> {
        self.record(job, Fact::CallAccepted).await
    }

    /// Says that one cannot come; the hall calls somebody else at once. The reason may be empty.
    pub async fn decline_call(
        &mut self,
        job: JobId,
        reason: String,
    ) -> Result<Saved, CommandError> {
        self.record(job, Fact::CallDeclined { reason }).await
    }

    /// The emergencies that wait for an answer of whose phone this is, oldest first.
    pub fn calls_waiting(&self) -> Vec<JobId> {
        let called = self.jobs().filter(|job| job.kind == JobKind::Emergency);
        let mut waiting: Vec<_> = called
            .filter(|job| self.call(job).is_some_and(|it| it.part == CallPart::Waiting))
            .map(|job| (job.created_at, job.id))
            .collect();
        waiting.sort();
        waiting.into_iter().map(|(_, job)| job).collect()
    }

    /// Where the calling stands for whose phone this is; `None` for who was not called.
    pub(super) fn call(&self, job: &Job) -> Option<CallView> {
        let me = self.device.enrolment()?.user;
        if !callout::was_called(job, me) {
            return None;
        }
        let pack = self.packs.get(&job.pack).cloned().unwrap_or_else(builtin_pack);
        let now = self.hall_now();
        let times = |stamp: &_| self.resolve(stamp, job.created_at, now, &pack);
        let called = callout::callout(job, &times).called;
        let name_of = |who: UserId| called.iter().find(|it| it.technician == who);
        let own = name_of(me)?;
        let leads = status::assigned(job);
        let is_over = !status::standing(job).status.is_open();
        let part = match &own.answer {
            // Who leads is the hall's word: only it has heard every phone.
            Some(Answer::Accepted) => match leads {
                Some(lead) if lead == me => CallPart::Leads,
                Some(_) => CallPart::Supports,
                None => CallPart::Accepted,
            },
            Some(Answer::Declined { .. }) => CallPart::Declined,
            None if is_over || leads.is_some() => CallPart::Over,
            None => CallPart::Waiting,
        };
        let lead = leads.and_then(name_of).map(|it| it.name.clone());
        Some(CallView { part, at: own.at, until: own.until, lead })
    }
}
