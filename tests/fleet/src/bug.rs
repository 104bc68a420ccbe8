//! Bugs that can be planted, to show that the checks would find them.

/// Something that a careless hand might have built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Bug {
    /// The hall answers before its transaction committed.
    AckBeforeCommit,
    /// A feed by sequence numbers: a cursor passes what commits late.
    SequenceCursor,
    /// A phone goes on under the actor of an earlier start.
    ActorReuse,
    /// What waits for a missing change is answered as taken, and dropped.
    DroppedMissingDependency,
    /// A restored hall keeps its epoch.
    NoEpochBump,
    /// Phones may throw away what was only acknowledged.
    PurgeAtAck,
    /// Whoever is a technician may hold any job.
    AuthorityByRoleOnly,
    /// The phone's store reports a flush that it never made.
    RelaxedStorage,
    /// The cursor of a reply was read after its documents.
    CursorBeforeGrant,
    /// Cash of a change that came twice is counted twice.
    CashCountedTwice,
    /// "Saved" is said although the store refused.
    SavedThoughRefused,
    /// Repairing a log cuts its last whole record as well.
    CutTooMuch,
    /// What a shut-out phone hands in is thrown away.
    QuarantineDropped,
    /// The status of a job is stored as the last fact that arrived says, in place of being folded.
    StoredStatus,
    /// A hazard that the desk clears takes with it what phones found meanwhile.
    HazardClearedByConcurrency,
    /// Entries of a plan are ordered by the clock of the node that took them.
    PlanByNodeClock,
    /// When something was recorded is believed as the phone's clock says it.
    JudgedByPhoneClock,
    /// The hall turns phones away that are older than a document, with all that they bring.
    OlderTurnedAway,
    /// A snapshot holds what the release that made it knows, and nothing else.
    SnapshotOfWhatIsKnown,
    /// A phone is emptied whatever only it has.
    WipedUnasked,
    /// An order to empty a phone makes it forget, and leaves its store.
    StoreNotErased,
    /// What a document said at an earlier start is believed whatever stands in it now.
    SaidBelieved,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::AckBeforeCommit,
        Self::SequenceCursor,
        Self::ActorReuse,
        Self::DroppedMissingDependency,
        Self::NoEpochBump,
        Self::PurgeAtAck,
        Self::AuthorityByRoleOnly,
        Self::RelaxedStorage,
        Self::CursorBeforeGrant,
        Self::CashCountedTwice,
        Self::SavedThoughRefused,
        Self::CutTooMuch,
        Self::QuarantineDropped,
        Self::StoredStatus,
        Self::HazardClearedByConcurrency,
        Self::PlanByNodeClock,
        Self::JudgedByPhoneClock,
        Self::OlderTurnedAway,
        Self::SnapshotOfWhatIsKnown,
        Self::WipedUnasked,
        Self::StoreNotErased,
        Self::SaidBelieved,
    ];
}
