//! Reminding: what [`domain::reminder`] works out of what the hall knows, told once, put off, and ended with its cause.
//!
//! Every node works it out each minute. A reminder is named by what it is about and which time, so it begins once;
//! nothing that holds is stored apart from that somebody was told, and for how long they put it off.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveTime, TimeDelta};
use domain::calendar::city_day;
use domain::id::{HallId, JobId, UserId};
use domain::job::Window;
use domain::outage::{ClockState, OutageKind, OutageState};
use domain::pack::{Pack, PackId, ReminderRules};
use domain::promise::PromiseState;
use domain::reminder::{self, Reminder};
use domain::stamp::Timestamp;
use domain::status::Status;
use serde_json::json;
use uuid::Uuid;

use crate::cases;
use crate::db::halls::{self, HallRow};
use crate::db::reminders::{self as rows, KnownRow, NewReminder, WorkRow};
use crate::db::{C, devices, figures, live_events, outages};
use crate::hazards::{self, restoring};
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;
use crate::outage;
use crate::reach::{self, News, NewsKind};
use crate::reports;
use crate::state::AppState;
use crate::told::rules;

/// What the live stream calls news of reminders.
pub const LIVE_KIND: &str = "reminder";

/// How long reminders that ended are kept, for who asks whether somebody was told.
pub const KEPT_MS: i64 = 90 * 86_400_000;

/// Something that holds now.
#[derive(Clone, Debug)]
struct Wanted {
    reminder: Reminder,
    subject: String,
    occasion: String,
    links: Links,
    is_urgent: bool,
}

/// What it is about, for who wants to look.
#[derive(Clone, Copy, Debug, Default)]
struct Links {
    user: Option<Uuid>,
    job: Option<Uuid>,
    case: Option<Uuid>,
    household: Option<Uuid>,
    device: Option<Uuid>,
    outage: Option<Uuid>,
}

impl Wanted {
    fn key(&self) -> (&str, &str, &str) {
        (self.reminder.about.key(), &self.subject, &self.occasion)
    }
}

/// Begins, repeats and ends the reminders of all halls; returns how many changed.
///
/// # Errors
/// When the database cannot be read or written; what was not told is told the next time.
pub async fn keep(state: &AppState) -> Result<usize, ApiError> {
    let mut changed = 0;
    let halls = halls::list_halls(state.db.read().await?.c()).await?;
    for hall in halls {
        changed += keep_hall(state, &hall).await?;
    }
    Ok(changed)
}

async fn keep_hall(state: &AppState, row: &HallRow) -> Result<usize, ApiError> {
    let (hall, now) = (HallId(row.hall_id), state.clock.now());
    let offset = i32::try_from(row.utc_offset_minutes).unwrap_or(0);
    let mut conn = state.db.read().await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    let Some(rules) = &pack.reminders else { return Ok(0) };
    let seen = Seen { state, hall, offset, now, pack: &pack, rules };
    let wanted = seen.wanted(conn.c()).await?;
    let known = rows::list_known(conn.c(), hall).await?;
    drop(conn);
    let is_night = rules.is_night(now, offset);
    let turn = Turn::of(&wanted, &known, (now, is_night));
    if turn.is_empty() { Ok(0) } else { turn.take(state, hall, now).await }
}

/// What changes.
#[derive(Debug)]
struct Turn<'a> {
    begin: Vec<&'a Wanted>,
    wake: Vec<(&'a KnownRow, &'a Wanted)>,
    end: Vec<&'a KnownRow>,
}

impl<'a> Turn<'a> {
    fn of(wanted: &'a [Wanted], known: &'a [KnownRow], (now, is_night): (Timestamp, bool)) -> Self {
        let holding: BTreeMap<_, _> = wanted.iter().map(|it| (it.key(), it)).collect();
        let key = |row: &'a KnownRow| (&*row.about, &*row.subject, &*row.occasion);
        let told: BTreeSet<_> = known.iter().map(key).collect();
        let disturbs = |it: &Wanted| it.is_urgent || !is_night;
        let begin = wanted.iter().filter(|it| !told.contains(&it.key()) && disturbs(it)).collect();
        let (holds, end): (Vec<_>, Vec<_>) =
            known.iter().partition(|row| holding.contains_key(&key(row)));
        let is_over = |row: &KnownRow| {
            let until = row.snoozed_until.filter(|_| row.done_at.is_none());
            until.is_some_and(|until| until <= now.timestamp_millis())
        };
        let wake =
            holds.into_iter().filter(|row| is_over(row)).map(|row| (row, holding[&key(row)]));
        let wake = wake.filter(|(_, wanted)| disturbs(wanted));
        Self { begin, wake: wake.collect(), end }
    }

    fn is_empty(&self) -> bool {
        self.begin.is_empty() && self.wake.is_empty() && self.end.is_empty()
    }

    /// Writes it; another node that works out the same changes nothing.
    async fn take(self, state: &AppState, hall: HallId, now: Timestamp) -> Result<usize, ApiError> {
        let now_ms = now.timestamp_millis();
        let mut tx = state.db.begin().await?;
        let position = halls::take_positions(tx.c(), hall, 1).await?;
        let (mut changed, mut told) = (0, Vec::new());
        for wanted in self.begin {
            let new = new_reminder(wanted, now);
            if rows::insert_reminder(tx.c(), hall, &new, now_ms).await? {
                told.push(wanted);
            }
        }
        for (row, wanted) in self.wake {
            if rows::wake_reminder(tx.c(), row.reminder_id, now_ms).await? {
                told.push(wanted);
            }
        }
        changed += told.len();
        let news: Vec<News> = told.into_iter().filter_map(|it| news(hall, it)).collect();
        reach::tell(tx.c(), &news, now).await?;
        for row in self.end {
            changed += usize::from(rows::end_reminder(tx.c(), row.reminder_id, now_ms).await?);
        }
        if changed == 0 {
            return Ok(0);
        }
        live_events::insert_hint(tx.c(), hall, (LIVE_KIND, hall.0), (now, position)).await?;
        tx.commit().await?;
        state.bell.ring(hall, position);
        Ok(changed)
    }
}

/// What a technician is told; the desk looks at its list.
fn news(hall: HallId, wanted: &Wanted) -> Option<News> {
    let Wanted { reminder, links, .. } = wanted;
    Some(News {
        hall,
        to: UserId(links.user?),
        job: links.job.map(JobId),
        kind: NewsKind::Reminder(reminder.about.key().to_owned()),
        expires_at: reminder.until,
        data: json!({"due_at": reminder.due_at.timestamp_millis()}),
    })
}

fn new_reminder(wanted: &Wanted, now: Timestamp) -> NewReminder {
    let Wanted { reminder, subject, occasion, links, .. } = wanted;
    NewReminder {
        reminder_id: fresh_uuid(now),
        about: reminder.about.key(),
        subject: subject.clone(),
        occasion: occasion.clone(),
        user: links.user,
        job: links.job,
        case: links.case,
        household: links.household,
        device: links.device,
        outage: links.outage,
        due_at: reminder.due_at.timestamp_millis(),
        until_at: reminder.until.timestamp_millis(),
    }
}

/// A hall as it is looked at.
struct Seen<'a> {
    state: &'a AppState,
    hall: HallId,
    offset: i32,
    now: Timestamp,
    pack: &'a Pack,
    rules: &'a ReminderRules,
}

impl Seen<'_> {
    /// Everything that holds now.
    async fn wanted(&self, mut c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let day = today(self.now, self.offset);
        let work = rows::list_work(c.lend(), self.hall, day).await?;
        let mut wanted = self.of_windows(&work);
        wanted.extend(self.of_phones(c.lend(), &work).await?);
        wanted.extend(self.of_promises(c.lend()).await?);
        wanted.extend(self.of_cases(c.lend()).await?);
        wanted.extend(self.of_outages(c.lend()).await?);
        wanted.extend(self.of_hazards(c.lend()).await?);
        wanted.extend(self.of_restoring(c.lend()).await?);
        wanted.extend(self.of_duties(c).await?);
        wanted.retain(|it| it.reminder.holds_at(self.now));
        Ok(wanted)
    }

    fn of_windows(&self, work: &[WorkRow]) -> Vec<Wanted> {
        let of_job = |row: &WorkRow| {
            let window = Window { start: instant(row.window_start), end: instant(row.window_end) };
            let status = Status::from_key(&row.status).unwrap_or(Status::Working);
            let job = row.job_id.to_string();
            let links =
                Links { user: Some(row.technician_id), job: Some(row.job_id), ..Links::default() };
            let occasion = format!("{}:{}", row.window_start, row.technician_id);
            let reminders = reminder::of_window(window, (status, row.phoned > 0), self.rules);
            let wanted = reminders.into_iter().map(move |reminder| Wanted {
                reminder,
                subject: job.clone(),
                occasion: occasion.clone(),
                links,
                is_urgent: false,
            });
            wanted.collect::<Vec<_>>()
        };
        work.iter().flat_map(of_job).collect()
    }

    async fn of_phones(&self, c: C<'_>, work: &[WorkRow]) -> Result<Vec<Wanted>, ApiError> {
        let mut wanted = Vec::new();
        let phones = rows::list_phones(c, self.hall).await?;
        // Who has several phones is heard by any of them.
        let mut heard: BTreeMap<Uuid, Option<i64>> = BTreeMap::new();
        for phone in &phones {
            let of_user = heard.entry(phone.user_id).or_default();
            *of_user = (*of_user).max(phone.heard_at);
        }
        for phone in &phones {
            let links = Links { device: Some(phone.device_id), ..Links::default() };
            let of_phone = |reminder, since: i64| Wanted {
                reminder,
                subject: phone.device_id.to_string(),
                occasion: since.to_string(),
                links,
                is_urgent: false,
            };
            if let Some(heard_at) = phone.heard_at.filter(|_| phone.pending > 0) {
                wanted.push(of_phone(reminder::of_unsent(instant(heard_at), self.rules), heard_at));
            }
            let heard_at = heard.get(&phone.user_id).copied().flatten();
            // One of them speaks for all.
            if phone.heard_at != heard_at {
                continue;
            }
            let windows = work.iter().filter(|it| it.technician_id == phone.user_id);
            let span = windows.map(|it| (it.window_start, it.window_end));
            let span = span.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            if let Some((start, end)) = span {
                let work = Window { start: instant(start), end: instant(end) };
                let silence = reminder::of_silence(heard_at.map(instant), work, self.rules);
                wanted.extend(silence.map(|it| of_phone(it, heard_at.unwrap_or(start))));
            }
        }
        Ok(wanted)
    }

    async fn of_promises(&self, mut c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let now_ms = self.now.timestamp_millis();
        let heard = devices::list_heard_until(c.lend(), self.hall).await?;
        let running = figures::list_promises(c.lend(), self.hall, (now_ms, now_ms)).await?;
        let mut wanted = Vec::new();
        for it in running {
            let due = (it.due_at, it.answerable);
            if reports::promise_state(it.state.clone(), due, self.now, &heard) != "running" {
                continue;
            }
            let pack = self.state.packs.find(c.lend(), &PackId(it.pack_id.clone())).await?;
            let rule = pack.promises.iter().find(|rule| {
                rule.rule == it.rule && rule.kinds.iter().any(|kind| kind.key() == it.kind)
            });
            let Some(warn) = rule.and_then(|rule| rule.warn_minutes) else { continue };
            wanted.push(Wanted {
                reminder: reminder::of_promise(instant(it.due_at), warn),
                subject: it.job_id.to_string(),
                occasion: it.due_at.to_string(),
                links: Links { job: Some(it.job_id), ..Links::default() },
                is_urgent: it.kind == "emergency",
            });
        }
        Ok(wanted)
    }

    async fn of_cases(&self, c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let now_ms = self.now.timestamp_millis();
        let open = figures::list_case_promises(c, self.hall, (now_ms, now_ms)).await?;
        let promises = cases::rules(self.pack).promises;
        let wanted = open.into_iter().filter(|it| it.told_at.is_none()).filter_map(|it| {
            let warn = promises.iter().find(|rule| rule.rule == it.rule)?.warn_minutes?;
            Some(Wanted {
                reminder: reminder::of_promise(instant(it.due_at), warn),
                subject: it.case_id.to_string(),
                occasion: it.due_at.to_string(),
                links: Links { case: Some(it.case_id), ..Links::default() },
                is_urgent: false,
            })
        });
        Ok(wanted.collect())
    }

    /// Outages of which somebody is still to be told, and those that should be over (B13).
    async fn of_outages(&self, mut c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let now_ms = self.now.timestamp_millis();
        let open = outages::list_promised(c.lend(), self.hall, now_ms, (now_ms, now_ms)).await?;
        let mut wanted = Vec::new();
        for row in open {
            let pack = self.state.packs.find(c.lend(), &PackId(row.outage.pack_id.clone())).await?;
            let (id, known) = (row.outage.outage_id, outage::outage(&row.outage));
            let of_outage = |reminder: Reminder, is_urgent| Wanted {
                subject: id.to_string(),
                occasion: reminder.due_at.timestamp_millis().to_string(),
                reminder,
                links: Links { outage: Some(id), ..Links::default() },
                is_urgent,
            };
            if known.state(self.now) == OutageState::Overdue {
                // Whoever waits in the dark for the gas waits at night too.
                wanted.push(of_outage(reminder::of_outage(known.span.end), true));
            }
            let clock = outage::clock(&row, &pack, self.now);
            let running = clock.filter(|it| it.state == ClockState::Running);
            let warn = rules(&pack).outage_warn_minutes;
            wanted.extend(running.zip(warn).map(|(clock, warn)| {
                let is_urgent = known.kind == OutageKind::Unforeseen;
                of_outage(reminder::of_promise(clock.due_at, warn), is_urgent)
            }));
        }
        Ok(wanted)
    }

    async fn of_hazards(&self, c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let mut wanted = Vec::new();
        for (household, home) in hazards::homes(&self.state.packs, c, self.hall).await? {
            for (hazard, _) in &home.open {
                let (Some(deadline), Some((job, _, fact))) =
                    (hazard.deadline, hazard.findings.first())
                else {
                    continue;
                };
                let reminder = reminder::of_hazard(deadline, self.offset, self.rules);
                if !reminder.holds_at(self.now) {
                    continue;
                }
                wanted.push(Wanted {
                    reminder,
                    subject: fact.to_string(),
                    occasion: deadline.to_string(),
                    links: Links {
                        job: Some(job.0),
                        household: Some(household.0),
                        ..Links::default()
                    },
                    is_urgent: false,
                });
            }
        }
        Ok(wanted)
    }

    /// Supplies that are to be restored, since nothing severe is left (B7).
    async fn of_restoring(&self, c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let stops = restoring::of_hall(&self.state.packs, c, self.hall, self.now).await?;
        let running = stops.into_iter().filter(|it| it.state == Some(PromiseState::Running));
        let wanted = running.filter_map(|it| {
            let promise = it.stoppage.restoring?;
            Some(Wanted {
                reminder: reminder::of_promise(promise.due_at, promise.warn_minutes?),
                subject: it.household.to_string(),
                occasion: promise.due_at.timestamp_millis().to_string(),
                links: Links { household: Some(it.household.0), ..Links::default() },
                is_urgent: false,
            })
        });
        Ok(wanted.collect())
    }

    async fn of_duties(&self, c: C<'_>) -> Result<Vec<Wanted>, ApiError> {
        let today = city_day(self.now, self.offset);
        let day = today.to_string();
        let done = rows::list_duties(c, self.hall, (&day, &day)).await?;
        let done: BTreeSet<_> = done.into_iter().map(|it| it.duty).collect();
        let duties = reminder::duties(today, self.offset, self.rules);
        let open = duties.filter(|(duty, _)| !done.contains(&duty.id));
        let wanted = open.map(|(duty, reminder)| Wanted {
            reminder,
            subject: duty.id.clone(),
            occasion: day.clone(),
            links: Links::default(),
            is_urgent: false,
        });
        Ok(wanted.collect())
    }
}

/// The day of the hall's city as instants, the end left out.
fn today(now: Timestamp, offset: i32) -> (i64, i64) {
    let midnight = city_day(now, offset).and_time(NaiveTime::MIN).and_utc();
    let start = (midnight - TimeDelta::minutes(i64::from(offset))).timestamp_millis();
    (start, start + 86_400_000)
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(ms).unwrap_or_default()
}
