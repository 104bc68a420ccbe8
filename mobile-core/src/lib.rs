//! The phone without its skin: everything that a technician's phone does, and no pixel of it.
//!
//! What this is: a durable [`log`] whose records replay into a [`sync::device::Device`], commands
//! that check the rules of the trade and then save, queries for screens, and the exchange with
//! the hall. What it is not: it draws nothing, and it asks no clock, disk, network or dice except
//! through [`clock`], [`log::LogStore`] and [`link`]; on a native target, [`native`] answers them.
//!
//! Three types to know: [`Phone`] is the whole, [`log::Log`] keeps what it says it keeps, and
//! [`OpenReport`] tells what a start-up found.
//!
//! `Ok` from a command means saved: the record is in the log, flushed. After an error nothing has
//! changed, neither in memory nor in the log.

pub mod clock;
mod entry;
pub mod link;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
pub mod phone;
pub mod photo;

pub use phone::{OpenReport, OpenedPhone, Phone, Saved};
