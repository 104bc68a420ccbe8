//! What the hall decides, and what becomes of the hall itself.

use automerge::ChangeHash;
use domain::job::{Author, PlanEntry};
use domain::ledger::{Entry, Written};
use sync::hub::hall_actor;
use sync::message::Epoch;

use super::{Backup, Done, World, broken};
use crate::bug::Bug;
use crate::{check, homes};

impl World {
    pub(super) fn take_on(&mut self, phone: u8) -> Done {
        let entry = self.entry(None);
        let job = homes::job(self.jobs.len() as u128, entry, self.now);
        self.hall.create_job(&job, self.now).map_err(|error| broken("S4", error.to_string()))?;
        self.jobs.push(job.id);
        if self.bug == Some(Bug::AuthorityByRoleOnly) {
            for phone in &self.phones {
                self.hall.grant(job.id, phone.writer.user);
            }
            return Ok("a job is taken on".to_owned());
        }
        let number = u8::try_from(self.jobs.len() - 1).unwrap_or(u8::MAX);
        Ok(self.assign(number, Some(phone)))
    }

    pub(super) fn assign(&mut self, job: u8, phone: Option<u8>) -> String {
        let (job, to) = (self.job(job), phone.map(|phone| self.which(phone)));
        let (id, author) = (self.entry(Some(job)), self.author());
        let technician = to.map(|at| self.phones[at].writer.user);
        // A hall that went back in time may have forgotten the job; nobody can give it then.
        if self.hall.assign(job, id, technician, author).is_err() {
            return "the hall does not know the job now".to_owned();
        }
        self.oracle.given.extend(technician.map(|technician| (technician, job)));
        to.map_or("taken back".to_owned(), |at| format!("given to phone {at}"))
    }

    pub(super) fn plan(&mut self, job: u8, entry: impl FnOnce(Author) -> PlanEntry) -> String {
        let job = self.job(job);
        let (id, author) = (self.entry(Some(job)), self.author());
        let planned = self.hall.edit_plan(job, id, &entry(author), author.at);
        if planned.is_ok() { "planned" } else { "the hall does not know the job now" }.to_owned()
    }

    pub(super) fn back_up(&mut self) -> String {
        self.hall.mark_safe();
        self.backup = Backup {
            hall: self.hall.backup(),
            entries: self.entries.clone(),
            cleared: self.oracle.cleared.clone(),
        };
        let hashes = check::hashes(&self.hall);
        self.oracle.covered.extend(hashes.iter().copied());
        self.oracle.in_last_backup = hashes;
        "a verified backup is made".to_owned()
    }

    pub(super) fn restore(&mut self) -> Done {
        self.counter += 1;
        let mut random = [0; 12];
        random[..8].copy_from_slice(&self.counter.to_be_bytes());
        let mut epoch = [2; 16];
        epoch[..8].copy_from_slice(&self.counter.to_be_bytes());
        let epoch =
            if self.bug == Some(Bug::NoEpochBump) { self.hall.epoch() } else { Epoch(epoch) };
        self.hall = self.backup.hall.clone().restore(epoch, hall_actor(random));
        self.entries.clone_from(&self.backup.entries);
        self.oracle.cleared.clone_from(&self.backup.cleared);
        check::restored(self)?;
        let shut_out: Vec<_> =
            self.phones.iter().filter(|it| it.is_shut_out).map(|it| it.writer.device).collect();
        for device in shut_out {
            // Whoever restores a hall shuts out again whom it had shut out: the operator's list is not in the backup.
            self.hall.revoke(device);
        }
        let hall = &self.hall;
        self.oracle
            .restored(|hash| hall.position_of(hash).is_some() || hall.quarantined(hash).is_some());
        check::acks(self)?;
        Ok("the hall is restored from its last backup".to_owned())
    }

    /// The desk says of every hazard that it knows of a job that it is gone.
    pub(super) fn clear(&mut self, job: u8) -> String {
        let id = self.job(job);
        let Ok(known) = self.hall.job(id) else {
            return "the hall does not know the job".to_owned();
        };
        let found = check::hazards_found(&known);
        for (visit, fact) in &found {
            let entry = Entry::HazardCleared {
                job: id,
                visit: *visit,
                fact: *fact,
                text: "用户发来照片".to_owned(),
            };
            let written = Written { id: self.entry(None), author: self.author(), entry };
            self.entries.push(written);
            self.oracle.cleared.insert(fact.0);
        }
        format!("{} hazards are cleared", found.len())
    }

    pub(super) fn release(&mut self) -> String {
        let apart: Vec<ChangeHash> = self.hall.quarantine().map(|(hash, _)| *hash).collect();
        for hash in &apart {
            let _ = self.hall.release(*hash);
        }
        format!("{} changes are looked at", apart.len())
    }
}
