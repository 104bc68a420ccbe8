//! A job (工单): one thing to be done for one household, with the hall's plan for it.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::hazard::KnownHazard;
use crate::hose::Replacement;
use crate::household::{Appliance, Hose, Household, Meter};
use crate::id::{EntryId, HallId, JobId, MessageId, UserId, VisitId, id_ms};
use crate::ladder::Attempt;
use crate::pack::PackId;
use crate::reading::Season;
use crate::stamp::{Stamp, Timestamp};
use crate::status::Clash;
use crate::visit::Visit;

/// What is to be done. The rule pack says what each kind needs and promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// 抢修: a leak or another emergency (B2).
    Emergency,
    /// 报装勘查: the way of the pipe is looked at before anything is put in (B1, C1).
    InstallationSurvey,
    /// 安装: pipe and meter put in, for a new household or an altered one (B1, C1).
    Installation,
    /// 点火 (B6, C4).
    Ignition,
    /// 启封 (B6, C6).
    Unsealing,
    /// 封表 (C6).
    Sealing,
    /// 停气 on request (B6).
    GasStop,
    /// 迁户: pipe and meter put in at the new address (B1, C3).
    Relocation,
    /// 拆除: pipe and meter taken out (C3).
    Removal,
    /// 抄表 (A9, C5).
    MeterReading,
    /// 换表
    MeterReplacement,
    /// 居民安检 (B7).
    SafetyInspection,
    /// 公建安检: a public building before a holiday (B7).
    PublicInspection,
    /// 隐患复查
    HazardRecheck,
    /// 安全指导 on request (B11).
    SafetyGuidance,
    /// 换软管 (B14).
    HoseReplacement,
    /// 上门收费 (B15).
    CashCollection,
    /// 维修
    Repair,
}

impl JobKind {
    /// Every kind, in the order in which lists show them.
    pub const ALL: [Self; 18] = [
        Self::Emergency,
        Self::InstallationSurvey,
        Self::Installation,
        Self::Ignition,
        Self::Unsealing,
        Self::Sealing,
        Self::GasStop,
        Self::Relocation,
        Self::Removal,
        Self::MeterReading,
        Self::MeterReplacement,
        Self::SafetyInspection,
        Self::PublicInspection,
        Self::HazardRecheck,
        Self::SafetyGuidance,
        Self::HoseReplacement,
        Self::CashCollection,
        Self::Repair,
    ];

    /// The word used in rule packs, files, SQL and JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::InstallationSurvey => "installation_survey",
            Self::Installation => "installation",
            Self::Ignition => "ignition",
            Self::Unsealing => "unsealing",
            Self::Sealing => "sealing",
            Self::GasStop => "gas_stop",
            Self::Relocation => "relocation",
            Self::Removal => "removal",
            Self::MeterReading => "meter_reading",
            Self::MeterReplacement => "meter_replacement",
            Self::SafetyInspection => "safety_inspection",
            Self::PublicInspection => "public_inspection",
            Self::HazardRecheck => "hazard_recheck",
            Self::SafetyGuidance => "safety_guidance",
            Self::HoseReplacement => "hose_replacement",
            Self::CashCollection => "cash_collection",
            Self::Repair => "repair",
        }
    }

    /// Whether gas flows when it is done; meant of the kinds that switch it (B6).
    pub fn opens_gas(self) -> bool {
        matches!(self, Self::Ignition | Self::Unsealing)
    }

    /// Finds the kind with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// A job as its document tells it: everything the fold, the screens and the reports read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Version of the document's shape.
    pub schema: u32,
    /// The job's id, also the document's.
    pub id: JobId,
    /// The hall it belongs to.
    pub hall: HallId,
    /// What is to be done.
    pub kind: JobKind,
    /// The rule pack it is judged by, for good.
    pub pack: PackId,
    /// When the hall took it on; no fact of the job can be older.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub created_at: Timestamp,
    /// What the hall decides. Written by the server only.
    pub plan: Plan,
    /// What the technician needs at the door, offline. Written by the server only.
    pub briefing: Briefing,
    /// The attempts at the door, each written by its own technician.
    #[serde(default)]
    pub visits: BTreeMap<VisitId, Visit>,
    /// What hall and technician wrote to each other.
    #[serde(default)]
    pub messages: BTreeMap<MessageId, Message>,
}

impl Job {
    /// The newest time in the ids of everything that stands in the job, in Unix milliseconds; 0 where nothing does.
    ///
    /// Whoever adds to the job draws an id after it, so that the order of ids is an order in which things were known,
    /// also when clocks are behind.
    pub fn newest_ms(&self) -> i64 {
        let visits = self.visits.iter().flat_map(|(id, visit)| {
            std::iter::once(id.0).chain(visit.facts.keys().map(|fact| fact.0))
        });
        let entries = self.plan.entry_ids().map(|id| id.0);
        let all = entries.chain(visits).chain(self.messages.keys().map(|id| id.0));
        all.filter_map(id_ms).max().unwrap_or(0)
    }
}

/// What the hall decides about a job; entries are added, never overwritten.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The windows agreed with the household.
    #[serde(default)]
    pub appointments: BTreeMap<EntryId, Appointment>,
    /// Who was given the job, one after another; the newest holds.
    #[serde(default)]
    pub assignments: BTreeMap<EntryId, Assignment>,
    /// Cancellations; one is enough.
    #[serde(default)]
    pub cancelled: BTreeMap<EntryId, Cancellation>,
    /// What people decided about clashes.
    #[serde(default)]
    pub rulings: BTreeMap<EntryId, Ruling>,
    /// What the hall told the technician to mind, newest last.
    #[serde(default)]
    pub instructions: BTreeMap<EntryId, Instruction>,
    /// Who was called to an emergency, one after another (B2).
    #[serde(default)]
    pub calls: BTreeMap<EntryId, Call>,
    /// What started, paused and resumed the promise's clock (B1, B6).
    #[serde(default)]
    pub clock: BTreeMap<EntryId, Tick>,
}

impl Plan {
    /// The ids of all its entries, list by list.
    pub fn entry_ids(&self) -> impl Iterator<Item = EntryId> + '_ {
        (self.appointments.keys())
            .chain(self.assignments.keys())
            .chain(self.cancelled.keys())
            .chain(self.rulings.keys())
            .chain(self.instructions.keys())
            .chain(self.calls.keys())
            .chain(self.clock.keys())
            .copied()
    }
}

/// Who made an entry of the plan, and when by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The person who decided.
    pub by: UserId,
    /// When the server took it.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
}

/// A time window, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// Nobody comes before this.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub start: Timestamp,
    /// Nobody comes after this.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub end: Timestamp,
}

/// How a window was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 电话
    Phone,
    /// 营业厅
    Counter,
    /// 微信
    WeChat,
    /// 门口当面
    AtTheDoor,
    /// 公告: a notice on the door says when somebody comes; nobody there said yes or no.
    Notice,
    /// The household asked for it on paper or through others.
    Other,
}

impl Channel {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 6] =
        [Self::Phone, Self::Counter, Self::WeChat, Self::AtTheDoor, Self::Notice, Self::Other];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Counter => "counter",
            Self::WeChat => "we_chat",
            Self::AtTheDoor => "at_the_door",
            Self::Notice => "notice",
            Self::Other => "other",
        }
    }
}

/// An appointment (预约) made by the hall (A1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// The window agreed.
    pub window: Window,
    /// How it was agreed.
    pub channel: Channel,
    /// Who agreed it for the hall, and when.
    pub author: Author,
}

/// The job given to a technician, or taken back to the hall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Who is to do it; `None` takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technician: Option<UserId>,
    /// Who decided, and when.
    pub author: Author,
}

/// The job called off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Why, in words.
    pub reason: String,
    /// Who decided, and when.
    pub author: Author,
}

/// A person's word on a clash: what stands from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The visit whose outcome stands; `None` lets the cancellation stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands: Option<VisitId>,
    /// What it decides; what clashes later stays open.
    #[serde(default)]
    pub settles: Vec<Clash>,
    /// Why, in words.
    pub reason: String,
    /// Who decided, and when.
    pub author: Author,
}

/// Something the hall tells the technician to mind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// What to mind.
    pub text: String,
    /// Who wrote it, and when.
    pub author: Author,
}

/// Somebody called to an emergency (B2). Whoever accepts first leads; calling somebody assigns nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who is called.
    pub technician: UserId,
    /// Their name, so that phones can tell each other's owners who leads.
    pub name: String,
    /// When the next person is called if they have not answered.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub until: Timestamp,
    /// For whom they are called, and when.
    pub author: Author,
}

/// Something that happened to the clock of the job's promise (B1, B6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// What.
    #[serde(flatten)]
    pub event: ClockEvent,
    /// When it happened; nobody enters what is still to come.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// Who entered it, and when.
    pub author: Author,
}

/// What can happen to the clock of a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ClockEvent {
    /// It starts: the household's papers are complete and what it owes is paid.
    Started,
    /// It stands still, because the household cannot be served yet.
    Paused {
        /// Why, in words; the household's wish, as a rule.
        reason: String,
        /// When it runs on by itself; without it, somebody has to say so.
        #[serde(default, with = "chrono::serde::ts_milliseconds_option")]
        until: Option<Timestamp>,
    },
    /// It runs on.
    Resumed,
}

/// One new entry of a plan, as a dispatcher makes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEntry {
    /// A window agreed.
    Appointment(Appointment),
    /// The job given or taken back.
    Assignment(Assignment),
    /// The job called off.
    Cancellation(Cancellation),
    /// A clash decided.
    Ruling(Ruling),
    /// Something to mind.
    Instruction(Instruction),
    /// Somebody called to an emergency.
    Call(Call),
    /// The promise's clock started, paused or resumed.
    Tick(Tick),
}

/// What the technician needs at the door, offline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Briefing {
    /// Whose door it is.
    pub household: Household,
    /// Its meters with past readings.
    #[serde(default)]
    pub meters: Vec<Meter>,
    /// The season as the neighbours' registers told it when the job was taken on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<Season>,
    /// Its hoses with install dates.
    #[serde(default)]
    pub hoses: Vec<Hose>,
    /// What burns gas there, where the hall knows it.
    #[serde(default)]
    pub appliances: Vec<Appliance>,
    /// Free replacements it has had, for the once-a-year rule (B14).
    #[serde(default)]
    pub replacements: Vec<Replacement>,
    /// What the caller asked for, in words.
    #[serde(default)]
    pub request: String,
    /// The number of who called, where it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caller_phone: String,
    /// What else is due at this household.
    #[serde(default)]
    pub also_due: Vec<Due>,
    /// Hazards that are open there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<KnownHazard>,
    /// Earlier attempts of this kind there, by whichever crew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
}

/// Another job that is due at the same door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// What is due.
    pub kind: JobKind,
    /// Since when or by when.
    pub on: NaiveDate,
}

/// A line between hall and technician.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who wrote it.
    pub author: UserId,
    /// When, on the writer's device or server.
    pub stamp: Stamp,
    /// What it says.
    pub text: String,
}
