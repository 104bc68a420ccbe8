//! What a pack says of notices to households and of their links (B13, A10).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::catalogue::Language;
use crate::notice::{Occasion, places};

/// Longer texts are cut by gateways.
const LONGEST_TEMPLATE: usize = 500;

/// The place of the link in [`NoticeRules::link`].
const LINK: &str = "link";

/// Words in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Said {
    /// The words in a language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

/// What households are told, when, and how long their links hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRules {
    /// From which hour to which hour of the city's clock nothing is sent that is not urgent.
    pub quiet_hours: (u8, u8),
    /// Whether notices of an emergency are sent at night, and to who wants no messages.
    pub emergencies_always: bool,
    /// Minutes after which what goes on at a door is not told any more: it would be wrong by then.
    pub stale_minutes: i64,
    /// Minutes behind the window's end from which on a new time is told.
    pub late_minutes: i64,
    /// Minutes before the window's end from which on a new time is told.
    pub late_ahead_minutes: i64,
    /// Hours after the window's end for which a link holds.
    pub link_hours: i64,
    /// Hours after the end of the work for which the household's copy can be read.
    pub copy_hours: i64,
    /// Hours in which a rating can be changed.
    pub rating_change_hours: i64,
    /// Whether a window that the household asks for by its link is agreed at once.
    pub agree_at_once: bool,
    /// Minutes ahead of a planned outage by which households were promised to be told (B13).
    pub outage_ahead_minutes: i64,
    /// Minutes after an unforeseen outage began in which they were promised to be told (B13).
    pub outage_within_minutes: i64,
    /// With so many minutes left the hall looks at whom nobody told of an outage (B13); packs before it existed do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_warn_minutes: Option<i64>,
    /// Put behind a text that goes with a link.
    pub link: Said,
    /// One for each occasion that is told.
    pub templates: Vec<NoticeTemplate>,
    /// Where the numbers come from.
    pub source: String,
}

/// What is told on an occasion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeTemplate {
    /// When.
    pub occasion: Occasion,
    /// What, in Chinese, with named places.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// Whether a link to the household's page goes along.
    #[serde(default)]
    pub with_link: bool,
    /// Whether it is sent at night too.
    #[serde(default)]
    pub urgent: bool,
    /// Whether it is sent to who wants no messages.
    #[serde(default)]
    pub always: bool,
    /// Why it is told so.
    pub source: String,
}

impl NoticeRules {
    /// What is told on an occasion; nothing where the pack has no template.
    pub fn template(&self, occasion: Occasion) -> Option<&NoticeTemplate> {
        self.templates.iter().find(|it| it.occasion == occasion)
    }
}

impl NoticeTemplate {
    /// The template in a language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

/// Finds the first thing that is wrong: where, and what it needs.
pub(super) fn wrong(rules: &NoticeRules) -> Option<(String, String)> {
    let says = |text: &str| !text.trim().is_empty();
    let a_year = 366 * 24 * 60;
    let minutes = |least, value| (least..=a_year).contains(&value);
    let (from, to) = rules.quiet_hours;
    let checks = [
        ("quiet_hours", "hours from 0 to 24", from <= 23 && to <= 24),
        ("stale_minutes", "minutes from 1 to a year", minutes(1, rules.stale_minutes)),
        ("late_minutes", "minutes from 0 to a year", minutes(0, rules.late_minutes)),
        ("late_ahead_minutes", "minutes from 0 to a year", minutes(0, rules.late_ahead_minutes)),
        ("link_hours", "hours from 1 to a year", minutes(1, rules.link_hours * 60)),
        ("copy_hours", "hours from 1 to a year", minutes(1, rules.copy_hours * 60)),
        (
            "rating_change_hours",
            "hours from 0 to a year",
            minutes(0, rules.rating_change_hours * 60),
        ),
        (
            "outage_ahead_minutes",
            "minutes from 1 to a year",
            minutes(1, rules.outage_ahead_minutes),
        ),
        (
            "outage_within_minutes",
            "minutes from 1 to a year",
            minutes(1, rules.outage_within_minutes),
        ),
        (
            "outage_warn_minutes",
            "minutes from 1 to a year",
            rules.outage_warn_minutes.is_none_or(|it| minutes(1, it)),
        ),
        ("source", "not empty", says(&rules.source)),
        ("templates", "a source each", rules.templates.iter().all(|it| says(&it.source))),
    ];
    if let Some((key, needs, _)) = checks.into_iter().find(|(_, _, holds)| !holds) {
        return Some((format!("notices.{key}"), needs.to_owned()));
    }
    let link = [rules.link.zh.as_str(), rules.link.en.as_str()];
    if link.iter().any(|it| places(it).is_none_or(|found| found != [LINK])) {
        return Some(("notices.link".to_owned(), "the place {link} once, and no other".to_owned()));
    }
    let mut told = BTreeSet::new();
    if let Some(twice) = rules.templates.iter().find(|it| !told.insert(it.occasion)) {
        let key = format!("notices.templates.{}", twice.occasion.key());
        return Some((key, "one template and not two".to_owned()));
    }
    rules.templates.iter().find_map(|it| {
        let key = format!("notices.templates.{}", it.occasion.key());
        wrong_in(it).map(|needs| (key, needs))
    })
}

fn wrong_in(template: &NoticeTemplate) -> Option<String> {
    let known = template.occasion.places();
    let both = [template.zh.as_str(), template.en.as_str()];
    let is_text = |it: &&str| !it.trim().is_empty() && it.chars().count() <= LONGEST_TEMPLATE;
    if !both.iter().all(is_text) {
        return Some(format!("words in zh and en, at most {LONGEST_TEMPLATE} letters each"));
    }
    let mut found = Vec::new();
    for text in both {
        let Some(names) = places(text) else {
            return Some("each brace closed, as in {hall}".to_owned());
        };
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            let known: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
            return Some(format!("no place {{{unknown}}}: use {}", known.join(", ")));
        }
        found.push(names.into_iter().collect::<BTreeSet<_>>());
    }
    (found.first() != found.last()).then(|| "the same places in zh and en".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{BUILTIN, Pack};

    #[test]
    fn every_occasion_is_told_by_the_pack_that_comes_with_the_program() {
        let rules = Pack::builtin().notices.unwrap();

        for occasion in Occasion::ALL {
            assert!(rules.template(occasion).is_some(), "{}", occasion.key());
        }
    }

    #[test]
    fn a_pack_from_before_notices_is_still_read() {
        let mut is_notices = false;
        let is_old = |line: &&str| {
            if line.starts_with('[') {
                is_notices = line.contains("notices");
            }
            !is_notices
        };
        let old = BUILTIN.lines().filter(is_old).collect::<Vec<_>>().join("\n");

        assert_eq!(Pack::parse(&old).unwrap().notices, None);
    }

    #[test]
    fn b13_a_template_with_an_unknown_place_is_refused_in_words() {
        for (from, to, says) in [
            (
                "{card}",
                "{phone}",
                "no place {phone}: use {hall}, {kind}, {technician}, {card}, {time}",
            ),
            ("{link}", "{url}", "notices.link: needs the place {link}"),
            ("{reason}", "{reason", "each brace closed"),
            (
                "occasion = \"late\"",
                "occasion = \"done\"",
                "notices.templates.done: needs one template",
            ),
            ("occasion = \"late\"", "occasion = \"birthday\"", "unknown variant `birthday`"),
            ("quiet_hours = [21, 8]", "quiet_hours = [25, 8]", "notices.quiet_hours"),
            ("link_hours = 48", "link_hours = 0", "notices.link_hours: needs hours from 1"),
            (
                "outage_ahead_minutes = 2880",
                "outage_ahead_minutes = 0",
                "notices.outage_ahead_minutes",
            ),
            ("outage_warn_minutes = 480", "outage_warn_minutes = 0", "notices.outage_warn_minutes"),
        ] {
            let error = Pack::parse(&BUILTIN.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(says), "{from} -> {to}: {error}");
        }
    }
}
