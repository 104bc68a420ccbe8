//! Faults planted into true readings, one at a time, each the same in every run.

use domain::household::PastReading;
use domain::measure::Volume;

use super::homes::hash;

/// A fault that moves a register by less than this changes nothing that anybody could see.
const LEAST: i64 = 5_000;

/// Litres an hour that a slow leak lets out: a burner on its smallest flame has more.
const LEAK_LITRES_AN_HOUR: i64 = 20;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The wheels stand still from some day of the period on.
    Stopped,
    /// A digit too many, or one lost.
    TenTimes,
    /// Two neighbouring digits exchanged.
    Transposed,
    /// A slow leak from some day of the period on.
    Leak,
    /// Half of the gas goes past the meter.
    Theft,
    /// Twice the gas: a heater that does not stop, a second home on the same pipe.
    Doubled,
    /// The register of the neighbour whose own is nearest.
    Exchanged,
    /// Nobody at home for the whole period.
    Absent,
    /// The second such period.
    StillAbsent,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Stopped,
        Self::TenTimes,
        Self::Transposed,
        Self::Leak,
        Self::Theft,
        Self::Doubled,
        Self::Exchanged,
        Self::Absent,
        Self::StillAbsent,
    ];

    /// What it is called.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Stopped => "stopped meter",
            Self::TenTimes => "ten times",
            Self::Transposed => "digits transposed",
            Self::Leak => "slow leak",
            Self::Theft => "half stolen",
            Self::Doubled => "twice the use",
            Self::Exchanged => "neighbour's register",
            Self::Absent => "long absence",
            Self::StillAbsent => "its second period",
        }
    }

    /// The readings of a home up to the one judged, with the fault in the last; `None` where it would not show.
    ///
    /// `neighbours` are the registers of other homes on the same day.
    pub(crate) fn plant(
        self,
        name: &str,
        readings: &[PastReading],
        neighbours: &[Volume],
    ) -> Option<Vec<PastReading>> {
        let [earlier @ .., before, last] = readings else { return None };
        let used = last.register.0 - before.register.0;
        // From which part of the first half of the period on, in hundredths.
        let chance = hash(&format!("{name} {} {self:?}", last.on));
        let begun = i64::try_from(chance % 50).ok()?;
        let days = (last.on - before.on).num_days();
        let register = match self {
            Self::Stopped => before.register.0 + used * begun / 100,
            Self::TenTimes if last.register.0 < 10_000_000 => last.register.0 * 10,
            Self::TenTimes => last.register.0 / 10,
            Self::Transposed => transposed(last.register.0, chance)?,
            Self::Leak => last.register.0 + LEAK_LITRES_AN_HOUR * 24 * days * (100 - begun) / 100,
            Self::Theft => before.register.0 + used / 2,
            Self::Doubled => last.register.0 + used,
            Self::Exchanged => {
                let others = neighbours.iter().map(|it| it.0).filter(|it| *it != last.register.0);
                others.min_by_key(|it| (it - last.register.0).abs())?
            }
            Self::Absent => before.register.0,
            Self::StillAbsent => return still_absent(earlier, *before, *last),
        };
        let is_seen = (register - last.register.0).abs() >= LEAST;
        is_seen.then(|| {
            let wrong = PastReading { register: Volume(register), ..*last };
            [earlier, &[*before, wrong]].concat()
        })
    }
}

/// Two whole periods without gas: the one before is known as such.
fn still_absent(
    earlier: &[PastReading],
    before: PastReading,
    last: PastReading,
) -> Option<Vec<PastReading>> {
    let [.., left] = earlier else { return None };
    let still = |reading: PastReading| PastReading { register: left.register, ..reading };
    let is_seen = (last.register.0 - before.register.0) >= LEAST;
    let has_history = earlier.len() > 1;
    (is_seen && has_history).then(|| [earlier, &[still(before), still(last)]].concat())
}

/// Exchanges two neighbouring whole digits that differ.
fn transposed(litres: i64, chance: u64) -> Option<i64> {
    let (whole, rest) = (litres / 1000, litres % 1000);
    let pairs: Vec<i64> = (0..4)
        .map(|place| 10_i64.pow(place))
        .filter(|ten| whole / ten % 10 != whole / ten / 10 % 10 && whole / ten >= 10)
        .collect();
    let place = chance.checked_rem(u64::try_from(pairs.len()).ok()?)?;
    let ten = *pairs.get(usize::try_from(place).ok()?)?;
    let (low, high) = (whole / ten % 10, whole / ten / 10 % 10);
    Some((whole + (high - low) * ten + (low - high) * ten * 10) * 1000 + rest)
}
