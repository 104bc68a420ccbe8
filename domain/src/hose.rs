//! Gas hoses (燃气软管): who gets a new one free, and how often (B14).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::id::{HoseId, JobId};

/// A hose that was replaced at a household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The job in which it was done, when it was done as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// The hose put in.
    pub installed: HoseId,
    /// The day, in the hall's city.
    pub on: NaiveDate,
    /// Whether it was free for the household.
    pub free: bool,
}
