//! Appointments (预约): the windows agreed for a job, one replacing another (A1, A2).

use crate::id::{EntryId, FactId, UserId, VisitId};
use crate::job::{Channel, Job, Window};
use crate::stamp::{Stamp, Timestamp};
use crate::visit::{Fact, live_facts};

/// When a window was agreed: the server knows its own time, a phone's has to be resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreedAt {
    /// In the hall, by the server's clock.
    Hall(Timestamp),
    /// At a phone.
    Phone(Stamp),
}

/// Where an appointment stands in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// An entry of the plan.
    Plan(EntryId),
    /// A fact of a visit.
    Visit(VisitId, FactId),
}

/// A window agreed with the household, by the hall or by the technician.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Where it stands.
    pub source: Source,
    /// The window.
    pub window: Window,
    /// How it was agreed.
    pub channel: Channel,
    /// Who agreed it.
    pub by: UserId,
    /// When it was agreed.
    pub at: AgreedAt,
}

/// Every appointment of the job, the hall's before the phones', each in the order of its ids.
///
/// Ids are UUIDv7, so that each maker's own appointments stand in the order in which they were made.
pub fn appointments(job: &Job) -> Vec<Agreed> {
    let planned = job.plan.appointments.iter().map(|(id, made)| Agreed {
        source: Source::Plan(*id),
        window: made.window,
        channel: made.channel,
        by: made.author.by,
        at: AgreedAt::Hall(made.author.at),
    });
    let at_doors = job.visits.iter().flat_map(|(visit_id, visit)| {
        live_facts(visit).into_iter().filter_map(|(id, recorded)| {
            let Fact::AgreedAnew { window, channel } = recorded.fact else { return None };
            Some(Agreed {
                source: Source::Visit(*visit_id, id),
                window,
                channel,
                by: visit.technician,
                at: AgreedAt::Phone(recorded.stamp),
            })
        })
    });
    let mut all: Vec<Agreed> = planned.chain(at_doors).collect();
    all.sort_by_key(Agreed::made_id);
    all
}

/// The appointment that holds: the newest one.
pub fn current(job: &Job) -> Option<Agreed> {
    appointments(job).pop()
}

impl Agreed {
    fn made_id(&self) -> uuid::Uuid {
        match self.source {
            Source::Plan(entry) => entry.0,
            Source::Visit(_, fact) => fact.0,
        }
    }
}
