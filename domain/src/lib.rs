//! The rules of the trade as pure functions over plain types.

pub mod conduct;
pub mod hose;
pub mod household;
pub mod id;
pub mod job;
pub mod measure;
pub mod pack;
pub mod place;
pub mod reading;
pub mod stamp;
pub mod visit;
