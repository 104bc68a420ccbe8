//! The phone without its skin.

pub mod clock;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
