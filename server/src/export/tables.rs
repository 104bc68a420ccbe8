//! What stands in each table, row by row.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::{FixedOffset, Offset as _, Utc};
use domain::catalogue::{self, Language};
use domain::id::{HallId, UserId};
use domain::measure::Volume;
use domain::pack::{Pack, PackId};
use domain::stamp::Timestamp;
use domain::visit::Fact;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Sheet, Value};
use crate::db::exports::{self, FactRow, JobRow, Span, VerdictRow, VisitRow};
use crate::db::halls::HallRow;
use crate::db::{C, devices, meter_changes};
use crate::packs::Packs;
use crate::reports;

// The columns of each table, by their keys in the catalogue.
pub(super) const JOBS: &str = "job kind status account holder address phone technician window_start window_end created_at promise promise_due_at promise_state";
const VISITS: &str =
    "job visit kind account address technician outcome arrived_earliest arrived_latest ended facts";
const READINGS: &str =
    "account holder address serial read_at register used days finding technician job fact";
const HOSES: &str =
    "account holder address replaced_at hose_kind length_mm free technician job fact";
const HAZARDS: &str = "account holder address found_at hazard level text technician job fact";
const PUNCTUALITY: &str =
    "job kind account address day window_start window_end technician punctuality";

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Jobs with their windows and promises.
    Jobs,
    /// Visits with arrival and outcome.
    Visits,
    /// Readings that stand, for billing: of a corrected one the correction alone.
    Readings,
    /// Hoses that were replaced.
    Hoses,
    /// Hazards that were found.
    Hazards,
    /// Appointments and how they turned out.
    Punctuality,
}

impl Table {
    /// The word in URLs and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Visits => "visits",
            Self::Readings => "readings",
            Self::Hoses => "hoses",
            Self::Hazards => "hazards",
            Self::Punctuality => "punctuality",
        }
    }

    fn columns(self) -> impl Iterator<Item = &'static str> {
        let columns = match self {
            Self::Jobs => JOBS,
            Self::Visits => VISITS,
            Self::Readings => READINGS,
            Self::Hoses => HOSES,
            Self::Hazards => HAZARDS,
            Self::Punctuality => PUNCTUALITY,
        };
        columns.split(' ')
    }
}

/// More rows than one file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are more than {0} rows: ask for fewer days at once")]
pub struct TooManyRows(pub i64);

/// What a table is written from.
pub(super) struct Desk {
    pub(super) language: Language,
    pub(super) offset: FixedOffset,
}

/// Reads a table; `Err` inside when there are more rows than the span allows.
pub async fn rows(
    c: C<'_>,
    hall: &HallRow,
    (table, which): (Table, &Span),
    (language, now): (Language, Timestamp),
) -> anyhow::Result<Result<Sheet, TooManyRows>> {
    let desk = Desk::of(hall, language);
    let most = which.limit;
    // One more than is wanted tells that there are more.
    let which = Span { limit: most + 1, ..which.clone() };
    let rows = desk.read(c, HallId(hall.hall_id), (table, &which), now).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > most {
        return Ok(Err(TooManyRows(most)));
    }
    let say = |key: String| catalogue::text(language, &key, &[]);
    let headers = table.columns().map(|it| say(format!("export.column.{it}"))).collect();
    let title = say(format!("export.table.{}", table.key()));
    Ok(Ok(Sheet { title, headers, rows }))
}

impl Desk {
    pub(super) fn of(hall: &HallRow, language: Language) -> Self {
        let minutes = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
        let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
        Self { language, offset }
    }

    async fn read(
        &self,
        mut c: C<'_>,
        hall: HallId,
        (table, which): (Table, &Span),
        now: Timestamp,
    ) -> anyhow::Result<Vec<Vec<Value>>> {
        let heard = devices::list_heard_until(c.lend(), hall).await?;
        Ok(match table {
            Table::Jobs => {
                let rows = exports::list_jobs(c, hall, which).await?;
                rows.into_iter().map(|row| self.job(row, now, &heard)).collect()
            }
            Table::Visits => {
                let rows = exports::list_visits(c, hall, which).await?;
                rows.into_iter().map(|row| self.visit(row)).collect()
            }
            Table::Readings => {
                let mut serials: BTreeMap<Uuid, String> =
                    exports::list_serials(c.lend(), hall).await?.into_iter().collect();
                serials.extend(meter_changes::list_serials(c.lend(), hall).await?);
                let rows = exports::list_facts(c, hall, which, "read").await?;
                self.readings(rows, &serials)?
            }
            Table::Hoses => {
                let rows = exports::list_facts(c, hall, which, "hose_replaced").await?;
                rows.into_iter().map(|row| self.hose(row)).collect::<anyhow::Result<_>>()?
            }
            Table::Hazards => {
                let rows = exports::list_facts(c.lend(), hall, which, "hazard_found").await?;
                let packs = Packs::default();
                let mut told = Vec::with_capacity(rows.len());
                for row in rows {
                    let pack = packs.find(c.lend(), &PackId(row.pack_id.clone())).await?;
                    told.push(self.hazard(row, &pack)?);
                }
                told
            }
            Table::Punctuality => {
                let rows = exports::list_verdicts(c, hall, which).await?;
                let told = rows.into_iter().map(|row| self.verdict(row, now, &heard));
                told.collect::<anyhow::Result<_>>()?
            }
        })
    }

    pub(super) fn word(&self, what: &str, key: &str) -> Value {
        Value::word(self.language, what, key)
    }

    pub(super) fn at(&self, ms: impl Into<Option<i64>>) -> Value {
        Value::instant(ms.into(), self.offset)
    }

    pub(super) fn job(
        &self,
        row: JobRow,
        now: Timestamp,
        heard: &BTreeMap<UserId, i64>,
    ) -> Vec<Value> {
        let promise = row.promise_due_at.zip(row.promise_state).map(|(due_at, state)| {
            reports::promise_state(state, (due_at, row.promise_user_id), now, heard)
        });
        vec![
            Value::text(row.job_id.to_string()),
            self.word("kind", &row.kind),
            self.word("status", &row.status),
            Value::text(row.account),
            Value::text(row.holder),
            Value::text(row.address),
            Value::text(row.phone),
            Value::maybe(row.technician),
            self.at(row.window_start),
            self.at(row.window_end),
            self.at(row.created_at),
            Value::maybe(row.promise_rule),
            self.at(row.promise_due_at),
            promise.map_or(Value::Empty, |state| self.word("promise", &state)),
        ]
    }

    fn visit(&self, row: VisitRow) -> Vec<Value> {
        let ended = row.outcome.is_some().then_some(row.ended);
        vec![
            Value::text(row.job_id.to_string()),
            Value::text(row.visit_id.to_string()),
            self.word("kind", &row.kind),
            Value::text(row.account),
            Value::text(row.address),
            Value::maybe(row.technician),
            row.outcome.map_or(Value::Empty, |outcome| self.word("status", &outcome)),
            self.at(row.arrived_earliest),
            self.at(row.arrived_latest),
            self.at(ended),
            Value::Whole(row.facts),
        ]
    }

    fn readings(
        &self,
        rows: Vec<FactRow>,
        serials: &BTreeMap<Uuid, String>,
    ) -> anyhow::Result<Vec<Vec<Value>>> {
        let mut corrected = BTreeSet::new();
        let mut read = Vec::new();
        for row in rows {
            let fact = fact(&row)?;
            if let Fact::Read { corrects: Some(wrong), .. } = &fact {
                corrected.insert((row.visit_id, wrong.0));
            }
            read.push((row, fact));
        }
        read.retain(|(row, _)| !corrected.contains(&(row.visit_id, row.fact_id)));
        let told = read.into_iter().filter_map(|(row, fact)| {
            let Fact::Read { meter, register, verdict, .. } = fact else { return None };
            let volume = |it: Option<Volume>| it.map_or(Value::Empty, Value::Volume);
            Some(vec![
                Value::text(row.account),
                Value::text(row.holder),
                Value::text(row.address),
                Value::maybe(serials.get(&meter.0).cloned()),
                self.at(row.latest),
                volume(register),
                volume(verdict.used),
                verdict.days.map_or(Value::Empty, Value::Whole),
                self.word("finding", verdict.finding.key()),
                Value::maybe(row.technician),
                Value::text(row.job_id.to_string()),
                Value::text(row.fact_id.to_string()),
            ])
        });
        Ok(told.collect())
    }

    fn hose(&self, row: FactRow) -> anyhow::Result<Vec<Value>> {
        let Fact::HoseReplaced { installed, free, .. } = fact(&row)? else {
            anyhow::bail!("fact {} is no hose", row.fact_id);
        };
        Ok(vec![
            Value::text(row.account),
            Value::text(row.holder),
            Value::text(row.address),
            self.at(row.latest),
            self.word("hose_kind", installed.kind.key()),
            Value::Whole(i64::from(installed.length_mm)),
            self.word("export.free", if free { "yes" } else { "no" }),
            Value::maybe(row.technician),
            Value::text(row.job_id.to_string()),
            Value::text(row.fact_id.to_string()),
        ])
    }

    fn hazard(&self, row: FactRow, pack: &Pack) -> anyhow::Result<Vec<Value>> {
        let Fact::HazardFound { item, level, text } = fact(&row)? else {
            anyhow::bail!("fact {} is no hazard", row.fact_id);
        };
        let known = pack.hazards.iter().find(|hazard| hazard.id == item);
        let name = known.map_or(item.as_str(), |hazard| match self.language {
            Language::Chinese => &hazard.zh,
            Language::English => &hazard.en,
        });
        Ok(vec![
            Value::text(row.account),
            Value::text(row.holder),
            Value::text(row.address),
            self.at(row.latest),
            Value::text(name),
            Value::Whole(i64::from(level)),
            Value::text(text),
            Value::maybe(row.technician),
            Value::text(row.job_id.to_string()),
            Value::text(row.fact_id.to_string()),
        ])
    }

    fn verdict(
        &self,
        row: VerdictRow,
        now: Timestamp,
        heard: &BTreeMap<UserId, i64>,
    ) -> anyhow::Result<Vec<Value>> {
        let stored = row.verdict;
        let punctuality = reports::punctuality(&stored, now, heard)?;
        Ok(vec![
            Value::text(row.job_id.to_string()),
            self.word("kind", &stored.kind),
            Value::text(row.account),
            Value::text(row.address),
            stored.day.parse().map_or(Value::Empty, Value::Day),
            self.at(stored.window_start),
            self.at(stored.window_end),
            Value::maybe(stored.technician_name),
            self.word("punctuality", punctuality.key()),
        ])
    }
}

fn fact(row: &FactRow) -> anyhow::Result<Fact> {
    serde_json::from_value(row.body.0.clone()).with_context(|| format!("fact {}", row.fact_id))
}
