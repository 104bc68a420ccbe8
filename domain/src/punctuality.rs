//! Punctuality: whether somebody stood at the door inside the window that was promised (A2).

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::appointment::{Agreed, AgreedAt, appointments};
use crate::calendar::city_day;
use crate::id::UserId;
use crate::job::{Job, JobKind, Window};
use crate::pack::{Pack, PunctualityRules};
use crate::stamp::{Interval, Stamp, Timestamp};
use crate::status;
use crate::visit::{Fact, live_facts};

/// How a promise of a window turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "punctuality", rename_all = "snake_case")]
pub enum Punctuality {
    /// The window is not over.
    Pending,
    /// Before the window.
    Early,
    /// Inside the window.
    OnTime,
    /// After the window.
    Late,
    /// The window is over and nobody came.
    Missed,
    /// What is known of the time is too wide to say.
    CannotTell {
        /// How wide.
        width_ms: i64,
    },
    /// The window is over, and the phone that could tell has not been heard since.
    NotHeard,
    /// Agreed anew or called off before the window's end: no breach.
    Released,
}

impl Punctuality {
    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Early => "early",
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Missed => "missed",
            Self::CannotTell { .. } => "cannot_tell",
            Self::NotHeard => "not_heard",
            Self::Released => "released",
        }
    }

    /// The same verdict read at another time: what was open then, time itself may have decided since.
    ///
    /// `heard_until` is up to when the hall has all that the technician's phone recorded.
    #[must_use]
    pub fn read_at(
        self,
        window_end: Timestamp,
        now: Timestamp,
        heard_until: Option<Timestamp>,
    ) -> Self {
        match self {
            Self::Pending | Self::NotHeard if now <= window_end => Self::Pending,
            Self::Pending | Self::NotHeard => match heard_until {
                Some(heard) if heard >= window_end => Self::Missed,
                Some(_) | None => Self::NotHeard,
            },
            Self::Early
            | Self::OnTime
            | Self::Late
            | Self::Missed
            | Self::CannotTell { .. }
            | Self::Released => self,
        }
    }
}

/// The verdict on one appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppointmentVerdict {
    /// The appointment.
    pub agreed: Agreed,
    /// Who is answerable: who came, or else who was to come.
    pub technician: Option<UserId>,
    /// What the job is.
    pub kind: JobKind,
    /// The day of the window in the hall's city.
    pub day: NaiveDate,
    /// How it turned out.
    pub punctuality: Punctuality,
}

/// Judges one arrival against one window (A2).
pub fn judge_arrival(window: Window, arrived: Interval, rules: &PunctualityRules) -> Punctuality {
    let opens = window.start - TimeDelta::minutes(rules.early_grace_minutes);
    let closes = window.end + TimeDelta::minutes(rules.late_grace_minutes);
    let side = |at: Timestamp| {
        if at < opens {
            Punctuality::Early
        } else if at <= closes {
            Punctuality::OnTime
        } else {
            Punctuality::Late
        }
    };
    if side(arrived.earliest) == side(arrived.latest) {
        side(arrived.earliest)
    } else {
        Punctuality::CannotTell { width_ms: arrived.width().num_milliseconds() }
    }
}

/// What the judgement of a job's appointments rests on besides the job.
pub struct Circumstances<'a> {
    /// Resolves a phone's stamps.
    pub times: &'a dyn Fn(&Stamp) -> Interval,
    /// The server's time.
    pub now: Timestamp,
    /// Up to when the hall has the technician's word.
    pub heard_until: Option<Timestamp>,
    /// The rules.
    pub pack: &'a Pack,
}

/// Judges every appointment of a job, oldest first (A2).
pub fn verdicts(job: &Job, known: &Circumstances<'_>) -> Vec<AppointmentVerdict> {
    let agreed = appointments(job);
    let mut arrivals = arrivals(job, known.times);
    arrivals.sort_by_key(|(_, at)| (at.latest, at.earliest));
    let made: Vec<Interval> = agreed.iter().map(|one| made(one, known.times)).collect();
    agreed
        .iter()
        .enumerate()
        .map(|(number, one)| {
            // An arrival belongs to the appointment that held when it happened.
            let next = made.get(number + 1).copied();
            let first = arrivals.iter().find(|(_, at)| {
                (number == 0 || at.latest >= made[number].earliest)
                    && next.is_none_or(|next| at.earliest <= next.latest)
            });
            let released = released_at(job, next);
            let punctuality = judge(one.window, first.map(|(_, at)| *at), released, known);
            AppointmentVerdict {
                agreed: *one,
                technician: first.map(|(who, _)| *who).or_else(|| status::assigned(job)),
                kind: job.kind,
                day: city_day(one.window.start, known.pack.time.utc_offset_minutes),
                punctuality,
            }
        })
        .collect()
}

/// An arrival decides; else being released in time; else time itself.
fn judge(
    window: Window,
    arrived: Option<Interval>,
    released: Option<Interval>,
    known: &Circumstances<'_>,
) -> Punctuality {
    if let Some(arrived) = arrived {
        return judge_arrival(window, arrived, &known.pack.punctuality);
    }
    match released {
        Some(at) if at.latest <= window.end => Punctuality::Released,
        Some(at) if at.earliest > window.end => Punctuality::Missed,
        Some(at) => Punctuality::CannotTell { width_ms: at.width().num_milliseconds() },
        None => Punctuality::Pending.read_at(window.end, known.now, known.heard_until),
    }
}

fn arrivals(job: &Job, times: &dyn Fn(&Stamp) -> Interval) -> Vec<(UserId, Interval)> {
    let visits = job.visits.values();
    visits
        .flat_map(|visit| live_facts(visit).into_iter().map(move |(_, fact)| (visit, fact)))
        .filter(|(_, recorded)| matches!(recorded.fact, Fact::Arrived { .. }))
        .map(|(visit, recorded)| (visit.technician, times(&recorded.stamp)))
        .collect()
}

/// When the household was released from waiting: by the next agreement or by the cancellation.
fn released_at(job: &Job, next_made: Option<Interval>) -> Option<Interval> {
    let cancelled = job.plan.cancelled.values().map(|it| Interval::at(it.author.at));
    cancelled.chain(next_made).min_by_key(|at| at.latest)
}

fn made(agreed: &Agreed, times: &dyn Fn(&Stamp) -> Interval) -> Interval {
    match agreed.at {
        AgreedAt::Hall(at) => Interval::at(at),
        AgreedAt::Phone(stamp) => times(&stamp),
    }
}

/// How many appointments turned out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Inside the window.
    pub on_time: u64,
    /// Before it.
    pub early: u64,
    /// After it.
    pub late: u64,
    /// Nobody came.
    pub missed: u64,
    /// Too wide to say.
    pub cannot_tell: u64,
    /// The phone has not been heard.
    pub not_heard: u64,
    /// Agreed anew or called off in time.
    pub released: u64,
    /// Not over.
    pub pending: u64,
}

impl Tally {
    /// Counts one verdict.
    pub fn count(&mut self, punctuality: Punctuality) {
        let counter = match punctuality {
            Punctuality::Pending => &mut self.pending,
            Punctuality::Early => &mut self.early,
            Punctuality::OnTime => &mut self.on_time,
            Punctuality::Late => &mut self.late,
            Punctuality::Missed => &mut self.missed,
            Punctuality::CannotTell { .. } => &mut self.cannot_tell,
            Punctuality::NotHeard => &mut self.not_heard,
            Punctuality::Released => &mut self.released,
        };
        *counter += 1;
    }

    /// On time out of all that can be judged; `None` when nothing can be (A2).
    #[expect(clippy::cast_precision_loss, reason = "a hall has far fewer than 2^52 appointments")]
    pub fn on_time_rate(&self) -> Option<f64> {
        let judged = self.on_time + self.early + self.late + self.missed;
        (judged > 0).then(|| self.on_time as f64 / judged as f64)
    }
}
