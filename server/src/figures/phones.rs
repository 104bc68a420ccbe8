//! Phones: which of them the hall can rely on, the worst first.

use domain::stamp::Timestamp;

/// A phone at work that says nothing for so long may be in a basement, or dead; the desk shows it by the same time.
pub const SILENT_MS: i64 = 15 * 60_000;

/// A phone with what its technician still has to do.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PhoneRow {
    /// Whose it is.
    pub person: String,
    /// What they call it.
    pub phone: String,
    /// When it was heard last, Unix ms.
    pub heard_at: Option<i64>,
    /// How many changes it said it holds alone.
    pub pending: i64,
    /// Jobs of its technician that are not over.
    pub open_jobs: i64,
    /// Those of them that somebody set out for.
    pub jobs_under_way: i64,
}

/// How a phone stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was enrolled and said nothing since.
    Never,
    /// It says nothing while a job is under way.
    Silent,
    /// It holds work that the hall does not have.
    Holding,
    /// It says nothing, and nothing is under way.
    Quiet,
    /// It was heard lately.
    Fine,
}

impl Standing {
    /// The word in the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Silent => "silent",
            Self::Holding => "holding",
            Self::Quiet => "quiet",
            Self::Fine => "fine",
        }
    }

    fn of(row: &PhoneRow, now: Timestamp) -> Self {
        let Some(heard_at) = row.heard_at else { return Self::Never };
        let is_silent = now.timestamp_millis() - heard_at >= SILENT_MS;
        match (is_silent, row.jobs_under_way > 0) {
            (true, true) => Self::Silent,
            _ if row.pending > 0 => Self::Holding,
            (true, false) => Self::Quiet,
            (false, _) => Self::Fine,
        }
    }
}

/// Puts phones into the order of their standing, who was heard longest ago first.
pub fn worst_first(rows: Vec<PhoneRow>, now: Timestamp) -> Vec<(Standing, PhoneRow)> {
    let mut phones: Vec<_> = rows.into_iter().map(|row| (Standing::of(&row, now), row)).collect();
    phones.sort_by_key(|(standing, row)| (*standing, row.heard_at));
    phones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_heard_is_not_silent_and_silent_is_not_fine() {
        let now_ms = 100 * 60_000;
        let phone = |person: &str, heard_at, pending, jobs_under_way| PhoneRow {
            person: person.to_owned(),
            phone: String::new(),
            heard_at,
            pending,
            open_jobs: jobs_under_way,
            jobs_under_way,
        };
        let rows = vec![
            phone("fine", Some(now_ms - SILENT_MS + 1), 0, 1),
            phone("quiet", Some(now_ms - SILENT_MS), 0, 0),
            phone("holding", Some(now_ms), 2, 1),
            phone("silent", Some(now_ms - SILENT_MS), 2, 1),
            phone("longer silent", Some(0), 0, 1),
            phone("never", None, 0, 0),
        ];

        let sorted = worst_first(rows, Timestamp::from_timestamp_millis(now_ms).unwrap());

        let told: Vec<_> = sorted.iter().map(|(it, row)| (it.key(), row.person.as_str())).collect();
        let expected = [
            ("never", "never"),
            ("silent", "longer silent"),
            ("silent", "silent"),
            ("holding", "holding"),
            ("quiet", "quiet"),
            ("fine", "fine"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn the_desk_calls_a_phone_silent_after_the_same_time() {
        let desk = include_str!("../../../web/console/src/standing.ts");
        assert!(desk.contains("SILENT_MS = 15 * 60_000\n"));
        assert_eq!(SILENT_MS, 15 * 60_000);
    }
}
