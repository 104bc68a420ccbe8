//! A job at whose door a technician stands.

use automerge::{ActorId, Automerge};
use domain::id::{DeviceId, FactId, UserId, VisitId};
use domain::job::Job;
use domain::stamp::{BootId, Stamp};
use domain::visit::{Fact, Recorded};
use sync::authority::Writer;
use sync::document::{NewFact, Pen, create, fact_change, load};

/// A job with one open visit, and who writes it.
pub(crate) struct Door {
    /// The document.
    pub(crate) doc: Automerge,
    /// Its changes.
    pub(crate) changes: Vec<Vec<u8>>,
    /// The technician and the phone that opened the visit.
    pub(crate) writer: Writer,
    /// The phone's pen.
    pub(crate) pen: Pen,
    /// The visit.
    pub(crate) visit: VisitId,
}

impl Door {
    /// A job as the hall made it, with one visit opened by setting out.
    pub(crate) fn new() -> Self {
        Self::of(&uuid(1).to_string())
    }

    /// The same at another job.
    pub(crate) fn of(id: &str) -> Self {
        let mut job: Job = serde_json::from_str(include_str!("job.json")).unwrap();
        job.id = id.parse().unwrap();
        let server = Pen { actor: ActorId::from(b"server's actor16"), at: job.created_at };
        let pen = Pen { actor: ActorId::from(b"the phone's actr"), at: job.created_at };
        let writer = Writer { user: UserId(uuid(0xb1)), device: DeviceId(uuid(0xc1)) };
        let created = create(&job, &server).unwrap();
        let doc = load(None, std::slice::from_ref(&created)).unwrap();
        let mut door =
            Self { doc, changes: vec![created], writer, pen, visit: VisitId(uuid(0x901)) };
        let opened = door.open(door.visit, 0x1000, &Fact::SetOut);
        door.changes.push(opened);
        door
    }

    /// Writes a fact of the open visit into the document.
    pub(crate) fn fact(&mut self, id: u128, fact: &Fact) -> Vec<u8> {
        self.write(self.visit, None, id, fact)
    }

    /// Opens a visit with a first fact.
    pub(crate) fn open(&mut self, visit: VisitId, id: u128, fact: &Fact) -> Vec<u8> {
        self.write(visit, Some((self.writer.user, self.writer.device)), id, fact)
    }

    /// Writes a fact of any visit, opening it when told by whom.
    pub(crate) fn write(
        &mut self,
        visit: VisitId,
        opens: Option<(UserId, DeviceId)>,
        id: u128,
        fact: &Fact,
    ) -> Vec<u8> {
        let recorded = recorded(fact);
        let fact = NewFact { visit, opens, id: FactId(uuid(id)), recorded: &recorded };
        fact_change(&mut self.doc, &self.pen, &fact).unwrap()
    }
}

/// A fact as a phone that never heard a server records it.
pub(crate) fn recorded(fact: &Fact) -> Recorded {
    let wall_at = serde_json::from_str::<Job>(include_str!("job.json")).unwrap().created_at;
    Recorded {
        stamp: Stamp { wall_at, boot: BootId(1), mono_ms: 5, anchor: None },
        fact: fact.clone(),
    }
}

/// A small id of the fixtures.
pub(crate) fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0000 + number)
}
