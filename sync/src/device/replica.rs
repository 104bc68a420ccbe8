//! One document on a phone: its bytes, and what they say once somebody asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use automerge::{Automerge, Change, ChangeHash};
use domain::id::{DeviceId, JobId};
use domain::job::Job;
use domain::stamp::BootId;
use serde_json::Value;
use uuid::Uuid;

use super::record::{Answer, Answered, Arrived, Made, Record};
use super::said;
use crate::chunk::chunk_hash;
use crate::document::{Unread, apply, contents_of, json, load};
use crate::message::{Epoch, Fed, Position};
use crate::seal::Voucher;

/// What the hall last said of a change on this phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: it is on this phone only.
    OnThisPhoneOnly,
    /// It keeps the change until what it builds on arrives.
    Waiting(Epoch),
    /// It keeps the change apart, for this reason.
    Quarantined(Epoch, String),
    /// It has the change at this place of this history.
    Acked(Epoch, Position),
}

/// A change on this phone.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    /// The boot and the fact or message, when it was made here.
    pub(super) own: Option<(BootId, Uuid)>,
    pub(super) standing: Standing,
    pub(super) voucher: Option<Voucher>,
}

impl Held {
    fn is_acked(&self) -> bool {
        matches!(self.standing, Standing::Acked(..))
    }
}

/// A change that could not be brought into its document; its bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The change, or `None` for the snapshot.
    pub hash: Option<ChangeHash>,
    /// What was wrong with it.
    pub reason: String,
}

/// What a document says.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The job, as far as it can be read.
    pub job: Option<Job>,
    /// Entries that this version cannot read.
    pub unread: Vec<Unread>,
    /// Changes that could not be brought in.
    pub set_aside: Vec<SetAside>,
}

/// One document. The bytes are the truth; the rest is made from them on demand.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    pub(super) snapshot: Option<Vec<u8>>,
    pub(super) order: Vec<ChangeHash>,
    pub(super) held: BTreeMap<ChangeHash, Held>,
    pub(super) withdrawn: bool,
    /// Only of documents written in since the start: each takes tens of kilobytes.
    doc: OnceLock<Automerge>,
    view: OnceLock<View>,
    /// What the document says as values, once it was read.
    said: OnceLock<Vec<u8>>,
}

impl Replica {
    /// The changes in the order in which they came.
    pub(super) fn changes(&self) -> impl Iterator<Item = (ChangeHash, &Held)> {
        self.order.iter().filter_map(|hash| self.held.get(hash).map(|held| (*hash, held)))
    }

    /// What the document says, read at the first question.
    pub(super) fn view(&self) -> &View {
        self.view.get_or_init(|| {
            if let Some(said) = self.said.get().and_then(|said| said::decode(said)) {
                return read(said, Vec::new());
            }
            let (doc, set_aside) = if let Some(doc) = self.doc.get() {
                (Cow::Borrowed(doc), Vec::new())
            } else {
                let (doc, set_aside) = self.load();
                (Cow::Owned(doc), set_aside)
            };
            let said = json(&doc);
            if set_aside.is_empty() {
                self.said.get_or_init(|| said::encode(&said));
            }
            read(said, set_aside)
        })
    }

    /// What the document says, where all of it was brought in.
    pub(super) fn said(&self) -> Option<&[u8]> {
        self.view();
        self.said.get().map(Vec::as_slice)
    }

    /// Takes what the document said at an earlier start; tells whether it was not read yet.
    pub(super) fn lend(&self, said: &[u8]) -> bool {
        self.said.set(said.to_vec()).is_ok()
    }

    /// The name of the bytes that are read.
    pub(super) fn name(&self) -> [u8; 32] {
        let snapshot = self.snapshot.as_deref().unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[said::VERSION]).update(&(snapshot.len() as u64).to_le_bytes());
        hasher.update(snapshot);
        for hash in &self.order {
            hasher.update(&hash.0);
        }
        hasher.finalize().into()
    }

    /// A copy of the document to write in.
    pub(super) fn doc(&self) -> Automerge {
        self.doc.get_or_init(|| self.load().0).clone()
    }

    pub(super) fn add_made(&mut self, hash: ChangeHash, made: &Made) -> bool {
        let own = Some((made.boot, made.id));
        if let Some(held) = self.held.get_mut(&hash) {
            held.own = own;
            return false;
        }
        let bytes = made.bytes.clone();
        let doc = self.doc.take();
        self.forget_reading();
        if let (Some(doc), Ok(change)) = (doc, Change::from_bytes(bytes.clone()))
            && let Ok(next) = apply(&doc, &[change])
        {
            self.doc = OnceLock::from(next);
        }
        let standing = Standing::OnThisPhoneOnly;
        self.insert(hash, Held { bytes, own, standing, voucher: None });
        true
    }

    pub(super) fn add_arrived(&mut self, arrived: &Arrived) {
        self.withdrawn = false;
        if arrived.snapshot.is_some() && self.snapshot != arrived.snapshot {
            // The new one may lack what the old one had: a restored hall has forgotten something.
            // Only what a backup covers is in a snapshot, so in truth it never does.
            self.snapshot.clone_from(&arrived.snapshot);
            self.forget_reading();
        }
        for fed in &arrived.changes {
            let hash = chunk_hash(&fed.bytes);
            let standing = Standing::Acked(arrived.epoch, fed.position);
            if let Some(held) = self.held.get_mut(&hash) {
                held.standing = standing;
                held.voucher = Some(fed.voucher);
                continue;
            }
            let voucher = Some(fed.voucher);
            self.insert(hash, Held { bytes: fed.bytes.clone(), own: None, standing, voucher });
            self.forget_reading();
        }
    }

    pub(super) fn answer(
        &mut self,
        hash: ChangeHash,
        epoch: Epoch,
        answer: &Answer,
        by: Option<DeviceId>,
    ) {
        let Some(held) = self.held.get_mut(&hash) else { return };
        held.standing = match answer {
            Answer::Acked { position, seal } => {
                let device = held.voucher.map_or(by, |voucher| voucher.device);
                held.voucher = Some(Voucher { device, seal: *seal });
                Standing::Acked(epoch, *position)
            }
            Answer::Waiting => Standing::Waiting(epoch),
            Answer::Quarantined { reason } => Standing::Quarantined(epoch, reason.clone()),
        };
    }

    /// The fewest records that make this document again.
    pub(super) fn records(&self, job: JobId) -> Vec<Record> {
        let mut records = Vec::new();
        if let Some(snapshot) = &self.snapshot {
            // The history of a snapshot does not matter: a backup covers all of it.
            records.push(arrived(job, Epoch([0; 16]), Some(snapshot.clone()), Vec::new()));
        }
        for (hash, held) in self.changes() {
            if let Some((boot, id)) = held.own {
                let bytes = held.bytes.clone();
                records.push(Record::Made(Made { job, boot, id, bytes }));
            } else if let (Some(voucher), false) = (held.voucher, held.is_acked()) {
                // A restored hall did not take it back at once.
                let fed = Fed { bytes: held.bytes.clone(), position: Position::MAX, voucher };
                records.push(arrived(job, Epoch([0; 16]), None, vec![fed]));
            }
            let (epoch, answer) = match &held.standing {
                Standing::OnThisPhoneOnly => continue,
                Standing::Waiting(epoch) => (*epoch, Answer::Waiting),
                Standing::Quarantined(epoch, reason) => {
                    (*epoch, Answer::Quarantined { reason: reason.clone() })
                }
                Standing::Acked(epoch, position) => {
                    let Some(voucher) = held.voucher else { continue };
                    let (bytes, position) = (held.bytes.clone(), *position);
                    let fed = Fed { bytes, position, voucher };
                    match records.last_mut() {
                        Some(Record::Arrived(last)) if last.epoch == *epoch => {
                            last.changes.push(fed);
                        }
                        Some(_) | None => records.push(arrived(job, *epoch, None, vec![fed])),
                    }
                    continue;
                }
            };
            records.push(Record::Answered(Answered { hash, epoch, answer }));
        }
        if self.withdrawn {
            records.push(Record::Withdrawn { job });
        }
        records
    }

    fn insert(&mut self, hash: ChangeHash, held: Held) {
        self.order.push(hash);
        self.held.insert(hash, held);
    }

    fn forget_reading(&mut self) {
        self.doc = OnceLock::new();
        self.view = OnceLock::new();
        self.said = OnceLock::new();
    }

    fn load(&self) -> (Automerge, Vec<SetAside>) {
        let bytes: Vec<_> = self.changes().map(|(_, held)| &held.bytes).collect();
        match load(self.snapshot.as_deref(), &bytes) {
            Ok(doc) => (doc, Vec::new()),
            Err(_) => self.load_piecemeal(),
        }
    }

    /// Brings in what can be brought in, so that one bad row does not hide a job.
    fn load_piecemeal(&self) -> (Automerge, Vec<SetAside>) {
        let mut aside = Vec::new();
        let mut doc = Automerge::new();
        if let Some(bytes) = &self.snapshot {
            match load::<Vec<u8>>(Some(bytes), &[]) {
                Ok(loaded) => doc = loaded,
                Err(error) => aside.push(SetAside { hash: None, reason: error.to_string() }),
            }
        }
        // They lie in the order in which they came, which is causal: one pass does.
        for (hash, held) in self.changes() {
            match add(&doc, &held.bytes) {
                Ok(next) => doc = next,
                Err(reason) => aside.push(SetAside { hash: Some(hash), reason }),
            }
        }
        (doc, aside)
    }
}

fn arrived(job: JobId, epoch: Epoch, snapshot: Option<Vec<u8>>, changes: Vec<Fed>) -> Record {
    Record::Arrived(Arrived { job, epoch, snapshot, changes })
}

fn add(doc: &Automerge, bytes: &[u8]) -> Result<Automerge, String> {
    let change = Change::from_bytes(bytes.to_vec()).map_err(|error| error.to_string())?;
    if change.hash() != chunk_hash(bytes) {
        return Err("checksum does not match".to_owned());
    }
    apply(doc, &[change]).map_err(|error| error.to_string())
}

fn read(said: Value, mut set_aside: Vec<SetAside>) -> View {
    match contents_of(said) {
        Ok(contents) => View { job: Some(contents.job), unread: contents.unread, set_aside },
        Err(error) => {
            set_aside.push(SetAside { hash: None, reason: error.to_string() });
            View { job: None, unread: Vec::new(), set_aside }
        }
    }
}
