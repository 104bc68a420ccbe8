//! Rule packs (规则包): dated data of one company or city, every number with its source.

mod calendar;
mod cases;
mod cash;
mod check;
mod compare;
mod counter;
mod due;
mod hazards;
mod hose;
mod items;
mod kinds;
mod ladder;
mod law;
mod leak;
mod meter;
mod notices;
mod place;
mod promises;
mod reach;
mod reading;
mod reminders;
mod time;
mod travel;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use self::calendar::{CalendarRules, Rest};
pub use self::cases::{CasePromise, CaseRules};
pub use self::cash::CashRules;
pub use self::compare::{Difference, compare};
pub use self::counter::{
    CallRules, Change, ConditionRule, CounterRules, FeeRule, PaperRule, PaymentAnswer,
    PaymentRules, Procedure,
};
pub use self::due::{ApplianceRule, BeforeHolidays, DueRules, MeterRule, Recurring, Serving};
pub use self::hazards::{Fulfils, HazardCare, HazardStep};
pub use self::hose::HoseRules;
pub use self::items::{ConductItem, HazardRule, ItemName};
pub use self::kinds::{KindRules, Need, SkillId, SkillRule};
pub use self::ladder::{LadderRules, LadderStep};
pub use self::law::{Looser, looser};
pub use self::leak::LeakRules;
pub use self::meter::MeterRules;
pub use self::notices::{NoticeRules, NoticeTemplate, Said};
pub use self::place::line_of;
pub use self::promises::{LawRule, PromiseRule, Scope, Start, Stop};
pub use self::reach::{ReachKind, ReachRules, Urgency};
pub use self::reading::{FitRules, ReadingRules, SeasonRules, StateRules};
pub use self::reminders::{Duty, Every, ReminderRules};
pub use self::time::{PunctualityRules, TimeRules};
pub use self::travel::TravelRules;

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
    /// What meters can pass and how long they may hang; packs before it existed say nothing of it.
    #[serde(default)]
    pub meter: Option<MeterRules>,
    /// Hoses.
    pub hose: HoseRules,
    /// What is done about hazards until they are gone; packs before it existed name no steps.
    #[serde(default)]
    pub hazard_care: Option<HazardCare>,
    /// What is done about households that are not reached; packs before it existed have none.
    #[serde(default)]
    pub ladder: Option<LadderRules>,
    /// Cash at home; packs before it existed let everybody pay so.
    #[serde(default)]
    pub cash: Option<CashRules>,
    /// How long ways and work take, for plans; packs before it existed have none.
    #[serde(default)]
    pub travel: Option<TravelRules>,
    /// The days on which offices rest and work; packs before it existed have none.
    #[serde(default)]
    pub calendar: Option<CalendarRules>,
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
    /// What is due at households; packs before it existed say nothing of it.
    #[serde(default)]
    pub due: Option<DueRules>,
    /// How people are called to a leak; packs before it existed have none.
    #[serde(default)]
    pub leak: Option<LeakRules>,
    /// What the counter and its telephones keep to; packs before it existed have none.
    #[serde(default)]
    pub counter: Option<CounterRules>,
    /// The conduct checklist, in walking order within each phase.
    pub conduct: Vec<ConductItem>,
    /// Clocks that the public was promised.
    pub promises: Vec<PromiseRule>,
    /// What the law says of the same, so that nobody promises less without knowing it.
    #[serde(default)]
    pub laws: Vec<LawRule>,
    /// What somebody has to be able to do before they may be sent; packs before it existed name none.
    #[serde(default)]
    pub skills: Vec<SkillRule>,
    /// What each kind of job needs; a kind that is not named is not offered under this pack.
    pub kinds: BTreeMap<JobKind, KindRules>,
    /// Findings of a safety inspection with their levels.
    pub hazards: Vec<HazardRule>,
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

    /// Whether jobs of this kind can be taken on under this pack.
    pub fn offers(&self, kind: JobKind) -> bool {
        self.kinds.contains_key(&kind)
    }

    /// The promise that binds this kind of job.
    pub fn promise(&self, kind: JobKind) -> Option<&PromiseRule> {
        self.promises.iter().find(|rule| rule.kinds.contains(&kind))
    }

    /// What this kind of job needs; nothing of its own where the pack does not offer it.
    pub fn kind(&self, kind: JobKind) -> &KindRules {
        self.kinds.get(&kind).unwrap_or(&kinds::NOTHING)
    }
}

/// The text of the pack that comes with the program.
pub const BUILTIN: &str = include_str!("../packs/city-gas-2026-11-01.toml");
