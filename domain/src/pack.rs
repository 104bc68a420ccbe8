//! Rule packs (规则包): dated data of one company or city, every number with its source.

mod check;
mod compare;
mod notices;
mod place;
mod reach;
mod reminders;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use self::compare::{Difference, compare};
pub use self::notices::{NoticeRules, NoticeTemplate, Said};
pub use self::place::line_of;
pub use self::reach::{ReachKind, ReachRules, Urgency};
pub use self::reminders::{Duty, Every, ReminderRules};

use crate::case::CaseKind;
use crate::conduct::Phase;
use crate::household::{Group, HoseKind};
use crate::job::JobKind;

/// Names a rule pack, such as `city-gas-2026-11-01`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackId(pub String);

/// Why a text is no rule pack.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The text is not the TOML of a pack; the message names line and key.
    #[error("rule pack cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A kind of job has no rules.
    #[error("rule pack {pack} says nothing of the kind {kind}: add [kinds.{kind}]")]
    MissingKind {
        /// The pack.
        pack: String,
        /// The kind.
        kind: JobKind,
    },
    /// Two items share an id.
    #[error("rule pack {pack} has {item} twice: give each its own id")]
    Twice {
        /// The pack.
        pack: String,
        /// The id.
        item: String,
    },
    /// The season has not one weight a month, or a weight that is not positive.
    #[error("rule pack {pack} needs twelve season weights above zero in [reading]")]
    Season {
        /// The pack.
        pack: String,
    },
    /// The checklist is not in the order in which it is walked.
    #[error("rule pack {pack} needs its conduct items in walking order: door, entering, leaving")]
    Order {
        /// The pack.
        pack: String,
    },
    /// A value that nobody can be judged by.
    #[error("rule pack {pack}, {key}: needs {needs}")]
    Number {
        /// The pack.
        pack: String,
        /// Where it stands.
        key: String,
        /// What it has to be.
        needs: String,
    },
}

/// A rule pack. Every table carries the `source` of its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name.
    pub id: PackId,
    /// The day from which it holds.
    pub valid_from: NaiveDate,
    /// Whose rules these are.
    pub source: String,
    /// Time in the hall's city, and how far clocks are trusted.
    pub time: TimeRules,
    /// When an arrival is on time.
    pub punctuality: PunctualityRules,
    /// When a reading is abnormal.
    pub reading: ReadingRules,
    /// Hoses.
    pub hose: HoseRules,
    /// How long ways and work take, for plans; packs before it existed have none.
    #[serde(default)]
    pub travel: Option<TravelRules>,
    /// What is promised of cases; packs before they existed have none.
    #[serde(default)]
    pub cases: Option<CaseRules>,
    /// How people are told; packs before it existed leave it to the program's own.
    #[serde(default)]
    pub reach: Option<ReachRules>,
    /// When somebody is reminded; packs before it existed remind nobody.
    #[serde(default)]
    pub reminders: Option<ReminderRules>,
    /// What households are told, and how long their links hold; packs before it existed have none.
    #[serde(default)]
    pub notices: Option<NoticeRules>,
    /// How people are called to a leak; packs before it existed have none.
    #[serde(default)]
    pub leak: Option<LeakRules>,
    /// The conduct checklist, in walking order within each phase.
    pub conduct: Vec<ConductItem>,
    /// Clocks that the public was promised.
    pub promises: Vec<PromiseRule>,
    /// What somebody has to be able to do before they may be sent; packs before it existed name none.
    #[serde(default)]
    pub skills: Vec<SkillRule>,
    /// What each kind of job needs.
    pub kinds: BTreeMap<JobKind, KindRules>,
    /// Findings of a safety inspection with their levels.
    pub hazards: Vec<HazardRule>,
}

/// Time in the hall's city, and how far clocks are trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRules {
    /// Minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// How fast a phone's monotonic clock may drift, in parts per million.
    pub drift_ppm: i64,
    /// A wall clock further off than this is flagged, in minutes.
    pub skew_flag_minutes: i64,
    /// Where the numbers come from.
    pub source: String,
}

/// How long ways and work take. Plans are made with it; no verdict is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TravelRules {
    /// Metres of street in a minute.
    pub metres_per_minute: f64,
    /// Metres of street for a metre of straight line.
    pub detour: f64,
    /// Minutes from the saddle to the door, and back.
    pub park_minutes: i64,
    /// Minutes to a door whose place nobody surveyed.
    pub unsurveyed_minutes: i64,
    /// The windows that are offered on a day, as hours of the city's clock.
    pub offered_hours: Vec<(u8, u8)>,
    /// Minutes that a visit of each kind usually takes.
    pub takes_minutes: BTreeMap<JobKind, i64>,
    /// From which hour of the city's clock to which people are sent out; packs before it existed have none.
    #[serde(default)]
    pub working_hours: Option<(u8, u8)>,
    /// The hours of the break, in which no visit begins.
    #[serde(default)]
    pub break_hours: Option<(u8, u8)>,
    /// Metres of way that a plan makes to stay in somebody's own area.
    #[serde(default)]
    pub outside_area_metres: f64,
    /// Metres of way that a plan makes rather than take a job from whom it was given to.
    #[serde(default)]
    pub moved_metres: f64,
    /// Where the numbers come from.
    pub source: String,
}

/// What is promised of cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRules {
    /// What a proven report of abuse earns, in yuan (B10).
    pub report_reward_yuan: u32,
    /// Clocks that end when the caller was told.
    pub promises: Vec<CasePromise>,
    /// Where the numbers come from.
    pub source: String,
}

/// A clock from taking a case to telling its caller the outcome (B5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasePromise {
    /// The rule of the rulebook.
    pub rule: String,
    /// The kinds of case it binds.
    pub kinds: BTreeSet<CaseKind>,
    /// How long, in minutes.
    pub minutes: i64,
    /// With so many minutes left the hall looks at it; packs before it existed do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_minutes: Option<i64>,
    /// Where the number comes from.
    pub source: String,
}

impl CaseRules {
    /// The promise that binds a kind of case.
    pub fn promise(&self, kind: CaseKind) -> Option<&CasePromise> {
        self.promises.iter().find(|promise| promise.kinds.contains(&kind))
    }
}

/// How people are called to a leak (B2). Calling is ours; the promise itself stands among the promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakRules {
    /// How many are called at once, nearest first.
    pub at_once: u32,
    /// Seconds in which somebody has to answer before the next person is called.
    pub acknowledge_seconds: i64,
    /// How many technicians are called at most before the crew leader is.
    pub people: u32,
    /// Seconds in which the crew leader has to answer before every console sounds the alarm.
    pub leader_seconds: i64,
    /// Where the numbers come from.
    pub source: String,
}

/// When an arrival is on time (A2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PunctualityRules {
    /// Minutes before the window that still count as inside it.
    pub early_grace_minutes: i64,
    /// Minutes after the window that still count as inside it.
    pub late_grace_minutes: i64,
    /// Where the numbers come from.
    pub source: String,
}

/// When a reading is abnormal (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingRules {
    /// How much of a heating home's use falls on each month, January first; only the ratios matter.
    pub season_weights: Vec<f64>,
    /// Use above this many times the expected is high.
    pub high_coefficient: f64,
    /// Use below this part of the expected is low.
    pub low_coefficient: f64,
    /// Cubic metres a month of doubt that widen both limits.
    pub slack_m3_per_30_days: f64,
    /// Use below this many litres a period is zero.
    pub zero_below_litres: i64,
    /// Fewer days of history than this, and only backwards is judged.
    pub least_history_days: i64,
    /// Where the numbers come from.
    pub source: String,
    /// How a home's past becomes the use to expect of it.
    #[serde(default)]
    pub fit: FitRules,
}

/// How a home's past becomes the use to expect of it (A9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FitRules {
    /// The part of the season's mean weight that homes burn on any day, heated or not.
    pub base_weight: f64,
    /// How far a home's mix of base and heat may be from the usual one, as a multiple of the usual base.
    pub mix_doubt: f64,
    /// How far a period may be from its home's own habit, as a part of the use.
    pub use_doubt: f64,
    /// The same in cubic metres a month, which decides where little is used.
    pub doubt_m3_per_30_days: f64,
    /// Where the numbers come from.
    pub source: String,
}

/// What packs meant before they could say it.
impl Default for FitRules {
    fn default() -> Self {
        Self {
            base_weight: 0.15,
            mix_doubt: 2.0,
            use_doubt: 0.2,
            doubt_m3_per_30_days: 6.0,
            source: "our choice, as in the pack city-gas-2026-11-01".to_owned(),
        }
    }
}

/// Hoses (B14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoseRules {
    /// Free replacements a household has in a calendar year.
    pub free_per_year: u32,
    /// The groups that are entitled.
    pub entitled: BTreeSet<Group>,
    /// The longest hose allowed.
    pub max_length_mm: u32,
    /// Months after which a hose of each kind is overdue.
    pub life_months: BTreeMap<HoseKind, u32>,
    /// Where the numbers come from.
    pub source: String,
}

/// One item of the conduct checklist (A3–A8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConductItem {
    /// Its key in facts.
    pub id: String,
    /// Where in a visit it belongs.
    pub phase: Phase,
    /// The rule of the rulebook.
    pub rule: String,
    /// Whether the household may waive it.
    #[serde(default)]
    pub waivable: bool,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

impl ConductItem {
    /// What refusals call it.
    pub fn name(&self) -> ItemName {
        ItemName { id: self.id.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }
}

/// An item of a pack as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemName {
    /// Its key in facts.
    pub id: String,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// A clock that the public was promised (B2, B6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromiseRule {
    /// The rule of the rulebook.
    pub rule: String,
    /// The kinds of job it binds.
    pub kinds: BTreeSet<JobKind>,
    /// How long, in minutes.
    pub minutes: i64,
    /// What stops the clock.
    pub stops: Stop,
    /// With so many minutes left the hall looks at it; packs before it existed do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_minutes: Option<i64>,
    /// Whether a blocked road excuses, when it was recorded with evidence.
    #[serde(default)]
    pub road_blockage_excuses: bool,
    /// Where the number comes from.
    pub source: String,
}

/// What stops a promise's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Somebody stands at the door.
    Arrival,
    /// Gas flows, or does not any more, as was asked; a visit closed as done says so too.
    GasSwitched,
    /// The work is done.
    Done,
}

/// What one kind of job needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRules {
    /// Whether a visit may start without an appointment (A1).
    #[serde(default)]
    pub emergency: bool,
    /// What has to be recorded before the visit can close as done.
    #[serde(default)]
    pub needs: BTreeSet<Need>,
    /// What whoever is sent has to be able to do.
    #[serde(default)]
    pub skills: BTreeSet<SkillId>,
}

/// Names a skill, such as `gas_fitter`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SkillId(pub String);

/// Something that one has to have learnt before one may be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillRule {
    /// Its key.
    pub id: SkillId,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
    /// Who asks for it.
    pub source: String,
}

/// Something that has to be recorded before a visit can close as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A register read.
    Reading,
    /// A hose replaced.
    Hose,
    /// Joints tested and tight.
    Tightness,
    /// Gas switched on or off.
    GasSwitched,
    /// Cash taken with a receipt.
    Cash,
    /// A photo.
    Photo,
    /// The household's signature.
    Signature,
}

impl Need {
    /// The word used in the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Hose => "hose",
            Self::Tightness => "tightness",
            Self::GasSwitched => "gas_switched",
            Self::Cash => "cash",
            Self::Photo => "photo",
            Self::Signature => "signature",
        }
    }
}

/// A finding of a safety inspection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HazardRule {
    /// Its key in facts.
    pub id: String,
    /// Its level: 1 is gravest.
    pub level: u8,
    /// Days until it has to be gone; none for advice.
    #[serde(default)]
    pub deadline_days: Option<u32>,
    /// Its words in Chinese.
    pub zh: String,
    /// Its words in English.
    pub en: String,
    /// Where the level comes from.
    pub source: String,
}

impl HazardRule {
    /// What refusals call it.
    pub fn name(&self) -> ItemName {
        ItemName { id: self.id.clone(), zh: self.zh.clone(), en: self.en.clone() }
    }
}

impl Pack {
    /// Reads a pack from TOML and checks it as a whole.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let pack: Self = toml::from_str(text)?;
        check::check(&pack)?;
        Ok(pack)
    }

    /// The pack that comes with the program.
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("a test reads the built-in pack")
    }

    /// What this kind of job needs.
    pub fn kind(&self, kind: JobKind) -> &KindRules {
        self.kinds.get(&kind).expect("parse refuses a pack without every kind")
    }
}

/// The text of the pack that comes with the program.
pub const BUILTIN: &str = include_str!("../packs/city-gas-2026-11-01.toml");
