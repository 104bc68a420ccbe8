//! sync
pub mod authority;
pub mod chunk;
pub mod device;
pub mod document;
pub mod hall;
pub mod hub;
pub mod limits;
pub mod message;
pub mod preflight;
pub mod seal;
