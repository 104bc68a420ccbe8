//! The status of a job: a fold over its plan and facts, the same on phone and server, with the clashes it must name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::appointment;
use crate::callout;
use crate::id::{HoseId, MeterId, UserId, VisitId};
use crate::job::{Job, Window};
use crate::stamp::{Interval, Stamp, Timestamp};
use crate::visit::{Fact, Outcome, Visit, live_facts};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 待派
    Unassigned,
    /// 已派
    Assigned,
    /// 在途
    SetOut,
    /// 已到门口
    AtDoor,
    /// 作业中
    Working,
    /// 完成
    Done,
    /// 到访不遇
    NoOneHome,
    /// 拒绝
    Refused,
    /// 空房
    Empty,
    /// 地址有误
    WrongAddress,
    /// 未能完成
    CannotFinish,
    /// 已取消
    Cancelled,
}

impl Status {
    /// Every status, in the order in which boards show them.
    pub const ALL: [Self; 12] = [
        Self::Unassigned,
        Self::Assigned,
        Self::SetOut,
        Self::AtDoor,
        Self::Working,
        Self::Done,
        Self::NoOneHome,
        Self::Refused,
        Self::Empty,
        Self::WrongAddress,
        Self::CannotFinish,
        Self::Cancelled,
    ];

    /// The word used in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Assigned => "assigned",
            Self::SetOut => "set_out",
            Self::AtDoor => "at_door",
            Self::Working => "working",
            Self::Done => "done",
            Self::NoOneHome => "no_one_home",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::WrongAddress => "wrong_address",
            Self::CannotFinish => "cannot_finish",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether somebody still has to go to the door, or is there.
    pub fn is_open(self) -> bool {
        self <= Self::Working
    }

    /// Finds the status with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.key() == key)
    }
}

/// Two facts that clash in meaning; the job shows both until a person decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "clash", rename_all = "snake_case")]
pub enum Clash {
    /// More than one visit closed the job as done.
    ClosedTwice {
        /// The visits.
        visits: Vec<VisitId>,
    },
    /// The job was cancelled, and somebody was at the door all the same.
    CancelledWhileVisited {
        /// The visit.
        visit: VisitId,
    },
    /// Somebody did the job whom the plan does not name any more.
    VisitedByOther {
        /// The visit.
        visit: VisitId,
        /// Who was there.
        technician: UserId,
    },
    /// Two visits say that they took out the same hose.
    HoseReplacedTwice {
        /// The hose.
        hose: HoseId,
        /// The visits.
        visits: Vec<VisitId>,
    },
    /// Two visits say that they took out the same meter; it is counted once.
    MeterChangedTwice {
        /// The meter.
        meter: MeterId,
        /// The visits.
        visits: Vec<VisitId>,
    },
}

impl Clash {
    /// The visits that it speaks of.
    pub fn visits(&self) -> &[VisitId] {
        match self {
            Self::ClosedTwice { visits }
            | Self::HoseReplacedTwice { visits, .. }
            | Self::MeterChangedTwice { visits, .. } => visits,
            Self::CancelledWhileVisited { visit } | Self::VisitedByOther { visit, .. } => {
                std::slice::from_ref(visit)
            }
        }
    }
}

/// What the fold finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where the job stands.
    pub status: Status,
    /// Who has it by the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technician: Option<UserId>,
    /// The visit that the status comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitId>,
    /// The window that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Window>,
    /// What clashes, until a ruling.
    #[serde(default)]
    pub clashes: Vec<Clash>,
}

/// Folds plan and facts into where the job stands.
///
/// What happened at the door happened: a visit outweighs a cancellation, and the clash is named.
pub fn standing(job: &Job) -> Standing {
    let technician = assigned(job);
    let attempts: Vec<(VisitId, Status)> =
        job.visits.iter().filter_map(|(id, visit)| Some((*id, visit_status(visit)?))).collect();
    let done = attempts.iter().find(|(_, status)| *status == Status::Done);
    let decisive = done.or_else(|| furthest(job, &attempts)).or(attempts.last()).copied();
    let cancelled = !job.plan.cancelled.is_empty();
    let (status, visit) = match after_ruling(job, decisive) {
        Some((visit, status)) if !cancelled || has_reached_door(status) => (status, Some(visit)),
        _ if cancelled => (Status::Cancelled, None),
        _ if technician.is_some() => (Status::Assigned, None),
        _ => (Status::Unassigned, None),
    };
    let is_settled = |clash: &Clash| job.plan.rulings.values().any(|it| it.settles.contains(clash));
    let mut clashes = clashes(job, technician);
    clashes.retain(|clash| !is_settled(clash));
    let appointment = appointment::current(job).map(|agreed| agreed.window);
    Standing { status, technician, visit, appointment, clashes }
}

/// Of several who were called and came together, the one who got furthest and has not failed tells where the job stands (B2).
fn furthest<'a>(job: &Job, attempts: &'a [(VisitId, Status)]) -> Option<&'a (VisitId, Status)> {
    let team = callout::accepted_by(job);
    if team.len() < 2 {
        return None;
    }
    let under_way = attempts.iter().filter(|(_, status)| !has_failed(*status));
    under_way.max_by_key(|(id, status)| (*status, *id))
}

/// The visit that decides once people have ruled: a ruling holds until a visit that it did not see moves the job on.
fn after_ruling(job: &Job, decisive: Option<(VisitId, Status)>) -> Option<(VisitId, Status)> {
    let Some((_, ruling)) = job.plan.rulings.last_key_value() else { return decisive };
    let has_seen = |visit| ruling.settles.iter().any(|clash| clash.visits().contains(&visit));
    if decisive.is_some_and(|(visit, _)| !has_seen(visit)) {
        return decisive;
    }
    match ruling.stands {
        Some(visit) => {
            let status = job.visits.get(&visit).and_then(visit_status);
            status.map(|status| (visit, status)).or(decisive)
        }
        None if job.plan.cancelled.is_empty() => decisive,
        None => None,
    }
}

/// Who has the job by the plan: the newest assignment holds, by its id and not by the clock of the node that took it.
pub fn assigned(job: &Job) -> Option<UserId> {
    job.plan.assignments.last_key_value().and_then(|(_, made)| made.technician)
}

/// Who had the job by the plan at that time.
pub fn assigned_at(job: &Job, at: Timestamp) -> Option<UserId> {
    let newest = job.plan.assignments.values().rfind(|made| made.author.at <= at);
    newest.and_then(|made| made.technician)
}

/// Since when the job stands as it does, at the latest that this can have been.
///
/// `times` places a phone's stamp in the hall's time.
pub fn since(job: &Job, standing: &Standing, times: &dyn Fn(&Stamp) -> Interval) -> Timestamp {
    if let Some(visit) = standing.visit.and_then(|id| job.visits.get(&id)) {
        let live = live_facts(visit);
        let reached = live.iter().filter(|(_, it)| fact_status(&it.fact) == Some(standing.status));
        let first = reached.map(|(_, it)| times(&it.stamp).latest).min();
        return first.unwrap_or(job.created_at);
    }
    if standing.status == Status::Cancelled {
        let called_off = job.plan.cancelled.values().map(|it| it.author.at).min();
        return called_off.unwrap_or(job.created_at);
    }
    let given = job.plan.assignments.values().map(|it| it.author.at).max();
    given.unwrap_or(job.created_at)
}

/// How far one visit got; `None` before anybody set out.
fn visit_status(visit: &Visit) -> Option<Status> {
    let reached = live_facts(visit).into_iter().filter_map(|(_, it)| fact_status(&it.fact));
    reached.max()
}

/// Whether somebody stood at the door.
fn has_reached_door(status: Status) -> bool {
    status > Status::SetOut && status < Status::Cancelled
}

fn fact_status(fact: &Fact) -> Option<Status> {
    match fact {
        Fact::PhonedAhead { .. }
        | Fact::AgreedAnew { .. }
        | Fact::CallAccepted
        | Fact::CallDeclined { .. }
        | Fact::RoadBlocked { .. }
        | Fact::PhotoTaken { .. }
        | Fact::Asked { .. }
        | Fact::Noted { .. }
        | Fact::Withdrawn { .. } => None,
        Fact::SetOut => Some(Status::SetOut),
        Fact::Arrived { .. } | Fact::Conduct { .. } | Fact::DoorSniffed { .. } => {
            Some(Status::AtDoor)
        }
        Fact::Surveyed { .. }
        | Fact::Read { .. }
        | Fact::HouseholdTold { .. }
        | Fact::MeasureTaken { .. }
        | Fact::MeterChanged { .. }
        | Fact::HoseReplaced { .. }
        | Fact::HoseSeen { .. }
        | Fact::ApplianceSeen { .. }
        | Fact::LeafletGiven
        | Fact::TightnessTested { .. }
        | Fact::GasSwitched { .. }
        | Fact::HazardFound { .. }
        | Fact::NoticeGiven { .. }
        | Fact::SupplyStopped { .. }
        | Fact::HazardRechecked { .. }
        | Fact::CashTaken { .. }
        | Fact::ContractSigned { .. }
        | Fact::Signed { .. } => Some(Status::Working),
        Fact::Closed { outcome } => Some(match outcome {
            Outcome::Done => Status::Done,
            Outcome::NoOneHome => Status::NoOneHome,
            Outcome::Refused { .. } => Status::Refused,
            Outcome::Empty => Status::Empty,
            Outcome::WrongAddress { .. } => Status::WrongAddress,
            Outcome::CannotFinish { .. } => Status::CannotFinish,
        }),
    }
}

fn clashes(job: &Job, technician: Option<UserId>) -> Vec<Clash> {
    let mut found = Vec::new();
    let reached: Vec<(VisitId, &Visit, Status)> = job
        .visits
        .iter()
        .filter_map(|(id, visit)| Some((*id, visit, visit_status(visit)?)))
        .filter(|(_, _, status)| has_reached_door(*status))
        .collect();
    // Who accepted a call supports who leads: being there as well contradicts nothing (B2).
    let team = callout::accepted_by(job);
    let supports = |visit: &Visit| team.contains(&visit.technician);
    let done: Vec<VisitId> = reached
        .iter()
        .filter(|(_, _, status)| *status == Status::Done)
        .map(|(id, _, _)| *id)
        .collect();
    let alone = done.iter().filter(|id| !job.visits.get(*id).is_some_and(supports)).count();
    if done.len() > 1 && alone > 0 {
        found.push(Clash::ClosedTwice { visits: done });
    }
    for (id, visit, status) in &reached {
        if !job.plan.cancelled.is_empty() {
            found.push(Clash::CancelledWhileVisited { visit: *id });
        }
        if technician != Some(visit.technician) && !supports(visit) && !has_failed(*status) {
            let technician = visit.technician;
            found.push(Clash::VisitedByOther { visit: *id, technician });
        }
    }
    found.extend(taken_out_twice(job));
    found
}

/// What two visits say that they took out.
fn taken_out_twice(job: &Job) -> Vec<Clash> {
    let mut hoses: BTreeMap<HoseId, BTreeSet<VisitId>> = BTreeMap::new();
    let mut meters: BTreeMap<MeterId, BTreeSet<VisitId>> = BTreeMap::new();
    for (id, visit) in &job.visits {
        for (_, recorded) in live_facts(visit) {
            if let Fact::HoseReplaced { removed: Some(hose), .. } = &recorded.fact {
                hoses.entry(*hose).or_default().insert(*id);
            } else if let Fact::MeterChanged { removed: Some(removed), .. } = &recorded.fact {
                meters.entry(removed.meter).or_default().insert(*id);
            }
        }
    }
    let twice = |visits: &BTreeSet<VisitId>| visits.len() > 1;
    let listed = |visits: BTreeSet<VisitId>| visits.into_iter().collect();
    let hoses = hoses.into_iter().filter(|(_, visits)| twice(visits));
    let hoses =
        hoses.map(|(hose, visits)| Clash::HoseReplacedTwice { hose, visits: listed(visits) });
    let meters = meters.into_iter().filter(|(_, visits)| twice(visits));
    let meters =
        meters.map(|(meter, visits)| Clash::MeterChangedTwice { meter, visits: listed(visits) });
    hoses.chain(meters).collect()
}

/// Whether a visit ended without success, so that the job rightly went on to somebody else.
fn has_failed(status: Status) -> bool {
    match status {
        Status::NoOneHome
        | Status::Refused
        | Status::Empty
        | Status::WrongAddress
        | Status::CannotFinish => true,
        Status::Unassigned
        | Status::Assigned
        | Status::SetOut
        | Status::AtDoor
        | Status::Working
        | Status::Done
        | Status::Cancelled => false,
    }
}
