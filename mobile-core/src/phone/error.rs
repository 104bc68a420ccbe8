//! Why a phone did not do what it was asked, and what to tell the technician.

use domain::catalogue::Sentence;
use domain::id::{JobId, MeterId};
use domain::pack::PackId;
use domain::visit::check::RecordError;
use sync::device::MakeError;
use sync::document::EditError;

use crate::log::{OpenLogError, StoreError};

/// Why nothing was saved. Nothing in memory or in the log changed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nobody signed in on this phone yet.
    #[error("the phone is not enrolled")]
    NotEnrolled,
    /// The job is not on this phone, or has left it.
    #[error("job {0} is not on this phone")]
    NoSuchJob(JobId),
    /// The job's document cannot be read; its bytes are kept.
    #[error("job {0} cannot be read")]
    Unreadable(JobId),
    /// The job's document was made by a later version; it can be read but not written.
    #[error("job needs a newer app")]
    TooNew,
    /// The job's rule pack has not arrived.
    #[error("rule pack {} is not on this phone", .0.0)]
    NoPack(PackId),
    /// The household has no such meter.
    #[error("no meter {0} in this household")]
    NoSuchMeter(MeterId),
    /// The open visit has no such reading.
    #[error("no such reading in the open visit")]
    NoSuchReading,
    /// The rule pack has no such hazard.
    #[error("the rule pack has no hazard {0}")]
    NoSuchHazard(String),
    /// Every receipt number that the hall handed to this phone is used (B15).
    #[error("no receipt number is left on this phone")]
    NoReceiptLeft,
    /// A receipt gets the next number of this phone, not one that somebody types (B15).
    #[error("a receipt gets the next number of this phone")]
    OtherReceipt,
    /// Reminders are put off for other times.
    #[error("a reminder is not put off by {0} minutes")]
    NoSuchPause(i64),
    /// The rules of the trade refuse it now.
    #[error(transparent)]
    Rule(#[from] RecordError),
    /// The store refused: not saved.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The document does not take it.
    #[error("the document does not take it: {0}")]
    Document(#[source] MakeError),
}

impl CommandError {
    /// What to tell the technician, and what to do about it.
    pub fn sentences(&self) -> Vec<Sentence> {
        let key = match self {
            Self::Rule(error) => return error.sentences(),
            Self::NoSuchHazard(item) => {
                return vec![Sentence::new("phone.no_such_hazard").with("item", item)];
            }
            Self::NotEnrolled => "phone.not_enrolled",
            Self::NoSuchJob(_) => "phone.no_such_job",
            Self::Unreadable(_) | Self::Document(_) => "phone.unreadable",
            Self::TooNew => "phone.too_new",
            Self::NoPack(_) => "phone.no_pack",
            Self::NoSuchMeter(_) => "phone.no_such_meter",
            Self::NoSuchReading => "phone.no_such_reading",
            Self::NoReceiptLeft => "phone.no_receipt_left",
            Self::OtherReceipt => "phone.other_receipt",
            Self::NoSuchPause(_) => "phone.no_such_pause",
            Self::Store(StoreError::Full) => "phone.full",
            Self::Store(StoreError::Emptied) => "phone.emptied",
            Self::Store(StoreError::InUse) => "phone.in_use",
            Self::Store(StoreError::Stuck | StoreError::Broken(_)) => "phone.stuck",
        };
        vec![Sentence::new(key)]
    }
}

impl From<MakeError> for CommandError {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::NoJob(job) => Self::NoSuchJob(job),
            MakeError::Edit(ref edit) if matches!(**edit, EditError::TooNew(_)) => Self::TooNew,
            MakeError::Edit(_) => Self::Document(error),
        }
    }
}

/// Why a phone cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct OpenError(#[from] pub OpenLogError);

/// Why a phone was not enrolled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// It is somebody's already: log out first.
    #[error("the phone is enrolled already")]
    EnrolledAlready,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a phone was not wiped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WipeError {
    /// So many facts are on this phone only: sync, or export them, first.
    #[error("{count} facts are on this phone only")]
    OnlyHere {
        /// How many.
        count: usize,
    },
    /// So many pictures are on this phone only: sync, or export them, first.
    #[error("{count} photos are on this phone only")]
    PhotosOnlyHere {
        /// How many.
        count: usize,
    },
    /// Damaged bytes that nobody has a copy of lie beside the log: export them first.
    #[error("{count} damaged pieces of the log are on this phone only")]
    DamagedOnlyHere {
        /// How many.
        count: usize,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}
