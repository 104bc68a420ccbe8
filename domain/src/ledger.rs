//! What hall staff write into a household's ledger: contacts, groups with their evidence, consents, hazards cleared.
//!
//! Entries are only ever added; what holds is a fold over them and the register.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::catalogue::Language;
use crate::household::Group;
use crate::id::{ApplicationId, EntryId, FactId, JobId, MeterId, VisitId};
use crate::job::{Author, Channel, JobKind};
use crate::measure::Volume;
use crate::reading::{Finding, Measure, ReadingState, Verdict};

/// What a household can consent to, and take back as easily (PIPL 15, 29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Its groups kept and shown, for care and free hoses: sensitive, so consented to apart.
    Groups,
    /// Pictures taken inside the home.
    Photos,
    /// Written messages about visits.
    Messages,
}

impl Purpose {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 3] = [Self::Groups, Self::Photos, Self::Messages];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Photos => "photos",
            Self::Messages => "messages",
        }
    }
}

/// Something written into the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// Telephone number or way in corrected.
    ContactCorrected {
        /// The number before.
        phone_before: String,
        /// The number from now on.
        phone: String,
        /// The way in before.
        access_before: String,
        /// The way in from now on.
        access: String,
    },
    /// A paper was seen that shows a group.
    GroupShown {
        /// The group.
        group: Group,
        /// Which paper.
        paper: String,
        /// The last day on which it holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<NaiveDate>,
    },
    /// The household is not in this group any more.
    GroupWithdrawn {
        /// The group.
        group: Group,
        /// Why, in words.
        reason: String,
    },
    /// The household consented.
    ConsentGiven {
        /// To what.
        purpose: Purpose,
        /// Which version of the text it was shown.
        version: String,
        /// How.
        channel: Channel,
    },
    /// The household took its consent back.
    ConsentWithdrawn {
        /// To what.
        purpose: Purpose,
        /// How.
        channel: Channel,
    },
    /// In which language it wants to be told.
    LanguageChosen {
        /// From now on.
        language: Language,
    },
    /// The account has another holder from this day on; the old one stays on record (C2).
    HolderChanged {
        /// The holder before.
        holder_before: String,
        /// The holder from now on.
        holder: String,
        /// The number before.
        phone_before: String,
        /// The number from now on.
        phone: String,
        /// The transfer that it was asked for with.
        application: ApplicationId,
    },
    /// The account went to another address; the old one stays on record (C3).
    AddressChanged {
        /// The address before.
        address_before: String,
        /// The address from now on.
        address: String,
        /// The relocation that it was asked for with.
        application: ApplicationId,
    },
    /// The household said what its meter shows, or the hall guessed it (C5).
    RegisterReported {
        /// Which meter.
        meter: MeterId,
        /// What it shows.
        register: Volume,
        /// The day.
        on: NaiveDate,
        /// Who knows: the household, or nobody.
        state: ReadingState,
        /// How it was said.
        channel: Channel,
        /// Whether the household was told why it is abnormal (A9).
        #[serde(default)]
        told: bool,
        /// What is done about it (A9).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        measure: Option<Measure>,
        /// What the hall made of it, with the pack it used.
        verdict: Box<Verdict>,
    },
    /// A hazard is gone.
    HazardCleared {
        /// The job in which it was found.
        job: JobId,
        /// The visit.
        visit: VisitId,
        /// The finding.
        fact: FactId,
        /// How anybody knows, in words.
        text: String,
    },
    /// More time for a hazard; once.
    HazardExtended {
        /// The job in which it was found.
        job: JobId,
        /// The visit.
        visit: VisitId,
        /// The finding.
        fact: FactId,
        /// The deadline from now on.
        until: NaiveDate,
        /// Why, in words.
        text: String,
    },
    /// A step about a hazard was done at the desk.
    HazardStepDone {
        /// The job in which it was found.
        job: JobId,
        /// The visit.
        visit: VisitId,
        /// The finding.
        fact: FactId,
        /// The step's key in the rule pack.
        step: String,
        /// What came of it, in words.
        text: String,
    },
    /// A step about a household that was not reached was done, such as a notice in writing.
    LadderStepDone {
        /// For which kind of job.
        kind: JobKind,
        /// The step's key in the rule pack.
        step: String,
        /// What came of it, in words.
        text: String,
    },
}

/// An entry with its author and the server's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The entry's id.
    pub id: EntryId,
    /// Who wrote it, and when.
    #[serde(flatten)]
    pub author: Author,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What shows that a household is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A paper that was seen and holds.
    Seen,
    /// The register says so; nobody noted a paper.
    RegisterOnly,
    /// A paper that was seen and is over.
    Expired,
    /// Taken back.
    Withdrawn,
}

impl Evidence {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Seen, Self::RegisterOnly, Self::Expired, Self::Withdrawn];

    /// The word used in JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::RegisterOnly => "register_only",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the household is in the group by it.
    pub fn holds(self) -> bool {
        matches!(self, Self::Seen | Self::RegisterOnly)
    }
}

/// What is known of each group on a day: the newest entry on a group outweighs the register.
pub fn evidence(
    register: &BTreeSet<Group>,
    entries: &[Written],
    on: NaiveDate,
) -> BTreeMap<Group, Evidence> {
    let mut known: BTreeMap<Group, Evidence> =
        register.iter().map(|group| (*group, Evidence::RegisterOnly)).collect();
    for written in entries {
        match &written.entry {
            Entry::GroupShown { group, until, .. } => {
                let is_over = until.is_some_and(|until| until < on);
                known.insert(*group, if is_over { Evidence::Expired } else { Evidence::Seen });
            }
            Entry::GroupWithdrawn { group, .. } => {
                known.insert(*group, Evidence::Withdrawn);
            }
            Entry::ContactCorrected { .. }
            | Entry::ConsentGiven { .. }
            | Entry::ConsentWithdrawn { .. }
            | Entry::LanguageChosen { .. }
            | Entry::HolderChanged { .. }
            | Entry::AddressChanged { .. }
            | Entry::RegisterReported { .. }
            | Entry::HazardCleared { .. }
            | Entry::HazardExtended { .. }
            | Entry::HazardStepDone { .. }
            | Entry::LadderStepDone { .. } => {}
        }
    }
    known
}

/// The groups that may be shown and briefed: none once the consent to keep them was taken back (PIPL 15, 29).
pub fn shown_groups(
    register: &BTreeSet<Group>,
    entries: &[Written],
    on: NaiveDate,
) -> BTreeSet<Group> {
    if consent(entries, Purpose::Groups) == Some(Consent::Withdrawn) {
        return BTreeSet::new();
    }
    let known = evidence(register, entries, on).into_iter();
    known.filter(|(_, evidence)| evidence.holds()).map(|(group, _)| group).collect()
}

/// How a consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// It holds.
    Given,
    /// It was taken back.
    Withdrawn,
}

/// How the consent to something stands: the newest word holds; `None` when nobody ever asked.
pub fn consent(entries: &[Written], purpose: Purpose) -> Option<Consent> {
    entries.iter().rev().find_map(|written| match &written.entry {
        Entry::ConsentGiven { purpose: it, .. } if *it == purpose => Some(Consent::Given),
        Entry::ConsentWithdrawn { purpose: it, .. } if *it == purpose => Some(Consent::Withdrawn),
        Entry::ContactCorrected { .. }
        | Entry::GroupShown { .. }
        | Entry::GroupWithdrawn { .. }
        | Entry::ConsentGiven { .. }
        | Entry::ConsentWithdrawn { .. }
        | Entry::LanguageChosen { .. }
        | Entry::HolderChanged { .. }
        | Entry::AddressChanged { .. }
        | Entry::RegisterReported { .. }
        | Entry::HazardCleared { .. }
        | Entry::HazardExtended { .. }
        | Entry::HazardStepDone { .. }
        | Entry::LadderStepDone { .. } => None,
    })
}

/// In which language a household is told: the newest word holds, Chinese when nobody said.
pub fn language(entries: &[Written]) -> Language {
    let chosen = entries.iter().rev().find_map(|written| {
        let Entry::LanguageChosen { language } = written.entry else { return None };
        Some(language)
    });
    chosen.unwrap_or(Language::Chinese)
}

/// Who said that a hazard is gone, and how they knew.
pub fn clearance(
    entries: &[Written],
    (job, visit, fact): (JobId, VisitId, FactId),
) -> Option<(Author, &str)> {
    entries.iter().find_map(|written| {
        let Entry::HazardCleared { job: of, visit: at, fact: it, text } = &written.entry else {
            return None;
        };
        ((*of, *at, *it) == (job, visit, fact)).then_some((written.author, text.as_str()))
    })
}

/// Why something is not written into a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The household took back its consent to have groups kept.
    #[error("ask the household for its consent first: it took back that its groups are kept")]
    NoConsent,
    /// The paper is over.
    #[error("this paper is over: note one that still holds")]
    PaperOver,
    /// The household is not in the group.
    #[error("the household is not in this group")]
    NotInGroup,
    /// The consent was taken back before.
    #[error("this consent was taken back already")]
    WithdrawnAlready,
    /// The register is abnormal, and nobody told the household and did something about it (A9).
    #[error("this register is abnormal: tell the household why, and say what is done about it")]
    NotActedOn,
    /// Two periods without gas, and nobody looks at the meter (A9).
    #[error("no gas in two periods: have the meter checked, or ask for a follow-up job")]
    NobodyLooks,
    /// The hazard is gone already.
    #[error("this hazard was cleared already")]
    ClearedAlready,
}

/// Whether an entry may follow those that there are, on a day.
pub fn check(
    register: &BTreeSet<Group>,
    entries: &[Written],
    entry: &Entry,
    on: NaiveDate,
) -> Result<(), LedgerError> {
    let consent_to = |purpose| consent(entries, purpose);
    match entry {
        Entry::GroupShown { .. } | Entry::GroupWithdrawn { .. }
            if consent_to(Purpose::Groups) == Some(Consent::Withdrawn) =>
        {
            Err(LedgerError::NoConsent)
        }
        Entry::GroupShown { until: Some(until), .. } if *until < on => Err(LedgerError::PaperOver),
        Entry::GroupWithdrawn { group, .. } => {
            let known = evidence(register, entries, on);
            let is_in = known.get(group).is_some_and(|it| *it != Evidence::Withdrawn);
            if is_in { Ok(()) } else { Err(LedgerError::NotInGroup) }
        }
        Entry::ConsentWithdrawn { purpose, .. }
            if consent_to(*purpose) == Some(Consent::Withdrawn) =>
        {
            Err(LedgerError::WithdrawnAlready)
        }
        Entry::HazardCleared { job, visit, fact, .. }
            if clearance(entries, (*job, *visit, *fact)).is_some() =>
        {
            Err(LedgerError::ClearedAlready)
        }
        Entry::RegisterReported { verdict, told, measure, .. } => {
            let finding = verdict.finding;
            match measure {
                _ if !finding.is_abnormal() => Ok(()),
                Some(measure) if *told => {
                    let looks = finding != Finding::StillZero || measure.looks_at_the_meter();
                    if looks { Ok(()) } else { Err(LedgerError::NobodyLooks) }
                }
                Some(_) | None => Err(LedgerError::NotActedOn),
            }
        }
        Entry::ContactCorrected { .. }
        | Entry::GroupShown { .. }
        | Entry::ConsentGiven { .. }
        | Entry::ConsentWithdrawn { .. }
        | Entry::LanguageChosen { .. }
        | Entry::HolderChanged { .. }
        | Entry::AddressChanged { .. }
        | Entry::HazardCleared { .. }
        | Entry::HazardExtended { .. }
        | Entry::HazardStepDone { .. }
        | Entry::LadderStepDone { .. } => Ok(()),
    }
}
