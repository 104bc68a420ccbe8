//! A visit (上门): one attempt at the door, as the facts recorded there.

pub mod check;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::conduct::Answer;
use crate::hazard::NoticeAnswer;
use crate::household::{Appliance, Hose};
use crate::id::{DeviceId, FactId, HoseId, JobId, MeterId, UserId, VisitId};
use crate::job::{Channel, Window};
use crate::measure::{Fen, Volume};
use crate::meter::{InstalledMeter, RemovedMeter};
use crate::place::Fix;
use crate::reading::{Measure, ReadingState, Verdict};
use crate::stamp::Stamp;

/// One attempt to do a job, by one technician with one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Visit {
    /// Who stands at the door.
    pub technician: UserId,
    /// The phone that records it.
    pub device: DeviceId,
    /// What happened, by id; only ever added.
    #[serde(default)]
    pub facts: BTreeMap<FactId, Recorded>,
}

/// A fact with its stamp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// When it was recorded.
    pub stamp: Stamp,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Reads what a receipt can be about, so that nothing else ever counts in a till.
fn paid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fen, D::Error> {
    let amount = Fen::deserialize(deserializer)?;
    let is_paid = amount > Fen(0) && amount <= Fen::MOST;
    if is_paid { Ok(amount) } else { Err(D::Error::custom("nobody pays such an amount")) }
}

/// Something that happened in a visit. Never overwritten: a correction is another fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fact {
    /// Phoned the household before coming (A1).
    PhonedAhead {
        /// Whether somebody answered.
        reached: bool,
    },
    /// Agreed another window with the household (A2).
    AgreedAnew {
        /// The new window.
        window: Window,
        /// How it was agreed.
        channel: Channel,
    },
    /// Takes on a call to an emergency (B2).
    CallAccepted,
    /// Cannot answer a call to an emergency (B2).
    CallDeclined {
        /// Why, in words; may be empty, for nobody types while gas leaks.
        #[serde(default)]
        reason: String,
    },
    /// On the way.
    SetOut,
    /// At the door (A2, B2).
    Arrived {
        /// Where the phone thought it was; `None` is an honest answer indoors.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fix: Option<Fix>,
    },
    /// The road was blocked: the one excuse for B2, with evidence.
    RoadBlocked {
        /// What blocked it.
        reason: String,
        /// A photo's content hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        photo: Option<String>,
    },
    /// One item of the conduct checklist answered (A3–A8).
    Conduct {
        /// The item's key in the rule pack.
        item: String,
        /// The answer.
        answer: Answer,
    },
    /// The way of the pipe looked at before an installation (B1).
    Surveyed {
        /// Whether it can be put in as the household wants it.
        feasible: bool,
        /// What is to be put in and where, or what stands against it.
        text: String,
    },
    /// A register read and judged on the spot (A9).
    Read {
        /// Which meter.
        meter: MeterId,
        /// What it showed; `None` when it could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        register: Option<Volume>,
        /// How anybody knows, or why nobody does.
        #[serde(default, skip_serializing_if = "ReadingState::is_seen")]
        state: ReadingState,
        /// What the phone made of it, with the pack it used.
        verdict: Verdict,
        /// The reading it corrects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrects: Option<FactId>,
    },
    /// The household was told of an abnormal reading (A9).
    HouseholdTold {
        /// The reading.
        reading: FactId,
    },
    /// Something was done about an abnormal reading (A9).
    MeasureTaken {
        /// The reading.
        reading: FactId,
        /// What was done.
        measure: Measure,
    },
    /// A meter put in, taken out or exchanged.
    MeterChanged {
        /// The meter taken out, with its last register.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        removed: Option<RemovedMeter>,
        /// The meter put in, with its first register.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        installed: Option<InstalledMeter>,
        /// The day, in the hall's city.
        on: NaiveDate,
        /// The number of the seal (铅封) on it; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        seal: String,
    },
    /// A hose replaced (B14).
    HoseReplaced {
        /// The hose taken out, when the hall knew it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        removed: Option<HoseId>,
        /// The hose put in.
        installed: Hose,
        /// Whether it was free for the household.
        free: bool,
        /// The maker's lot, so that a bad one can be called back.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        lot: String,
    },
    /// A hose found on the wall that the register does not know, or knows otherwise; the newest word on one holds.
    HoseSeen {
        /// The hose as it hangs there, under its own id where the register knows it.
        hose: Hose,
        /// Whether it is not there any more.
        #[serde(default, skip_serializing_if = "is_false")]
        gone: bool,
        /// The maker's lot, where it can be read.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        lot: String,
        /// A photo's content hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        photo: Option<String>,
    },
    /// An appliance found that the register does not know, or knows otherwise; the newest word on one holds.
    ApplianceSeen {
        /// The appliance as it stands there, under its own id where the register knows it.
        appliance: Appliance,
        /// Whether it is not there any more.
        #[serde(default, skip_serializing_if = "is_false")]
        gone: bool,
        /// A photo's content hash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        photo: Option<String>,
    },
    /// A safety leaflet handed to the household (B8).
    LeafletGiven,
    /// Joints tested for tightness.
    TightnessTested {
        /// Whether they held.
        tight: bool,
    },
    /// Gas turned on, sealed, unsealed or stopped, as the job's kind says.
    GasSwitched {
        /// Whether gas flows now.
        on: bool,
    },
    /// A finding of a safety inspection.
    HazardFound {
        /// The finding's key in the rule pack.
        item: String,
        /// Its level when it was found: 1 is gravest.
        level: u8,
        /// Where and what, in words.
        #[serde(default)]
        text: String,
    },
    /// The notice of a hazard, with its deadline, was handed to the household (整改通知书).
    NoticeGiven {
        /// The finding.
        hazard: FactId,
        /// Whether the household signed for it or refused to; older apps did not ask.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<NoticeAnswer>,
    },
    /// The supply stopped because of a hazard of this visit.
    SupplyStopped {
        /// The finding.
        hazard: FactId,
    },
    /// Somebody looked again at a hazard that was found before.
    HazardRechecked {
        /// The job in which it was found.
        job: JobId,
        /// The visit.
        visit: VisitId,
        /// The finding.
        hazard: FactId,
        /// Whether it is gone.
        gone: bool,
        /// The SHA-256 of a picture from the same angle; needed where it is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        photo: Option<String>,
    },
    /// Sniffed at the gap of a door that nobody opened (门缝检漏).
    DoorSniffed {
        /// Whether gas was found.
        leak: bool,
    },
    /// Cash taken at home (B15).
    CashTaken {
        /// How much, from one fen to [`Fen::MOST`].
        #[serde(deserialize_with = "paid")]
        amount: Fen,
        /// The receipt's number, one of those that the hall handed to the phone.
        receipt: String,
        /// Why somebody pays so who is in no entitled group, in words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The household signed the supply contract (C4).
    ContractSigned {
        /// The contract's number.
        number: String,
    },
    /// A photo taken; the picture itself travels apart.
    PhotoTaken {
        /// SHA-256 of the picture, in hexadecimal.
        hash: String,
        /// What it shows.
        subject: Subject,
    },
    /// The household signed.
    Signed {
        /// SHA-256 of the drawn signature, in hexadecimal.
        hash: String,
    },
    /// A question that could not be answered on the spot (A10).
    Asked {
        /// The question.
        question: String,
    },
    /// A remark.
    Noted {
        /// What it says.
        text: String,
    },
    /// An earlier fact of this visit taken back, with a trace.
    Withdrawn {
        /// The fact taken back.
        fact: FactId,
        /// Why, in words.
        reason: String,
    },
    /// The visit is over.
    Closed {
        /// How it ended.
        outcome: Outcome,
    },
}

/// What is usually not so is not written down.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What a photo shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// 表
    Meter,
    /// 旧表字轮
    OldWheels,
    /// 新表字轮
    NewWheels,
    /// 铅封
    Seal,
    /// 到访不遇通知单 on the door.
    NoticeOnDoor,
    /// 隐患
    Hazard,
    /// 软管
    Hose,
    /// 空房: the home that nobody lives in.
    EmptyHome,
    /// 路阻
    RoadBlock,
    /// Anything else.
    Other,
}

impl Subject {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 10] = [
        Self::Meter,
        Self::OldWheels,
        Self::NewWheels,
        Self::Seal,
        Self::NoticeOnDoor,
        Self::Hazard,
        Self::Hose,
        Self::EmptyHome,
        Self::RoadBlock,
        Self::Other,
    ];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Meter => "meter",
            Self::OldWheels => "old_wheels",
            Self::NewWheels => "new_wheels",
            Self::Seal => "seal",
            Self::NoticeOnDoor => "notice_on_door",
            Self::Hazard => "hazard",
            Self::Hose => "hose",
            Self::EmptyHome => "empty_home",
            Self::RoadBlock => "road_block",
            Self::Other => "other",
        }
    }
}

/// How a visit ended; each is an outcome of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// 完成
    Done,
    /// 到访不遇: nobody opened.
    NoOneHome,
    /// 拒绝: somebody opened and refused. Law acts on this one only.
    Refused {
        /// What they said.
        reason: String,
    },
    /// 空房: nobody lives there.
    Empty,
    /// 地址有误
    WrongAddress {
        /// What is wrong with it.
        reason: String,
    },
    /// 未能完成: it needs another visit.
    CannotFinish {
        /// Why.
        reason: String,
        /// What has to happen next.
        follow_up: String,
    },
}

impl Fact {
    /// The register that the fact tells of, if any (A9).
    pub fn reading(&self) -> Option<Reading<'_>> {
        if let Self::Read { meter, register, state, verdict, corrects } = self {
            let (meter, register, state, corrects) = (*meter, *register, *state, *corrects);
            return Some(Reading { meter, register, state, verdict, corrects });
        }
        let Self::MeterChanged { removed: Some(removed), .. } = self else { return None };
        let RemovedMeter { meter, register, state, verdict } = removed;
        let (meter, register, state) = (*meter, *register, *state);
        Some(Reading { meter, register, state, verdict, corrects: None })
    }

    /// The picture that the fact names by its SHA-256, if any.
    pub fn photo(&self) -> Option<&str> {
        match self {
            Self::PhotoTaken { hash, .. }
            | Self::Signed { hash }
            | Self::NoticeGiven { answer: Some(NoticeAnswer::Signed { hash }), .. } => Some(hash),
            Self::RoadBlocked { photo, .. }
            | Self::HazardRechecked { photo, .. }
            | Self::HoseSeen { photo, .. }
            | Self::ApplianceSeen { photo, .. } => photo.as_deref(),
            Self::PhonedAhead { .. }
            | Self::AgreedAnew { .. }
            | Self::CallAccepted
            | Self::CallDeclined { .. }
            | Self::SetOut
            | Self::Arrived { .. }
            | Self::Conduct { .. }
            | Self::Surveyed { .. }
            | Self::Read { .. }
            | Self::HouseholdTold { .. }
            | Self::MeasureTaken { .. }
            | Self::MeterChanged { .. }
            | Self::HoseReplaced { .. }
            | Self::LeafletGiven
            | Self::TightnessTested { .. }
            | Self::GasSwitched { .. }
            | Self::HazardFound { .. }
            | Self::NoticeGiven { .. }
            | Self::SupplyStopped { .. }
            | Self::DoorSniffed { .. }
            | Self::CashTaken { .. }
            | Self::ContractSigned { .. }
            | Self::Asked { .. }
            | Self::Noted { .. }
            | Self::Withdrawn { .. }
            | Self::Closed { .. } => None,
        }
    }
}

/// A register that a fact tells of: one that was read, or the last of a meter that was taken out.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Which meter.
    pub meter: MeterId,
    /// What it showed; `None` when it could not be read.
    pub register: Option<Volume>,
    /// How anybody knows, or why nobody does.
    pub state: ReadingState,
    /// What was made of it.
    pub verdict: &'a Verdict,
    /// The reading it corrects.
    pub corrects: Option<FactId>,
}

impl Visit {
    /// A visit before its first fact, for rules that ask what is missing.
    pub(crate) fn empty() -> Self {
        let nobody = uuid::Uuid::nil();
        Self { technician: UserId(nobody), device: DeviceId(nobody), facts: BTreeMap::new() }
    }
}

/// The facts that stand, in the order of their ids: what was withdrawn and the withdrawals are left out.
pub fn live_facts(visit: &Visit) -> Vec<(FactId, &Recorded)> {
    let withdrawn: BTreeSet<FactId> = visit
        .facts
        .values()
        .filter_map(|recorded| {
            let Fact::Withdrawn { fact, .. } = recorded.fact else { return None };
            Some(fact)
        })
        .collect();
    visit
        .facts
        .iter()
        .filter(|(id, recorded)| {
            !withdrawn.contains(*id) && !matches!(recorded.fact, Fact::Withdrawn { .. })
        })
        .map(|(id, recorded)| (*id, recorded))
        .collect()
}
