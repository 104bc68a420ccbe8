//! sync
pub mod document;
pub mod limits;
