//! Phones that are emptied on somebody's order: what only they have is offered first, and nothing can be read afterwards.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use mobile_core::log::disk::Disk;
use mobile_core::log::memory::Stop;
use mobile_core::phone::{Rescue, Session, Wipe, WipeError};
use pollster::block_on;
use sync::chunk::chunk_hash;
use sync::device::Standing;
use sync::message::{Offered, Request};

use super::{Broken, Done, World, broken};
use crate::bug::Bug;
use crate::check;
use crate::event::Fate;
use crate::phone::Running;

/// What stands in the briefing of every job, and must not be found on an empty phone.
const CANARY: &str = "文化路";

impl World {
    /// S23: hands in what only the phone has, or puts it into a file; then empties the phone.
    pub(super) fn wipe(&mut self, at: usize, after_rescue: bool) -> Done {
        if !after_rescue {
            self.sync(at, Fate::OneRound)?;
        }
        let Some(mut phone) = self.phones[at].running.take() else {
            return Ok("the app is not open".to_owned());
        };
        let file = block_on(phone.rescue());
        let is_forced = after_rescue || self.bug == Some(Bug::WipedUnasked);
        let how = if is_forced { Wipe::AfterRescue } else { Wipe::IfNothingIsOnlyHere };
        let cursor = phone.device().cursor();
        // Who has not heard of a restore believes the hall, and without a file keeps back only what it never took.
        let is_deceived = !after_rescue && cursor.is_some_and(|it| it.epoch != self.hall.epoch());
        let is_believed = |it: &Standing| is_deceived && matches!(it, Standing::Acked(..));
        let own = phone.device().own().filter(|own| !is_believed(own.standing));
        let before: BTreeSet<ChangeHash> = own.map(|own| own.hash).collect();
        let wiped = match self.bug {
            Some(Bug::StoreNotErased) => Ok(()),
            _ => block_on(phone.wipe(how)),
        };
        match wiped {
            Ok(()) => self.is_empty(at)?,
            Err(WipeError::Store(_)) => {}
            Err(refused) => {
                self.phones[at].running = Some(phone);
                check::on_phone(self, at)?;
                return Ok(format!("not emptied: {refused}"));
            }
        }
        if after_rescue {
            self.hand_in_file(&phone, (at, &file), &before)?;
        }
        drop(phone);
        check::handed_in(self, &before, at).map_err(|it| broken("S23", it.what))?;
        self.phones[at].stop(Stop::Kill, self.now);
        self.reopen_damaged(at, "emptied", false)
    }

    /// S23: nothing that a household told can be read on the phone's disk.
    fn is_empty(&self, at: usize) -> Result<(), Broken> {
        let mut disk = self.phones[at].disk.clone();
        let unreadable = |error: std::io::Error| broken("S23", error.to_string());
        for name in disk.list().map_err(unreadable)? {
            let bytes = disk.read(&name).map_err(unreadable)?.unwrap_or_default();
            if bytes.windows(CANARY.len()).any(|it| it == CANARY.as_bytes()) {
                let what = format!("{name} of phone {at} still tells of households");
                return Err(broken("S23", what));
            }
        }
        Ok(())
    }

    /// What the file holds is handed in by the office, in the phone's name.
    fn hand_in_file(
        &mut self,
        phone: &Running,
        (at, file): (usize, &[u8]),
        held: &BTreeSet<ChangeHash>,
    ) -> Result<(), Broken> {
        let rescue: Rescue =
            serde_json::from_slice(file).map_err(|error| broken("S23", error.to_string()))?;
        let offered = rescue.changes.iter().map(|it| {
            let bytes = (0..it.chunk.len()).step_by(2);
            let byte = |from| u8::from_str_radix(&it.chunk[from..from + 2], 16).unwrap_or(0);
            Offered { job: it.job, bytes: bytes.map(byte).collect(), voucher: None }
        });
        let offered: Vec<Offered> = offered.collect();
        let named: BTreeSet<ChangeHash> = offered.iter().map(|it| chunk_hash(&it.bytes)).collect();
        let hall = &self.hall;
        let lacks = held.iter().find(|it| !named.contains(it) && hall.position_of(**it).is_none());
        if let Some(hash) = lacks {
            return Err(broken("S23", format!("the file of phone {at} lacks {hash}")));
        }
        let Ok(request) = Request::decode(&phone.offer(&Session::default()).bytes) else {
            return Err(broken("S17", "a phone's own request cannot be read"));
        };
        let request = Request { cursor: None, changes: offered, ..request };
        let (writer, now) = (self.phones[at].writer, self.now);
        let answered = self.hall.exchange(writer, &request.encode(), now);
        answered.map(drop).map_err(|error| broken("S23", error.to_string()))
    }
}
