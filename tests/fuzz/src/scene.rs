//! A hall, two technicians and the phone of one of them, as real exchanges left them: what the targets begin from.

use std::sync::OnceLock;

use automerge::ActorId;
use domain::id::{DeviceId, FactId, JobId, MessageId, UserId, VisitId};
use domain::job::{Job, Message};
use domain::stamp::{BootId, Stamp, Timestamp};
use domain::visit::{Fact, Recorded};
use sha2::{Digest as _, Sha256};
use sync::authority::Writer;
use sync::device::{Device, Enrolment, Moment, Record, Round};
use sync::document::{NewFact, Pen};
use sync::hall::Hall;
use sync::hub::hall_actor;
use sync::message::Epoch;
use sync::seal::SealKey;

use crate::door::uuid;

/// The boot in which everything happens.
pub(crate) const BOOT: BootId = BootId(1);

/// What real exchanges left.
#[derive(Clone)]
pub(crate) struct Scene {
    /// The hall after the last exchange.
    pub(crate) hall: Hall,
    /// The phone after the last exchange, with a fact that the hall does not have yet.
    pub(crate) phone: Device,
    /// Who carries it.
    pub(crate) writer: Writer,
    /// The technician of the other job.
    pub(crate) other: Writer,
    /// The phone's job, and the other's.
    pub(crate) jobs: [JobId; 2],
    /// Everything that the phone said, in order.
    pub(crate) requests: Vec<Vec<u8>>,
    /// Everything that the hall said, in order.
    pub(crate) replies: Vec<Vec<u8>>,
    /// Everything that the phone kept, in order.
    pub(crate) records: Vec<Record>,
    mono_ms: i64,
    ids: u128,
}

/// The scene, played once.
pub(crate) fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(play)
}

/// The job of this number.
pub(crate) fn job(number: u128) -> Job {
    let text = include_str!("../../../sync/tests/hostile/job.json");
    let mut job: Job = serde_json::from_str(text).expect("a fixture");
    job.id = JobId(uuid(number));
    job
}

/// When everything happens.
pub(crate) fn now() -> Timestamp {
    job(1).created_at
}

/// Puts the right checksum into a change chunk, so that what bent it is looked at behind the checksum.
pub(crate) fn reseal(chunk: &mut [u8]) {
    if chunk.len() > 8 {
        let hash = Sha256::digest(&chunk[8..]);
        chunk[4..8].copy_from_slice(&hash[..4]);
    }
}

fn play() -> Scene {
    let writer =
        |number| Writer { user: UserId(uuid(number)), device: DeviceId(uuid(number + 16)) };
    let (mine, other) = (writer(0xb1), writer(0xb2));
    let mut hall = Hall::new(Epoch([1; 16]), SealKey::new([9; 32]), hall_actor([0; 12]));
    let jobs = [1, 2].map(|number| job(number).id);
    for (number, writer) in [(1, mine), (2, other)] {
        hall.create_job(&job(number), now()).expect("a hall makes jobs");
        hall.grant(jobs[usize::from(number == 2)], writer.user);
    }
    hall.give_receipts(20, 5);
    hall.add_pack("id = \"a pack that no version reads\"".to_owned());
    let (phone, (requests, replies, records)) = (Device::new(), Default::default());
    let (writer, ids) = (mine, 0x4000);
    let mut scene =
        Scene { hall, phone, writer, other, jobs, requests, replies, records, mono_ms: 0, ids };
    let Writer { user, device } = mine;
    scene.keep(vec![Record::Enrolled(Enrolment { device, user, hall: job(1).hall })]);
    scene.meet();
    let visit = VisitId(uuid(0x901));
    scene.fact(visit, true, &Fact::SetOut);
    scene.fact(visit, false, &Fact::PhonedAhead { reached: true });
    scene.meet();
    scene.hall.mark_safe();
    scene.hall.make_snapshots();
    scene.message("带长软管");
    scene.keep(vec![Record::ReceiptUsed { number: 1 }]);
    scene.meet();
    scene.fact(visit, false, &Fact::Noted { text: "好".to_owned() });
    let last = scene.phone.request(scene.moment()).encode();
    scene.requests.push(last);
    scene
}

impl Scene {
    pub(crate) fn moment(&self) -> Moment {
        Moment { boot: BOOT, mono_ms: self.mono_ms }
    }

    /// The round in which a reply comes now.
    pub(crate) fn round(&self) -> Round {
        Round { boot: BOOT, sent_ms: self.mono_ms, received_ms: self.mono_ms + 80, wall_at: now() }
    }

    fn keep(&mut self, records: Vec<Record>) {
        for record in &records {
            self.phone.replay(record);
        }
        self.records.extend(records);
    }

    /// Exchanges until nothing is left to say.
    fn meet(&mut self) {
        loop {
            self.mono_ms += 60_000;
            let request = self.phone.request(self.moment()).encode();
            let reply = self.hall.exchange(self.writer, &request, now()).expect("a real request");
            let received = self.phone.receive(&reply, self.round()).expect("a real reply");
            self.requests.push(request);
            self.replies.push(reply);
            self.keep(received.records);
            if !received.again {
                return;
            }
        }
    }

    fn pen() -> Pen {
        Pen { actor: ActorId::from(b"the phone's actr"), at: now() }
    }

    fn stamp(&self) -> Stamp {
        let anchor = self.phone.anchor();
        Stamp { wall_at: now(), boot: BOOT, mono_ms: self.mono_ms, anchor }
    }

    fn next_id(&mut self) -> uuid::Uuid {
        self.ids += 1;
        uuid(self.ids)
    }

    fn fact(&mut self, visit: VisitId, opens: bool, fact: &Fact) {
        let recorded = Recorded { stamp: self.stamp(), fact: fact.clone() };
        let opens = opens.then_some((self.writer.user, self.writer.device));
        let new = NewFact { visit, opens, id: FactId(self.next_id()), recorded: &recorded };
        let made = self.phone.make_fact(&Self::pen(), BOOT, self.jobs[0], &new);
        self.keep(vec![made.expect("the phone holds the job")]);
    }

    fn message(&mut self, text: &str) {
        let id = MessageId(self.next_id());
        let text = text.to_owned();
        let message = Message { author: self.writer.user, stamp: self.stamp(), text };
        let made = self.phone.make_message(&Self::pen(), BOOT, self.jobs[0], (id, &message));
        self.keep(vec![made.expect("the phone holds the job")]);
    }
}

/// A fact of the other technician, who did nothing yet, as a request of theirs.
pub(crate) fn neighbour(hall: &mut Hall) -> bool {
    let scene = scene();
    let Writer { user, device } = scene.other;
    let mut phone = Device::new();
    phone.replay(&Record::Enrolled(Enrolment { device, user, hall: job(2).hall }));
    for mono_ms in [1_000, 60_000, 120_000] {
        let moment = Moment { boot: BOOT, mono_ms };
        let reply = hall.exchange(scene.other, &phone.request(moment).encode(), now());
        let round =
            Round { boot: BOOT, sent_ms: mono_ms, received_ms: mono_ms + 80, wall_at: now() };
        let received = phone.receive(&reply.expect("a real request"), round).expect("a real reply");
        for record in &received.records {
            phone.replay(record);
        }
        if phone.own().count() == 0 {
            let stamp =
                Stamp { wall_at: now(), boot: BOOT, mono_ms: mono_ms + 90, anchor: phone.anchor() };
            let recorded = Recorded { stamp, fact: Fact::SetOut };
            let pen = Pen { actor: ActorId::from(b"the other's actr"), at: now() };
            let (visit, id) = (VisitId(uuid(0x902)), FactId(uuid(0x5000)));
            let new = NewFact { visit, opens: Some((user, device)), id, recorded: &recorded };
            let made = phone.make_fact(&pen, BOOT, scene.jobs[1], &new);
            phone.replay(&made.expect("the phone holds the job"));
        }
    }
    phone.only_here() == 0 && phone.pending() == 0
}
