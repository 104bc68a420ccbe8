//! What a new pack would have said of what happened: judged on paper, written nowhere.
//!
//! Each job is judged twice from the same facts, by the pack that it keeps and by the new one, so a difference
//! comes from the rules alone.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::NaiveDate;
use domain::catalogue::Sentence;
use domain::id::{FactId, HallId, JobId, VisitId};
use domain::job::Job;
use domain::pack::{Pack, PackId};
use domain::reading::{self, Shown};
use domain::stamp::Timestamp;
use domain::visit::check::missing_to_close;
use domain::visit::{Fact, live_facts};
use serde::Serialize;
use utoipa::ToSchema;

use super::Packs;
use crate::db::{C, devices, packs};
use crate::http::error::ApiError;
use crate::jobs::plan::{load, read};
use crate::jobs::settle::device_times;
use crate::projection::{Knowledge, project};
use crate::reports;

/// Jobs that one trial looks at: what a person waits for.
pub const MOST_JOBS: i64 = 1_000;

/// Jobs that are named for each difference.
const MOST_NAMED: usize = 20;

/// What would be otherwise.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Trial {
    /// How many jobs were judged anew.
    pub jobs: usize,
    /// How many older ones of these days were left out, for there are too many.
    pub left_out: i64,
    /// Readings by finding (A9).
    pub readings: Vec<Turn>,
    /// Appointments by punctuality (A2).
    pub appointments: Vec<Turn>,
    /// Promises by state (B2, B6).
    pub promises: Vec<Turn>,
    /// Findings of inspections by level.
    pub hazards: Vec<Turn>,
    /// What visits that were closed would still have lacked, and the jobs.
    pub missing: Vec<Lack>,
}

/// Verdicts that would turn from one into another.
#[derive(Debug, Serialize, ToSchema)]
pub struct Turn {
    /// The key of the verdict by the job's own pack; empty for none.
    pub was: String,
    /// By the new one.
    pub is: String,
    /// How many.
    pub count: usize,
    /// The first of their jobs.
    #[schema(value_type = Vec<Uuid>)]
    pub jobs: Vec<JobId>,
}

/// Something that closed visits would have lacked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lack {
    /// A sentence of the catalogue with its places.
    #[schema(value_type = serde_json::Value)]
    pub what: Sentence,
    /// How many visits.
    pub count: usize,
    /// The first of their jobs.
    #[schema(value_type = Vec<Uuid>)]
    pub jobs: Vec<JobId>,
}

/// Counts by what turned into what.
#[derive(Debug, Default)]
struct Turns(BTreeMap<(String, String), (usize, Vec<JobId>)>);

impl Turns {
    fn add(&mut self, was: &str, is: &str, job: JobId) {
        if was == is {
            return;
        }
        count(self.0.entry((was.to_owned(), is.to_owned())).or_default(), job);
    }

    fn list(self) -> Vec<Turn> {
        let turns = self.0.into_iter();
        turns.map(|((was, is), (count, jobs))| Turn { was, is, count, jobs }).collect()
    }
}

fn count(entry: &mut (usize, Vec<JobId>), job: JobId) {
    entry.0 += 1;
    if entry.1.len() < MOST_NAMED && !entry.1.contains(&job) {
        entry.1.push(job);
    }
}

/// The tallies of one trial.
#[derive(Debug, Default)]
struct Paper {
    readings: Turns,
    appointments: Turns,
    promises: Turns,
    hazards: Turns,
    missing: BTreeMap<String, (Sentence, (usize, Vec<JobId>))>,
}

/// Judges the jobs of a hall from an instant on by a pack that may not hold yet.
pub async fn try_pack(
    mut c: C<'_>,
    known: &Packs,
    hall: HallId,
    (new, from_ms, now): (&Pack, i64, Timestamp),
) -> Result<Trial, ApiError> {
    let jobs = packs::list_trial_jobs(c.lend(), hall, from_ms, MOST_JOBS).await?;
    let all = packs::count_trial_jobs(c.lend(), hall, from_ms).await?;
    let heard = devices::list_heard_until(c.lend(), hall).await?;
    let mut paper = Paper::default();
    for id in &jobs {
        let job = read(&load(c.lend(), *id).await?)?;
        let own = known.find(c.lend(), &PackId(job.pack.0.clone())).await?;
        let times = device_times(c.lend(), *id, now).await?;
        let knowledge = |pack| Knowledge { pack, times: &times, now, position: 0 };
        let (was, was_details) = project(&job, &knowledge(&own));
        let (is, is_details) = project(&job, &knowledge(new));
        let state = |row: crate::db::jobs::JobRow| {
            let due = row.promise_due_at.zip(row.promise_state);
            due.map_or_else(String::new, |(due_at, state)| {
                reports::promise_state(state, (due_at, row.promise_user_id), now, &heard)
            })
        };
        paper.promises.add(&state(was), &state(is), *id);
        for (was, is) in was_details.verdicts.iter().zip(&is_details.verdicts) {
            paper.appointments.add(&was.punctuality, &is.punctuality, *id);
        }
        for row in &was_details.readings {
            let on: NaiveDate = row.read_on.parse().context("a stored day")?;
            let place = (VisitId(row.visit_id), FactId(row.fact_id));
            paper.add_reading(&job, (place, on), &own, new);
        }
        paper.add_visits(&job, &own, new);
    }
    let looked_at = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
    Ok(paper.told(jobs.len(), all - looked_at))
}

impl Paper {
    fn add_reading(
        &mut self,
        job: &Job,
        ((visit, fact), on): ((VisitId, FactId), NaiveDate),
        own: &Pack,
        new: &Pack,
    ) {
        let recorded = job.visits.get(&visit).and_then(|visit| visit.facts.get(&fact));
        let Some(reading) = recorded.and_then(|it| it.fact.reading()) else { return };
        let Some(meter) = job.briefing.meters.iter().find(|it| it.id == reading.meter) else {
            return;
        };
        let shown = Shown { on, register: reading.register, state: reading.state };
        let season = job.briefing.season.as_ref();
        let judge = |pack| reading::judge(meter, season, &shown, pack).finding.key();
        self.readings.add(judge(own), judge(new), job.id);
    }

    fn add_visits(&mut self, job: &Job, own: &Pack, new: &Pack) {
        for visit in job.visits.values() {
            for (_, recorded) in live_facts(visit) {
                if let Fact::HazardFound { item, level, .. } = &recorded.fact {
                    let rule = new.hazards.iter().find(|rule| rule.id == *item);
                    let is = rule.map_or_else(String::new, |rule| rule.level.to_string());
                    self.hazards.add(&level.to_string(), &is, job.id);
                }
                let Fact::Closed { outcome } = &recorded.fact else { continue };
                let lacked = missing_to_close(job, visit, outcome, own);
                let lacks = missing_to_close(job, visit, outcome, new);
                for what in lacks.into_iter().filter(|what| !lacked.contains(what)) {
                    let entry = self.missing.entry(format!("{what:?}"));
                    count(&mut entry.or_insert_with(|| (what, <_>::default())).1, job.id);
                }
            }
        }
    }

    fn told(self, jobs: usize, left_out: i64) -> Trial {
        let missing = self.missing.into_values();
        Trial {
            jobs,
            left_out,
            readings: self.readings.list(),
            appointments: self.appointments.list(),
            promises: self.promises.list(),
            hazards: self.hazards.list(),
            missing: missing.map(|(what, (count, jobs))| Lack { what, count, jobs }).collect(),
        }
    }
}
