//! How households found finished work (A10).

use domain::catalogue::Language;
use uuid::Uuid;

use super::{Count, Named, Rate};

/// The best first; who said nothing comes last.
const SCORES: [&str; 6] = ["5", "4", "3", "2", "1", "none"];

/// Everybody who answered.
const ANSWERED: &[&str] = &["5", "4", "3", "2", "1"];

/// A job that is done, and what its household said.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FinishedJob {
    /// The job.
    pub job_id: Uuid,
    /// The key of its kind.
    pub kind: String,
    /// Who had it.
    pub technician_id: Option<Uuid>,
    /// Their name.
    pub technician_name: Option<String>,
    /// Since when it is done, Unix ms.
    pub done_at: i64,
    /// From 1 to 5, which is best; none while nobody answered.
    pub score: Option<i64>,
}

impl FinishedJob {
    /// The key of the column under which it counts.
    pub fn column(&self) -> &'static str {
        match self.score {
            Some(5) => "5",
            Some(4) => "4",
            Some(3) => "3",
            Some(2) => "2",
            Some(1) => "1",
            _ => "none",
        }
    }
}

/// Begins the count of finished jobs by their rating.
///
/// Shares are of those who answered; how many did stands beside them, for few answers say little.
pub fn by_score(language: Language) -> Count {
    let columns = SCORES.map(|score| Named::word(language, "figures.score", score));
    let rate =
        |key: &str, of, out_of| Rate { named: Named::word(language, "figures", key), of, out_of };
    let rates = vec![
        rate("satisfied_rate", &["5", "4"], ANSWERED),
        rate("answered_rate", ANSWERED, &SCORES),
    ];
    Count::of(columns.to_vec()).with_rates(rates)
}
