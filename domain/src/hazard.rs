//! A hazard (隐患) from its first finding to the recheck that closes it: deadline, steps, extension, stop of supply.
//!
//! Observations only add up: a finding is over when somebody who knew of it says so, and no clock decides that. So what
//! a phone finds again while the desk clears what it knows stays open.

mod supply;

pub use self::supply::{RULE, Restoring, Stoppage, stoppages};

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::calendar::city_day;
use crate::id::{FactId, JobId, VisitId};
use crate::job::Author;
use crate::ledger::{Entry, Written};
use crate::pack::{Fulfils, HazardCare, HazardStep, Pack};
use crate::stamp::{Interval, Timestamp};

/// Names a finding: its job, visit and fact.
pub type FindingId = (JobId, VisitId, FactId);

/// A hazard that is open at a household, as a technician has to know it before they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHazard {
    /// The item's key in the rule pack.
    pub item: String,
    /// The gravest level among its findings.
    pub level: u8,
    /// Where and what, in words.
    #[serde(default)]
    pub text: String,
    /// When it was found first.
    pub found_on: NaiveDate,
    /// The last day on which it may still be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<NaiveDate>,
    /// Whether the supply was stopped because of it.
    #[serde(default)]
    pub is_stopped: bool,
    /// Its findings: whoever sees that it is gone says so of each of them.
    pub findings: Vec<KnownFinding>,
}

/// A finding that a hall knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFinding {
    /// Its job.
    pub job: JobId,
    /// Its visit.
    pub visit: VisitId,
    /// The fact.
    pub fact: FactId,
}

impl Hazard {
    /// What a technician has to know of it.
    pub fn known(&self) -> KnownHazard {
        let findings = self.findings.iter();
        KnownHazard {
            item: self.item.clone(),
            level: self.level,
            text: self.text.clone(),
            found_on: self.found_on,
            deadline: self.deadline,
            is_stopped: self.is_stopped,
            findings: findings
                .map(|(job, visit, fact)| KnownFinding { job: *job, visit: *visit, fact: *fact })
                .collect(),
        }
    }
}

/// What the household did with the notice (整改通知书).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum NoticeAnswer {
    /// It signed.
    Signed {
        /// SHA-256 of the drawn signature, in hexadecimal.
        hash: String,
    },
    /// It has the notice and refused to sign: a result of its own, which stops no clock.
    RefusedToSign {
        /// What they said, and who saw it.
        reason: String,
    },
}

impl NoticeAnswer {
    /// The word used in SQL, JSON and the catalogue.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Signed { .. } => "signed",
            Self::RefusedToSign { .. } => "refused_to_sign",
        }
    }
}

/// A finding with the rules of the day on which it was made.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// Its name.
    pub id: FindingId,
    /// The finding's key in the rule pack.
    pub item: String,
    /// Its level when it was found; a newer pack never changes it.
    pub level: u8,
    /// Where and what, in words.
    pub text: String,
    /// When.
    pub at: Interval,
    /// The pack of its job.
    pub pack: &'a Pack,
}

/// What visits did about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The household got the notice; packs before it was asked do not say what it did with it.
    Notice(Option<NoticeAnswer>),
    /// The supply was stopped because of it.
    Stopped,
    /// Somebody stood there and looked: whether it is gone.
    Rechecked {
        /// Whether it is.
        gone: bool,
    },
}

/// Something that a visit did about a finding, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// About which.
    pub of: FindingId,
    /// When.
    pub at: Interval,
    /// What.
    pub done: Done,
}

/// A step of a hazard, by the pack of its first finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepStanding {
    /// The step's key.
    pub id: String,
    /// Until when.
    pub due_at: Timestamp,
    /// When it was done, and by whom where somebody of the hall wrote it down.
    pub done: Option<(Timestamp, Option<Author>)>,
}

/// What is to be done next about a hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A step of the pack.
    Step(HazardStep),
    /// Somebody goes and looks, with a picture: every step before is done.
    Recheck,
}

impl Next {
    /// The word used in SQL and JSON.
    pub fn key(&self) -> &str {
        match self {
            Self::Step(step) => &step.id,
            Self::Recheck => "recheck",
        }
    }
}

/// An item that is a hazard at a household now.
#[derive(Clone, Debug, PartialEq)]
pub struct Hazard {
    /// The item's key in the rule pack.
    pub item: String,
    /// The findings that are open, the first one first.
    pub findings: Vec<FindingId>,
    /// The gravest level among them.
    pub level: u8,
    /// What the first one says.
    pub text: String,
    /// When it was found first.
    pub found_at: Timestamp,
    /// The same as a day of the city.
    pub found_on: NaiveDate,
    /// The last day on which it may still be there, counted from the first finding; none for advice.
    pub deadline: Option<NaiveDate>,
    /// Who gave more time, and why.
    pub extension: Option<(Author, String)>,
    /// What the household did with the notice; the first `None` is no notice.
    pub notice: Option<Option<NoticeAnswer>>,
    /// Whether the supply was stopped because of it.
    pub is_stopped: bool,
    /// The steps of its level, the first due first.
    pub steps: Vec<StepStanding>,
    /// What is to be done next.
    pub next: Next,
    /// Until when, where anything says so.
    pub next_at: Option<Timestamp>,
}

/// Whether a finding is over: somebody saw that it is gone, or the desk knows it, and nobody saw later that it is not.
pub fn is_over(id: FindingId, acts: &[Act], entries: &[Written]) -> bool {
    over_at(id, acts, entries).is_some()
}

fn over_at(id: FindingId, acts: &[Act], entries: &[Written]) -> Option<Timestamp> {
    let seen = |is_gone: bool| {
        let rechecks = acts.iter().filter(move |act| {
            act.of == id && matches!(act.done, Done::Rechecked { gone } if gone == is_gone)
        });
        rechecks.map(|act| act.at)
    };
    let at_desk = entries.iter().filter_map(|written| {
        let Entry::HazardCleared { job, visit, fact, .. } = &written.entry else { return None };
        let at = written.author.at;
        ((*job, *visit, *fact) == id).then_some(Interval { earliest: at, latest: at })
    });
    let gone = seen(true).chain(at_desk);
    // Who saw it at about the same time decides for the hazard: in doubt it is there.
    let stands = |at: &Interval| seen(false).all(|there| there.latest < at.earliest);
    gone.filter(stands).map(|at| at.latest).min()
}

/// Folds everything that is known of a household's hazards into those that are open, the most urgent first.
pub fn open(findings: &[Finding<'_>], acts: &[Act], entries: &[Written]) -> Vec<Hazard> {
    let mut items: BTreeMap<&str, Vec<&Finding<'_>>> = BTreeMap::new();
    for finding in findings.iter().filter(|it| !is_over(it.id, acts, entries)) {
        items.entry(&finding.item).or_default().push(finding);
    }
    let hazards = items.into_values().filter_map(|mut found| {
        found.sort_by_key(|it| (it.at.latest, it.id));
        hazard(&found, acts, entries)
    });
    let mut hazards: Vec<Hazard> = hazards.collect();
    hazards.sort_by(|a, b| urgency(a).cmp(&urgency(b)));
    hazards
}

fn urgency(it: &Hazard) -> (bool, Option<Timestamp>, u8, &str) {
    (it.next_at.is_none(), it.next_at, it.level, &it.item)
}

fn hazard(found: &[&Finding<'_>], acts: &[Act], entries: &[Written]) -> Option<Hazard> {
    let first = *found.first()?;
    let ids: Vec<FindingId> = found.iter().map(|it| it.id).collect();
    let of_it = |act: &&Act| ids.contains(&act.of);
    let rule = first.pack.hazards.iter().find(|rule| rule.id == first.item);
    let offset = first.pack.time.utc_offset_minutes;
    let found_on = city_day(first.at.latest, offset);
    let days = rule.and_then(|rule| rule.deadline_days).map(u64::from);
    let by_rule = days.and_then(|days| found_on.checked_add_days(Days::new(days)));
    let extension = entries.iter().find_map(|written| {
        let Entry::HazardExtended { job, visit, fact, until, text } = &written.entry else {
            return None;
        };
        ids.contains(&(*job, *visit, *fact)).then(|| (written.author, *until, text.clone()))
    });
    let deadline = extension.as_ref().map(|(_, until, _)| *until).or(by_rule);
    let notices = acts.iter().filter(of_it).filter_map(|act| match &act.done {
        Done::Notice(answer) => Some((act.at.latest, answer.clone())),
        Done::Stopped | Done::Rechecked { .. } => None,
    });
    let is_stopped = acts.iter().filter(of_it).any(|act| act.done == Done::Stopped);
    let care = first.pack.hazard_care.as_ref();
    let steps = care.map(|care| steps(first, &ids, (acts, entries), care)).unwrap_or_default();
    let (next, next_at) = next(&steps, deadline, first);
    Some(Hazard {
        item: first.item.clone(),
        level: found.iter().map(|it| it.level).min().unwrap_or(first.level),
        text: first.text.clone(),
        found_at: first.at.latest,
        found_on,
        deadline,
        extension: extension.map(|(author, _, text)| (author, text)),
        notice: notices.max_by_key(|(at, _)| *at).map(|(_, answer)| answer),
        is_stopped,
        steps,
        next,
        next_at,
        findings: ids,
    })
}

fn steps(
    first: &Finding<'_>,
    ids: &[FindingId],
    (acts, entries): (&[Act], &[Written]),
    care: &HazardCare,
) -> Vec<StepStanding> {
    let offset = first.pack.time.utc_offset_minutes;
    let of_level = care.steps.iter().filter(|step| step.level == first.level);
    let standing = |step: &HazardStep| {
        let by_fact = acts.iter().filter(|act| {
            let fulfils = match &act.done {
                Done::Notice(_) => Fulfils::Notice,
                Done::Stopped => Fulfils::Stop,
                Done::Rechecked { .. } => Fulfils::Recheck,
            };
            ids.contains(&act.of) && step.by == Some(fulfils)
        });
        let by_fact = by_fact.map(|act| (act.at.latest, None)).min_by_key(|(at, _)| *at);
        let by_desk = entries.iter().find_map(|written| {
            let Entry::HazardStepDone { job, visit, fact, step: done, .. } = &written.entry else {
                return None;
            };
            let is_it = ids.contains(&(*job, *visit, *fact)) && *done == step.id;
            is_it.then_some((written.author.at, Some(written.author)))
        });
        let due_at = step.due_at(first.at.latest, offset);
        StepStanding { id: step.id.clone(), due_at, done: by_fact.or(by_desk) }
    };
    let mut steps: Vec<StepStanding> = of_level.map(standing).collect();
    steps.sort_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
    steps
}

fn next(
    steps: &[StepStanding],
    deadline: Option<NaiveDate>,
    first: &Finding<'_>,
) -> (Next, Option<Timestamp>) {
    let rules = first.pack.hazard_care.iter().flat_map(|care| &care.steps);
    let open = steps.iter().find(|step| step.done.is_none());
    let step = open.and_then(|open| {
        let rule = rules.into_iter().find(|rule| rule.id == open.id)?;
        Some((Next::Step(rule.clone()), Some(open.due_at)))
    });
    let ends = deadline.map(|day| end_of(day, first.pack.time.utc_offset_minutes));
    step.unwrap_or((Next::Recheck, ends))
}

/// When a day of the city is over.
pub fn end_of(day: NaiveDate, utc_offset_minutes: i32) -> Timestamp {
    let midnight =
        day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(chrono::NaiveTime::MIN);
    midnight.and_utc() - TimeDelta::minutes(i64::from(utc_offset_minutes))
}

/// Why something is not written about a hazard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HazardError {
    /// No such hazard is open.
    #[error("no such hazard is open at this household")]
    NotOpen,
    /// A grave one is closed in person, with a picture.
    #[error(
        "a hazard of this level is closed in person: make a recheck, with a picture from the same angle"
    )]
    NeedsRecheck,
    /// It had its one extension.
    #[error("this hazard had its one extension")]
    ExtendedAlready,
    /// It has no deadline, or one that is never moved.
    #[error("the deadline of this hazard is not extended")]
    NotExtendable,
    /// The new deadline is not later, or too late.
    #[error("give it a later day, and at most {0} days more")]
    NotThatDay(u32),
    /// The pack has no such step for its level.
    #[error("this hazard has no such step")]
    NoSuchStep,
    /// The step is done.
    #[error("this step is done already")]
    StepDone,
    /// Only a visit can do that step.
    #[error("this step is done at the door, not at the desk")]
    AtTheDoor,
}

/// Whether the desk may write something about a hazard; `care` is of the pack of its first finding.
pub fn check(hazard: &Hazard, entry: &Entry, care: &HazardCare) -> Result<(), HazardError> {
    match entry {
        Entry::HazardCleared { .. } if hazard.level < care.desk_from_level => {
            Err(HazardError::NeedsRecheck)
        }
        Entry::HazardExtended { until, .. } => {
            if hazard.extension.is_some() {
                return Err(HazardError::ExtendedAlready);
            }
            let deadline = hazard.deadline.filter(|_| hazard.level >= care.extend_from_level);
            let deadline = deadline.ok_or(HazardError::NotExtendable)?;
            let days = (*until - deadline).num_days();
            let is_in_span = (1..=i64::from(care.extension_days)).contains(&days);
            if is_in_span { Ok(()) } else { Err(HazardError::NotThatDay(care.extension_days)) }
        }
        Entry::HazardStepDone { step, .. } => {
            let known = hazard.steps.iter().find(|it| it.id == *step);
            let known = known.ok_or(HazardError::NoSuchStep)?;
            if known.done.is_some() {
                return Err(HazardError::StepDone);
            }
            let rule = care.steps.iter().find(|it| it.id == *step);
            let at_the_door = rule.is_some_and(|rule| rule.by.is_some());
            if at_the_door { Err(HazardError::AtTheDoor) } else { Ok(()) }
        }
        Entry::HazardCleared { .. }
        | Entry::ContactCorrected { .. }
        | Entry::GroupShown { .. }
        | Entry::GroupWithdrawn { .. }
        | Entry::ConsentGiven { .. }
        | Entry::ConsentWithdrawn { .. }
        | Entry::LanguageChosen { .. }
        | Entry::RegisterReported { .. }
        | Entry::HolderChanged { .. }
        | Entry::AddressChanged { .. }
        | Entry::LadderStepDone { .. } => Ok(()),
    }
}
