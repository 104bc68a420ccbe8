//! The real gas registers that the demo hall's meters show.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

/// A real meter with its register at the end of each day of 2024.
pub(crate) struct Meter {
    /// Its anonymous name in the source.
    pub(crate) name: String,
    /// Its size, such as `G4`.
    pub(crate) size: String,
    by_day: BTreeMap<String, String>,
}

impl Meter {
    /// What the register showed at the end of a day of 2024, in cubic metres as the source writes it.
    pub(crate) fn register(&self, month: u32, day: u32) -> &str {
        self.by_day.get(&format!("2024-{month:02}-{day:02}")).map_or_else(
            || unreachable!("reading checked that the source has every day"),
            String::as_str,
        )
    }
}

/// Reads the source, in its own order of meters.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Meter>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut meters: Vec<Meter> = Vec::new();
    for row in reader.records() {
        let row = row?;
        let field = |at: usize| row.get(at).unwrap_or_default().to_owned();
        if meters.last().is_none_or(|meter| meter.name != field(0)) {
            meters.push(Meter { name: field(0), size: field(1), by_day: BTreeMap::new() });
        }
        let meter = meters.last_mut().context("a meter was just pushed")?;
        meter.by_day.insert(field(2), field(3));
    }
    for meter in &meters {
        anyhow::ensure!(meter.by_day.len() == 366, "meter {} misses days of 2024", meter.name);
    }
    Ok(meters)
}
