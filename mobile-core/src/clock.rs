//! What the phone is told from outside: the time, and chance.

use std::sync::{Arc, Mutex, PoisonError};

use domain::stamp::{BootId, Timestamp};

/// One look at the device's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock: a claim that anybody can change.
    pub wall_at: Timestamp,
    /// Which boot the monotonic reading belongs to.
    pub boot: BootId,
    /// A clock that only goes forward, and goes on while the phone sleeps.
    pub mono_ms: i64,
}

/// The device's clocks.
pub trait Clock {
    /// Looks at them.
    fn now(&self) -> Moment;
}

/// Chance, for ids and actors. Ids are unique only as far as this is random.
pub trait Rng {
    /// Fills the bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Clocks that stand where they are put; clones are the same clocks.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Moment>>);

impl ManualClock {
    /// Clocks that show this.
    pub fn at(moment: Moment) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Puts them.
    pub fn set(&self, moment: Moment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }

    /// Lets time pass on both.
    pub fn pass_ms(&self, ms: i64) {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moment.mono_ms += ms;
        moment.wall_at += chrono::TimeDelta::milliseconds(ms);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Chance that is the same for the same seed.
#[derive(Clone, Debug)]
pub struct SeededRng(blake3::OutputReader);

impl SeededRng {
    /// Begins the sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self(blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof())
    }
}

impl Rng for SeededRng {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
