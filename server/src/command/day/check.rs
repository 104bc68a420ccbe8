//! The checks at the day's end: what came out against what the script worked out by itself.

mod photos;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use domain::catalogue::Language;
use domain::id::JobId;
use domain::job::{Job, JobKind};
use domain::stamp::Timestamp;
use serde_json::{Value, json};

use super::script::Script;
use super::stage::Stage;
use crate::command::watch::Board;
use crate::command::words;

/// One check with what it looked at and where it failed.
pub(crate) struct Finding {
    /// The sentence of the catalogue that names the check.
    key: &'static str,
    /// How many things were compared.
    compared: usize,
    /// What did not hold, in words.
    wrong: Vec<String>,
}

impl Finding {
    fn new(key: &'static str) -> Self {
        Self { key, compared: 0, wrong: Vec::new() }
    }

    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        self.compared += 1;
        if expected != found {
            self.wrong.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }
}

/// Every check of the day.
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Prints each check; whether all of them held.
    pub(crate) fn report(
        &self,
        language: Language,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<bool> {
        for finding in &self.0 {
            let mark = if finding.wrong.is_empty() { "✓" } else { "✗" };
            let compared = [("count", finding.compared.to_string())];
            writeln!(out, "{mark} {}", words::say(language, finding.key, &compared))?;
            for wrong in finding.wrong.iter().take(12) {
                writeln!(out, "    {wrong}")?;
            }
        }
        Ok(self.0.iter().all(|finding| finding.wrong.is_empty() && finding.compared > 0))
    }
}

/// What the hall's server holds at the day's end.
struct Hall {
    jobs: BTreeMap<JobId, (Job, Value)>,
}

/// Compares phones, server, live stream and report with the script and with each other.
pub(crate) async fn check(stage: &mut Stage, script: &Script) -> anyhow::Result<Findings> {
    stage.renew().await?;
    let hall = read_hall(stage).await?;
    hear_the_rest(stage, &hall).await;
    let ends_at = script.turns.last().map(|turn| turn.at).context("the script is empty")?;
    Ok(Findings(vec![
        the_day_had_everything(stage, script),
        every_tap_was_taken(stage),
        every_fact_is_at_the_hall(stage, &hall),
        statuses_are_as_scripted(script, &hall),
        phones_agree_with_the_server(stage, &hall, ends_at).await?,
        clashes_are_named(script, &hall),
        live_has_no_gap_and_no_double(stage, &hall).await?,
        report_equals_the_script(stage, script).await?,
        quarantine_is_empty(stage).await?,
        photos::every_photo_is_at_the_hall(stage).await?,
    ]))
}

async fn read_hall(stage: &Stage) -> anyhow::Result<Hall> {
    let mut jobs = BTreeMap::new();
    for call in &stage.calls {
        let mut detail: Value = stage.dispatcher.get(&format!("/api/jobs/{}", call.job)).await?;
        let job: Job = serde_json::from_value(detail["job"].take())?;
        jobs.insert(call.job, (job, detail["summary"].take()));
    }
    Ok(Hall { jobs })
}

/// What a day has to have, or the other checks would prove little.
const STATUSES: [&str; 7] =
    ["done", "no_one_home", "refused", "wrong_address", "cannot_finish", "cancelled", "assigned"];

/// What the demo hall's day does not ask for; the forms of these have tests of their own.
const NOT_ASKED_FOR: [JobKind; 8] = [
    JobKind::InstallationSurvey,
    JobKind::Installation,
    JobKind::Relocation,
    JobKind::Removal,
    JobKind::MeterReplacement,
    JobKind::PublicInspection,
    JobKind::HazardRecheck,
    JobKind::SafetyGuidance,
];

fn the_day_had_everything(stage: &Stage, script: &Script) -> Finding {
    let mut finding = Finding::new("day.check_scope");
    finding.compare("at least eight technicians", &true, &(stage.crew.len() >= 8));
    finding.compare("at least 200 jobs", &true, &(script.expected.len() >= 200));
    let jobs = || script.expected.values();
    for status in STATUSES {
        finding.compare(status, &true, &jobs().any(|job| job.status == status));
    }
    for column in COLUMNS.into_iter().filter(|column| *column != "pending") {
        finding.compare(column, &true, &jobs().any(|job| job.punctuality.contains(&column)));
    }
    for clash in ["cancelled_while_visited", "visited_by_other"] {
        finding.compare(clash, &true, &jobs().any(|job| job.clashes.contains(&clash)));
    }
    for kind in JobKind::ALL.into_iter().filter(|kind| !NOT_ASKED_FOR.contains(kind)) {
        finding.compare(kind.key(), &true, &stage.calls.iter().any(|call| call.kind == kind));
    }
    for found in ["normal", "high", "low", "backwards", "unread"] {
        finding.compare(found, &true, &stage.readings.contains(found));
    }
    finding
}

/// Prints the on-time report, a line a technician.
pub(crate) async fn show_report(
    stage: &Stage,
    language: Language,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let day = stage.day;
    let path = format!("/api/reports/punctuality?from={day}&to={day}&by=technician");
    let report: Value = stage.dispatcher.get(&path).await?;
    let name = |column: &str| words::say(language, &format!("punctuality.{column}"), &[]);
    let shown = &COLUMNS[..6];
    let heading: String = shown.iter().map(|column| words::padded(&name(column), 15)).collect();
    writeln!(out, "{}{heading}", words::padded("", 12))?;
    for row in report["rows"].as_array().into_iter().flatten() {
        let count = |column: &&str| words::padded(&row[*column].to_string(), 15);
        let counts: String = shown.iter().map(count).collect();
        let percent = row["rate"].as_f64().unwrap_or_default() * 100.0;
        let who = words::padded(row["name"].as_str().unwrap_or_default(), 12);
        writeln!(out, "{who}{counts}{percent:>4.0} %")?;
    }
    Ok(writeln!(out)?)
}

/// Waits until the live stream has told of everything that the server holds, or has had time enough.
async fn hear_the_rest(stage: &Stage, hall: &Hall) {
    let newest = hall.jobs.values().filter_map(|(_, summary)| summary["position"].as_u64()).max();
    for _ in 0..500 {
        let last = {
            let heard = stage.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.last().and_then(|event| event.id.parse::<u64>().ok())
        };
        if last >= newest {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn every_tap_was_taken(stage: &Stage) -> Finding {
    let mut finding = Finding::new("day.check_taps");
    finding.compared = stage.saved.len() + stage.refused.len();
    finding.wrong = stage.refused.iter().map(|(job, why)| format!("{job}: {why}")).collect();
    finding
}

fn every_fact_is_at_the_hall(stage: &Stage, hall: &Hall) -> Finding {
    let mut finding = Finding::new("day.check_facts");
    for saved in &stage.saved {
        let visit = hall.jobs.get(&saved.job).and_then(|(job, _)| job.visits.get(&saved.visit));
        let held = visit.and_then(|visit| visit.facts.get(&saved.fact));
        let held = held.map(|recorded| json!(recorded));
        finding.compare(&saved.fact.to_string(), &Some(saved.recorded.clone()), &held);
    }
    let held: usize = hall
        .jobs
        .values()
        .flat_map(|(job, _)| job.visits.values())
        .map(|visit| visit.facts.len())
        .sum();
    finding.compare("facts in all", &stage.saved.len(), &held);
    finding
}

fn statuses_are_as_scripted(script: &Script, hall: &Hall) -> Finding {
    let mut finding = Finding::new("day.check_statuses");
    for (id, expected) in &script.expected {
        let found = hall.jobs.get(id).and_then(|(_, summary)| summary["status"].as_str());
        finding.compare(&id.to_string(), &Some(expected.status), &found);
    }
    finding
}

async fn phones_agree_with_the_server(
    stage: &mut Stage,
    hall: &Hall,
    ends_at: Timestamp,
) -> anyhow::Result<Finding> {
    let mut finding = Finding::new("day.check_phones");
    let now = ends_at + TimeDelta::minutes(1);
    for technician in &mut stage.crew {
        let on_phone = technician.phone.expect(now, json!({"do": "state"})).await?;
        finding.compare("changes on this phone only", &Some(0), &on_phone["pending"].as_u64());
        finding.compare("photos on this phone only", &Some(0), &on_phone["photos"].as_u64());
        for job in on_phone["jobs"].as_array().into_iter().flatten() {
            let id: JobId = job["id"].as_str().context("a job without an id")?.parse()?;
            let at_the_hall = hall.jobs.get(&id).and_then(|(_, job)| job["status"].as_str());
            finding.compare(&id.to_string(), &at_the_hall, &job["status"].as_str());
        }
    }
    Ok(finding)
}

fn clashes_are_named(script: &Script, hall: &Hall) -> Finding {
    let mut finding = Finding::new("day.check_clashes");
    for (id, (_, summary)) in &hall.jobs {
        let named = summary["clashes"].as_array().into_iter().flatten();
        let named: Vec<&str> = named.filter_map(|clash| clash["clash"].as_str()).collect();
        let expected = script.expected.get(id).map_or(&[][..], |expected| &expected.clashes[..]);
        finding.compare(&id.to_string(), &expected, &&named[..]);
    }
    finding
}

async fn live_has_no_gap_and_no_double(stage: &Stage, hall: &Hall) -> anyhow::Result<Finding> {
    let mut finding = Finding::new("day.check_live");
    let heard = stage.heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut board = Board::new(Language::English);
    for event in &heard {
        board.take(event)?;
    }
    let shown = board.statuses();
    for (id, (_, summary)) in &hall.jobs {
        let id = id.to_string();
        finding.compare(&id, &summary["status"].as_str(), &shown.get(id.as_str()).copied());
    }
    // One reader who never lost the stream, beside the one who came back again and again.
    let (first, rest) = heard.split_first().context("the stream told nothing")?;
    let mut events = stage.dispatcher.live(Some(&first.id)).await?;
    for event in rest {
        let again = events.next().await?;
        finding.compare("the same event at the same place", &Some(event), &again.as_ref());
    }
    Ok(finding)
}

/// The columns of the report that the script works out.
const COLUMNS: [&str; 7] =
    ["on_time", "early", "late", "missed", "cannot_tell", "released", "pending"];

async fn report_equals_the_script(stage: &Stage, script: &Script) -> anyhow::Result<Finding> {
    let mut finding = Finding::new("day.check_report");
    let kinds: BTreeMap<JobId, String> =
        stage.calls.iter().map(|call| (call.job, call.kind.to_string())).collect();
    for by in ["technician", "kind", "day"] {
        let mut expected: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
        for (id, job) in &script.expected {
            for &verdict in job.punctuality.iter().filter(|verdict| **verdict != "pending") {
                let key = match by {
                    "technician" => stage.crew[job.technician].user.to_string(),
                    "kind" => kinds.get(id).cloned().unwrap_or_default(),
                    _ => stage.day.to_string(),
                };
                *expected.entry(key).or_default().entry(verdict).or_default() += 1;
            }
        }
        let day = stage.day;
        let path = format!("/api/reports/punctuality?from={day}&to={day}&by={by}");
        let report: Value = stage.dispatcher.get(&path).await?;
        let rows = report["rows"].as_array().context("a report without rows")?;
        finding.compare(&format!("rows by {by}"), &expected.len(), &rows.len());
        for row in rows {
            let key = row["key"].as_str().unwrap_or_default();
            for column in COLUMNS {
                let count = expected.get(key).and_then(|counts| counts.get(column));
                let what = format!("{by} {key} {column}");
                finding.compare(&what, &Some(count.copied().unwrap_or(0)), &row[column].as_u64());
            }
        }
    }
    Ok(finding)
}

async fn quarantine_is_empty(stage: &Stage) -> anyhow::Result<Finding> {
    let mut finding = Finding::new("day.check_quarantine");
    let held: Value = stage.manager.get("/api/quarantine").await?;
    finding.compare("changes in quarantine", &Some(0), &held["changes"].as_array().map(Vec::len));
    Ok(finding)
}
