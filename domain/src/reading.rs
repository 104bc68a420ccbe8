//! Meter readings judged on the spot: high, low and why (A9).

mod expect;
mod history;
mod judge;
mod season;
mod state;
mod words;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use self::judge::{Shown, judge};
pub use self::season::{Season, learn};
pub use self::state::ReadingState;
pub use self::words::{explain, grounds};

use crate::household::PastReading;
use crate::measure::Volume;
use crate::pack::PackId;

/// What a reading looks like against the home's own past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// As expected.
    Normal,
    /// 量高
    High,
    /// 量低
    Low,
    /// No gas used where some was expected.
    Zero,
    /// 连续零用气: no gas used in two periods in a row by a home that used gas before; somebody has to go there.
    StillZero,
    /// The register went back.
    Backwards,
    /// More than a meter of this size can pass.
    Impossible,
    /// Below the guess or the household's own word before it, and as expected since somebody last saw the wheels.
    BelowGuess,
    /// The register passed its last digit and began again.
    Rollover,
    /// Not put to the test: an empty home, or a meter that nobody could get to.
    Exempt,
    /// It could not be read.
    Unread,
}

impl Finding {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 11] = [
        Self::Normal,
        Self::High,
        Self::Low,
        Self::Zero,
        Self::StillZero,
        Self::Backwards,
        Self::Impossible,
        Self::BelowGuess,
        Self::Rollover,
        Self::Exempt,
        Self::Unread,
    ];

    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Low => "low",
            Self::Zero => "zero",
            Self::StillZero => "still_zero",
            Self::Backwards => "backwards",
            Self::Impossible => "impossible",
            Self::BelowGuess => "below_guess",
            Self::Rollover => "rollover",
            Self::Exempt => "exempt",
            Self::Unread => "unread",
        }
    }

    /// Whether the household has to be told and a measure taken (A9).
    pub fn is_abnormal(self) -> bool {
        match self {
            Self::Normal | Self::BelowGuess | Self::Rollover | Self::Exempt => false,
            Self::High
            | Self::Low
            | Self::Zero
            | Self::StillZero
            | Self::Backwards
            | Self::Impossible
            | Self::Unread => true,
        }
    }
}

/// A finding with what it was judged by, kept for good: a new pack never rewrites it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it looks like.
    pub finding: Finding,
    /// The pack that judged.
    pub pack: PackId,
    /// How the register came to be known, or why it did not.
    #[serde(default, skip_serializing_if = "ReadingState::is_seen")]
    pub state: ReadingState,
    /// The reading from which use is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<PastReading>,
    /// Days since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i64>,
    /// Gas used since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Volume>,
    /// Gas that this home was expected to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Volume>,
    /// The highest use still normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_above: Option<Volume>,
    /// The lowest use still normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_below: Option<Volume>,
    /// The most that the meter can pass in these days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possible: Option<Volume>,
    /// The guess, or the household's own word, that came between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guess: Option<PastReading>,
    /// The day since which no gas was used, where that is longer than since the last reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_since: Option<NaiveDate>,
    /// What the use to expect rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounds: Option<Grounds>,
}

impl Verdict {
    /// A finding without anything that it rests on.
    pub fn new(finding: Finding, pack: &PackId) -> Self {
        Self {
            finding,
            pack: pack.clone(),
            state: ReadingState::Seen,
            since: None,
            days: None,
            used: None,
            expected: None,
            high_above: None,
            low_below: None,
            possible: None,
            guess: None,
            zero_since: None,
            grounds: None,
        }
    }
}

/// What the use to expect of a home rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Days of the home's own past.
    pub known_days: i64,
    /// How heated these days were, in hundredths of a usual year's mean.
    pub season_percent: u32,
    /// How many neighbours told the season; none when it is the pack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<u32>,
    /// Whether the past goes back beyond the last change of the meter.
    #[serde(default)]
    pub across_change: bool,
}

/// What can be done about an abnormal reading (A9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// 复抄
    ReadAgain,
    /// 查漏
    LeakCheck,
    /// 验表
    MeterCheck,
    /// 拍照
    Photo,
    /// 后续工单
    FollowUpJob,
}

impl Measure {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 5] =
        [Self::ReadAgain, Self::LeakCheck, Self::MeterCheck, Self::Photo, Self::FollowUpJob];

    /// Whether somebody looks at the meter by it, now or in another visit.
    pub fn looks_at_the_meter(self) -> bool {
        matches!(self, Self::MeterCheck | Self::FollowUpJob)
    }

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::ReadAgain => "read_again",
            Self::LeakCheck => "leak_check",
            Self::MeterCheck => "meter_check",
            Self::Photo => "photo",
            Self::FollowUpJob => "follow_up_job",
        }
    }
}

/// Rounds cubic metres to litres.
#[expect(clippy::cast_possible_truncation, reason = "a home uses far less than 2^52 litres")]
fn litres(cubic_metres: f64) -> Volume {
    Volume((cubic_metres * 1000.0).round() as i64)
}
