//! A phone of the tests: a device, its log, and the copies somebody made of it.

use std::collections::BTreeMap;

use automerge::{ActorId, ChangeHash};
use domain::id::{FactId, JobId, MessageId, VisitId};
use domain::job::Message;
use domain::stamp::{BootId, Stamp, Timestamp};
use domain::visit::{Fact, Outcome, Recorded};
use sync::authority::Writer;
use sync::chunk::chunk_hash;
use sync::device::{Device, Enrolment, MakeError, Moment, Received, Record, Round};
use sync::document::{NewFact, Pen};
use sync::message::Reply;

/// A phone with its log.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) device: Device,
    pub(crate) writer: Writer,
    /// The records as bytes: what survives.
    pub(crate) log: Vec<Vec<u8>>,
    /// A reply that is still under way.
    pub(crate) late: Option<Vec<u8>>,
    pub(crate) mono_ms: i64,
    boot: u32,
    actor: u64,
    seq: u64,
    visits: BTreeMap<JobId, VisitId>,
}

impl Phone {
    /// A phone just enrolled; `actor` is never used by another.
    pub(crate) fn new(writer: Writer, enrolment: Enrolment, actor: u64) -> Self {
        let (log, visits) = (Vec::new(), BTreeMap::new());
        let mut phone = Self {
            device: Device::new(),
            writer,
            log,
            late: None,
            mono_ms: 0,
            boot: 1,
            actor,
            seq: 0,
            visits,
        };
        phone.store(&[Record::Enrolled(enrolment)]);
        phone
    }

    /// Stores records, then takes them in.
    pub(crate) fn store(&mut self, records: &[Record]) {
        for record in records {
            let bytes = record.encode();
            self.device.replay(&Record::decode(&bytes).unwrap());
            self.log.push(bytes);
        }
    }

    /// Starts again from the log, with an actor never used before.
    pub(crate) fn restart(&mut self, actor: u64) {
        self.device = replayed(&self.log);
        self.late = None;
        (self.actor, self.boot, self.mono_ms) = (actor, self.boot + 1, 0);
    }

    /// Writes the log anew with what the device is made of.
    pub(crate) fn compact(&mut self) {
        self.log = self.device.compact().iter().map(Record::encode).collect();
        let from_log = replayed(&self.log);
        assert_eq!(from_log.compact(), self.device.compact());
        self.device = from_log;
    }

    /// Records a remark, in a visit of its own for each job; every seventh closes the visit.
    pub(crate) fn note(&mut self, job: JobId, at: Timestamp) -> Result<ChangeHash, MakeError> {
        let seq = self.seq + 1;
        let fact = match seq % 7 {
            0 => Fact::Closed { outcome: Outcome::NoOneHome },
            _ => Fact::Noted { text: format!("{} {seq}", self.actor) },
        };
        self.fact(job, at, fact)
    }

    /// Records a fact in the open visit of a job, opening one when there is none.
    pub(crate) fn fact(
        &mut self,
        job: JobId,
        at: Timestamp,
        fact: Fact,
    ) -> Result<ChangeHash, MakeError> {
        self.seq += 1;
        let known = self.device.job(job).ok_or(MakeError::NoJob(job))?;
        let open = self.visits.get(&job).copied().filter(|visit| {
            let facts = known.visits.get(visit).map(|visit| visit.facts.values());
            facts.is_some_and(|mut facts| !facts.any(|it| matches!(it.fact, Fact::Closed { .. })))
        });
        let visit = open.unwrap_or_else(|| VisitId(self.id(1)));
        self.visits.insert(job, visit);
        let opens = open.is_none().then_some((self.writer.user, self.writer.device));
        let recorded = Recorded { stamp: self.stamp(at), fact };
        let fact = NewFact { visit, opens, id: FactId(self.id(2)), recorded: &recorded };
        let record = self.device.make_fact(&self.pen(at), BootId(self.boot), job, &fact)?;
        Ok(self.keep(record))
    }

    /// Writes a message.
    pub(crate) fn message(&mut self, job: JobId, at: Timestamp) -> Result<ChangeHash, MakeError> {
        self.seq += 1;
        let text = format!("{} {}", self.actor, self.seq);
        let message = Message { author: self.writer.user, stamp: self.stamp(at), text };
        let id = MessageId(self.id(3));
        let pen = self.pen(at);
        let record = self.device.make_message(&pen, BootId(self.boot), job, (id, &message))?;
        Ok(self.keep(record))
    }

    pub(crate) fn request(&self) -> Vec<u8> {
        let now = Moment { boot: BootId(self.boot), mono_ms: self.mono_ms };
        self.device.request(now).encode()
    }

    /// Reads a reply that took two seconds.
    pub(crate) fn receive(&mut self, reply: &[u8]) -> Received {
        let sent_ms = self.mono_ms;
        self.mono_ms += 2_000;
        let wall_at = Reply::decode(reply).unwrap().server_at;
        let round = Round { boot: BootId(self.boot), sent_ms, received_ms: self.mono_ms, wall_at };
        self.device.receive(reply, round).unwrap()
    }

    pub(crate) fn pen(&self, at: Timestamp) -> Pen {
        let mut actor = [0; 16];
        actor[8..].copy_from_slice(&self.actor.to_be_bytes());
        Pen { actor: ActorId::from(actor), at }
    }

    pub(crate) fn stamp(&self, wall_at: Timestamp) -> Stamp {
        let anchor = self.device.anchor();
        Stamp { wall_at, boot: BootId(self.boot), mono_ms: self.mono_ms, anchor }
    }

    fn keep(&mut self, record: Record) -> ChangeHash {
        let Record::Made(made) = &record else { unreachable!() };
        let hash = chunk_hash(&made.bytes);
        self.store(&[record]);
        hash
    }

    fn id(&self, kind: u8) -> uuid::Uuid {
        let mut random = [0; 10];
        random[0] = kind;
        random[1..5].copy_from_slice(&self.actor.to_be_bytes()[4..]);
        random[5..9].copy_from_slice(&self.seq.to_be_bytes()[4..]);
        domain::id::uuid_v7(1_795_392_000_000 + i64::try_from(self.seq).unwrap(), random)
    }
}

/// A device made from a log alone.
pub(crate) fn replayed(log: &[Vec<u8>]) -> Device {
    let mut device = Device::new();
    for bytes in log {
        device.replay(&Record::decode(bytes).unwrap());
    }
    device
}
