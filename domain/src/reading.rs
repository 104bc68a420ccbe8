//! Meter readings judged on the spot: high, low and why (A9).

mod expect;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::catalogue::Sentence;
use crate::household::Meter;
use crate::measure::Volume;
use crate::pack::{Pack, PackId};

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
    /// The register went back.
    Backwards,
    /// The register passed its last digit and began again.
    Rollover,
    /// It could not be read.
    Unread,
}

impl Finding {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::High,
        Self::Low,
        Self::Zero,
        Self::Backwards,
        Self::Rollover,
        Self::Unread,
    ];
}

/// A finding with what it was judged by, kept for good: a new pack never rewrites it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it looks like.
    pub finding: Finding,
    /// The pack that judged.
    pub pack: PackId,
    /// Days since the last reading.
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

impl Finding {
    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Low => "low",
            Self::Zero => "zero",
            Self::Backwards => "backwards",
            Self::Rollover => "rollover",
            Self::Unread => "unread",
        }
    }

    /// Whether the household has to be told and a measure taken (A9).
    pub fn is_abnormal(self) -> bool {
        match self {
            Self::Normal | Self::Rollover => false,
            Self::High | Self::Low | Self::Zero | Self::Backwards | Self::Unread => true,
        }
    }
}

/// Judges a register value on the spot against the home's own past and the city's season (A9).
pub fn judge(meter: &Meter, on: NaiveDate, register: Option<Volume>, pack: &Pack) -> Verdict {
    let mut verdict = Verdict {
        finding: Finding::Unread,
        pack: pack.id.clone(),
        days: None,
        used: None,
        expected: None,
        high_above: None,
        low_below: None,
    };
    let Some(register) = register else { return verdict };
    let Some(last) = meter.readings.iter().rfind(|past| past.on < on) else {
        verdict.finding = Finding::Normal;
        return verdict;
    };
    let days = (on - last.on).num_days();
    verdict.days = Some(days);
    let full_turn = 10_i64.saturating_pow(u32::from(meter.digits)).saturating_mul(1000);
    let difference = register.0.saturating_sub(last.register.0);
    // A register that rolled over shows a small value after one near its end.
    let has_rolled_over = difference < 0 && difference.saturating_add(full_turn) < full_turn / 10;
    let used = if has_rolled_over { difference + full_turn } else { difference };
    verdict.used = Some(Volume(used));
    if used < 0 {
        verdict.finding = Finding::Backwards;
        return verdict;
    }
    let expected = expect::expected_use(&meter.readings, last.on, on, &pack.reading);
    verdict.finding = match expected {
        None => Finding::Normal,
        Some(expected) => compare(&mut verdict, used, &expected, pack),
    };
    if has_rolled_over && verdict.finding == Finding::Normal {
        verdict.finding = Finding::Rollover;
    }
    verdict
}

fn compare(verdict: &mut Verdict, used: i64, expected: &expect::Expected, pack: &Pack) -> Finding {
    let rules = &pack.reading;
    let days = verdict.days.unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a period has far fewer than 2^52 days")]
    let slack = rules.slack_m3_per_30_days * days as f64 / 30.0;
    let high_above = litres(expected.most * rules.high_coefficient + slack);
    let low_below = litres((expected.least * rules.low_coefficient - slack).max(0.0));
    verdict.expected = Some(litres(expected.likely));
    verdict.high_above = Some(high_above);
    verdict.low_below = Some(low_below);
    if used > high_above.0 {
        Finding::High
    } else if used < rules.zero_below_litres && low_below.0 > 0 {
        Finding::Zero
    } else if used < low_below.0 {
        Finding::Low
    } else {
        Finding::Normal
    }
}

/// Rounds cubic metres to litres.
#[expect(clippy::cast_possible_truncation, reason = "a home uses far less than 2^52 litres")]
fn litres(cubic_metres: f64) -> Volume {
    Volume((cubic_metres * 1000.0).round() as i64)
}

/// The sentence that tells technician and household why a reading was judged so (A9).
pub fn explain(verdict: &Verdict) -> Sentence {
    let volume = |volume: Option<Volume>| volume.map(|it| it.to_string()).unwrap_or_default();
    Sentence::new(&format!("verdict.{}", verdict.finding.key()))
        .with("days", verdict.days.unwrap_or_default().to_string())
        .with("used", volume(verdict.used))
        .with("expected", volume(verdict.expected))
        .with("high", volume(verdict.high_above))
        .with("low", volume(verdict.low_below))
}
