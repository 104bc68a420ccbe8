//! The rules of the trade as pure functions over plain types.
//!
//! What this is: appointments, punctuality, conduct, readings, hoses, promises and the fold from facts to status,
//! the same on a phone, on the server and in a test. What it is not: it reads no clock, draws no random number,
//! opens no file, and knows nothing of Automerge, SQL or HTTP.
//!
//! Three types to know: [`job::Job`] is everything that is known of one piece of work, [`visit::Fact`] is one thing
//! that happened at a door, and [`pack::Pack`] holds every number of the trade with its source.
//!
//! ```
//! use domain::pack::Pack;
//!
//! let pack = Pack::builtin();
//! assert!(pack.conduct.iter().any(|item| item.id == "shoe_covers" && item.waivable));
//! ```

pub mod address;
pub mod appointment;
pub mod calendar;
pub mod callout;
pub mod case;
pub mod cash;
pub mod catalogue;
pub mod conduct;
pub mod due;
pub mod hazard;
pub mod here;
pub mod hose;
pub mod household;
pub mod id;
pub mod job;
pub mod ladder;
pub mod ledger;
pub mod measure;
pub mod meter;
pub mod notice;
pub mod outage;
pub mod pack;
pub mod photo;
pub mod place;
pub mod procedure;
pub mod promise;
pub mod punctuality;
pub mod qualification;
pub mod reading;
pub mod reminder;
pub mod road;
pub mod round;
pub mod stamp;
pub mod status;
pub mod telephone;
pub mod twice;
pub mod visit;
pub mod walk;
