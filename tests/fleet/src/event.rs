//! What can happen to a fleet. Each event holds its own choices, so that any of them can be left out of a script.

/// One thing that happens. Phones and jobs are named by numbers that wrap around, so that every number names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A technician does something at a door.
    Act {
        /// Whose phone.
        phone: u8,
        /// Which job.
        job: u8,
        /// What.
        act: Act,
    },
    /// A phone talks to the hall until both have said all, or until the network breaks.
    Sync {
        /// Whose phone.
        phone: u8,
        /// What becomes of the exchange.
        fate: Fate,
    },
    /// The process on a phone dies (F1), or its battery (F2).
    Stop {
        /// Whose phone.
        phone: u8,
        /// How many unflushed bytes a power loss leaves; `None` is a killed process.
        unflushed_bytes: Option<u16>,
    },
    /// A phone's disk stops in the middle of one of its next operations (F1, F25).
    StopSoon {
        /// Whose phone.
        phone: u8,
        /// After how many operations.
        operations: u8,
        /// How many bytes of the last one land; 255 for all.
        landing: u8,
        /// Whether the power goes as well.
        loses_power: bool,
    },
    /// A phone's disk is full for so many writes (F3).
    Full {
        /// Whose phone.
        phone: u8,
        /// For how many.
        writes: u8,
    },
    /// A phone's disk fails to flush (F3).
    FlushFails {
        /// Whose phone.
        phone: u8,
        /// How often.
        times: u8,
    },
    /// The system evicts a phone's store (F4).
    Evict {
        /// Whose phone.
        phone: u8,
    },
    /// A backup tool copies a phone's store.
    CopyStore {
        /// Whose phone.
        phone: u8,
    },
    /// A phone's store is replaced by the copy made last (F5).
    FallBack {
        /// Whose phone.
        phone: u8,
    },
    /// A phone's store is copied to a second phone, and both are used under one enrolment (F6).
    Clone {
        /// Whose phone.
        phone: u8,
    },
    /// A bit of a phone's log flips (F8).
    Flip {
        /// Whose phone.
        phone: u8,
        /// Where, wrapping around.
        at: u32,
    },
    /// A second tab of the app is opened (F7).
    SecondTab {
        /// Whose phone.
        phone: u8,
    },
    /// Somebody sets a phone's clock (F9).
    SetClock {
        /// Whose phone.
        phone: u8,
        /// How far from the true time, in hours.
        hours: i32,
    },
    /// Time passes (F12).
    Pass {
        /// How much, in minutes.
        minutes: u16,
    },
    /// The hall takes on a job.
    NewJob {
        /// For whose phone; a number that names none leaves it unassigned.
        phone: u8,
    },
    /// The hall gives a job to somebody, or takes it back.
    Assign {
        /// Which job.
        job: u8,
        /// To whom.
        phone: Option<u8>,
    },
    /// The hall writes to the technician of a job.
    Instruct {
        /// Which job.
        job: u8,
    },
    /// The hall calls a job off.
    Cancel {
        /// Which job.
        job: u8,
    },
    /// The desk clears every hazard that it knows of a job.
    Clear {
        /// Which job.
        job: u8,
    },
    /// A node of a newer release writes into a job what this release does not know (F19, F20).
    Upgrade {
        /// Which job.
        job: u8,
        /// Whether the document has a newer shape afterwards, which this release may only read.
        raises: bool,
    },
    /// A phone is emptied on somebody's order (F29).
    Wipe {
        /// Whose phone.
        phone: u8,
        /// Whether everything that only it has goes into a file first, in place of being handed in.
        after_rescue: bool,
    },
    /// The hall makes a verified backup.
    BackUp,
    /// The hall is restored from its last verified backup (F17, and F16 where data was lost).
    Restore,
    /// The hall makes snapshots of its documents.
    Snapshots,
    /// A phone is shut out (F21).
    ShutOut {
        /// Whose phone.
        phone: u8,
    },
    /// A manager lets out what is kept apart.
    Release,
    /// Somebody who may talk to the hall sends it something made up (F22).
    Hostile {
        /// From whose phone they took a request.
        phone: u8,
        /// What they do to it.
        trick: Trick,
        /// Where, wrapping around.
        at: u32,
    },
}

/// What a technician does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The next step of the visit, as the trade walks it.
    Onward,
    /// A remark.
    Note,
    /// A message to the hall.
    Message,
    /// A hazard found.
    Hazard,
    /// Cash taken.
    Cash,
    /// A question.
    Ask,
    /// The last fact of this phone taken back.
    TakeBack,
    /// The visit closed, whatever is missing.
    Close,
}

/// What becomes of an exchange (F10, F11, F14, F15, F18, F23, F26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It succeeds.
    Good,
    /// The request does not arrive.
    RequestLost,
    /// The hall commits, and its reply does not arrive.
    ReplyLost,
    /// The reply is cut short.
    ReplyCut(u16),
    /// A portal answers in the hall's place.
    Portal,
    /// The hall is busy.
    Busy,
    /// The session is over.
    SignedOut,
    /// The request arrives twice, as proxies repeat one.
    Twice,
    /// The hall dies before its commit; a bug lets the reply out all the same.
    HallDies,
    /// One round only: the rest does not come through.
    OneRound,
    /// It succeeds, and between what it asks of the hall's store another phone is served by another node (F18).
    Between(u8),
}

/// What a hostile client does to a request that it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Flips a bit of the request.
    FlipBit,
    /// Cuts it short.
    Cut,
    /// Flips a bit inside a change and makes its checksum right again.
    ForgeChange,
    /// Offers a change for another job.
    OtherJob,
    /// Hands it in under its own name.
    Steal,
}
