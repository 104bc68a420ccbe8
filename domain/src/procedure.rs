//! An application (业务申请): what a household asks for at the counter or by phone, as the events of its history (C1–C7).
//!
//! Complete: accepted at once. Incomplete: everything that is missing is said once, and the second visit settles it.
//! Nothing is overwritten: [`fold`] makes of the events where an application stands, [`missing`] says what it lacks,
//! and [`check::check`] says which event may follow. Papers themselves are never kept, only that they were seen.

pub mod check;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalogue::{Language, Sentence};
use crate::id::{JobId, UserId};
use crate::job::{Channel, JobKind};
use crate::measure::Fen;
use crate::pack::Procedure;
use crate::stamp::Timestamp;

/// The most characters of a paper's number that are kept.
pub const MOST_DIGITS: usize = 4;

/// Something about who comes and with what, which changes what has to be brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circumstance {
    /// Somebody comes for the holder.
    Agent,
    /// The invoice is lost.
    InvoiceLost,
    /// The account has another holder at the new address (C3).
    HolderDiffers,
}

impl Circumstance {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 3] = [Self::Agent, Self::InvoiceLost, Self::HolderDiffers];

    /// The word used in rule packs, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::InvoiceLost => "invoice_lost",
            Self::HolderDiffers => "holder_differs",
        }
    }
}

/// Something that an application lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "what", content = "id", rename_all = "snake_case")]
pub enum Lack {
    /// A paper nobody has seen.
    Paper(String),
    /// Two papers carry different names (C1).
    OneName,
    /// Something that is not so yet, or that nobody declared.
    Condition(String),
    /// Something that is not paid.
    Fee(String),
}

/// Something that happened to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ApplicationEvent {
    /// Taken on; whoever did owns it (B4).
    Taken {
        /// How it came; at the counter it cost a trip (B16).
        channel: Channel,
        /// What changes what has to be brought.
        #[serde(default)]
        circumstances: BTreeSet<Circumstance>,
    },
    /// The household was in touch again.
    Came {
        /// How; at the counter it cost another trip (B16).
        channel: Channel,
    },
    /// What changes what has to be brought turned out to be another.
    TurnedOut {
        /// From now on.
        circumstances: BTreeSet<Circumstance>,
    },
    /// A paper was seen.
    PaperSeen {
        /// Which.
        paper: String,
        /// The name on it, where it matters.
        #[serde(default)]
        name: String,
        /// The last characters of its number, [`MOST_DIGITS`] at most.
        #[serde(default)]
        digits: String,
    },
    /// A fee was taken.
    FeeTaken {
        /// Which.
        fee: String,
        /// How much.
        amount: Fen,
        /// The receipt's number; none where nothing was to be paid.
        #[serde(default)]
        receipt: String,
    },
    /// Somebody of the hall, or the household, declared that something is so.
    Declared {
        /// What.
        condition: String,
        /// How much, where the condition asks for a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u32>,
        /// In words: who says so, or what was lost.
        #[serde(default)]
        text: String,
    },
    /// A paper, a fee or a declaration taken back, with a trace.
    Struck {
        /// Which.
        item: String,
        /// Why, in words.
        text: String,
    },
    /// Everything that is missing was said to the household (C7).
    MissingSaid {
        /// All of it.
        missing: Vec<Lack>,
        /// How.
        channel: Channel,
    },
    /// Somebody else owns it from now on: whoever takes it over accepts it thereby (B4).
    TakenOver {
        /// Why, in words.
        text: String,
    },
    /// Accepted: papers and payment are complete (C7).
    Accepted,
    /// Refused.
    Refused {
        /// Why, in words.
        text: String,
    },
    /// A job was made of it.
    JobMade {
        /// The job.
        job: JobId,
        /// What is to be done.
        kind: JobKind,
    },
    /// The household does not want it any more.
    Withdrawn {
        /// Why, in words.
        #[serde(default)]
        text: String,
    },
    /// All that it asked for is done.
    Done,
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
    pub event: ApplicationEvent,
}

/// A paper that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The name on it.
    pub name: String,
    /// The last characters of its number.
    pub digits: String,
    /// Who saw it.
    pub by: UserId,
}

/// A fee that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// How much.
    pub amount: Fen,
    /// The receipt's number.
    pub receipt: String,
}

/// Something declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// How much.
    pub number: Option<u32>,
    /// In words.
    pub text: String,
    /// Who took it down.
    pub by: UserId,
}

/// Where an application stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    /// Somebody works on it; nobody has said yet what is missing.
    Open,
    /// The household knows what is missing.
    Incomplete,
    /// Accepted; its jobs are under way.
    Accepted,
    /// All is done.
    Done,
    /// Refused.
    Refused,
    /// Withdrawn by the household.
    Withdrawn,
}

impl ApplicationState {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Incomplete, Self::Accepted, Self::Done, Self::Refused, Self::Withdrawn];

    /// The word used in JSON, SQL and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Incomplete => "incomplete",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether papers and fees are still being gathered.
    pub fn is_gathering(self) -> bool {
        matches!(self, Self::Open | Self::Incomplete)
    }
}

/// What the events of an application come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationStanding {
    /// Who has it (B4).
    pub owner: UserId,
    /// When it was taken on.
    pub taken_at: Timestamp,
    /// In one word.
    pub state: ApplicationState,
    /// What changes what has to be brought.
    pub circumstances: BTreeSet<Circumstance>,
    /// Papers seen, by id.
    pub seen: BTreeMap<String, Seen>,
    /// Fees taken, by id.
    pub paid: BTreeMap<String, Paid>,
    /// What was declared, by id.
    pub declared: BTreeMap<String, Declared>,
    /// How often the household came to the counter (B16).
    pub trips: u32,
    /// How often it was sent away for something that had not been named before (C7).
    pub breaches: u32,
    /// Whether it was ever incomplete when the household was told (C7).
    pub was_incomplete: bool,
    /// When papers and payment were complete.
    pub accepted_at: Option<Timestamp>,
    /// When it was over: done, refused or withdrawn.
    pub ended_at: Option<Timestamp>,
    /// Its jobs, in the order in which they are done.
    pub jobs: Vec<(JobId, JobKind)>,
    /// What was named in contacts before this one.
    named_before: BTreeSet<Lack>,
    /// What was named in this contact.
    named_now: BTreeSet<Lack>,
    /// Whether this contact is counted as a breach.
    breaks: bool,
}

/// Makes of an application's events where it stands; `None` when they do not begin with its taking.
pub fn fold(history: &[Happened]) -> Option<ApplicationStanding> {
    let (first, rest) = history.split_first()?;
    let ApplicationEvent::Taken { channel, circumstances } = &first.event else { return None };
    let taken = ApplicationStanding {
        owner: first.by,
        taken_at: first.at,
        state: ApplicationState::Open,
        circumstances: circumstances.clone(),
        seen: BTreeMap::new(),
        paid: BTreeMap::new(),
        declared: BTreeMap::new(),
        trips: trip(*channel),
        breaches: 0,
        was_incomplete: false,
        accepted_at: None,
        ended_at: None,
        jobs: Vec::new(),
        named_before: BTreeSet::new(),
        named_now: BTreeSet::new(),
        breaks: false,
    };
    Some(rest.iter().fold(taken, after))
}

/// A trip is a way to the hall; a call is none (B16).
fn trip(channel: Channel) -> u32 {
    u32::from(channel == Channel::Counter)
}

fn after(mut it: ApplicationStanding, happened: &Happened) -> ApplicationStanding {
    match happened.event.clone() {
        ApplicationEvent::Taken { .. } => {}
        ApplicationEvent::Came { channel } => {
            it.trips += trip(channel);
            it.named_before.append(&mut it.named_now);
            it.breaks = false;
        }
        ApplicationEvent::TurnedOut { circumstances } => it.circumstances = circumstances,
        ApplicationEvent::PaperSeen { paper, name, digits } => {
            it.seen.insert(paper, Seen { name, digits, by: happened.by });
        }
        ApplicationEvent::FeeTaken { fee, amount, receipt } => {
            it.paid.insert(fee, Paid { amount, receipt });
        }
        ApplicationEvent::Declared { condition, number, text } => {
            it.declared.insert(condition, Declared { number, text, by: happened.by });
        }
        ApplicationEvent::Struck { item, .. } => {
            it.seen.remove(&item);
            it.paid.remove(&item);
            it.declared.remove(&item);
        }
        ApplicationEvent::MissingSaid { missing, .. } => {
            let is_second = it.trips > 1 || !it.named_before.is_empty();
            let is_new = |lack: &Lack| !it.named_before.contains(lack);
            let breaks = is_second && missing.iter().any(is_new);
            it.breaches += u32::from(breaks && !it.breaks);
            it.breaks |= breaks;
            it.named_now.extend(missing);
            it.was_incomplete = true;
            it.state = ApplicationState::Incomplete;
        }
        ApplicationEvent::TakenOver { .. } => it.owner = happened.by,
        ApplicationEvent::Accepted => {
            it.accepted_at = Some(happened.at);
            it.state = ApplicationState::Accepted;
        }
        ApplicationEvent::JobMade { job, kind } => it.jobs.push((job, kind)),
        ApplicationEvent::Refused { .. } => end(&mut it, ApplicationState::Refused, happened.at),
        ApplicationEvent::Withdrawn { .. } => {
            end(&mut it, ApplicationState::Withdrawn, happened.at);
        }
        ApplicationEvent::Done => end(&mut it, ApplicationState::Done, happened.at),
    }
    it
}

fn end(it: &mut ApplicationStanding, state: ApplicationState, at: Timestamp) {
    it.state = state;
    it.ended_at = Some(at);
}

/// Everything that an application lacks, in the order in which it is said: all of it, at once (C7).
pub fn missing(procedure: &Procedure, it: &ApplicationStanding) -> Vec<Lack> {
    let is_so =
        |when: Option<Circumstance>| when.is_none_or(|it_is| it.circumstances.contains(&it_is));
    let is_not = |unless: Option<Circumstance>| {
        unless.is_none_or(|it_is| !it.circumstances.contains(&it_is))
    };
    let papers = procedure.papers.iter().filter(|paper| is_so(paper.when) && is_not(paper.unless));
    let papers = papers.filter(|paper| !it.seen.contains_key(&paper.id));
    let papers = papers.map(|paper| Lack::Paper(paper.id.clone()));
    let names = names_differ(procedure, it).then_some(Lack::OneName);
    let conditions = procedure.conditions.iter().filter(|condition| is_so(condition.when));
    let conditions = conditions.filter(|condition| {
        let declared = it.declared.get(&condition.id);
        declared.is_none_or(|it| condition.least.is_some_and(|least| it.number < Some(least)))
    });
    let conditions = conditions.map(|condition| Lack::Condition(condition.id.clone()));
    let fees = procedure.fees.iter().filter(|fee| !it.paid.contains_key(&fee.id));
    let fees = fees.map(|fee| Lack::Fee(fee.id.clone()));
    papers.chain(names).chain(conditions).chain(fees).collect()
}

/// Whether two papers that have to carry one name carry two, and nobody comes as an agent (C1).
fn names_differ(procedure: &Procedure, it: &ApplicationStanding) -> bool {
    let Some((first, second)) = &procedure.one_name else { return false };
    let is_excused = |id: &String| {
        let unless = procedure.paper(id).and_then(|paper| paper.unless);
        unless.is_some_and(|it_is| it.circumstances.contains(&it_is))
    };
    if it.circumstances.contains(&Circumstance::Agent) || is_excused(first) || is_excused(second) {
        return false;
    }
    let name = |id| it.seen.get(id).map(|seen| seen.name.trim());
    name(first).zip(name(second)).is_some_and(|(first, second)| first != second)
}

/// What a household is told of something missing; `None` for what its procedure does not name.
pub fn sentence(procedure: &Procedure, lack: &Lack) -> Option<Sentence> {
    Some(match lack {
        Lack::Paper(id) => Sentence::new("lack.paper").naming("item", &procedure.paper(id)?.name()),
        Lack::OneName => {
            let (first, second) = procedure.one_name.as_ref()?;
            let sentence = Sentence::new("lack.one_name");
            let sentence = sentence.naming("first", &procedure.paper(first)?.name());
            sentence.naming("second", &procedure.paper(second)?.name())
        }
        Lack::Condition(id) => {
            Sentence::new("lack.condition").naming("item", &procedure.condition(id)?.name())
        }
        Lack::Fee(id) => {
            let fee = procedure.fee(id)?;
            let key = if fee.fen.is_some() { "lack.fee" } else { "lack.fee_open" };
            let sentence = Sentence::new(key).naming("item", &fee.name());
            fee.fen.map_or(sentence.clone(), |fen| sentence.with("yuan", Fen(fen).to_string()))
        }
    })
}

/// What the household is told in one go, a line for each thing that is missing (C7).
pub fn say(procedure: &Procedure, missing: &[Lack], language: Language) -> Vec<String> {
    let lines = missing.iter().filter_map(|lack| sentence(procedure, lack));
    lines.map(|line| line.say(language)).collect()
}
