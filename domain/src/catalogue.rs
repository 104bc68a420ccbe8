//! Every sentence that a person sees, in Chinese and English, from one file.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// 中文
    Chinese,
    /// English
    English,
}

/// A sentence before it is said: its key in the catalogue with what goes into it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sentence {
    /// Its key.
    pub key: String,
    /// What goes into its `{places}`.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
}

impl Sentence {
    /// A sentence with nothing in its places yet.
    pub fn new(key: &str) -> Self {
        Self { key: key.to_owned(), arguments: BTreeMap::new() }
    }

    /// Fills one place.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }

    /// Says it.
    pub fn say(&self, language: Language) -> String {
        let arguments: Vec<(&str, String)> =
            self.arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        text(language, &self.key, &arguments)
    }
}

/// One entry of the file.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    zh: String,
    en: String,
}

/// Says a sentence of the catalogue; an unknown key is said as it is, so that it is seen and mended.
pub fn text(language: Language, key: &str, arguments: &[(&str, String)]) -> String {
    let Some(entry) = entries().get(key) else { return key.to_owned() };
    let template = match language {
        Language::Chinese => &entry.zh,
        Language::English => &entry.en,
    };
    arguments
        .iter()
        .fold(template.clone(), |said, (name, value)| said.replace(&format!("{{{name}}}"), value))
}

fn entries() -> &'static BTreeMap<String, Entry> {
    static ENTRIES: OnceLock<BTreeMap<String, Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        toml::from_str(include_str!("../catalogue.toml")).expect("a test reads the catalogue")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobKind;
    use crate::status::Status;

    #[test]
    fn every_sentence_has_both_languages_and_the_same_places() {
        for (key, entry) in entries() {
            assert!(!entry.zh.is_empty() && !entry.en.is_empty(), "{key}");
            assert_eq!(places(&entry.zh), places(&entry.en), "{key}");
        }
    }

    #[test]
    fn every_kind_and_status_has_a_name() {
        let kinds = JobKind::ALL.into_iter().map(|kind| format!("kind.{kind}"));
        let statuses = Status::ALL.into_iter().map(|status| format!("status.{}", status.key()));
        for key in kinds.chain(statuses) {
            assert!(entries().contains_key(&key), "{key}");
        }
    }

    fn places(template: &str) -> std::collections::BTreeSet<&str> {
        let opened = template.split('{').skip(1);
        opened.filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }
}
