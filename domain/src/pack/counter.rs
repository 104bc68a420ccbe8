//! What the counter asks for: procedures with their papers and fees, telephone rings, answers about paying (B3, C1–C7).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ItemName;
use super::check::{Check, is_said};
use crate::catalogue::Language;
use crate::job::JobKind;
use crate::procedure::Circumstance;

/// What the counter and its telephones keep to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterRules {
    /// How soon a call is answered (B3).
    pub calls: CallRules,
    /// What is answered about paying (C5).
    pub payment: PaymentRules,
    /// What a household can ask for, in the order in which lists show it (C1–C4, C6).
    pub procedures: Vec<Procedure>,
}

/// How soon a call is answered (B3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRules {
    /// Rings within which staff answer.
    pub staff_rings: u32,
    /// Rings that the public was promised.
    pub public_rings: u32,
    /// Where the numbers come from.
    pub source: String,
}

/// What is answered about paying (C5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentRules {
    /// Every so many months a meter is read; stands for `{months}` in the words.
    pub read_every_months: u32,
    /// What people ask, with what they are told.
    pub answers: Vec<PaymentAnswer>,
    /// The notice that the meter reader leaves, in Chinese; places: account, address, register, used, amount, month.
    pub notice_zh: String,
    /// The same in English.
    pub notice_en: String,
    /// Where it comes from.
    pub source: String,
}

/// A question about paying with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentAnswer {
    /// Its key.
    pub id: String,
    /// What is asked, in Chinese.
    pub zh: String,
    /// What is asked, in English.
    pub en: String,
    /// What is answered, in Chinese.
    pub answer_zh: String,
    /// What is answered, in English.
    pub answer_en: String,
}

/// Something that a household can ask for at the counter (业务).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// Its key.
    pub id: String,
    /// The rule of the rulebook.
    pub rule: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// What has to be seen.
    #[serde(default)]
    pub papers: Vec<PaperRule>,
    /// What has to be so.
    #[serde(default)]
    pub conditions: Vec<ConditionRule>,
    /// What has to be paid; nothing else may be taken (D1).
    #[serde(default)]
    pub fees: Vec<FeeRule>,
    /// Two papers that have to carry one name, where nobody comes as an agent (C1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_name: Option<(String, String)>,
    /// The jobs that are made when it is accepted, in the order in which they are done.
    #[serde(default)]
    pub jobs: Vec<JobKind>,
    /// Whether a window has to be agreed for the first of them when it is accepted (C4).
    #[serde(default)]
    pub needs_appointment: bool,
    /// Whether it opens an account, which is followed to its first gas (B16).
    #[serde(default)]
    pub opens_account: bool,
    /// What of the account changes with it (C2, C3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Change>,
    /// Where it comes from.
    pub source: String,
}

/// What of an account changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It has another holder (C2).
    Holder,
    /// It goes to another address (C3).
    Address,
}

/// A paper that has to be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperRule {
    /// Its key.
    pub id: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// Only in this circumstance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Circumstance>,
    /// Not in this circumstance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Circumstance>,
}

/// Something that has to be so, as somebody of the hall declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionRule {
    /// Its key.
    pub id: String,
    /// What has to be so, in Chinese; `least` stands for `{least}`.
    pub zh: String,
    /// What has to be so, in English.
    pub en: String,
    /// Only in this circumstance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Circumstance>,
    /// A number that is declared and has to be this or more, such as months away (C6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
    /// Whether it is declared in words, such as how an invoice was lost (C1).
    #[serde(default)]
    pub in_words: bool,
}

/// Something that has to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRule {
    /// Its key.
    pub id: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
    /// How much, in fen; worked out by the hall where nothing is said, and then it may be nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fen: Option<i64>,
    /// Whether it is never given back (C3).
    #[serde(default)]
    pub kept: bool,
}

impl Procedure {
    /// What it is called.
    pub fn name(&self) -> ItemName {
        item(&self.id, &self.zh, &self.en)
    }

    /// The circumstances that change what has to be brought: what to ask first.
    pub fn circumstances(&self) -> BTreeSet<Circumstance> {
        let papers = self.papers.iter().flat_map(|it| [it.when, it.unless]);
        let conditions = self.conditions.iter().map(|it| it.when);
        papers.chain(conditions).flatten().collect()
    }

    /// Finds a paper.
    pub fn paper(&self, id: &str) -> Option<&PaperRule> {
        self.papers.iter().find(|it| it.id == id)
    }

    /// Finds a condition.
    pub fn condition(&self, id: &str) -> Option<&ConditionRule> {
        self.conditions.iter().find(|it| it.id == id)
    }

    /// Finds a fee.
    pub fn fee(&self, id: &str) -> Option<&FeeRule> {
        self.fees.iter().find(|it| it.id == id)
    }

    fn is_whole(&self) -> bool {
        let papers = self.papers.iter().map(|it| (&it.id, &it.zh, &it.en));
        let conditions = self.conditions.iter().map(|it| (&it.id, &it.zh, &it.en));
        let fees = self.fees.iter().map(|it| (&it.id, &it.zh, &it.en));
        let mut ids = BTreeSet::new();
        let mut items = papers.chain(conditions).chain(fees);
        is_said(&self.source)
            && [&self.id, &self.rule, &self.zh, &self.en].into_iter().all(|it| is_said(it))
            && items.all(|(id, zh, en)| is_said(id) && is_said(zh) && is_said(en) && ids.insert(id))
    }
}

impl PaperRule {
    /// What it is called.
    pub fn name(&self) -> ItemName {
        item(&self.id, &self.zh, &self.en)
    }
}

impl ConditionRule {
    /// What it is called, with its number in it.
    pub fn name(&self) -> ItemName {
        let least = self.least.map(|least| least.to_string()).unwrap_or_default();
        let with_number = |words: &str| words.replace("{least}", &least);
        item(&self.id, &with_number(&self.zh), &with_number(&self.en))
    }
}

impl FeeRule {
    /// What it is called.
    pub fn name(&self) -> ItemName {
        item(&self.id, &self.zh, &self.en)
    }
}

impl PaymentAnswer {
    /// The answer in a language, with the rules' numbers in it.
    pub fn answer(&self, rules: &PaymentRules, language: Language) -> String {
        let words = match language {
            Language::Chinese => &self.answer_zh,
            Language::English => &self.answer_en,
        };
        words.replace("{months}", &rules.read_every_months.to_string())
    }
}

impl CounterRules {
    /// Finds a procedure.
    pub fn procedure(&self, id: &str) -> Option<&Procedure> {
        self.procedures.iter().find(|it| it.id == id)
    }

    /// What is wrong with the rules, as key and what it needs.
    pub(super) fn checks(&self) -> Vec<Check> {
        let (calls, payment, procedures) = (&self.calls, &self.payment, &self.procedures);
        let mut ids = BTreeSet::new();
        let fees = || procedures.iter().flat_map(|it| &it.fees);
        let least = || procedures.iter().flat_map(|it| &it.conditions).filter_map(|it| it.least);
        let names = |it: &Procedure| {
            it.one_name.as_ref().is_none_or(|(a, b)| it.paper(a).is_some() && it.paper(b).is_some())
        };
        let answers = |it: &PaymentAnswer| {
            [&it.id, &it.zh, &it.en, &it.answer_zh, &it.answer_en].into_iter().all(|it| is_said(it))
        };
        vec![
            ("counter.calls.staff_rings", "from 1 to 20", (1..=20).contains(&calls.staff_rings)),
            (
                "counter.calls.public_rings",
                "staff_rings or more, at most 20",
                (calls.staff_rings..=20).contains(&calls.public_rings),
            ),
            ("counter.calls.source", "not empty", is_said(&calls.source)),
            (
                "counter.payment.read_every_months",
                "from 1 to 12",
                (1..=12).contains(&payment.read_every_months),
            ),
            (
                "counter.payment",
                "words in both languages, and a source",
                [&payment.notice_zh, &payment.notice_en, &payment.source]
                    .into_iter()
                    .all(|it| is_said(it))
                    && payment.answers.iter().all(answers),
            ),
            (
                "counter.procedures",
                "each its own id, a name in both languages, a source, and items whose ids differ",
                procedures.iter().all(|it| ids.insert(&it.id) && it.is_whole()),
            ),
            (
                "counter.procedures.fees",
                "fen from 1 to a million yuan",
                fees().filter_map(|it| it.fen).all(|fen| (1..=100_000_000).contains(&fen)),
            ),
            (
                "counter.procedures.conditions",
                "least from 1 to 1000",
                least().all(|it| (1..=1000).contains(&it)),
            ),
            (
                "counter.procedures.one_name",
                "two papers of its procedure",
                procedures.iter().all(names),
            ),
            (
                "counter.procedures.needs_appointment",
                "jobs to agree a window for",
                procedures.iter().all(|it| !it.needs_appointment || !it.jobs.is_empty()),
            ),
        ]
    }
}

fn item(id: &str, zh: &str, en: &str) -> ItemName {
    ItemName { id: id.to_owned(), zh: zh.to_owned(), en: en.to_owned() }
}
