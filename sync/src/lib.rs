//! sync
pub mod authority;
pub mod document;
pub mod limits;
pub mod preflight;
