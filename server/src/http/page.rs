//! Reading lists page by page: limits and cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::ApiError;

/// Entries on a page when nobody says how many.
const PAGE: u16 = 100;

/// Entries on a page at most.
const LONGEST_PAGE: u16 = 500;

/// Letters that are searched for at most.
const LONGEST_WORDS: usize = 100;

/// How many entries a page has, 1 to 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit(u16);

impl Default for Limit {
    fn default() -> Self {
        Self(PAGE)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u16::deserialize(deserializer)?;
        if (1..=LONGEST_PAGE).contains(&limit) {
            return Ok(Self(limit));
        }
        Err(D::Error::custom(format!("send a `limit` from 1 to {LONGEST_PAGE}")))
    }
}

impl Limit {
    /// The number of rows to read.
    pub(super) fn rows(self) -> i64 {
        i64::from(self.0)
    }

    /// Where the next page begins: behind the last entry of a full one.
    pub(super) fn next<T, K: Serialize>(self, rows: &[T], key: impl Fn(&T) -> K) -> Option<String> {
        let is_full = rows.len() >= usize::from(self.0);
        rows.last().filter(|_| is_full).map(|row| cursor(&key(row)))
    }
}

/// Writes the key of an entry as a cursor that nobody is meant to read.
fn cursor<K: Serialize>(key: &K) -> String {
    let text = serde_json::to_vec(key).expect("a key of plain values is JSON");
    URL_SAFE_NO_PAD.encode(text)
}

/// Reads a cursor that this list gave.
pub(super) fn read_cursor<K: DeserializeOwned>(after: Option<&str>) -> Result<Option<K>, ApiError> {
    let Some(after) = after else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(after).ok();
    let key = key.and_then(|key| serde_json::from_slice(&key).ok());
    let refused = "send as `after` what this list gave as `next`, or nothing for its beginning";
    key.map(Some).ok_or_else(|| ApiError::Unprocessable(refused.to_owned()))
}

/// Words to search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words(String);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        if words.chars().count() <= LONGEST_WORDS {
            return Ok(Self(words));
        }
        Err(D::Error::custom(format!("send a `text` of {LONGEST_WORDS} letters or fewer")))
    }
}

impl Words {
    /// The words in lower case, without the spaces around them.
    pub(super) fn lower(&self) -> String {
        self.0.trim().to_lowercase()
    }

    /// A pattern for `like … escape '\'` that takes them literally, in lower case; none for no words.
    pub(super) fn pattern(&self) -> Option<String> {
        let words = Some(self.0.trim()).filter(|words| !words.is_empty())?;
        let mut pattern = String::from("%");
        for letter in words.to_lowercase().chars() {
            if matches!(letter, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('%');
        Some(pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_back_its_key_and_another_text_is_refused() {
        let limit = Limit(1);
        let next = limit.next(&[("a", 1)], |row| *row).unwrap();

        assert_eq!(read_cursor(Some(&next)).unwrap(), Some(("a".to_owned(), 1)));
        assert!(read_cursor::<(String, i64)>(Some("rubbish")).is_err());
        assert!(read_cursor::<(String, i64)>(None).unwrap().is_none());
        assert_eq!(Limit(2).next(&[1], |row| *row), None);
    }

    #[test]
    fn check_31_what_is_searched_for_is_taken_literally() {
        assert_eq!(Words(r" 50%_\ ".to_owned()).pattern().unwrap(), r"%50\%\_\\%");
        assert_eq!(Words("  ".to_owned()).pattern(), None);
    }
}
