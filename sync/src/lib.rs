//! sync
pub mod document;
pub mod limits;
pub mod preflight;
