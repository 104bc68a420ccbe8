//! Meters at a door: what hangs there, and what a technician puts in and takes out.

use domain::household::Meter;
use domain::id::{JobId, MeterId};
use domain::measure::Volume;
use domain::meter::{self, InstalledMeter, RemovedMeter};
use domain::reading::ReadingState;
use domain::visit::Fact;
use serde::Deserialize;

use super::{CommandError, Phone, Saved};
use crate::clock::{Clock, Rng};
use crate::log::LogStore;

/// The meter that a technician takes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct OldMeter {
    /// Which meter.
    pub meter: MeterId,
    /// What it showed at last; nothing when it could not be read.
    pub register: Option<Volume>,
    /// How anybody knows, or why nobody does.
    #[serde(default)]
    pub state: ReadingState,
}

/// The meter that a technician puts in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewMeter {
    /// The number on its plate.
    pub serial: String,
    /// Its size, such as `G4`.
    pub size: String,
    /// How many whole digits its register has.
    pub digits: u8,
    /// What it showed at first.
    pub register: Volume,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// The meters that hang at a job's household, with what this phone's jobs there changed.
    pub fn meters(&self, job: JobId) -> Result<Vec<Meter>, CommandError> {
        let held = self.held(job)?;
        let home = held.briefing.household.id;
        let here = self.jobs().filter(|it| it.briefing.household.id == home);
        let mut changes: Vec<_> = here.flat_map(meter::changes).collect();
        changes.sort_by_key(|change| (change.on, change.fact));
        Ok(meter::hanging(&held.briefing.meters, &changes, &<_>::default()))
    }

    /// One of them.
    pub(super) fn meter(&self, job: JobId, meter: MeterId) -> Result<Meter, CommandError> {
        let found = self.meters(job)?.into_iter().find(|it| it.id == meter);
        found.ok_or(CommandError::NoSuchMeter(meter))
    }

    /// Puts a meter in, takes one out or exchanges it. The last register of the old one is judged here, offline.
    pub async fn change_meter(
        &mut self,
        job: JobId,
        (old, new): (Option<OldMeter>, Option<NewMeter>),
        seal: String,
    ) -> Result<Saved, CommandError> {
        let pack = self.pack_of(job)?;
        let on = self.today(&pack);
        let removed = match old {
            None => None,
            Some(OldMeter { meter, register, state }) => {
                let verdict = self.judge_reading(job, meter, (register, state))?;
                Some(RemovedMeter { meter, register, state, verdict })
            }
        };
        let id = MeterId(self.new_id());
        let installed = new.map(|NewMeter { serial, size, digits, register }| {
            let serial = serial.trim().to_owned();
            InstalledMeter { id, serial, size, digits, register }
        });
        self.record(job, Fact::MeterChanged { removed, installed, on, seal }).await
    }
}
