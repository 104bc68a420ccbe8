//! Who did what: entries without personal data, in a chain in which each hash covers the one before (checks 59, 60).
//!
//! What changes something is entered by [`keep`] in the transaction that changes it, so neither is there alone.
//! What only reads is handed to a clerk by [`Audit::note`], which never waits; the clerk writes it and seals the chain.

pub mod chain;
pub mod clerk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::id::{DeviceId, HallId, UserId};
use domain::stamp::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::db::audit::{self, EntryRow};
use crate::db::{C, Result};
use crate::http::caller::Caller;
use crate::ids::fresh_uuid;

/// Entries that wait for the clerk at most: what a busy hall reads in minutes.
const QUEUE: usize = 10_000;

/// Defines what is entered with its keys, and lists it.
macro_rules! whats {
    ($($(#[$doc:meta])* $what:ident = $key:literal;)*) => {
        /// What somebody did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum What {
            $($(#[$doc])* $what,)*
        }

        impl What {
            /// All of it.
            pub const ALL: &[Self] = &[$(Self::$what),*];

            /// The word in SQL, JSON and the catalogue.
            pub fn key(self) -> &'static str {
                match self { $(Self::$what => $key,)* }
            }
        }
    };
}

whats! {
    /// A session began.
    SignedIn = "signed_in";
    /// A password or code was wrong, or tried too often.
    SignInFailed = "sign_in_failed";
    /// A password was given again before an act of weight.
    PasswordGiven = "password_given";
    /// Somebody set up a second factor of their own.
    FactorSet = "factor_set";
    /// Somebody gave up their second factor.
    FactorRemoved = "factor_removed";
    /// Somebody's second factor was taken off, for they lost it.
    FactorReset = "factor_reset";
    /// A recovery code was used in place of the second factor.
    RecoveryUsed = "recovery_used";
    /// A session was ended by who held it.
    SignedOut = "signed_out";
    /// Somebody chose another password of their own.
    PasswordChanged = "password_changed";
    /// A role did not allow a request.
    Refused = "refused";
    /// Somebody was added.
    PersonAdded = "person_added";
    /// Somebody's name or role was changed.
    PersonChanged = "person_changed";
    /// Somebody was shut out.
    PersonDisabled = "person_disabled";
    /// Somebody was let in again.
    PersonEnabled = "person_enabled";
    /// Somebody's sessions were ended.
    SessionsEnded = "sessions_ended";
    /// Somebody was given another password.
    PasswordReset = "password_reset";
    /// A hall was added.
    HallAdded = "hall_added";
    /// A hall was renamed.
    HallRenamed = "hall_renamed";
    /// A code for a phone was made.
    CodeMade = "code_made";
    /// A phone was enrolled.
    PhoneEnrolled = "phone_enrolled";
    /// A phone was shut out.
    PhoneRevoked = "phone_revoked";
    /// A rule pack was added.
    PackAdded = "pack_added";
    /// A rule pack was taken back.
    PackWithdrawn = "pack_withdrawn";
    /// A file was handed in for import.
    FileHandedIn = "file_handed_in";
    /// An import was loaded.
    ImportApplied = "import_applied";
    /// An import was discarded.
    ImportDiscarded = "import_discarded";
    /// A change was let out of quarantine.
    ChangeReleased = "change_released";
    /// A webhook was added.
    WebhookAdded = "webhook_added";
    /// A webhook was removed, enabled, given another secret, or made to send again.
    WebhookChanged = "webhook_changed";
    /// Another key for push services was made.
    PushKeyMade = "push_key_made";
    /// Another secret for the hall's seals was made.
    SealKeyMade = "seal_key_made";
    /// A duty was recorded as done.
    DutyRecorded = "duty_recorded";
    /// A place was tied to a household.
    PlaceTied = "place_tied";
    /// What names a household's people, and what was said with them, was erased at its request.
    HouseholdErased = "household_erased";
    /// Jobs, pictures or accounts were erased because their time was over.
    RecordsErased = "records_erased";
    /// A link to a household's page was made.
    LinkMade = "link_made";
    /// The links of a job were ended.
    LinksEnded = "links_ended";
    /// An outage was written down, or its draft changed.
    OutageWritten = "outage_written";
    /// An outage was announced.
    OutageAnnounced = "outage_announced";
    /// An outage was prolonged.
    OutageProlonged = "outage_prolonged";
    /// An outage was ended.
    OutageEnded = "outage_ended";
    /// An outage was called off.
    OutageCancelled = "outage_cancelled";
    /// Notices of an outage went up at doors.
    OutageDoorsNoted = "outage_doors_noted";
    /// Who was told of an outage was read.
    OutageRead = "outage_read";
    /// Cash was counted.
    CashCounted = "cash_counted";
    /// A day's cash was read.
    CashRead = "cash_read";
    /// Jobs were made of what is due.
    DueJobsMade = "due_jobs_made";
    /// A file left the hall.
    Exported = "exported";
    /// A job's page or history was read.
    JobRead = "job_read";
    /// A job's document was read.
    DocumentRead = "document_read";
    /// A job's photo was read.
    PhotoRead = "photo_read";
    /// A household's page was read.
    HouseholdRead = "household_read";
    /// A case was read.
    CaseRead = "case_read";
    /// An application was read, with which papers were seen.
    ApplicationRead = "application_read";
    /// People, doors or jobs were searched for by words.
    Searched = "searched";
    /// The database was restored from a backup; what was entered after the backup is gone.
    Restored = "restored";
    /// Old entries were deleted, as the setting says.
    EntriesPruned = "entries_pruned";
    /// Entries could not be kept, because too many waited.
    EntriesLost = "entries_lost";
}

/// How somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// With a browser at the hall.
    Desk,
    /// With an enrolled phone.
    Phone,
    /// With a token of their own: a program.
    Program,
    /// The server itself.
    Server,
}

impl Via {
    /// The word in SQL, JSON and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::Phone => "phone",
            Self::Program => "program",
            Self::Server => "server",
        }
    }
}

/// Who did it, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By {
    /// The hall whose managers see the entry; none for nobody's.
    pub hall: Option<HallId>,
    /// The person; none for strangers and the server.
    pub user: Option<UserId>,
    /// Their phone.
    pub device: Option<DeviceId>,
    /// How they came.
    pub via: Via,
}

impl From<&Caller> for By {
    fn from(caller: &Caller) -> Self {
        Self {
            hall: Some(caller.hall),
            user: Some(caller.user),
            device: caller.device,
            via: caller.via,
        }
    }
}

impl By {
    /// The server itself.
    pub const fn server() -> Self {
        Self { hall: None, user: None, device: None, via: Via::Server }
    }
}

/// What it was done to, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing in particular.
    Nothing,
    /// Something with an id.
    Id(&'static str, Uuid),
    /// Something with a name that is no personal data.
    Name(&'static str, String),
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who.
    pub by: By,
    /// What.
    pub what: What,
    /// To what.
    pub subject: Subject,
    /// More about it, without personal data; `null` for nothing.
    pub detail: Value,
}

impl Entry {
    /// An entry without detail.
    pub fn new(by: impl Into<By>, what: What, subject: Subject) -> Self {
        Self { by: by.into(), what, subject, detail: Value::Null }
    }

    /// Adds detail.
    #[must_use]
    pub fn with(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// The entry as a row that is not sealed yet.
    pub fn row(self, now: Timestamp) -> EntryRow {
        let (subject_kind, subject_id, subject_name) = match self.subject {
            Subject::Nothing => (None, None, None),
            Subject::Id(kind, id) => (Some(kind.to_owned()), Some(id), None),
            Subject::Name(kind, name) => (Some(kind.to_owned()), None, Some(name)),
        };
        EntryRow {
            entry_id: fresh_uuid(now),
            at: now.timestamp_millis(),
            hall_id: self.by.hall.map_or(Uuid::nil(), |hall| hall.0),
            user_id: self.by.user.map(|user| user.0),
            device_id: self.by.device.map(|device| device.0),
            via: self.by.via.key().to_owned(),
            what: self.what.key().to_owned(),
            subject_kind,
            subject_id,
            subject_name,
            detail: if self.detail.is_null() { String::new() } else { self.detail.to_string() },
            number: None,
            hash: None,
        }
    }
}

/// Enters something in the transaction that does it; the clerk seals it soon after.
pub async fn keep(c: C<'_>, now: Timestamp, entry: Entry) -> Result<()> {
    audit::insert_entries(c, &[entry.row(now)]).await
}

/// Takes entries that nobody waits for.
#[derive(Clone, Debug)]
pub struct Audit {
    sender: mpsc::Sender<EntryRow>,
    lost: Arc<AtomicU64>,
}

/// The clerk's end of it.
#[derive(Debug)]
pub struct Queue {
    receiver: mpsc::Receiver<EntryRow>,
    lost: Arc<AtomicU64>,
}

impl Audit {
    /// An empty queue with both of its ends.
    pub fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let lost = Arc::<AtomicU64>::default();
        (Self { sender, lost: Arc::clone(&lost) }, Queue { receiver, lost })
    }

    /// Hands an entry to the clerk; when too many wait it is counted as lost, and the count is entered.
    pub fn note(&self, now: Timestamp, entry: Entry) {
        if self.sender.try_send(entry.row(now)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::catalogue::{self, Language};

    use super::*;

    #[test]
    fn everything_that_is_entered_has_a_word_of_its_own_in_both_languages() {
        let keys: BTreeSet<_> = What::ALL.iter().map(|what| what.key()).collect();

        assert_eq!(keys.len(), What::ALL.len());
        for key in keys {
            for language in [Language::Chinese, Language::English] {
                let word = catalogue::text(language, &format!("admin.what.{key}"), &[]);
                assert!(!word.contains("admin.what"), "{key}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_the_queue_is_counted_and_nobody_waits() {
        let (audit, queue) = Audit::new();
        let entry = Entry::new(By::server(), What::JobRead, Subject::Nothing);
        for _ in 0..QUEUE + 3 {
            audit.note(Timestamp::UNIX_EPOCH, entry.clone());
        }

        assert_eq!(queue.lost.load(Ordering::Relaxed), 3);
    }
}
