//! Every sentence that a person sees, in Chinese and English, from one file.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::pack::ItemName;

/// A language that the product speaks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Language {
    /// 中文
    #[serde(rename = "zh")]
    Chinese,
    /// English
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }
}

/// Ends the name of a place that another key of the catalogue fills.
const KEY: &str = "key";

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

    /// Fills one place with an item of a rule pack, which has words of its own in each language.
    #[must_use]
    pub fn naming(self, place: &str, item: &ItemName) -> Self {
        let both = [(Language::Chinese, &item.zh), (Language::English, &item.en)];
        both.into_iter().fold(self, |sentence, (language, words)| {
            sentence.with(&format!("{place}.{}", language.tag()), words)
        })
    }

    /// Fills one place with what another key of the catalogue says.
    #[must_use]
    pub fn with_words_of(self, place: &str, key: &str) -> Self {
        self.with(&format!("{place}.{KEY}"), key)
    }

    /// Says it.
    pub fn say(&self, language: Language) -> String {
        let said = |(name, value): (&String, &String)| match name.rsplit_once('.') {
            Some((place, KEY)) => Some((place.to_owned(), text(language, value, &[]))),
            Some((place, tag)) if tag == language.tag() => Some((place.to_owned(), value.clone())),
            Some(_) => None,
            None => Some((name.clone(), value.clone())),
        };
        let arguments: Vec<(String, String)> = self.arguments.iter().filter_map(said).collect();
        let arguments: Vec<(&str, String)> =
            arguments.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
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
    use crate::case::{Act, CaseKind, CaseState};
    use crate::conduct::Phase;
    use crate::due::{Use, What};
    use crate::household::{ApplianceKind, Group, HoseKind};
    use crate::job::{Channel, JobKind};
    use crate::ledger::{Evidence, Purpose};
    use crate::notice::Occasion;
    use crate::procedure::{ApplicationState, Circumstance};
    use crate::reading::{Finding, Measure, ReadingState};
    use crate::status::Status;
    use crate::telephone::Answered;
    use crate::visit::Subject;

    #[test]
    fn every_sentence_has_both_languages_and_the_same_places() {
        for (key, entry) in entries() {
            assert!(!entry.zh.is_empty() && !entry.en.is_empty(), "{key}");
            assert_eq!(places(&entry.zh), places(&entry.en), "{key}");
        }
    }

    #[test]
    fn all_that_lists_show_has_a_name() {
        fn named<T>(what: &str, all: &[T], key: fn(&T) -> &'static str) -> Vec<String> {
            all.iter().map(|it| format!("{what}.{}", key(it))).collect()
        }
        let lists = [
            named("kind", &JobKind::ALL, |it| it.key()),
            named("status", &Status::ALL, |it| it.key()),
            named("finding", &Finding::ALL, |it| it.key()),
            named("verdict", &Finding::ALL, |it| it.key()),
            named("measure", &Measure::ALL, |it| it.key()),
            named("reading_state", &ReadingState::ALL, |it| it.key()),
            named("phase", &Phase::ALL, |it| it.key()),
            named("group", &Group::ALL, |it| it.key()),
            named("channel", &Channel::ALL, |it| it.key()),
            named("appliance_kind", &ApplianceKind::ALL, |it| it.key()),
            named("hose_kind", &HoseKind::ALL, |it| it.key()),
            named("subject", &Subject::ALL, |it| it.key()),
            named("case.kind", &CaseKind::ALL, |it| it.key()),
            named("case.state", &CaseState::ALL, |it| it.key()),
            named("case.act", &Act::ALL, |it| it.key()),
            named("ledger.evidence", &Evidence::ALL, |it| it.key()),
            named("ledger.purpose", &Purpose::ALL, |it| it.key()),
            named("due.what", &What::ALL, |it| it.key()),
            named("due.use", &Use::ALL, |it| it.key()),
            named("told.occasion", &Occasion::ALL, |it| it.key()),
            named("circumstance", &Circumstance::ALL, |it| it.key()),
            named("application.state", &ApplicationState::ALL, |it| it.key()),
            named("answered", &Answered::ALL, |it| it.key()),
        ];
        for key in lists.concat() {
            assert!(entries().contains_key(&key), "{key}");
        }
    }

    #[test]
    fn a_key_is_the_word_in_json() {
        fn holds<T: serde::Serialize>(all: &[T], key: fn(&T) -> &'static str) {
            for it in all {
                assert_eq!(serde_json::to_value(it).unwrap(), key(it));
            }
        }
        holds(&Finding::ALL, |it| it.key());
        holds(&Measure::ALL, |it| it.key());
        holds(&ReadingState::ALL, |it| it.key());
        holds(&Channel::ALL, |it| it.key());
        holds(&Subject::ALL, |it| it.key());
        holds(&Group::ALL, |it| it.key());
        holds(&Phase::ALL, |it| it.key());
        holds(&ApplianceKind::ALL, |it| it.key());
        holds(&HoseKind::ALL, |it| it.key());
        holds(&CaseKind::ALL, |it| it.key());
        holds(&CaseState::ALL, |it| it.key());
        holds(&Act::ALL, |it| it.key());
        holds(&Evidence::ALL, |it| it.key());
        holds(&Purpose::ALL, |it| it.key());
        holds(&Circumstance::ALL, |it| it.key());
        holds(&ApplicationState::ALL, |it| it.key());
        holds(&Answered::ALL, |it| it.key());
        holds(&What::ALL, |it| it.key());
        holds(&Use::ALL, |it| it.key());
    }

    fn places(template: &str) -> std::collections::BTreeSet<&str> {
        let opened = template.split('{').skip(1);
        opened.filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }
}
