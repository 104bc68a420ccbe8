//! A case (诉求): what somebody asked of the hall, with an owner, as the events of its history (B4, B5, B10, D7).
//!
//! Nothing of a case is overwritten: [`fold`] makes of its events where it stands, and [`check`] says which event may
//! follow. Only an acceptance changes the owner, so nothing is ever without one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{JobId, UserId};
use crate::job::Channel;
use crate::promise::PromiseState;
use crate::stamp::{Heard, Timestamp};

/// What somebody came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// 办理请求
    Request,
    /// 咨询
    Question,
    /// 投诉 (B5).
    Complaint,
    /// 漏气报警
    LeakReport,
    /// 建议 (D6).
    Suggestion,
    /// 举报以气谋私 (B10).
    AbuseReport,
}

impl CaseKind {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 6] = [
        Self::Request,
        Self::Question,
        Self::Complaint,
        Self::LeakReport,
        Self::Suggestion,
        Self::AbuseReport,
    ];

    /// The word used in JSON, SQL, rule packs and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Question => "question",
            Self::Complaint => "complaint",
            Self::LeakReport => "leak_report",
            Self::Suggestion => "suggestion",
            Self::AbuseReport => "abuse_report",
        }
    }

    /// Finds the kind with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// Whether somebody has to say if it was founded before it can be closed (B5, B10).
    pub fn needs_decision(self) -> bool {
        matches!(self, Self::Complaint | Self::AbuseReport)
    }

    /// Whether who brought it stays secret but for the owner (B10).
    pub fn hides_caller(self) -> bool {
        self == Self::AbuseReport
    }
}

/// What of a case never changes and its rules ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// What somebody came with.
    pub kind: CaseKind,
    /// Whether the caller has to be called back (D7, A10).
    pub call_back: bool,
    /// How long the hall has until the caller is told, where the rule pack promises it.
    pub promise_minutes: Option<i64>,
}

impl Nature {
    /// Whether the caller has to hear the outcome before the case can be closed.
    pub fn needs_telling(self) -> bool {
        self.call_back || self.kind == CaseKind::Complaint
    }
}

/// Something that happened to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CaseEvent {
    /// Taken on by its first owner (B4).
    Opened,
    /// Something to remember.
    Noted {
        /// What.
        text: String,
    },
    /// Offered to somebody, who does not own it yet.
    Offered {
        /// To whom.
        to: UserId,
        /// Why, in words.
        text: String,
    },
    /// The offer taken back.
    OfferWithdrawn,
    /// The offer accepted: the only way to another owner.
    Accepted,
    /// The offer declined.
    Declined {
        /// Why, in words.
        text: String,
    },
    /// Decided.
    Decided {
        /// What was decided.
        text: String,
        /// Whether it was founded; said of complaints and reports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        founded: Option<bool>,
    },
    /// The caller told, or tried to be.
    Told {
        /// How.
        channel: Channel,
        /// Whether they heard it.
        reached: bool,
        /// What was said, in words.
        #[serde(default)]
        text: String,
    },
    /// A job was made of it.
    JobMade {
        /// The job.
        job: JobId,
    },
    /// Over.
    Closed {
        /// How it ended, in words.
        #[serde(default)]
        text: String,
    },
    /// Taken up again.
    Reopened {
        /// Why, in words.
        text: String,
    },
}

/// What can be done with a case, without the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Remember something.
    Note,
    /// Offer it to somebody.
    Offer,
    /// Take the offer back.
    WithdrawOffer,
    /// Accept the offer.
    Accept,
    /// Decline the offer.
    Decline,
    /// Decide.
    Decide,
    /// Tell the caller.
    Tell,
    /// Close it.
    Close,
    /// Take it up again.
    Reopen,
}

impl Act {
    /// All of them, in the order in which screens show them.
    pub const ALL: [Self; 9] = [
        Self::Accept,
        Self::Decline,
        Self::Note,
        Self::Decide,
        Self::Tell,
        Self::Close,
        Self::Offer,
        Self::WithdrawOffer,
        Self::Reopen,
    ];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Offer => "offer",
            Self::WithdrawOffer => "withdraw_offer",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Decide => "decide",
            Self::Tell => "tell",
            Self::Close => "close",
            Self::Reopen => "reopen",
        }
    }
}

/// An event with its author and the server's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// Who did it.
    pub by: UserId,
    /// When the server took it.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: CaseEvent,
}

/// Where a case stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseStanding {
    /// Who has it.
    pub owner: UserId,
    /// To whom it is offered.
    pub offered_to: Option<UserId>,
    /// Since when the promise's clock runs: its opening, or the last time it was taken up again.
    pub since: Timestamp,
    /// Whether it was decided since then.
    pub is_decided: bool,
    /// When the caller heard the outcome, since then.
    pub told_at: Option<Timestamp>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// How often its promise was broken before it was taken up again.
    pub broken_before: u32,
}

/// Where a case stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Somebody works on it.
    Open,
    /// Decided, and the caller does not know yet.
    Decided,
    /// The caller knows.
    Told,
    /// Over.
    Closed,
}

impl CaseState {
    /// All of them, in the order in which they follow each other.
    pub const ALL: [Self; 4] = [Self::Open, Self::Decided, Self::Told, Self::Closed];

    /// The word used in JSON, SQL and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Decided => "decided",
            Self::Told => "told",
            Self::Closed => "closed",
        }
    }
}

impl CaseStanding {
    /// Where it stands, in one word.
    pub fn state(&self) -> CaseState {
        match (self.closed_at, self.told_at, self.is_decided) {
            (Some(_), _, _) => CaseState::Closed,
            (None, Some(_), _) => CaseState::Told,
            (None, None, true) => CaseState::Decided,
            (None, None, false) => CaseState::Open,
        }
    }

    /// When the promise is broken, where there is one (B5).
    pub fn due_at(&self, nature: Nature) -> Option<Timestamp> {
        nature.promise_minutes.map(|minutes| self.since + chrono::TimeDelta::minutes(minutes))
    }

    /// How the promise stands at a time (B5).
    pub fn promise(&self, nature: Nature, now: Timestamp) -> Option<PromiseState> {
        let due_at = self.due_at(nature)?;
        Some(match self.told_at {
            Some(told_at) if told_at <= due_at => PromiseState::Kept,
            Some(_) => PromiseState::Broken,
            None => PromiseState::Running.read_at(due_at, now, Heard::Nobody),
        })
    }

    /// Whether the caller still waits to be called (D7).
    pub fn owes_call_back(&self, nature: Nature) -> bool {
        nature.call_back && self.told_at.is_none() && self.closed_at.is_none()
    }
}

/// Who wants to do something with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub user: UserId,
    /// Whether they run the hall.
    pub manages: bool,
    /// Whether the case's owner was shut out, so that somebody else has to hand it on.
    pub owner_has_left: bool,
}

/// Why something cannot be done with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// Only its owner may.
    #[error("this case has another owner: ask them, or let them hand it over")]
    NotOwner,
    /// It was offered to somebody else, or to nobody.
    #[error("this case is not offered to you")]
    NotOffered,
    /// It is offered to nobody.
    #[error("this case is offered to nobody")]
    NoOffer,
    /// The owner cannot be offered it.
    #[error("offer the case to somebody else: this person has it")]
    OwnerAlready,
    /// It is over.
    #[error("the case is closed: take it up again first")]
    Closed,
    /// It is not over.
    #[error("the case is open already")]
    NotClosed,
    /// It was opened before.
    #[error("a case is opened once")]
    OpenedAlready,
    /// Nobody said whether it was founded.
    #[error("say with the decision whether it was founded")]
    FoundedNotSaid,
    /// Nobody decided.
    #[error("decide the case before you close it")]
    NotDecided,
    /// The caller does not know.
    #[error("tell the caller before you close the case")]
    NotTold,
}

/// Makes of a case's events where it stands; `None` when they do not begin with its opening.
pub fn fold(nature: Nature, history: &[Happened]) -> Option<CaseStanding> {
    let (first, rest) = history.split_first()?;
    if first.event != CaseEvent::Opened {
        return None;
    }
    let opened = CaseStanding {
        owner: first.by,
        offered_to: None,
        since: first.at,
        is_decided: false,
        told_at: None,
        closed_at: None,
        broken_before: 0,
    };
    Some(rest.iter().fold(opened, |standing, happened| after(nature, standing, happened)))
}

fn after(nature: Nature, mut it: CaseStanding, happened: &Happened) -> CaseStanding {
    match &happened.event {
        CaseEvent::Opened | CaseEvent::Noted { .. } | CaseEvent::JobMade { .. } => {}
        CaseEvent::Offered { to, .. } => it.offered_to = Some(*to),
        CaseEvent::OfferWithdrawn | CaseEvent::Declined { .. } => it.offered_to = None,
        CaseEvent::Accepted => {
            it.owner = happened.by;
            it.offered_to = None;
        }
        CaseEvent::Decided { .. } => {
            it.is_decided = true;
            // Who heard the decision before this one has not heard this one.
            it.told_at = None;
        }
        CaseEvent::Told { reached, .. } => {
            let says_outcome = it.is_decided || !nature.kind.needs_decision();
            if *reached && says_outcome {
                it.told_at = it.told_at.or(Some(happened.at));
            }
        }
        CaseEvent::Closed { .. } => {
            it.closed_at = Some(happened.at);
            it.offered_to = None;
        }
        CaseEvent::Reopened { .. } => {
            let was = it.promise(nature, it.closed_at.unwrap_or(happened.at));
            it.broken_before += u32::from(was == Some(PromiseState::Broken));
            it.since = happened.at;
            (it.is_decided, it.told_at, it.closed_at) = (false, None, None);
        }
    }
    it
}

/// What somebody may do with a case as it stands.
pub fn may(nature: Nature, standing: &CaseStanding, actor: Actor) -> BTreeSet<Act> {
    let all = Act::ALL.into_iter();
    all.filter(|act| allow(*act, nature, standing, actor).is_ok()).collect()
}

/// Whether this event may follow, by this person.
pub fn check(
    nature: Nature,
    standing: &CaseStanding,
    event: &CaseEvent,
    actor: Actor,
) -> Result<(), CaseError> {
    let act = match event {
        CaseEvent::Opened => return Err(CaseError::OpenedAlready),
        // Whoever gives a job out may say what it came from.
        CaseEvent::JobMade { .. } => return Ok(()),
        CaseEvent::Noted { .. } => Act::Note,
        CaseEvent::Offered { to, .. } if *to == standing.owner => {
            return Err(CaseError::OwnerAlready);
        }
        CaseEvent::Offered { .. } => Act::Offer,
        CaseEvent::OfferWithdrawn => Act::WithdrawOffer,
        CaseEvent::Accepted => Act::Accept,
        CaseEvent::Declined { .. } => Act::Decline,
        CaseEvent::Decided { founded: None, .. } if nature.kind.needs_decision() => {
            return Err(CaseError::FoundedNotSaid);
        }
        CaseEvent::Decided { .. } => Act::Decide,
        CaseEvent::Told { .. } => Act::Tell,
        CaseEvent::Closed { .. } => Act::Close,
        CaseEvent::Reopened { .. } => Act::Reopen,
    };
    allow(act, nature, standing, actor)
}

fn allow(act: Act, nature: Nature, it: &CaseStanding, actor: Actor) -> Result<(), CaseError> {
    let is_owner = it.owner == actor.user;
    let owns = || if is_owner { Ok(()) } else { Err(CaseError::NotOwner) };
    // Who left cannot hand over; somebody who runs the hall does it for them (B4).
    let hands_on = || if actor.owner_has_left && actor.manages { Ok(()) } else { owns() };
    match act {
        // A second call may be taken by anybody.
        Act::Note => Ok(()),
        Act::Reopen if it.closed_at.is_some() => Ok(()),
        Act::Reopen => Err(CaseError::NotClosed),
        _ if it.closed_at.is_some() => Err(CaseError::Closed),
        Act::Accept | Act::Decline if it.offered_to == Some(actor.user) => Ok(()),
        Act::Accept | Act::Decline => Err(CaseError::NotOffered),
        Act::WithdrawOffer if it.offered_to.is_none() => Err(CaseError::NoOffer),
        Act::Offer | Act::WithdrawOffer => hands_on(),
        Act::Decide | Act::Tell => owns(),
        Act::Close => {
            owns()?;
            if nature.kind.needs_decision() && !it.is_decided {
                return Err(CaseError::NotDecided);
            }
            if nature.needs_telling() && it.told_at.is_none() {
                return Err(CaseError::NotTold);
            }
            Ok(())
        }
    }
}

/// Whether somebody may see who reported abuse (B10): the owner, and nobody else.
pub fn may_see_reporter(standing: &CaseStanding, user: UserId) -> bool {
    standing.owner == user
}
