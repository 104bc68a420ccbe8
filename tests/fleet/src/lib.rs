//! A fleet of phones and a hall in one thread under one seed, with everything that fails.
//!
//! Phones are the real `mobile-core` on disks that tear, fill up and forget; the hall is the real `sync` module with
//! its store in memory. A [`script::Script`] is drawn from a seed before anything happens and holds every choice, so
//! that the same seed is the same run, and a run that breaks a promise can be shortened event by event.
//! [`oracle::Oracle`] keeps its own account of what was recorded, and [`check`] holds the fleet to it.

pub mod bug;
pub mod check;
pub mod dice;
pub mod disk;
pub mod event;
pub mod hall;
pub mod homes;
pub mod newer;
pub mod oracle;
pub mod phone;
pub mod run;
pub mod script;
pub mod shrink;
pub mod twin;
pub mod world;

pub use bug::Bug;
pub use run::{Ran, run};
pub use script::{Script, Size};
