//! What each kind of job needs before it can close, and of whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::check::{Check, is_said};
use crate::job::JobKind;

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

/// What a kind needs of which a pack says nothing.
pub(super) static NOTHING: KindRules =
    KindRules { emergency: false, needs: BTreeSet::new(), skills: BTreeSet::new() };

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
    /// The way of the pipe looked at, and whether it can be put in.
    Survey,
    /// A register read.
    Reading,
    /// A meter put in.
    MeterInstalled,
    /// A meter taken out.
    MeterRemoved,
    /// A hose replaced.
    Hose,
    /// Joints tested and tight.
    Tightness,
    /// Gas switched on or off.
    GasSwitched,
    /// Cash taken with a receipt.
    Cash,
    /// The supply contract signed (C4).
    Contract,
    /// A photo.
    Photo,
    /// The household's signature.
    Signature,
    /// A safety leaflet in the household's hands (B8).
    Leaflet,
}

impl Need {
    /// The word used in the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::Reading => "reading",
            Self::MeterInstalled => "meter_installed",
            Self::MeterRemoved => "meter_removed",
            Self::Hose => "hose",
            Self::Tightness => "tightness",
            Self::GasSwitched => "gas_switched",
            Self::Cash => "cash",
            Self::Contract => "contract",
            Self::Photo => "photo",
            Self::Signature => "signature",
            Self::Leaflet => "leaflet",
        }
    }
}

/// What kinds and skills have to be.
pub(super) fn checks(kinds: &BTreeMap<JobKind, KindRules>, known: &[SkillRule]) -> Vec<Check> {
    let is_known = |id: &SkillId| known.iter().any(|skill| skill.id == *id);
    let is_whole =
        |skill: &SkillRule| is_said(&skill.zh) && is_said(&skill.en) && is_said(&skill.source);
    let reads = |rules: &KindRules| {
        let read = [Need::Reading, Need::MeterRemoved];
        !rules.needs.contains(&Need::GasSwitched)
            || read.iter().any(|need| rules.needs.contains(need))
    };
    vec![
        (
            "kinds.needs",
            "a reading wherever gas is switched, because every supply change carries one",
            kinds.values().all(reads),
        ),
        // A kind that asks for a skill which nobody can name would never be given to anybody.
        (
            "kinds.skills",
            "a [[skills]] entry for each",
            kinds.values().flat_map(|kind| &kind.skills).all(is_known),
        ),
        ("skills", "names and a source each", known.iter().all(is_whole)),
    ]
}
