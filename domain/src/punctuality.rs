//! Punctuality: whether somebody stood at the door inside the window that was promised (A2).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::appointment::{Agreed, AgreedAt, Source, appointments};
use crate::calendar::city_day;
use crate::id::{DeviceId, UserId};
use crate::job::{Job, JobKind, Window};
use crate::pack::{Pack, PunctualityRules};
use crate::stamp::{Heard, Interval, Stamp, Timestamp, shifted};
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
    /// `heard` tells up to when the hall has the word of who was to come.
    #[must_use]
    pub fn read_at(self, window_end: Timestamp, now: Timestamp, heard: Heard) -> Self {
        match self {
            Self::Pending | Self::NotHeard if now <= window_end => Self::Pending,
            Self::Pending | Self::NotHeard if heard.covers(window_end) => Self::Missed,
            Self::Pending | Self::NotHeard => Self::NotHeard,
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
    let opens = shifted(window.start, rules.early_grace_minutes.saturating_mul(-60_000));
    let closes = shifted(window.end, rules.late_grace_minutes.saturating_mul(60_000));
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
    arrivals.sort_by_key(|(_, came)| (came.at.latest, came.at.earliest));
    let made: Vec<Moment> = agreed.iter().map(|one| made(job, one, known.times)).collect();
    agreed
        .iter()
        .enumerate()
        .map(|(number, one)| {
            let held = Held { window: one.window, made: made[number], next: made.get(number + 1) };
            // Who was to come is who had the job when the window ended, whoever has it since.
            let planned = status::assigned_at(job, one.window.end);
            let (came, punctuality) = held.judge(job, &arrivals, planned, known);
            AppointmentVerdict {
                agreed: *one,
                technician: came.or(planned),
                kind: job.kind,
                day: city_day(one.window.start, known.pack.time.utc_offset_minutes),
                punctuality,
            }
        })
        .collect()
}

/// When something happened, and on whose clock.
#[derive(Clone, Copy)]
struct Moment {
    at: Interval,
    clock: Option<(DeviceId, Stamp)>,
}

impl Moment {
    /// Whether this was before the other one; `None` when nobody can tell.
    ///
    /// One phone's own clock orders its facts, however little is known of the time.
    fn is_before(&self, other: &Self) -> Option<bool> {
        if let (Some((device, mine)), Some((other_device, theirs))) = (self.clock, other.clock)
            && (device, mine.boot) == (other_device, theirs.boot)
        {
            return Some(mine.mono_ms <= theirs.mono_ms);
        }
        if self.at.latest <= other.at.earliest {
            Some(true)
        } else if other.at.latest <= self.at.earliest {
            Some(false)
        } else {
            None
        }
    }
}

/// One appointment while it held: from its making to the next one's.
struct Held<'a> {
    window: Window,
    made: Moment,
    next: Option<&'a Moment>,
}

impl Held<'_> {
    /// Who came, and how it turned out.
    ///
    /// An arrival belongs to the appointment that held when it happened. Where that cannot be told, the verdicts
    /// with and without it have to agree.
    fn judge(
        &self,
        job: &Job,
        arrivals: &[(UserId, Moment)],
        planned: Option<UserId>,
        known: &Circumstances<'_>,
    ) -> (Option<UserId>, Punctuality) {
        let mut perhaps: Option<(UserId, Interval)> = None;
        let mut certain = None;
        for (who, came) in arrivals {
            let begun = self.made.is_before(came);
            let ended = self.next.map_or(Some(false), |next| next.is_before(came));
            if begun == Some(true) && ended == Some(false) {
                certain = Some((*who, came.at));
                break;
            }
            if begun != Some(false) && ended != Some(true) {
                perhaps = perhaps.or(Some((*who, came.at)));
            }
        }
        let without = match certain {
            Some((_, at)) => self.judge_arrival(job, at, known),
            None => self.judge_absence(job, planned, known),
        };
        match perhaps {
            Some((who, at)) if self.judge_arrival(job, at, known) != without => {
                let width_ms = at.width().num_milliseconds();
                (Some(who), Punctuality::CannotTell { width_ms })
            }
            Some(_) | None => (certain.map(|(who, _)| who), without),
        }
    }

    /// Nobody waits any more when the job was called off in time: coming after the window is no breach then.
    fn judge_arrival(&self, job: &Job, at: Interval, known: &Circumstances<'_>) -> Punctuality {
        let judged = judge_arrival(self.window, at, &known.pack.punctuality);
        let called_off = job.plan.cancelled.values().map(|it| it.author.at).min();
        let in_time = called_off.is_some_and(|off| off <= self.window.end);
        if judged == Punctuality::Late && in_time { Punctuality::Released } else { judged }
    }

    /// Nobody came: being released in time decides, else time itself.
    fn judge_absence(
        &self,
        job: &Job,
        planned: Option<UserId>,
        known: &Circumstances<'_>,
    ) -> Punctuality {
        let end = self.window.end;
        let cancelled = job.plan.cancelled.values().map(|it| Interval::at(it.author.at));
        let released = cancelled.chain(self.next.map(|next| next.at)).min_by_key(|at| at.latest);
        match released {
            Some(at) if at.latest <= end => Punctuality::Released,
            Some(at) if at.earliest <= end => {
                Punctuality::CannotTell { width_ms: at.width().num_milliseconds() }
            }
            Some(_) | None => {
                let heard = known.heard_until.max(heard_in(job, planned, known.times));
                Punctuality::Pending.read_at(end, known.now, Heard::of(planned, heard))
            }
        }
    }
}

/// Up to when the job's own document tells what its technician's phone recorded of it.
///
/// A fact arrives after every earlier fact of its phone on the same job, for its change rests on theirs.
fn heard_in(
    job: &Job,
    technician: Option<UserId>,
    times: &dyn Fn(&Stamp) -> Interval,
) -> Option<Timestamp> {
    let visits = job.visits.values().filter(|visit| Some(visit.technician) == technician);
    let facts = visits.flat_map(|visit| visit.facts.values());
    facts.map(|recorded| times(&recorded.stamp).earliest).max()
}

fn arrivals(job: &Job, times: &dyn Fn(&Stamp) -> Interval) -> Vec<(UserId, Moment)> {
    let visits = job.visits.values();
    visits
        .flat_map(|visit| live_facts(visit).into_iter().map(move |(_, fact)| (visit, fact)))
        .filter(|(_, recorded)| matches!(recorded.fact, Fact::Arrived { .. }))
        .map(|(visit, recorded)| {
            let clock = Some((visit.device, recorded.stamp));
            (visit.technician, Moment { at: times(&recorded.stamp), clock })
        })
        .collect()
}

fn made(job: &Job, agreed: &Agreed, times: &dyn Fn(&Stamp) -> Interval) -> Moment {
    match (agreed.at, agreed.source) {
        (AgreedAt::Phone(stamp), Source::Visit(visit, _)) => {
            let device = job.visits.get(&visit).map(|visit| visit.device);
            Moment { at: times(&stamp), clock: device.map(|device| (device, stamp)) }
        }
        (AgreedAt::Phone(stamp), Source::Plan(_)) => Moment { at: times(&stamp), clock: None },
        (AgreedAt::Hall(at), _) => Moment { at: Interval::at(at), clock: None },
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

    /// Of what is over and was not released, the share of which nobody can tell how it turned out; `None` of nothing.
    #[expect(clippy::cast_precision_loss, reason = "a hall has far fewer than 2^52 appointments")]
    pub fn untold_rate(&self) -> Option<f64> {
        let untold = self.cannot_tell + self.not_heard;
        let all = untold + self.on_time + self.early + self.late + self.missed;
        (all > 0).then(|| untold as f64 / all as f64)
    }

    /// On time out of all that can be judged; `None` when nothing can be (A2).
    #[expect(clippy::cast_precision_loss, reason = "a hall has far fewer than 2^52 appointments")]
    pub fn on_time_rate(&self) -> Option<f64> {
        let judged = self.on_time + self.early + self.late + self.missed;
        (judged > 0).then(|| self.on_time as f64 / judged as f64)
    }
}
