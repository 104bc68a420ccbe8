//! The stage of the day: the server, the crew with its phones, the dispatcher, and the turns played one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use chrono::{NaiveDate, NaiveTime, TimeZone as _};
use domain::catalogue::Language;
use domain::id::{FactId, JobId, UserId, VisitId};
use domain::job::{Job, JobKind, Window};
use domain::measure::Volume;
use domain::stamp::Timestamp;
use serde_json::{Value, json};

use super::fate::Fate;
use super::process::PhoneProcess;
use super::script::{self, Call, Deed, Register, Script, Turn};
use crate::command::client::{Client, Event};
use crate::command::watch::Board;
use crate::command::words;

/// A person of the hall's staff file.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Person {
    #[serde(rename = "登录名")]
    login: String,
    #[serde(rename = "岗位")]
    role: String,
    #[serde(rename = "初始密码")]
    password: String,
}

/// One technician with a phone.
pub(crate) struct Technician {
    /// Who it is.
    pub(crate) user: UserId,
    /// The phone.
    pub(crate) phone: PhoneProcess,
}

/// A fact that a phone called saved, as the phone has it.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Saved {
    /// In which job.
    pub(crate) job: JobId,
    /// In which visit.
    pub(crate) visit: VisitId,
    /// Under which id.
    pub(crate) fact: FactId,
    /// What was recorded.
    pub(crate) recorded: Value,
}

/// Everything that plays.
pub(crate) struct Stage {
    /// The dispatcher's connection.
    pub(crate) dispatcher: Client,
    /// The technicians, by number.
    pub(crate) crew: Vec<Technician>,
    /// What the live stream told.
    pub(crate) heard: Arc<Mutex<Vec<Event>>>,
    /// The manager's connection.
    pub(crate) manager: Client,
    /// The day that is played, in the hall's city.
    pub(crate) day: NaiveDate,
    /// Every fact that a phone called saved.
    pub(crate) saved: Vec<Saved>,
    /// What the phones made of the registers that were read.
    pub(crate) readings: BTreeSet<String>,
    /// Taps that the phones refused, with the reason.
    pub(crate) refused: Vec<(JobId, String)>,
    /// The calls of the day.
    pub(crate) calls: Vec<Call>,
    /// How long to wait between two turns.
    pub(crate) pace: Duration,
    opens_at: Timestamp,
}

impl Stage {
    /// Signs everybody in, enrols the phones and reads the calls of the day.
    pub(crate) async fn set(
        base: &str,
        hall: &Path,
        registers: &Path,
        phones: &Path,
    ) -> anyhow::Result<Self> {
        let people = read_people(hall)?;
        let (day, opens_at) = opening(hall)?;
        let clock = Client::new(base);
        set_clock(&clock, opens_at)
            .await
            .context("the server was not started with --clock manual")?;
        let dispatcher = sign_in(base, &people, "调度员").await?;
        refuse_a_used_hall(&dispatcher).await?;
        let listed: Value = dispatcher.get("/api/users").await?;
        let mut crew = Vec::new();
        for person in people.iter().filter(|person| person.role == "技术员") {
            let user = user_id(&listed, &person.login)?;
            let folder = phones.join(&person.login);
            std::fs::create_dir_all(&folder)?;
            let error = Fate::of(crew.len(), opens_at).clock_error();
            let mut phone = PhoneProcess::start(&folder, base, opens_at, error)?;
            let path = format!("/api/users/{user}/enrolment-code");
            let code: Value = dispatcher.post(&path, &json!({})).await?;
            let enrol = json!({"do": "enrol", "login": person.login, "password": person.password,
                               "code": code["code"], "name": format!("{} 的手机", person.login)});
            phone.expect(opens_at, enrol).await?;
            crew.push(Technician { user, phone });
        }
        let heard = Arc::new(Mutex::new(Vec::new()));
        listen(dispatcher.clone(), heard.clone()).await?;
        let calls = read_calls(&dispatcher, &crew, &read_registers(registers)?).await?;
        let manager = sign_in(base, &people, "经理").await?;
        Ok(Self {
            dispatcher,
            crew,
            heard,
            manager,
            day,
            saved: Vec::new(),
            readings: BTreeSet::new(),
            refused: Vec::new(),
            calls,
            pace: Duration::ZERO,
            opens_at,
        })
    }

    /// Writes the day for the calls found.
    pub(crate) fn script(&self) -> Script {
        script::write(&self.calls, self.crew.len(), self.opens_at)
    }

    /// Plays every turn and shows the board as the hall hears of it.
    pub(crate) async fn play(
        &mut self,
        script: &Script,
        language: Language,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<()> {
        let mut board = Board::new(language);
        let mut shown = 0;
        for (number, turn) in script.turns.iter().enumerate() {
            self.play_turn(turn).await.with_context(|| format!("turn {number}: {turn:?}"))?;
            let news: Vec<Event> = {
                let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard[shown..].to_vec()
            };
            shown += news.len();
            for event in &news {
                board.take(event)?;
                if let (Some(line), "job") = (board.newest(), event.name.as_str()) {
                    writeln!(out, "{line}")?;
                }
            }
            if !self.pace.is_zero() {
                tokio::time::sleep(self.pace).await;
            }
        }
        writeln!(out, "\n{}", board.picture())?;
        writeln!(
            out,
            "{}",
            words::say(language, "day.played", &[("turns", script.turns.len().to_string())])
        )?;
        Ok(())
    }

    /// Signs the hall's people in again: hours of the day pass between two of their acts.
    pub(crate) async fn renew(&mut self) -> anyhow::Result<()> {
        self.dispatcher.renew().await?;
        self.manager.renew().await
    }

    async fn play_turn(&mut self, turn: &Turn) -> anyhow::Result<()> {
        let now = turn.at;
        match &turn.deed {
            Deed::Tap { technician, job, act } => {
                let command = json!({"do": "tap", "job": job, "tap": act});
                let reply = self.crew[*technician].phone.send(now, command).await?;
                if let Some(error) = reply["error"].as_str() {
                    self.refused.push((*job, error.to_owned()));
                } else {
                    let saved: Vec<Saved> = serde_json::from_value(reply["saved"].clone())?;
                    self.saved.extend(saved);
                    self.readings.extend(reply["finding"].as_str().map(str::to_owned));
                }
            }
            Deed::Sync { technician } => {
                set_clock(&self.dispatcher, now).await?;
                self.crew[*technician].phone.expect(now, json!({"do": "sync"})).await?;
            }
            Deed::Kill { technician } => self.crew[*technician].phone.kill().await?,
            Deed::Reboot { technician } => self.crew[*technician].phone.reboot(now).await?,
            Deed::Reassign { job, to } => {
                set_clock(&self.dispatcher, now).await?;
                self.dispatcher.renew().await?;
                let body = json!({"technician": self.crew[*to].user});
                let path = format!("/api/jobs/{job}/assignments");
                let _: Value = self.dispatcher.post(&path, &body).await?;
            }
            Deed::Cancel { job } => {
                set_clock(&self.dispatcher, now).await?;
                self.dispatcher.renew().await?;
                let body = json!({"reason": "用户来电取消"});
                let path = format!("/api/jobs/{job}/cancellations");
                let _: Value = self.dispatcher.post(&path, &body).await?;
            }
        }
        Ok(())
    }
}

async fn set_clock(client: &Client, now: Timestamp) -> anyhow::Result<()> {
    let _: Value = client.post("/api/clock", &json!({"now_ms": now.timestamp_millis()})).await?;
    Ok(())
}

/// The script counts on every job being as it was imported.
async fn refuse_a_used_hall(dispatcher: &Client) -> anyhow::Result<()> {
    let devices: Value = dispatcher.get("/api/devices").await?;
    let enrolled = devices["devices"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(
        enrolled == 0,
        "somebody has worked in this hall ({enrolled} phones are enrolled): \
         import the demo hall into a new database, or play with --fresh"
    );
    Ok(())
}

/// Follows the live stream in the background, taking it up where it breaks.
async fn listen(mut client: Client, heard: Arc<Mutex<Vec<Event>>>) -> anyhow::Result<()> {
    let mut events = client.live(None).await?;
    tokio::spawn(async move {
        loop {
            while let Ok(Some(event)) = events.next().await {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            }
            let last = heard.lock().unwrap_or_else(PoisonError::into_inner).last().cloned();
            if client.renew().await.is_err() {
                return;
            }
            match client.live(last.as_ref().map(|event| event.id.as_str())).await {
                Ok(again) => events = again,
                Err(_) => return,
            }
        }
    });
    Ok(())
}

fn read_people(hall: &Path) -> anyhow::Result<Vec<Person>> {
    let path = hall.join("staff.csv");
    let mut reader = csv::Reader::from_path(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(reader.deserialize().collect::<Result<_, _>>()?)
}

async fn sign_in(base: &str, people: &[Person], role: &str) -> anyhow::Result<Client> {
    let person = people
        .iter()
        .find(|person| person.role == role)
        .with_context(|| format!("the staff file has no {role}"))?;
    Client::new(base).sign_in(&person.login, &person.password).await
}

fn user_id(listed: &Value, login: &str) -> anyhow::Result<UserId> {
    let users = listed["users"].as_array().context("the server lists no users")?;
    let user = users.iter().find(|user| user["login"] == login);
    let id = user.and_then(|user| user["id"].as_str());
    Ok(id.with_context(|| format!("the server does not know {login}"))?.parse()?)
}

/// The meters' plate numbers with what they really show on the day.
fn read_registers(path: &Path) -> anyhow::Result<BTreeMap<String, Volume>> {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(rename = "表号")]
        serial: String,
        #[serde(rename = "读数")]
        cubic_metres: f64,
    }
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut registers = BTreeMap::new();
    for row in reader.deserialize() {
        let row: Row = row?;
        #[expect(clippy::cast_possible_truncation, reason = "a register has at most eight digits")]
        let litres = (row.cubic_metres * 1000.0).round() as i64;
        registers.insert(row.serial, Volume(litres));
    }
    Ok(registers)
}

/// When the crew signs in: shortly before the first window begins.
fn opening(hall: &Path) -> anyhow::Result<(NaiveDate, Timestamp)> {
    #[derive(serde::Deserialize)]
    struct Hall {
        day: NaiveDate,
        utc_offset_minutes: i32,
    }
    let path = hall.join("hall.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let hall: Hall = toml::from_str(&text)?;
    let offset = chrono::FixedOffset::east_opt(hall.utc_offset_minutes * 60)
        .context("utc_offset_minutes is more than a day")?;
    let sign_in = NaiveTime::from_hms_opt(7, 52, 0).context("08:00 less eight minutes exists")?;
    let opens_at = offset.from_local_datetime(&hall.day.and_time(sign_in)).single();
    Ok((hall.day, opens_at.context("the day has no 07:52")?.to_utc()))
}

/// Reads every job of the crew from the server, as the dispatcher sees it.
async fn read_calls(
    dispatcher: &Client,
    crew: &[Technician],
    registers: &BTreeMap<String, Volume>,
) -> anyhow::Result<Vec<Call>> {
    let mut calls = Vec::new();
    let mut path = "/api/jobs?limit=200".to_owned();
    loop {
        let page: Value = dispatcher.get(&path).await?;
        for summary in page["jobs"].as_array().into_iter().flatten() {
            let id = summary["id"].as_str().context("a job without an id")?;
            let detail: Value = dispatcher.get(&format!("/api/jobs/{id}")).await?;
            let job: Job = serde_json::from_value(detail["job"].clone())?;
            let technician = crew.iter().position(|technician| {
                summary["technician"].as_str() == Some(&technician.user.to_string())
            });
            if let Some(technician) = technician {
                calls.push(call(&job, technician, registers));
            }
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/api/jobs?limit=200&after={next}"),
            None => return Ok(calls),
        }
    }
}

fn call(job: &Job, technician: usize, registers: &BTreeMap<String, Volume>) -> Call {
    let household = &job.briefing.household;
    let meter = job.briefing.meters.first();
    let shown = meter.and_then(|meter| {
        let today = *registers.get(&meter.serial)?;
        let last = meter.readings.last().map_or(today, |past| past.register);
        Some(Register { meter: meter.id, last, today })
    });
    let window: Option<Window> =
        job.plan.appointments.values().last().map(|appointment| appointment.window);
    Call {
        job: job.id,
        kind: job.kind,
        technician,
        window: window.filter(|_| job.kind != JobKind::Emergency),
        created_at: job.created_at,
        meter: shown,
        hose: job.briefing.hoses.last().map(|hose| hose.id),
        door: household.place,
    }
}
