//! The last way out: everything that the hall has not or might forget again, as one file; and the wipe after it.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use domain::id::{DeviceId, HallId, JobId, UserId};
use domain::job::Message;
use domain::visit::Recorded;
use serde::{Deserialize, Serialize};
use sync::chunk::chunk_hash;
use sync::device::{Device, Record};
use uuid::Uuid;

use super::{Phone, WipeError, draw_actor};
use crate::clock::{Clock, Rng};
use crate::log::LogStore;

/// The version of the rescue file.
pub const RESCUE_FORMAT: u32 = 1;

/// A rescue file: JSON, so that a person without any tool still reads what happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rescue {
    /// [`RESCUE_FORMAT`].
    pub doorstep_rescue: u32,
    /// The phone, the technician and the hall, when it was enrolled.
    pub enrolment: Option<(DeviceId, UserId, HallId)>,
    /// What the hall has not said that it has, and what no verified backup of it covers yet.
    pub changes: Vec<RescuedChange>,
    /// Damaged bytes of the log with what they were, in hexadecimal.
    pub damaged: Vec<(String, String)>,
    /// Whether damaged bytes could not be read back, so that some may be missing here.
    pub damaged_unread: bool,
    /// Records that this version cannot read, in hexadecimal.
    pub unreadable: Vec<String>,
}

/// A change in a rescue file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RescuedChange {
    /// The job.
    pub job: JobId,
    /// The household's account and address, for whoever reads the file.
    pub household: Option<(String, String)>,
    /// The fact, when it can be read.
    pub fact: Option<Recorded>,
    /// The message, when it is one.
    pub message: Option<Message>,
    /// The change chunk in hexadecimal: this is what the hall takes in.
    pub chunk: String,
}

/// How sure somebody is that a phone may be emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wipe {
    /// Refuse while anything is on this phone only.
    IfNothingIsOnlyHere,
    /// The rescue file is in safe hands, or an administrator orders it.
    AfterRescue,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Writes as a file everything that the hall has not acknowledged, or might forget with a restore. It needs no room
    /// on the phone and no network, and changes nothing.
    pub async fn rescue(&mut self) -> Vec<u8> {
        let asides = self.log.asides().await;
        let rescue = Rescue {
            doorstep_rescue: RESCUE_FORMAT,
            enrolment: self.device.enrolment().map(|it| (it.device, it.user, it.hall)),
            changes: self.rescued_changes(),
            damaged_unread: asides.is_err(),
            damaged: (asides.unwrap_or_default().into_iter())
                .map(|aside| (aside.name, hex(&aside.bytes)))
                .collect(),
            unreadable: self.unreadable.iter().map(|bytes| hex(bytes)).collect(),
        };
        serde_json::to_vec_pretty(&rescue).expect("a rescue file has string keys only")
    }

    /// Logs out: deletes everything on the phone.
    pub async fn wipe(&mut self, wipe: Wipe) -> Result<(), WipeError> {
        if wipe == Wipe::IfNothingIsOnlyHere {
            let count = self.device.only_here() + self.unreadable.len();
            if count > 0 {
                return Err(WipeError::OnlyHere { count });
            }
            let count = self.photos.len();
            if count > 0 {
                return Err(WipeError::PhotosOnlyHere { count });
            }
            let count = self.log.asides().await?.len();
            if count > 0 {
                return Err(WipeError::DamagedOnlyHere { count });
            }
        }
        self.log.erase().await?;
        self.device = Device::new();
        self.actor = draw_actor(&mut self.rng);
        self.seen.clear();
        self.unreadable.clear();
        self.photos.clear();
        self.left.clear();
        self.reminded.clear();
        self.notices.clear();
        Ok(())
    }

    fn rescued_changes(&self) -> Vec<RescuedChange> {
        let wanted: BTreeSet<ChangeHash> = self
            .device
            .own()
            .filter(|own| !self.device.is_covered(own.standing))
            .map(|own| own.hash)
            .collect();
        let records = self.device.compact().into_iter();
        records
            .filter_map(|record| {
                let Record::Made(made) = record else { return None };
                let is_wanted = wanted.contains(&chunk_hash(&made.bytes));
                is_wanted.then(|| self.rescued_change(made.job, made.id, &made.bytes))
            })
            .collect()
    }

    fn rescued_change(&self, id: JobId, own: Uuid, bytes: &[u8]) -> RescuedChange {
        let job = self.device.view(id).and_then(|view| view.job.as_ref());
        let facts = job.into_iter().flat_map(|job| job.visits.values());
        let fact = facts.flat_map(|visit| &visit.facts).find(|(fact, _)| fact.0 == own);
        let message = job.into_iter().flat_map(|job| &job.messages).find(|(id, _)| id.0 == own);
        RescuedChange {
            job: id,
            household: job.map(|job| {
                let household = &job.briefing.household;
                (household.account.clone(), household.address.clone())
            }),
            fact: fact.map(|(_, recorded)| recorded.clone()),
            message: message.map(|(_, message)| message.clone()),
            chunk: hex(bytes),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
