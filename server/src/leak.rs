//! Calling people to a leak until somebody answers (B2): nearest first, then the crew leader, then every console.
//!
//! Who was called and what they said stands in the job's document, so that phones answer offline; the row of a leak only
//! says when to call on. Each step is taken under the hall's row and looks again at what is so, so two nodes that find
//! the same leak due call nobody twice.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use domain::calendar::city_day;
use domain::callout::{self, Callout};
use domain::catalogue::{Language, text};
use domain::id::{HallId, JobId, UserId};
use domain::job::{Assignment, Author, Call, Job, PlanEntry};
use domain::pack::{LeakRules, Pack};
use domain::promise;
use domain::stamp::{Stamp, Timestamp};
use domain::status;
use serde_json::json;

use crate::board::{self, Wanted};
use crate::db::halls::find_hall;
use crate::db::leaks::{self, LeakRow};
use crate::db::{C, Tx, contacts, grants, halls, live_events, users};
use crate::http::board::{load as load_day, travel_rules};
use crate::http::error::ApiError;
use crate::jobs::plan::{enter, load, read};
use crate::jobs::settle::device_times;
use crate::projection::times::Times;
use crate::reach::{News, NewsKind, tell};
use crate::retry::until_won;
use crate::state::AppState;
use crate::webhooks::{LEAK_ADVICE, outbox};

/// What a leak is called in the live stream.
pub const LIVE_KIND: &str = "leak";

/// How often it is looked whom to call next.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Leaks that are looked at in one round.
const AT_ONCE: i64 = 50;

/// Calls on until it is stopped.
pub async fn run(state: AppState) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        if let Err(error) = keep(&state).await {
            tracing::error!(%error, "who is to be called to a leak cannot be looked up; it is looked again");
        }
    }
}

/// Calls on wherever somebody has not answered in time; returns at how many leaks.
pub async fn keep(state: &AppState) -> Result<usize, ApiError> {
    let now_ms = state.clock.now_ms();
    let due = leaks::list_due_leaks(state.db.read().await?.c(), now_ms, AT_ONCE).await?;
    let mut moved = 0;
    for row in due {
        let (hall, job) = (HallId(row.hall_id), JobId(row.job_id));
        // One that cannot go on must not hold the others up.
        match until_won(|| call_on(state, (hall, job))).await {
            Ok(true) => moved += 1,
            Ok(false) => {}
            Err(error) => tracing::error!(job.id = %job, %error, "nobody else can be called"),
        }
    }
    Ok(moved)
}

async fn call_on(state: &AppState, (hall, job): (HallId, JobId)) -> Result<bool, ApiError> {
    let mut tx = state.db.begin().await?;
    halls::take_positions(tx.c(), hall, 0).await?;
    let now_ms = state.clock.now_ms();
    let row = leaks::find_leak(tx.c(), job).await?;
    // Another node may have been here first.
    if row.is_none_or(|row| row.next_at.is_none_or(|next| next > now_ms)) {
        return Ok(false);
    }
    let reached = look(state, &mut tx, (hall, job)).await?;
    tx.commit().await?;
    if let Some(reached) = reached {
        state.bell.ring(hall, reached);
    }
    Ok(true)
}

/// Begins to call people to a job that was just taken on, and sends the caller what to do until somebody comes; returns
/// the hall's position.
pub async fn begin(
    state: &AppState,
    tx: &mut Tx,
    (hall, job): (HallId, JobId),
    (by, phone): (UserId, &str),
) -> Result<Option<i64>, ApiError> {
    let now = state.clock.now();
    leaks::insert_leak(tx.c(), (hall, job), (by, phone), now.timestamp_millis()).await?;
    // How to reach somebody may be said in other words than a number.
    if phone.contains(|letter: char| letter.is_ascii_digit()) {
        let says = |language| text(language, "leak.advice", &[]);
        let advice = json!({
            "hall": hall, "job": job, "phone": phone,
            "zh": says(Language::Chinese), "en": says(Language::English),
        });
        outbox::write_event(tx.c(), hall, LEAK_ADVICE, advice, now).await?;
    }
    look(state, tx, (hall, job)).await
}

/// What one look found and what it changes.
struct Looked<'a> {
    state: &'a AppState,
    job: Job,
    row: LeakRow,
    found: Callout,
    rules: LeakRules,
    due_at: Timestamp,
    now: Timestamp,
    entries: Vec<PlanEntry>,
    /// Whose phones are to have the job.
    grants: Vec<UserId>,
    news: Vec<News>,
}

/// Looks at a leak after anything about it changed and takes every step that follows, in the caller's transaction under
/// the hall's row; returns the hall's position when something was written.
pub async fn look(
    state: &AppState,
    tx: &mut Tx,
    (hall, job): (HallId, JobId),
) -> Result<Option<i64>, ApiError> {
    let Some(row) = leaks::find_leak(tx.c(), job).await?.filter(|row| row.state != "over") else {
        return Ok(None);
    };
    let mut looked = Looked::at(state, tx, row).await?;
    let before = looked.row.clone();
    let standing = status::standing(&looked.job);
    let is_reached = standing.status > status::Status::SetOut;
    if is_reached || !looked.job.plan.cancelled.is_empty() {
        (looked.row.state, looked.row.next_at) = ("over".to_owned(), None);
    } else {
        looked.settle_lead();
        if looked.row.state != "led" {
            looked.call(tx, hall).await?;
        }
    }
    let Looked { job: known, row, entries, grants, news, now, .. } = looked;
    let held = grants::list_job_grants(tx.c(), known.id).await?;
    let holds = |user: &UserId| {
        held.iter().any(|it| it.user_id == user.0 && it.withdrawn_position.is_none())
    };
    let lacking: Vec<UserId> = grants.into_iter().filter(|user| !holds(user)).collect();
    if row == before && entries.is_empty() && lacking.is_empty() {
        return Ok(None);
    }
    leaks::update_leak(tx.c(), &row).await?;
    let by = row.lead_id.filter(|_| !entries.is_empty()).map_or(UserId(row.begun_by), UserId);
    if !entries.is_empty() {
        enter(state, tx, (hall, by), (known.id, &entries)).await?;
    }
    tell(tx.c(), &news, now).await?;
    let position = halls::take_positions(tx.c(), hall, 1).await?;
    for user in lacking {
        grants::insert_grant(tx.c(), hall, known.id, user, position).await?;
    }
    live_events::insert_hint(tx.c(), hall, (LIVE_KIND, known.id.0), (now, position)).await?;
    Ok(Some(position))
}

/// The calling rules of a pack; those of before it had any are what the program brings.
pub fn rules(pack: &Pack) -> anyhow::Result<LeakRules> {
    let known = pack.leak.clone().or_else(|| Pack::builtin().leak);
    known.context("the pack that comes with the program says how people are called to a leak")
}

/// Folds a job's calls and answers, with all that the hall knows of the phones' times.
pub async fn callout(
    mut c: C<'_>,
    job: &Job,
    (pack, now): (&Pack, Timestamp),
) -> Result<Callout, ApiError> {
    let devices = device_times(c.lend(), job.id, now).await?;
    let times = Times::of(job, &devices, pack.time.drift_ppm, now);
    Ok(callout::callout(job, &|stamp: &Stamp| times.resolve(stamp)))
}

impl<'a> Looked<'a> {
    async fn at(state: &'a AppState, tx: &mut Tx, row: LeakRow) -> Result<Self, ApiError> {
        let now = state.clock.now();
        let job = read(&load(tx.c(), JobId(row.job_id)).await?)?;
        let pack = state.packs.find(tx.c(), &job.pack).await?;
        let found = callout(tx.c(), &job, (&pack, now)).await?;
        let promised = promise::clock(&job, &pack).map(|it| it.due_at);
        Ok(Self {
            due_at: promised.unwrap_or(now + TimeDelta::hours(1)),
            rules: rules(&pack)?,
            state,
            job,
            row,
            found,
            now,
            entries: Vec::new(),
            grants: Vec::new(),
            news: Vec::new(),
        })
    }

    /// Gives the job to who accepted first; a dispatcher's own word stands above that.
    fn settle_lead(&mut self) {
        let assigned = status::assigned(&self.job);
        let lead = self.found.lead;
        let is_ours = assigned.is_none() || assigned == self.row.lead_id.map(UserId);
        if is_ours && assigned != lead {
            let by = lead.unwrap_or(UserId(self.row.begun_by));
            let author = Author { by, at: self.now };
            self.entries.push(PlanEntry::Assignment(Assignment { technician: lead, author }));
            self.row.lead_id = lead.map(|lead| lead.0);
        }
        let leads = if is_ours { lead } else { assigned };
        let Some(leads) = leads else {
            if self.row.state == "led" {
                // Nobody comes any more: call on at once.
                self.row.state = String::from("calling");
            }
            self.row.team = String::new();
            return;
        };
        (self.row.state, self.row.next_at) = ("led".to_owned(), None);
        self.tell_team(leads);
    }

    /// Tells all who come who leads, once for each change, and the others that they need not come.
    fn tell_team(&mut self, leads: UserId) {
        let mut team = vec![leads];
        let coming = self.found.lead.iter().chain(&self.found.supports);
        team.extend(coming.filter(|it| **it != leads));
        // Whoever comes needs the job on the phone, also after a dispatcher gave it to somebody else.
        self.grants.extend(&team[1..]);
        let told: Vec<String> = team.iter().map(ToString::to_string).collect();
        let told = told.join(",");
        if told == self.row.team {
            return;
        }
        let was_alone = self.row.team.is_empty();
        self.row.team = told;
        // Who accepts alone learns it from the job itself.
        if team.len() > 1 || !was_alone {
            let data = json!({"lead": leads});
            for user in &team {
                self.news.push(self.news_for(*user, NewsKind::LeadChanged, data.clone()));
            }
        }
        let waiting = self.found.called.iter().filter(|it| it.answer.is_none());
        let spared: Vec<UserId> =
            waiting.map(|it| it.technician).filter(|it| !team.contains(it)).collect();
        for user in spared {
            let data = json!({"lead": leads});
            self.news.push(self.news_for(user, NewsKind::Cancelled, data));
        }
    }

    /// Keeps so many phones ringing as the rules say, then the crew leader's, then every console.
    async fn call(&mut self, tx: &mut Tx, hall: HallId) -> Result<(), ApiError> {
        let open = self.found.called.iter().filter(|it| it.answer.is_none() && it.until > self.now);
        let ringing: Vec<Timestamp> = open.map(|it| it.until).collect();
        let called: BTreeSet<UserId> = self.found.called.iter().map(|it| it.technician).collect();
        let places = usize::try_from(self.rules.at_once).unwrap_or(1).saturating_sub(ringing.len());
        let most = usize::try_from(self.rules.people).unwrap_or(1).saturating_sub(called.len());
        let is_alarm = self.row.state == "alarm";
        let wanted = if is_alarm { 0 } else { places.min(most) };
        let mut next = Vec::new();
        if wanted > 0 {
            next = nearest(self.state, tx, hall, &self.job).await?;
            next.retain(|it| !called.contains(it));
            next.truncate(wanted);
        }
        let mut seconds = self.rules.acknowledge_seconds;
        if next.is_empty() && ringing.is_empty() && !is_alarm {
            next = leader(tx, hall, &self.found).await?.into_iter().collect();
            seconds = self.rules.leader_seconds;
        }
        let until = self.now + TimeDelta::seconds(seconds);
        for technician in &next {
            self.ring(tx, *technician, until).await?;
        }
        let until = (!next.is_empty()).then_some(until);
        let first = ringing.into_iter().chain(until).min();
        if is_alarm {
            return Ok(());
        }
        self.row.next_at = first.map(|at| at.timestamp_millis());
        if first.is_none() {
            self.row.state = String::from("alarm");
            self.row.alarm_at = Some(self.now.timestamp_millis());
            (self.row.taken_by, self.row.taken_at) = (None, None);
        }
        Ok(())
    }

    async fn ring(&mut self, tx: &mut Tx, who: UserId, until: Timestamp) -> Result<(), ApiError> {
        let user = users::find_user(tx.c(), who).await?.ok_or(ApiError::NotFound("person"))?;
        let author = Author { by: UserId(self.row.begun_by), at: self.now };
        let call = Call { technician: who, name: user.name, until, author };
        self.entries.push(PlanEntry::Call(call));
        self.grants.push(who);
        let data =
            json!({"until": until.timestamp_millis(), "due_at": self.due_at.timestamp_millis()});
        self.news.push(self.news_for(who, NewsKind::LeakCall, data));
        Ok(())
    }

    fn news_for(&self, to: UserId, kind: NewsKind, data: serde_json::Value) -> News {
        let (hall, job) = (HallId(self.row.hall_id), Some(self.job.id));
        // A call is worth hearing as long as somebody has to go, also behind its half hour.
        let expires_at = self.due_at.max(self.now) + TimeDelta::hours(1);
        News { hall, to, job, kind, expires_at, data }
    }
}

/// Who may be sent and could be there first, as the board knows their rounds.
async fn nearest(
    state: &AppState,
    tx: &mut Tx,
    hall: HallId,
    job: &Job,
) -> Result<Vec<UserId>, ApiError> {
    let row = find_hall(tx.c(), hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let Some(task) = board::find(tx.c(), hall, job.id).await? else { return Ok(Vec::new()) };
    let people = board::people(tx.c(), hall).await?;
    let today = city_day(state.clock.now(), i32::try_from(row.utc_offset_minutes).unwrap_or(0));
    let mut day = load_day(tx.c(), &row, today, state).await?;
    day.take(job.id);
    let travel = travel_rules(state, tx.c()).await?;
    let pack = state.packs.in_force(tx.c(), state.clock.now()).await?;
    let skills = &pack.kind(task.call.kind).skills;
    let wanted = Wanted { call: task.call, address: &task.address, skills };
    let mut offers = board::offers(&day, &wanted, &people, &travel);
    // Where a round begins nobody knows: of those who are as near on paper, who works there is nearer.
    offers.sort_by_key(|it| (it.reached_at, it.makes_late, !it.is_in_area, it.technician));
    Ok(offers.into_iter().map(|offer| offer.technician).collect())
}

/// The crew leader of who was called first and has one; nobody is called as a leader who was called before.
async fn leader(tx: &mut Tx, hall: HallId, found: &Callout) -> Result<Option<UserId>, ApiError> {
    let called: BTreeSet<UserId> = found.called.iter().map(|it| it.technician).collect();
    for technician in found.called.iter().map(|it| it.technician) {
        let contact = contacts::find_contact(tx.c(), technician).await?;
        let Some(leader) = contact.and_then(|it| it.leader_id).map(UserId) else { continue };
        let known = users::find_user(tx.c(), leader).await?;
        let works = known.is_some_and(|it| it.disabled_at.is_none() && it.hall_id == hall.0);
        if works && !called.contains(&leader) {
            return Ok(Some(leader));
        }
    }
    Ok(None)
}
