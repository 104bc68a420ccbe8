//! When the facts of a job happened, with all that the hall knows of it.
//!
//! A fact did not happen after its own change arrived, and not after a request of the same boot less what the boot's
//! clock says lies between. What arrives later adds bounds and takes none away, so an interval never widens.

use std::collections::{BTreeMap, BTreeSet};

use automerge::Change;
use automerge::legacy::Key;
use chrono::TimeDelta;
use domain::id::{DeviceId, FactId};
use domain::job::Job;
use domain::stamp::{Anchor, BootId, Interval, Stamp, Timestamp};

/// What the hall knows of the time on one device, as far as one job is concerned.
#[derive(Clone, Debug, Default)]
pub struct DeviceTime {
    /// The server times that the device heard.
    pub anchors: Vec<Anchor>,
    /// The changes of the job that it made.
    pub arrivals: Vec<Arrival>,
}

/// One change that arrived from a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When the server took it.
    pub received_at: Timestamp,
    /// The device's boot and monotonic clock when it sent it; `None` when it came in another way.
    pub sent: Option<(BootId, i64)>,
    /// The facts in it.
    pub facts: BTreeSet<FactId>,
}

/// Every stamp of a job's facts with the interval that it stands for.
#[derive(Clone, Debug)]
pub struct Times {
    resolved: Vec<(Stamp, Interval)>,
    otherwise: Interval,
}

impl Times {
    /// Resolves all stamps of a job, as known at `now`.
    pub fn of(
        job: &Job,
        devices: &BTreeMap<DeviceId, DeviceTime>,
        drift_ppm: i64,
        now: Timestamp,
    ) -> Self {
        let unheard = DeviceTime::default();
        let otherwise = Interval { earliest: job.created_at, latest: now.max(job.created_at) };
        let mut resolved = Vec::new();
        for visit in job.visits.values() {
            let time = devices.get(&visit.device).unwrap_or(&unheard);
            for (fact, recorded) in &visit.facts {
                let stamp = recorded.stamp;
                let latest = time.latest(*fact, &stamp, drift_ppm).unwrap_or(otherwise.latest);
                let bounds = Interval { latest: latest.max(job.created_at), ..otherwise };
                resolved.push((stamp, stamp.resolve(&time.anchors, bounds, drift_ppm)));
            }
        }
        Self { resolved, otherwise }
    }

    /// The interval that a stamp stands for.
    ///
    /// Facts that carry the same stamp, as one moment on one phone, share the one that covers all.
    pub fn resolve(&self, stamp: &Stamp) -> Interval {
        let same = self.resolved.iter().filter(|(known, _)| known == stamp).map(|(_, at)| *at);
        let joined = same.reduce(|a, b| Interval {
            earliest: a.earliest.min(b.earliest),
            latest: a.latest.max(b.latest),
        });
        joined.unwrap_or(self.otherwise)
    }
}

impl DeviceTime {
    /// The latest moment at which a fact can have happened.
    ///
    /// The last change that names it counts: naming it in an earlier one must not make it older. Requests before its
    /// own say nothing, for a phone whose store was brought back from a copy counts its boots anew.
    fn latest(&self, fact: FactId, stamp: &Stamp, drift_ppm: i64) -> Option<Timestamp> {
        let own = self.arrivals.iter().rposition(|it| it.facts.contains(&fact))?;
        let by_clock = self.arrivals[own..].iter().filter_map(|it| {
            let (_, mono_ms) = it.sent.filter(|(boot, _)| *boot == stamp.boot)?;
            let since_ms = mono_ms.checked_sub(stamp.mono_ms).filter(|since_ms| *since_ms >= 0)?;
            let drift_ms = since_ms.saturating_mul(drift_ppm) / 1_000_000;
            it.received_at.checked_sub_signed(TimeDelta::try_milliseconds(since_ms - drift_ms)?)
        });
        by_clock.chain([self.arrivals[own].received_at]).min()
    }
}

/// The facts that a stored change may add: every map key in it that is an id.
///
/// It adds nothing else under such keys but visits, and those are never asked for as facts.
pub fn facts_in(bytes: &[u8]) -> BTreeSet<FactId> {
    let Ok(change) = Change::from_bytes(bytes.to_vec()) else { return BTreeSet::new() };
    let operations = change.decode().operations;
    let keys = operations.iter().filter_map(|operation| match &operation.key {
        Key::Map(key) => key.parse().ok(),
        Key::Seq(_) => None,
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use domain::id::uuid_v7;

    use super::*;

    #[test]
    fn a_change_that_arrives_later_says_nothing_of_a_fact_in_another() {
        let time = device([arrival(1_000, 1, 50, [fact(1)]), arrival(9_000, 3, 10, [fact(2)])]);

        assert_eq!(time.latest(fact(1), &stamp(2, 0), 0), Some(at(1_000)));
        assert_eq!(time.latest(fact(2), &stamp(2, 0), 0), Some(at(9_000)));
        assert_eq!(time.latest(fact(3), &stamp(2, 0), 0), None);
    }

    #[test]
    fn a_request_of_the_same_boot_bounds_what_was_before_it_by_the_boots_clock() {
        let time = device([arrival(10_000, 2, 5_000, [fact(1)]), arrival(20_000, 2, 6_000, [])]);

        assert_eq!(time.latest(fact(1), &stamp(2, 2_000), 0), Some(at(7_000)));
        assert_eq!(time.latest(fact(1), &stamp(2, 5_500), 0), Some(at(10_000)), "its own arrival");
        assert_eq!(time.latest(fact(1), &stamp(1, 2_000), 0), Some(at(10_000)), "another boot");
        // 3 s at 1000 ppm may have been 3 ms less.
        assert_eq!(time.latest(fact(1), &stamp(2, 2_000), 1_000), Some(at(7_003)));
    }

    #[test]
    fn a_boot_counted_twice_does_not_make_a_fact_older() {
        let time =
            device([arrival(1_000, 2, 9_000, [fact(1)]), arrival(50_000, 2, 9_500, [fact(2)])]);

        assert_eq!(time.latest(fact(2), &stamp(2, 8_000), 0), Some(at(48_500)));
    }

    #[test]
    fn a_fact_named_before_it_happened_is_not_older_for_that() {
        let time = device([arrival(1_000, 2, 100, [fact(1)]), arrival(50_000, 3, 900, [fact(1)])]);

        assert_eq!(time.latest(fact(1), &stamp(2, 0), 0), Some(at(50_000)));
    }

    #[test]
    fn clocks_that_no_phone_has_bound_nothing_and_break_nothing() {
        let time = device([arrival(10_000, 2, i64::MAX, [fact(1)])]);

        for mono_ms in [i64::MIN, -1, 0, i64::MAX] {
            let latest = time.latest(fact(1), &stamp(2, mono_ms), 200).unwrap();
            assert!(latest <= at(10_000));
        }
    }

    fn device<const N: usize>(arrivals: [Arrival; N]) -> DeviceTime {
        DeviceTime { anchors: Vec::new(), arrivals: arrivals.into() }
    }

    fn arrival<const N: usize>(ms: i64, boot: u32, mono_ms: i64, facts: [FactId; N]) -> Arrival {
        let sent = Some((BootId(boot), mono_ms));
        Arrival { received_at: at(ms), sent, facts: facts.into_iter().collect() }
    }

    fn stamp(boot: u32, mono_ms: i64) -> Stamp {
        Stamp { wall_at: at(0), boot: BootId(boot), mono_ms, anchor: None }
    }

    fn fact(number: u8) -> FactId {
        FactId(uuid_v7(1, [number; 10]))
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(ms).unwrap()
    }
}
