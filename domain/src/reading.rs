//! Meter readings judged on the spot: high, low and why (A9).

use serde::{Deserialize, Serialize};

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
    /// The register went back.
    Backwards,
    /// The register passed its last digit and began again.
    Rollover,
    /// It could not be read.
    Unread,
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
