//! Telling others what happens in a hall, by the Standard Webhooks convention.
//!
//! What is to be told is written to an outbox in the transaction in which it happened ([`outbox`]); any node claims and
//! sends it afterwards ([`sender`]). A message may come twice, with the same id, and in another order.

pub mod guard;
pub mod outbox;
pub mod sender;
pub mod signature;

/// The kinds of events that can be told.
pub const KINDS: [&str; 8] = [
    "job.created",
    "job.planned",
    "job.visited",
    "job.said",
    "reading.recorded",
    STAFF_NOTICE,
    HOUSEHOLD_NOTICE,
    LEAK_ADVICE,
];

/// What a caller who reports a leak should do until somebody comes: for gateways that send text messages.
pub const LEAK_ADVICE: &str = "leak.advice";

/// Something that a person of the hall has to hear of: for gateways to phones, `WeCom` or `DingTalk`.
pub const STAFF_NOTICE: &str = "staff.notice";

/// What a household has to hear, with its telephone number: for gateways that send text messages.
pub const HOUSEHOLD_NOTICE: &str = "household.notice";
