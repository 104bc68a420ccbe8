//! Visits: how they ended, and what was answered of the conduct checklist (A3–A8).

use std::collections::BTreeMap;

use domain::catalogue::Language;
use domain::conduct::Answer;
use domain::pack::Pack;
use domain::visit::Fact;
use uuid::Uuid;

use super::{Count, Counted, Figure, Named, Rate};

/// The ends of a visit, in the order in which lists show them.
const OUTCOMES: [&str; 6] =
    ["done", "no_one_home", "refused", "empty", "wrong_address", "cannot_finish"];

/// The answers to an item, in the order in which lists show them.
const ANSWERS: [&str; 4] = ["done", "waived", "not_done", "withdrawn"];

/// A visit that ended.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EndedVisit {
    /// The job.
    pub job_id: Uuid,
    /// The key of its kind.
    pub kind: String,
    /// Who was there.
    pub technician_id: Uuid,
    /// Their name.
    pub technician_name: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// When, at the earliest, Unix ms.
    pub ended_at: i64,
}

/// Begins the count of visits by how they ended: a column for each outcome's key.
///
/// Somebody got in where the work was done or begun; at a wrong address nobody could.
pub fn outcomes(language: Language) -> Count {
    let columns = OUTCOMES.map(|outcome| Named::word(language, "status", outcome));
    let rate = |key: &str, of: &'static [&'static str]| Rate {
        named: Named::word(language, "figures", key),
        of,
        out_of: &OUTCOMES,
    };
    let rates = vec![
        rate("entry_rate", &["done", "cannot_finish"]),
        rate("no_one_home_rate", &["no_one_home"]),
    ];
    Count::of(columns.to_vec()).with_rates(rates)
}

/// One answer as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The job.
    pub job: Uuid,
    /// The visit.
    pub visit: Uuid,
    /// The fact; later ones are greater.
    pub fact: Uuid,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// What was recorded.
    pub recorded: Fact,
}

/// Counts answers by item (A3–A8): of each visit and item the newest, and all that were taken back.
pub fn conduct(answers: Vec<Answered>, pack: &Pack, language: Language) -> Figure {
    let named = pack.conduct.iter().map(|item| {
        let name = match language {
            Language::Chinese => &item.zh,
            Language::English => &item.en,
        };
        Named { key: item.id.clone(), name: format!("{name} ({})", item.rule) }
    });
    let named: Vec<Named> = named.collect();
    let known: BTreeMap<String, Named> =
        named.iter().map(|it| (it.key.clone(), it.clone())).collect();
    let columns = ANSWERS.map(|answer| Named::word(language, "figures.answer", answer));
    let rate = Rate {
        named: Named::word(language, "figures", "done_rate"),
        of: &["done"],
        out_of: &["done", "not_done"],
    };
    let mut count = Count::of(columns.to_vec()).under(named).with_rates(vec![rate]);
    let name = |item: &str| known.get(item).cloned().unwrap_or_else(|| Named::plain(item));
    let mut newest: BTreeMap<(Uuid, Uuid, String), (Uuid, Answer)> = BTreeMap::new();
    for Answered { job, visit, fact, withdrawn, recorded } in answers {
        let Fact::Conduct { item, answer } = recorded else { continue };
        if withdrawn {
            count.add(&name(&item), "withdrawn", Counted::Job(job));
            continue;
        }
        let kept = newest.entry((job, visit, item)).or_insert_with(|| (fact, answer.clone()));
        if kept.0 < fact {
            *kept = (fact, answer);
        }
    }
    for ((job, _, item), (_, answer)) in newest {
        let column = match answer {
            Answer::Done => "done",
            Answer::NotDone { .. } => "not_done",
            Answer::Waived => "waived",
        };
        count.add(&name(&item), column, Counted::Job(job));
    }
    count.finish(language)
}
