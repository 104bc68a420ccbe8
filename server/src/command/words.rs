//! What the commands say: sentences of the catalogue, laid out for a terminal.

use anyhow::bail;
use chrono::{DateTime, FixedOffset};
use domain::catalogue::{self, Language};

/// Finds a language by its tag.
pub(crate) fn language(tag: &str) -> anyhow::Result<Language> {
    match tag {
        "zh" => Ok(Language::Chinese),
        "en" => Ok(Language::English),
        other => bail!("{other} is not a language here: say zh or en"),
    }
}

/// Says a sentence of the catalogue.
pub(crate) fn say(language: Language, key: &str, arguments: &[(&str, String)]) -> String {
    catalogue::text(language, key, arguments)
}

/// Fills up with spaces to a width in terminal columns; a Chinese character takes two.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let width: usize = text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(width)))
}

/// A moment as the hall's city reads it.
pub(crate) fn local_time(unix_ms: i64) -> Option<DateTime<FixedOffset>> {
    let offset = FixedOffset::east_opt(8 * 3600)?;
    Some(DateTime::from_timestamp_millis(unix_ms)?.with_timezone(&offset))
}
