//! Abnormal readings: whether the household was told, what was done, and whether the meter reads normally since (A9).

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::Language;
use domain::reading::{Finding, Measure};
use domain::visit::Fact;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Count, Counted, Figure, Named, Rate};

/// A reading that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The job.
    pub job: Uuid,
    /// The visit.
    pub visit: Uuid,
    /// The fact.
    pub fact: Uuid,
    /// What it looked like.
    pub finding: Finding,
    /// Whether the same meter read normally later.
    pub was_normal_later: bool,
}

/// What became of abnormal readings.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ReadingFigures {
    /// By finding: whether the household was told.
    pub told: Figure,
    /// By finding: what was done; a reading with two measures counts under both.
    pub measures: Figure,
    /// By finding: whether the meter reads normally since.
    pub since: Figure,
}

/// Counts abnormal readings by what they looked like (A9).
///
/// `answers` are the facts about readings that stand, each with its job and visit.
pub fn abnormal(
    readings: &[Reading],
    answers: &[(Uuid, Uuid, Fact)],
    language: Language,
) -> ReadingFigures {
    let mut told: BTreeSet<(Uuid, Uuid, Uuid)> = BTreeSet::new();
    let mut taken: BTreeMap<(Uuid, Uuid, Uuid), BTreeSet<Measure>> = BTreeMap::new();
    for (job, visit, fact) in answers {
        if let Fact::HouseholdTold { reading } = fact {
            told.insert((*job, *visit, reading.0));
        } else if let Fact::MeasureTaken { reading, measure } = fact {
            taken.entry((*job, *visit, reading.0)).or_default().insert(*measure);
        }
    }
    let findings = Finding::ALL.into_iter().filter(|finding| finding.is_abnormal());
    let findings: Vec<Named> =
        findings.map(|it| Named::word(language, "finding", it.key())).collect();
    let word = |key: &str| Named::word(language, "figures", key);
    let rate = |key: &str, of, out_of| vec![Rate { named: word(key), of, out_of }];
    let mut by_told = Count::of(vec![word("told"), word("not_told")])
        .under(findings.clone())
        .with_rates(rate("told_rate", &["told"], &["told", "not_told"]));
    let measures = Measure::ALL.iter().map(|it| Named::word(language, "measure", it.key()));
    let mut by_measure =
        Count::of(measures.chain([word("no_measure")]).collect()).under(findings.clone());
    let mut by_since = Count::of(vec![word("normal_since"), word("not_normal_since")])
        .under(findings)
        .with_rates(rate("normal_rate", &["normal_since"], &["normal_since", "not_normal_since"]));
    for reading in readings.iter().filter(|it| it.finding.is_abnormal()) {
        let heading = Named::word(language, "finding", reading.finding.key());
        let (key, what) = ((reading.job, reading.visit, reading.fact), Counted::Job(reading.job));
        by_told.add(&heading, if told.contains(&key) { "told" } else { "not_told" }, what);
        match taken.get(&key) {
            Some(measures) => {
                for measure in measures {
                    by_measure.add(&heading, measure.key(), what);
                }
            }
            None => by_measure.add(&heading, "no_measure", what),
        }
        let since = if reading.was_normal_later { "normal_since" } else { "not_normal_since" };
        by_since.add(&heading, since, what);
    }
    ReadingFigures {
        told: by_told.finish(language),
        measures: by_measure.finish(language),
        since: by_since.finish(language),
    }
}
