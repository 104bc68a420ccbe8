//! Who judges: Doorstep, and the rules of thumb of the trade.

use domain::household::PastReading;
use domain::pack::Pack;
use domain::reading::{Season, Shown, judge};

use super::homes::Home;

/// Something that says of a reading whether it is abnormal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Doorstep's judgement.
    Ours,
    /// More than the last period by this part, or less by it.
    LastTime(f64),
    /// More than so many times the average of the last periods, or less than that part of it.
    Average(usize, f64),
}

impl Rule {
    /// What it is called.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Ours => "Doorstep".to_owned(),
            Self::LastTime(by) => format!("±{:.0} % of last time", by * 100.0),
            Self::Average(of, times) => format!("{times:.2}× average of {of}"),
        }
    }

    /// The same rule with other limits.
    pub(crate) fn widened(self, by: f64) -> Self {
        match self {
            Self::Ours => self,
            Self::LastTime(_) => Self::LastTime(by),
            Self::Average(of, _) => Self::Average(of, 1.0 + by),
        }
    }

    /// Whether it calls the last of these readings abnormal; `None` when it has nothing to compare with.
    pub(crate) fn alarms(
        self,
        home: &Home,
        readings: &[PastReading],
        (pack, season): (&Pack, Option<&Season>),
    ) -> Option<bool> {
        let (last, past) = readings.split_last()?;
        let (high, low, of) = match self {
            Self::Ours => {
                let shown = Shown { on: last.on, register: Some(last.register), state: last.state };
                return Some(judge(&home.meter(past), season, &shown, pack).finding.is_abnormal());
            }
            // Beyond ±100 % nothing would be too little: such a rule is widened to both sides alike.
            Self::LastTime(by) if by < 1.0 => (1.0 + by, 1.0 - by, 1),
            Self::LastTime(by) => (1.0 + by, 1.0 / (1.0 + by), 1),
            Self::Average(of, times) => (times, 1.0 / times, of),
        };
        let periods: Vec<f64> = readings.windows(2).map(a_day).collect();
        let (used, past) = periods.split_last()?;
        let known = &past[past.len().saturating_sub(of)..];
        if known.is_empty() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few periods")]
        let usual = known.iter().sum::<f64>() / known.len() as f64;
        // Any program sees that a register went back.
        Some(*used < 0.0 || *used > usual * high || *used < usual * low)
    }
}

/// Use a day between two readings.
fn a_day(pair: &[PastReading]) -> f64 {
    let used = pair[1].register.cubic_metres() - pair[0].register.cubic_metres();
    #[expect(clippy::cast_precision_loss, reason = "a period has few days")]
    let days = (pair[1].on - pair[0].on).num_days().max(1) as f64;
    used / days
}
