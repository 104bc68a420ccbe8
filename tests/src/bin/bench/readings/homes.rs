//! Real registers, read as a meter reader would: who is tuned on, who is reported on, and on which days.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use chrono::NaiveDate;
use domain::household::{Meter, PastReading};
use domain::id::MeterId;
use domain::measure::Volume;
use domain::reading::ReadingState;
use uuid::Uuid;

/// Digits before the point; the meters of the source are small ones.
const DIGITS: u8 = 5;

/// A real meter with what it showed at the end of each day.
pub(crate) struct Home {
    /// Its anonymous name in the source.
    pub(crate) name: String,
    size: String,
    by_day: BTreeMap<NaiveDate, Volume>,
}

/// How often a meter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cadence {
    /// As the rulebook has it (C5).
    EveryTwoMonths,
    /// As other companies do.
    EveryMonth,
}

impl Cadence {
    /// What it is called.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::EveryTwoMonths => "read every two months",
            Self::EveryMonth => "read every month",
        }
    }

    /// The months of each round that meter readers make.
    fn rounds(self) -> Vec<Vec<u32>> {
        match self {
            Self::EveryTwoMonths => vec![vec![1, 3, 5, 7, 9, 11], vec![2, 4, 6, 8, 10, 12]],
            Self::EveryMonth => vec![(1..=12).collect()],
        }
    }
}

/// Which half a meter belongs to: numbers are picked on one and reported on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// Thresholds are picked on it.
    Tuning,
    /// Figures are of it.
    Report,
}

impl Home {
    /// By the parity of the FNV-1a hash of its name.
    pub(crate) fn half(&self) -> Half {
        if hash(&self.name).is_multiple_of(2) { Half::Tuning } else { Half::Report }
    }

    /// The readings of one round, oldest first, with the meter's first day before them.
    pub(crate) fn read(&self, months: &[u32], day: u32) -> Vec<PastReading> {
        let first = NaiveDate::from_ymd_opt(2024, 1, 1);
        let visits = months.iter().filter_map(|month| NaiveDate::from_ymd_opt(2024, *month, day));
        let days = first.into_iter().chain(visits);
        let known = days.filter_map(|on| Some((on, *self.by_day.get(&on)?)));
        let state = ReadingState::Seen;
        known.map(|(on, register)| PastReading { on, register, state }).collect()
    }

    /// The meter with these readings.
    pub(crate) fn meter(&self, readings: &[PastReading]) -> Meter {
        let id = MeterId(Uuid::from_u128(u128::from(hash(&self.name))));
        let meter = Meter::new(id, &self.name, &self.size, DIGITS);
        Meter { readings: readings.to_vec(), ..meter }
    }
}

/// The days of a month on which meter readers come by.
const DAYS: [u32; 3] = [5, 15, 24];

/// Every round of a cadence: the months and the day.
pub(crate) fn rounds(cadence: Cadence) -> Vec<(Vec<u32>, u32)> {
    let rounds = cadence.rounds().into_iter();
    rounds.flat_map(|months| DAYS.map(|day| (months.clone(), day))).collect()
}

/// Reads the source.
pub(crate) fn load(path: &Path) -> anyhow::Result<Vec<Home>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut homes: BTreeMap<String, Home> = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        let field = |at: usize| row.get(at).unwrap_or_default();
        let cubic_metres: f64 = field(3).parse().context("a register")?;
        let day: NaiveDate = field(2).parse().context("a day")?;
        let home = homes.entry(field(0).to_owned()).or_insert_with(|| Home {
            name: field(0).to_owned(),
            size: field(1).to_owned(),
            by_day: BTreeMap::new(),
        });
        #[expect(clippy::cast_possible_truncation, reason = "a register has few digits")]
        home.by_day.insert(day, Volume((cubic_metres * 1000.0).round() as i64));
    }
    anyhow::ensure!(homes.len() > 100, "the source has only {} meters", homes.len());
    Ok(homes.into_values().collect())
}

/// FNV-1a, 64 bits.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
