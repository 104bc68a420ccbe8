//! What befalls the stores of phones.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use mobile_core::log::file::FileLog;
use mobile_core::log::memory::{Landing, Stop};

use super::{Done, World, broken};
use crate::check;
use crate::phone::FleetPhone;

impl World {
    pub(super) fn stop_soon(
        &mut self,
        at: usize,
        (operations, landing, loses_power): (u8, u8, bool),
    ) -> String {
        let disk = &self.phones[at].disk.memory;
        let landing = match landing {
            0..=60 => Landing::Before,
            200..=255 => Landing::After,
            bytes => Landing::Torn(usize::from(bytes) - 60),
        };
        disk.crash_at(disk.ops() + u64::from(operations), landing);
        // A flush that fails and a kill before anybody could note it, within one operation, is beyond what a file can tell.
        disk.fail_syncs(0);
        let power_loss = Stop::PowerLoss { unflushed_bytes: 0 };
        self.phones[at].coming_stop = Some(if loses_power { power_loss } else { Stop::Kill });
        "its machine will stop".to_owned()
    }

    pub(super) fn evict(&mut self, at: usize) -> Done {
        self.phones[at].running = None;
        self.phones[at].disk.memory.restart(Stop::Kill);
        self.phones[at].disk.memory.evict();
        self.destroyed(at, &BTreeSet::new(), "evicted");
        self.restart(at, Stop::Kill)
    }

    pub(super) fn fall_back(&mut self, at: usize) -> Done {
        let Some(copy) = self.phones[at].copy.clone() else {
            return Ok("there is no copy".to_owned());
        };
        self.phones[at].running = None;
        self.phones[at].disk.memory.restart(Stop::Kill);
        self.phones[at].disk.memory.restore(&copy);
        self.reopen_damaged(at, "replaced by an older copy", false)
    }

    /// Another phone gets a copy of the whole store, and with it the enrolment.
    pub(super) fn clone_phone(&mut self, at: usize) -> Done {
        const MOST: usize = 8;
        if self.phones.len() >= MOST {
            return Ok("there are phones enough".to_owned());
        }
        let number = 0x100 + self.phones.len() as u128;
        let mut clone = FleetPhone::new(number, self.counter, self.now);
        clone.skew = self.off(self.phones.len());
        clone.tick(self.now);
        clone.writer = self.phones[at].writer;
        clone.is_shut_out = self.phones[at].is_shut_out;
        clone.was_damaged = self.phones[at].was_damaged;
        clone.disk.is_relaxed = self.phones[at].disk.is_relaxed;
        clone.disk.memory.restore(&self.phones[at].disk.memory.backup());
        (clone.is_copy, self.phones[at].is_copy) = (true, true);
        self.phones.push(clone);
        let at = self.phones.len() - 1;
        let report = self.phones[at].start();
        report.map_err(|why| broken("S1", format!("phone {at} does not start: {why}")))?;
        self.take_note(at);
        Ok(format!("phone {at} is its copy"))
    }

    pub(super) fn flip(&mut self, at: usize, place: u32) -> Done {
        let mut bytes = self.phones[at].disk.memory.log_bytes();
        if bytes.is_empty() {
            return Ok("there is no log yet".to_owned());
        }
        self.phones[at].running = None;
        self.phones[at].disk.memory.restart(Stop::Kill);
        let place = place as usize % bytes.len();
        bytes[place] ^= 1 << (place % 8);
        self.phones[at].disk.memory.set_log_bytes(bytes);
        self.reopen_damaged(at, "a bit flipped", true)
    }

    /// Opens a phone whose store is not what it was: what it does not hold any more was destroyed.
    pub(super) fn reopen_damaged(&mut self, at: usize, how: &'static str, tells: bool) -> Done {
        self.phones[at].stop(Stop::Kill, self.now);
        let report = self.phones[at].start();
        let report =
            report.map_err(|why| broken("S1", format!("phone {at} does not start: {why}")))?;
        let held = self.held(at);
        let lost =
            self.oracle.recorded.values().filter(|it| it.phone == at && it.destroyed.is_none());
        let lost = lost.filter(|it| !held.contains(&it.hash) && !self.was_purged(it)).count();
        if tells && lost > 0 && report.is_clean() {
            return Err(broken(
                "S1",
                format!("phone {at} lost {lost} records and says nothing of it"),
            ));
        }
        self.destroyed(at, &held, how);
        self.take_note(at);
        check::on_phone(self, at)?;
        Ok(format!("{how}; {lost} records are gone from it"))
    }

    pub(super) fn destroyed(&mut self, at: usize, held: &BTreeSet<ChangeHash>, how: &'static str) {
        self.phones[at].was_damaged = true;
        let hall = &self.hall;
        let has = |hash| hall.position_of(hash).is_some() || hall.quarantined(hash).is_some();
        self.oracle.destroy(at, held, how, has);
    }

    pub(super) fn second_tab(&mut self, at: usize) -> Done {
        if self.phones[at].running.is_none() {
            return Ok("the app is not open".to_owned());
        }
        let disk = self.phones[at].disk.clone();
        match FileLog::open(disk) {
            Ok(_) => Err(broken("S1", format!("two tabs of phone {at} may write"))),
            Err(_) => Ok("a second tab is refused".to_owned()),
        }
    }
}
