//! Which event may follow in an application, and why another may not (C1–C7, D1).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ApplicationEvent, ApplicationStanding, ApplicationState, Lack, MOST_DIGITS, missing};
use crate::id::UserId;
use crate::measure::Fen;
use crate::pack::Procedure;

/// What can be done with an application, without the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationAct {
    /// Note that the household was in touch again.
    Come,
    /// Note that what changes what has to be brought turned out to be another.
    TurnOut,
    /// Note that a paper was seen.
    See,
    /// Note that a fee was taken.
    Pay,
    /// Take a declaration down.
    Declare,
    /// Take a paper, a fee or a declaration back.
    Strike,
    /// Say all that is missing.
    SayMissing,
    /// Accept it.
    Accept,
    /// Refuse it.
    Refuse,
    /// Note that the household does not want it any more.
    Withdraw,
    /// Own it.
    TakeOver,
}

impl ApplicationAct {
    /// All of them, in the order in which screens show them.
    pub const ALL: [Self; 11] = [
        Self::TurnOut,
        Self::See,
        Self::Declare,
        Self::Pay,
        Self::Strike,
        Self::Accept,
        Self::SayMissing,
        Self::Come,
        Self::TakeOver,
        Self::Refuse,
        Self::Withdraw,
    ];

    /// The word used in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Come => "come",
            Self::TurnOut => "turn_out",
            Self::See => "see",
            Self::Pay => "pay",
            Self::Declare => "declare",
            Self::Strike => "strike",
            Self::SayMissing => "say_missing",
            Self::Accept => "accept",
            Self::Refuse => "refuse",
            Self::Withdraw => "withdraw",
            Self::TakeOver => "take_over",
        }
    }
}

/// What somebody may do with an application as it stands.
pub fn may(
    procedure: &Procedure,
    it: &ApplicationStanding,
    by: UserId,
) -> BTreeSet<ApplicationAct> {
    let is_gathering = it.state.is_gathering();
    let lacks = !missing(procedure, it).is_empty();
    let allows = |act: &ApplicationAct| match act {
        ApplicationAct::TurnOut
        | ApplicationAct::See
        | ApplicationAct::Declare
        | ApplicationAct::Pay
        | ApplicationAct::Strike
        | ApplicationAct::Refuse => is_gathering,
        ApplicationAct::SayMissing => is_gathering && lacks,
        ApplicationAct::Accept => is_gathering && !lacks,
        ApplicationAct::Come | ApplicationAct::Withdraw => it.ended_at.is_none(),
        ApplicationAct::TakeOver => it.ended_at.is_none() && it.owner != by,
    };
    ApplicationAct::ALL.into_iter().filter(allows).collect()
}

/// Why an event does not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationError {
    /// It was accepted, refused or withdrawn.
    #[error("nothing is gathered for this application any more: it was decided")]
    Decided,
    /// It is over.
    #[error("the application is over")]
    Over,
    /// It is not accepted.
    #[error("accept the application first")]
    NotAccepted,
    /// An application is taken on once.
    #[error("an application is taken on once")]
    TakenAlready,
    /// The procedure does not ask for it.
    #[error("this procedure does not ask for {0:?}")]
    Unknown(String),
    /// The name on this paper matters.
    #[error("write down the name that stands on this paper")]
    NameNotSaid,
    /// More of a paper's number than may be kept.
    #[error("keep at most the last {MOST_DIGITS} letters or digits of a paper's number")]
    TooManyDigits,
    /// The number that the condition asks for.
    #[error("say the number that this condition asks for")]
    NumberNotSaid,
    /// Words are needed.
    #[error("say it in words")]
    NoWords,
    /// No fee but the pack's (D1).
    #[error("this fee is {} yuan, no more and no less", Fen(*.fen))]
    OtherFee {
        /// What it is, in fen.
        fen: i64,
    },
    /// A difference in price is topped up and never refunded (C3).
    #[error("this fee is topped up and never paid out")]
    NeverRefunded,
    /// Money has a receipt.
    #[error("write down the number of the receipt")]
    NoReceipt,
    /// It was paid.
    #[error("this fee was taken already")]
    PaidAlready,
    /// It is not there to be taken back.
    #[error("nothing of that name stands in this application")]
    NotThere,
    /// Nothing is missing.
    #[error("nothing is missing: accept the application")]
    NothingMissing,
    /// All that is missing has to be said, and nothing else.
    #[error("say all that is missing, and nothing else")]
    NotAllSaid,
    /// Something is missing.
    #[error("{} still missing", .0.len())]
    Missing(Vec<Lack>),
    /// They have it already.
    #[error("this application is yours already")]
    OwnerAlready,
}

impl ApplicationError {
    /// The word used in JSON and the catalogue.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Over => "over",
            Self::NotAccepted => "not_accepted",
            Self::TakenAlready => "taken_already",
            Self::Unknown(_) => "unknown",
            Self::NameNotSaid => "name_not_said",
            Self::TooManyDigits => "too_many_digits",
            Self::NumberNotSaid => "number_not_said",
            Self::NoWords => "no_words",
            Self::OtherFee { .. } => "other_fee",
            Self::NeverRefunded => "never_refunded",
            Self::NoReceipt => "no_receipt",
            Self::PaidAlready => "paid_already",
            Self::NotThere => "not_there",
            Self::NothingMissing => "nothing_missing",
            Self::NotAllSaid => "not_all_said",
            Self::Missing(_) => "missing",
            Self::OwnerAlready => "owner_already",
        }
    }

    /// Whether another state of the application, and not another request, would allow it.
    pub fn is_of_state(&self) -> bool {
        match self {
            Self::Decided
            | Self::Over
            | Self::NotAccepted
            | Self::TakenAlready
            | Self::PaidAlready
            | Self::NotThere
            | Self::NothingMissing
            | Self::NotAllSaid
            | Self::Missing(_)
            | Self::OwnerAlready => true,
            Self::Unknown(_)
            | Self::NameNotSaid
            | Self::TooManyDigits
            | Self::NumberNotSaid
            | Self::NoWords
            | Self::OtherFee { .. }
            | Self::NeverRefunded
            | Self::NoReceipt => false,
        }
    }
}

/// Whether an event may follow, by this person.
pub fn check(
    procedure: &Procedure,
    it: &ApplicationStanding,
    (event, by): (&ApplicationEvent, UserId),
) -> Result<(), ApplicationError> {
    use ApplicationError as E;
    check_state(it, event)?;
    match event {
        ApplicationEvent::PaperSeen { paper, name, digits } => {
            check_paper(procedure, (paper, name, digits))
        }
        ApplicationEvent::FeeTaken { fee, .. } if it.paid.contains_key(fee) => Err(E::PaidAlready),
        ApplicationEvent::FeeTaken { fee, amount, receipt } => {
            check_fee(procedure, (fee, *amount, receipt))
        }
        ApplicationEvent::Declared { condition, number, text } => {
            let rule = procedure.condition(condition).ok_or(E::Unknown(condition.clone()))?;
            if rule.least.is_some() && number.is_none() {
                return Err(E::NumberNotSaid);
            }
            if rule.in_words { said(text) } else { Ok(()) }
        }
        ApplicationEvent::Struck { item, text } => {
            said(text)?;
            check_struck(procedure, it, item)
        }
        ApplicationEvent::MissingSaid { missing: said, .. } => {
            let lacks = missing(procedure, it);
            match (lacks.is_empty(), lacks == *said) {
                (true, _) => Err(E::NothingMissing),
                (false, true) => Ok(()),
                (false, false) => Err(E::NotAllSaid),
            }
        }
        ApplicationEvent::TakenOver { .. } if it.owner == by => Err(E::OwnerAlready),
        ApplicationEvent::Accepted => {
            let lacks = missing(procedure, it);
            if lacks.is_empty() { Ok(()) } else { Err(E::Missing(lacks)) }
        }
        ApplicationEvent::TakenOver { text } | ApplicationEvent::Refused { text } => said(text),
        ApplicationEvent::Taken { .. }
        | ApplicationEvent::Came { .. }
        | ApplicationEvent::TurnedOut { .. }
        | ApplicationEvent::JobMade { .. }
        | ApplicationEvent::Withdrawn { .. }
        | ApplicationEvent::Done => Ok(()),
    }
}

/// Whether an event may follow at all as the application stands.
fn check_state(it: &ApplicationStanding, event: &ApplicationEvent) -> Result<(), ApplicationError> {
    use ApplicationError as E;
    let is_over = it.ended_at.is_some();
    let allows = |is_so: bool, error: E| if is_so { Ok(()) } else { Err(error) };
    match event {
        ApplicationEvent::Taken { .. } => Err(E::TakenAlready),
        // Who asks how an accepted application stands has made the way too (B16).
        ApplicationEvent::Came { .. }
        | ApplicationEvent::TakenOver { .. }
        | ApplicationEvent::Withdrawn { .. } => allows(!is_over, E::Over),
        ApplicationEvent::JobMade { .. } | ApplicationEvent::Done => {
            let is_accepted = it.state == ApplicationState::Accepted;
            allows(is_accepted, if is_over { E::Over } else { E::NotAccepted })
        }
        ApplicationEvent::TurnedOut { .. }
        | ApplicationEvent::PaperSeen { .. }
        | ApplicationEvent::FeeTaken { .. }
        | ApplicationEvent::Declared { .. }
        | ApplicationEvent::Struck { .. }
        | ApplicationEvent::MissingSaid { .. }
        | ApplicationEvent::Accepted
        | ApplicationEvent::Refused { .. } => allows(it.state.is_gathering(), E::Decided),
    }
}

fn check_paper(
    procedure: &Procedure,
    (paper, name, digits): (&str, &str, &str),
) -> Result<(), ApplicationError> {
    if procedure.paper(paper).is_none() {
        return Err(ApplicationError::Unknown(paper.to_owned()));
    }
    let matters = |(a, b): &(String, String)| a == paper || b == paper;
    if name.trim().is_empty() && procedure.one_name.as_ref().is_some_and(matters) {
        return Err(ApplicationError::NameNotSaid);
    }
    let is_short = digits.chars().count() <= MOST_DIGITS;
    if is_short && digits.chars().all(|it| it.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(ApplicationError::TooManyDigits)
}

fn check_fee(
    procedure: &Procedure,
    (fee, amount, receipt): (&str, Fen, &str),
) -> Result<(), ApplicationError> {
    let rule = procedure.fee(fee).ok_or_else(|| ApplicationError::Unknown(fee.to_owned()))?;
    match rule.fen {
        Some(fen) if amount != Fen(fen) => Err(ApplicationError::OtherFee { fen }),
        None if amount < Fen(0) => Err(ApplicationError::NeverRefunded),
        _ if amount > Fen(0) && receipt.trim().is_empty() => Err(ApplicationError::NoReceipt),
        _ => Ok(()),
    }
}

fn check_struck(
    procedure: &Procedure,
    it: &ApplicationStanding,
    item: &str,
) -> Result<(), ApplicationError> {
    let paid = it.paid.get(item).filter(|paid| paid.amount > Fen(0));
    let kept = procedure.fee(item).is_some_and(|fee| fee.kept);
    if paid.is_some() && kept {
        return Err(ApplicationError::NeverRefunded);
    }
    let is_there =
        it.seen.contains_key(item) || it.paid.contains_key(item) || it.declared.contains_key(item);
    if is_there { Ok(()) } else { Err(ApplicationError::NotThere) }
}

fn said(words: &str) -> Result<(), ApplicationError> {
    if words.trim().is_empty() { Err(ApplicationError::NoWords) } else { Ok(()) }
}
