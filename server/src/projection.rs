//! What is derived from a job: one pure function from the document to the rows that SQL holds.
//!
//! Verdicts that depend on the clock alone (`pending`, `not_heard`) are stored as they were at the job's last change
//! and judged again when they are read; all others are final until the job changes.

pub mod times;

use std::collections::BTreeMap;

use domain::appointment::Source;
use domain::calendar::city_day;
use domain::cash;
use domain::id::DeviceId;
use domain::job::Job;
use domain::meter::{self, MeterChange};
use domain::pack::Pack;
use domain::promise;
use domain::punctuality::{Circumstances, Punctuality, verdicts};
use domain::stamp::{Heard, Interval, Stamp, Timestamp};
use domain::status;
use domain::visit::{Fact, Outcome, Recorded, Visit, live_facts};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use self::times::{DeviceTime, Times};
use crate::db::jobs::JobRow;
use crate::db::projections::{
    CashRow, FactRow, HoseChangeRow, ItemSeenRow, JobDetails, MeterChangeRow, ReadingRow,
    VerdictRow, VisitRow,
};

/// What a projection rests on besides the job.
pub struct Knowledge<'a> {
    /// The job's rule pack.
    pub pack: &'a Pack,
    /// Time by device.
    pub times: &'a BTreeMap<DeviceId, DeviceTime>,
    /// The server's time.
    pub now: Timestamp,
    /// Where in the feed the job changed last.
    pub position: i64,
}

/// Derives everything from a job.
pub fn project(job: &Job, known: &Knowledge<'_>) -> (JobRow, JobDetails) {
    let times = Times::of(job, known.times, known.pack.time.drift_ppm, known.now);
    let times = |stamp: &Stamp| times.resolve(stamp);
    (job_row(job, &times, known), details(job, &times, known))
}

fn job_row(job: &Job, times: &dyn Fn(&Stamp) -> Interval, known: &Knowledge<'_>) -> JobRow {
    let standing = status::standing(job);
    let since = status::since(job, &standing, times);
    let promise = promise::judge(job, times, (known.now, Heard::Never), known.pack);
    let ms = |at: Timestamp| at.timestamp_millis();
    JobRow {
        job_id: job.id.0,
        hall_id: job.hall.0,
        household_id: job.briefing.household.id.0,
        kind: job.kind.key().to_owned(),
        pack_id: job.pack.0.clone(),
        status: standing.status.key().to_owned(),
        status_since: Some(ms(since)),
        technician_id: standing.technician.map(|it| it.0),
        visit_id: standing.visit.map(|it| it.0),
        window_start: standing.appointment.map(|it| ms(it.start)),
        window_end: standing.appointment.map(|it| ms(it.end)),
        created_at: ms(job.created_at),
        promise_rule: promise.as_ref().map(|it| it.rule.clone()),
        promise_due_at: promise.as_ref().map(|it| ms(it.due_at)),
        promise_user_id: promise.as_ref().and_then(|it| it.answerable).map(|it| it.0),
        promise_state: promise.as_ref().map(|it| it.state.key().to_owned()),
        clashes: Json(json!(standing.clashes)),
        updated_position: known.position,
    }
}

fn details(job: &Job, times: &dyn Fn(&Stamp) -> Interval, known: &Knowledge<'_>) -> JobDetails {
    let mut details =
        JobDetails { verdicts: verdict_rows(job, times, known), ..JobDetails::default() };
    for (id, visit) in &job.visits {
        let live = live_facts(visit);
        let closed = live.iter().find_map(|(_, it)| outcome_key(&it.fact));
        details.visits.push(VisitRow {
            visit_id: id.0,
            technician_id: visit.technician.0,
            device_id: visit.device.0,
            outcome: closed.map(str::to_owned),
        });
        for (fact, recorded) in &visit.facts {
            let withdrawn = !live.iter().any(|(known, _)| known == fact);
            details.facts.push(fact_row((id.0, fact.0), recorded, withdrawn, times));
            let cash = cash_row((id.0, fact.0), (job, visit), recorded, (times, known));
            details.cash.extend(cash.map(|row| CashRow { withdrawn, ..row }));
        }
        add_work(&mut details, job, (id.0, visit), times, known);
    }
    details.meter_changes = meter_changes(job, times, known);
    details
}

fn fact_row(
    (visit_id, fact_id): (Uuid, Uuid),
    recorded: &Recorded,
    withdrawn: bool,
    times: &dyn Fn(&Stamp) -> Interval,
) -> FactRow {
    let body = json!(recorded);
    let at = times(&recorded.stamp);
    FactRow {
        visit_id,
        fact_id,
        kind: body["type"].as_str().unwrap_or_default().to_owned(),
        earliest: at.earliest.timestamp_millis(),
        latest: at.latest.timestamp_millis(),
        withdrawn,
        body: Json(body),
    }
}

/// What a fact says of cash; whether it stands is another question.
fn cash_row(
    (visit_id, fact_id): (Uuid, Uuid),
    (job, visit): (&Job, &Visit),
    recorded: &Recorded,
    (times, known): (&dyn Fn(&Stamp) -> Interval, &Knowledge<'_>),
) -> Option<CashRow> {
    let Fact::CashTaken { amount, receipt, reason } = &recorded.fact else { return None };
    let at = times(&recorded.stamp).latest;
    Some(CashRow {
        visit_id,
        fact_id,
        household_id: job.briefing.household.id.0,
        technician_id: visit.technician.0,
        device_id: visit.device.0,
        amount: amount.0,
        receipt: receipt.clone(),
        receipt_number: cash::number(receipt).and_then(|number| i64::try_from(number).ok()),
        reason: reason.clone(),
        taken_on: city_day(at, known.pack.time.utc_offset_minutes).to_string(),
        taken_at: at.timestamp_millis(),
        withdrawn: false,
    })
}

/// Which hose or appliance a fact tells of, and whether it is gone.
fn seen(fact: &Fact) -> Option<(&'static str, Uuid, bool)> {
    if let Fact::HoseSeen { hose, gone, .. } = fact {
        return Some(("hose", hose.id.0, *gone));
    }
    if let Fact::ApplianceSeen { appliance, gone, .. } = fact {
        return Some(("appliance", appliance.id.0, *gone));
    }
    None
}

/// The readings and items of one visit that were not withdrawn.
fn add_work(
    details: &mut JobDetails,
    job: &Job,
    (visit_id, visit): (Uuid, &Visit),
    times: &dyn Fn(&Stamp) -> Interval,
    known: &Knowledge<'_>,
) {
    for (fact, recorded) in live_facts(visit) {
        let latest = times(&recorded.stamp).latest;
        let day = city_day(latest, known.pack.time.utc_offset_minutes).to_string();
        if let Some(reading) = recorded.fact.reading() {
            details.readings.push(ReadingRow {
                visit_id,
                fact_id: fact.0,
                meter_id: reading.meter.0,
                read_on: day,
                register: reading.register.map(|it| it.0),
                finding: reading.verdict.finding.key().to_owned(),
                verdict: Json(json!(reading.verdict)),
            });
        } else if let Fact::HoseReplaced { removed, installed, free, lot } = &recorded.fact {
            details.hose_changes.push(HoseChangeRow {
                visit_id,
                fact_id: fact.0,
                household_id: job.briefing.household.id.0,
                removed_hose_id: removed.map(|it| it.0),
                hose_id: installed.id.0,
                kind: word(&json!(installed.kind)),
                length_mm: i64::from(installed.length_mm),
                changed_on: day,
                free: *free,
                lot: lot.clone(),
                joints: installed.joints.map(i64::from),
            });
        } else if let Some((what, item_id, gone)) = seen(&recorded.fact) {
            details.items_seen.push(ItemSeenRow {
                visit_id,
                fact_id: fact.0,
                household_id: job.briefing.household.id.0,
                what,
                item_id,
                seen_at: latest.timestamp_millis(),
                gone,
                body: Json(json!(recorded.fact)),
            });
        }
    }
}

/// The changes of meters that count, each on the day that it has by the hall's time.
fn meter_changes(
    job: &Job,
    times: &dyn Fn(&Stamp) -> Interval,
    known: &Knowledge<'_>,
) -> Vec<MeterChangeRow> {
    let rows = meter::changes(job).into_iter().filter_map(|change| {
        let recorded = job.visits.get(&change.visit)?.facts.get(&change.fact)?;
        let latest = times(&recorded.stamp).latest;
        let on = city_day(latest, known.pack.time.utc_offset_minutes);
        let change = MeterChange { on, ..change };
        let installed = change.installed.as_ref();
        Some(MeterChangeRow {
            visit_id: change.visit.0,
            fact_id: change.fact.0,
            household_id: job.briefing.household.id.0,
            changed_on: on.to_string(),
            meter_id: installed.map(|it| it.id.0),
            serial: installed.map(|it| it.serial.clone()),
            body: Json(json!(change)),
        })
    });
    rows.collect()
}

fn verdict_rows(
    job: &Job,
    times: &dyn Fn(&Stamp) -> Interval,
    known: &Knowledge<'_>,
) -> Vec<VerdictRow> {
    let circumstances =
        Circumstances { times, now: known.now, heard_until: None, pack: known.pack };
    let judged = verdicts(job, &circumstances).into_iter().zip(0..);
    let rows = judged.map(|(verdict, ordinal)| VerdictRow {
        ordinal,
        agreed_id: match verdict.agreed.source {
            Source::Plan(entry) => entry.0,
            Source::Visit(_, fact) => fact.0,
        },
        technician_id: verdict.technician.map(|it| it.0),
        kind: verdict.kind.key().to_owned(),
        day: verdict.day.to_string(),
        window_start: verdict.agreed.window.start.timestamp_millis(),
        window_end: verdict.agreed.window.end.timestamp_millis(),
        punctuality: verdict.punctuality.key().to_owned(),
        width_ms: match verdict.punctuality {
            Punctuality::CannotTell { width_ms } => Some(width_ms),
            Punctuality::Pending
            | Punctuality::Early
            | Punctuality::OnTime
            | Punctuality::Late
            | Punctuality::Missed
            | Punctuality::NotHeard
            | Punctuality::Released => None,
        },
    });
    rows.collect()
}

fn outcome_key(fact: &Fact) -> Option<&'static str> {
    let Fact::Closed { outcome } = fact else { return None };
    Some(match outcome {
        Outcome::Done => "done",
        Outcome::NoOneHome => "no_one_home",
        Outcome::Refused { .. } => "refused",
        Outcome::Empty => "empty",
        Outcome::WrongAddress { .. } => "wrong_address",
        Outcome::CannotFinish { .. } => "cannot_finish",
    })
}

/// A value that serde writes as one word.
fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
