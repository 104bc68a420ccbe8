//! What the phone reminds its technician of by itself, and what they said to it; the hall hears of that when it is met.
//!
//! Phone and hall work out the same reminders from the same rules, so both name one by what it is about, its job and what
//! it counts down to. Whoever put one off or saw to it says so here first, with or without a network.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::id::{JobId, id_ms};
use domain::job::{Job, JobKind};
use domain::pack::ReminderRules;
use domain::reminder::{self, About, Reminder};
use domain::stamp::Timestamp;
use domain::status::standing;
use domain::visit::{Fact, live_facts};
use serde::{Deserialize, Serialize};
use sync::device::Standing as Held;

use super::{CommandError, Phone, builtin_pack};
use crate::clock::{Clock, Rng};
use crate::entry::Entry;
use crate::log::LogStore;

/// Answers to reminders that were due earlier than so long ago say nothing any more.
const KEPT_DAYS: i64 = 3;

/// Names a reminder, here as at the hall.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReminderName {
    /// The key of what it is about.
    pub about: String,
    /// The job.
    pub job: Option<JobId>,
    /// What it counts down to, Unix milliseconds.
    pub due_at: i64,
}

/// What a technician said to a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Said {
    /// Again after so many minutes.
    Later {
        /// How many.
        minutes: i64,
    },
    /// It is seen to.
    Done,
}

/// An answer to a reminder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderAnswer {
    /// What was said.
    #[serde(flatten)]
    pub said: Said,
    /// When, by the hall's time as the phone knew it; Unix milliseconds.
    pub at: i64,
}

/// Something to see to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueReminder {
    /// Its name.
    #[serde(flatten)]
    pub name: ReminderName,
    /// When it ends by itself; `None` for not before its cause.
    pub until: Option<i64>,
    /// What is to be done at the job.
    pub kind: Option<JobKind>,
    /// Where.
    pub address: String,
    /// Whom to phone.
    pub phone: String,
    /// Whether the technician put it off, or saw to it.
    pub is_quiet: bool,
}

/// An answer, and whether the hall knows of it or has nothing to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) answer: ReminderAnswer,
    pub(super) is_told: bool,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// What the technician is reminded of now, the first due first, with what is quiet; by night nothing.
    pub fn reminders(&self) -> Vec<DueReminder> {
        let now = self.hall_now();
        let mut due = self.holding(now);
        for it in &mut due {
            it.is_quiet = self.is_quiet(&it.name, now);
        }
        due.sort_by(|a, b| (a.name.due_at, &a.name).cmp(&(b.name.due_at, &b.name)));
        due
    }

    /// Whether the time of a reminder is over, or its cause gone.
    pub fn is_reminder_over(&self, name: &ReminderName) -> bool {
        self.holding(self.hall_now()).iter().all(|it| it.name != *name)
    }

    fn holding(&self, now: Timestamp) -> Vec<DueReminder> {
        let jobs = self.jobs().flat_map(|job| self.of_job(job, now));
        jobs.chain(self.of_unsent(now)).collect()
    }

    /// For how many minutes a reminder can be put off.
    pub fn snooze_minutes(&self) -> Vec<i64> {
        self.reminder_rules().map(|rules| rules.snooze_minutes.clone()).unwrap_or_default()
    }

    /// Keeps what the technician said to a reminder.
    pub async fn answer_reminder(
        &mut self,
        name: ReminderName,
        said: Said,
    ) -> Result<(), CommandError> {
        if let Said::Later { minutes } = said
            && !self.snooze_minutes().contains(&minutes)
        {
            return Err(CommandError::NoSuchPause(minutes));
        }
        let answer = ReminderAnswer { said, at: self.hall_now().timestamp_millis() };
        // What this phone keeps to itself is nobody else's reminder.
        let is_told = name.job.is_none();
        Ok(self.keep(vec![Entry::Reminded { name, answer, is_told }]).await?)
    }

    /// What the hall has not heard yet, oldest first.
    pub fn reminder_answers(&self) -> Vec<(ReminderName, ReminderAnswer)> {
        let untold = self.reminded.iter().filter(|(_, kept)| !kept.is_told);
        let mut untold: Vec<_> = untold.map(|(name, kept)| (name.clone(), kept.answer)).collect();
        untold.sort_by_key(|(_, answer)| answer.at);
        untold
    }

    /// Notes that the hall heard an answer, or that there is nothing for it to hear; a newer answer stays.
    pub async fn reminder_told(
        &mut self,
        name: ReminderName,
        answer: ReminderAnswer,
    ) -> Result<(), CommandError> {
        if self.reminded.get(&name).is_none_or(|kept| kept.answer != answer || kept.is_told) {
            return Ok(());
        }
        Ok(self.keep(vec![Entry::Reminded { name, answer, is_told: true }]).await?)
    }

    /// The answers that still say something, for a shorter log.
    pub(super) fn reminder_entries(&self) -> Vec<Entry> {
        let oldest = (self.hall_now() - TimeDelta::days(KEPT_DAYS)).timestamp_millis();
        let kept = self.reminded.iter().filter(|(name, _)| name.due_at >= oldest);
        let entry = |(name, kept): (&ReminderName, &Kept)| Entry::Reminded {
            name: name.clone(),
            answer: kept.answer,
            is_told: kept.is_told,
        };
        kept.map(entry).collect()
    }

    fn is_quiet(&self, name: &ReminderName, now: Timestamp) -> bool {
        self.reminded.get(name).is_some_and(|kept| match kept.answer.said {
            Said::Done => true,
            Said::Later { minutes } => {
                now.timestamp_millis() < kept.answer.at.saturating_add(minutes * 60_000)
            }
        })
    }

    /// The reminders of the newest pack on this phone.
    fn reminder_rules(&self) -> Option<ReminderRules> {
        self.packs.values().rev().find_map(|pack| pack.reminders.clone())
    }

    /// To phone ahead and to set out (A1, A2), for who has the job.
    fn of_job(&self, job: &Job, now: Timestamp) -> Vec<DueReminder> {
        let pack = self.packs.get(&job.pack).cloned().unwrap_or_else(builtin_pack);
        let stands = standing(job);
        let me = self.device.enrolment().map(|enrolment| enrolment.user);
        let is_mine = stands.technician.is_some() && stands.technician == me;
        let (Some(rules), Some(window), true) = (&pack.reminders, stands.appointment, is_mine)
        else {
            return Vec::new();
        };
        if rules.is_night(now, pack.time.utc_offset_minutes) || self.device.is_withdrawn(job.id) {
            return Vec::new();
        }
        let mut facts = job.visits.values().flat_map(live_facts);
        let phoned = facts.any(|(_, it)| matches!(it.fact, Fact::PhonedAhead { .. }));
        let reminders = reminder::of_window(window, (stands.status, phoned), rules);
        let holding = reminders.into_iter().filter(|it| it.holds_at(now));
        holding.map(|it| due(&it, Some(job))).collect()
    }

    /// To come to where there is a network, when work was kept here for hours.
    fn of_unsent(&self, now: Timestamp) -> Option<DueReminder> {
        let rules = self.reminder_rules()?;
        let only_here = |held: &Held| matches!(held, Held::OnThisPhoneOnly);
        let own = self.device.own().filter(|own| only_here(own.standing));
        let oldest = own.filter_map(|own| id_ms(own.id)).min()?;
        let oldest = Timestamp::from_timestamp_millis(oldest)?;
        let heard = self.device.anchor().map(|anchor| anchor.server_at);
        let since = heard.map_or(oldest, |heard| heard.max(oldest));
        let reminder = reminder::of_unsent(since, &rules);
        let is_night = rules.is_night(now, builtin_pack().time.utc_offset_minutes);
        (reminder.holds_at(now) && !is_night).then(|| due(&reminder, None))
    }

    pub(super) fn replay_answer(
        &mut self,
        name: ReminderName,
        answer: ReminderAnswer,
        is_told: bool,
    ) {
        self.reminded.insert(name, Kept { answer, is_told });
    }
}

/// Answers by the names of what they answer.
pub(super) type Answers = BTreeMap<ReminderName, Kept>;

fn due(reminder: &Reminder, job: Option<&Job>) -> DueReminder {
    let home = job.map(|job| &job.briefing.household);
    DueReminder {
        name: ReminderName {
            about: reminder.about.key().to_owned(),
            job: job.map(|job| job.id),
            due_at: reminder.due_at.timestamp_millis(),
        },
        // What ends with its cause alone has no time of its own.
        until: (reminder.about != About::Unsent).then(|| reminder.until.timestamp_millis()),
        kind: job.map(|job| job.kind),
        address: home.map(|home| home.address.clone()).unwrap_or_default(),
        phone: home.map(|home| home.phone.clone()).unwrap_or_default(),
        is_quiet: false,
    }
}
