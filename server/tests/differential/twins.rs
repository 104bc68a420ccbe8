//! One phone that exists twice: the same changes on both, each with its own hall.

use std::collections::BTreeMap;

use automerge::{ActorId, ChangeHash};
use domain::household::{Hose, HoseKind};
use domain::id::{FactId, HallId, HoseId, JobId, MessageId, MeterId, VisitId, uuid_v7};
use domain::job::Message;
use domain::measure::Volume;
use domain::pack::PackId;
use domain::reading::{Finding, ReadingState, Verdict};
use domain::stamp::{BootId, Stamp, Timestamp};
use domain::visit::{Fact, Outcome, Recorded};
use sync::authority::Writer;
use sync::device::{Device, Enrolment, Moment, Record, Round};
use sync::document::{NewFact, Pen};
use sync::message::{Reply, Request};
use uuid::Uuid;

/// The halls that the two talk to.
pub(crate) const MODEL: usize = 0;
pub(crate) const SERVER: usize = 1;

/// A phone and its twin.
pub(crate) struct Twins {
    pub(crate) writer: Writer,
    pub(crate) sides: [Device; 2],
    actor: u64,
    boot: u32,
    booted_at: Timestamp,
    mono_ms: i64,
    seq: u64,
    visits: BTreeMap<JobId, VisitId>,
}

impl Twins {
    pub(crate) fn new(writer: Writer, hall: HallId, actor: u64, booted_at: Timestamp) -> Self {
        let Writer { user, device } = writer;
        let mut sides = [Device::new(), Device::new()];
        for side in &mut sides {
            side.replay(&Record::Enrolled(Enrolment { device, user, hall }));
        }
        let visits = BTreeMap::new();
        Self { writer, sides, actor, boot: 1, booted_at, mono_ms: 0, seq: 0, visits }
    }

    /// Starts again, with an actor never used before.
    pub(crate) fn restart(&mut self, actor: u64, now: Timestamp) {
        (self.actor, self.boot, self.booted_at) = (actor, self.boot + 1, now);
        self.pass_to(now);
    }

    /// Time passes on the phone.
    pub(crate) fn pass_to(&mut self, now: Timestamp) {
        self.mono_ms = (now - self.booted_at).num_milliseconds();
    }

    /// Records a remark; every eighth closes the visit. Nothing happens when the job is not on the phone.
    pub(crate) fn note(&mut self, job: JobId, at: Timestamp) {
        self.seq += 1;
        let fact = self.next_fact();
        let Some(known) = self.sides[MODEL].job(job) else { return };
        let open = self.visits.get(&job).copied().filter(|visit| {
            let facts = known.visits.get(visit).map(|visit| visit.facts.values());
            facts.is_some_and(|mut facts| !facts.any(|it| matches!(it.fact, Fact::Closed { .. })))
        });
        let visit = open.unwrap_or_else(|| VisitId(self.id(1)));
        self.visits.insert(job, visit);
        let opens = open.is_none().then_some((self.writer.user, self.writer.device));
        let recorded = Recorded { stamp: self.stamp(at), fact };
        let fact = NewFact { visit, opens, id: FactId(self.id(2)), recorded: &recorded };
        let made =
            self.sides[MODEL].make_fact(&self.pen(at), BootId(self.boot), job, &fact).unwrap();
        self.replay(&made);
    }

    fn next_fact(&self) -> Fact {
        match self.seq % 8 {
            0 => Fact::Closed { outcome: Outcome::NoOneHome },
            1 => Fact::Arrived { fix: None },
            2 => Fact::Read {
                meter: MeterId(self.id(4)),
                register: Some(Volume(i64::try_from(self.seq).unwrap())),
                state: ReadingState::Seen,
                verdict: Verdict::new(Finding::Normal, &PackId("pack".to_owned())),
                corrects: None,
            },
            3 => Fact::HoseReplaced {
                removed: None,
                installed: Hose {
                    id: HoseId(self.id(5)),
                    kind: HoseKind::Corrugated,
                    length_mm: 1_500,
                    installed_on: chrono::NaiveDate::default(),
                    is_estimated: false,
                    joints: None,
                },
                free: true,
                lot: String::new(),
            },
            _ => Fact::Noted { text: format!("{} {}", self.actor, self.seq) },
        }
    }

    /// Writes a message. Nothing happens when the job is not on the phone.
    pub(crate) fn message(&mut self, job: JobId, at: Timestamp) {
        self.seq += 1;
        let text = format!("{} {}", self.actor, self.seq);
        let message = Message { author: self.writer.user, stamp: self.stamp(at), text };
        let id = MessageId(self.id(3));
        let (pen, boot) = (self.pen(at), BootId(self.boot));
        if let Ok(made) = self.sides[MODEL].make_message(&pen, boot, job, (id, &message)) {
            self.replay(&made);
        }
    }

    pub(crate) fn requests(&self) -> [Request; 2] {
        let now = Moment { boot: BootId(self.boot), mono_ms: self.mono_ms };
        [self.sides[MODEL].request(now), self.sides[SERVER].request(now)]
    }

    /// Takes in the replies of both halls; returns whether one wants another round.
    pub(crate) fn receive(&mut self, replies: &[Vec<u8>; 2]) -> bool {
        let sent_ms = self.mono_ms;
        let mut again = false;
        for (side, reply) in self.sides.iter_mut().zip(replies) {
            let wall_at = Reply::decode(reply).unwrap().server_at;
            let (boot, received_ms) = (BootId(self.boot), sent_ms + 200);
            let round = Round { boot, sent_ms, received_ms, wall_at };
            let received = side.receive(reply, round).unwrap();
            again |= received.again;
            for record in &received.records {
                side.replay(record);
            }
        }
        again
    }

    /// The heads of both copies of a job.
    pub(crate) fn heads(&self, job: JobId) -> [Option<Vec<ChangeHash>>; 2] {
        [self.sides[MODEL].heads(job), self.sides[SERVER].heads(job)]
    }

    pub(crate) fn pen(&self, at: Timestamp) -> Pen {
        let mut actor = [0; 16];
        actor[8..].copy_from_slice(&self.actor.to_be_bytes());
        Pen { actor: ActorId::from(actor), at }
    }

    pub(crate) fn stamp(&self, wall_at: Timestamp) -> Stamp {
        // Both twins heard the same times, each of its own hall.
        let [anchor, same] = self.sides.each_ref().map(Device::anchor);
        assert_eq!(anchor, same);
        Stamp { wall_at, boot: BootId(self.boot), mono_ms: self.mono_ms, anchor }
    }

    fn replay(&mut self, made: &Record) {
        for side in &mut self.sides {
            side.replay(made);
        }
    }

    fn id(&self, kind: u8) -> Uuid {
        let mut random = [0; 10];
        random[0] = kind;
        random[1..5].copy_from_slice(&self.actor.to_be_bytes()[4..]);
        random[5..9].copy_from_slice(&self.seq.to_be_bytes()[4..]);
        uuid_v7(1_795_392_000_000 + i64::try_from(self.seq).unwrap(), random)
    }
}
