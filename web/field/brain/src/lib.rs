//! The brain of the technician's app: the phone of `mobile-core`, asked and answered in JSON.
//!
//! What this is: [`Request`] names each thing that a screen can ask or do, [`answer`] does it, [`view`] says what
//! screens show, [`CarriedClock`] makes one steady clock of a browser's two. What it is not: it draws nothing, and it
//! reaches the browser's store through the module `browser` only, which exists in
//! WebAssembly alone.

mod ask;
#[cfg(target_arch = "wasm32")]
pub mod browser;
mod clock;
pub mod view;

pub use ask::{Refusal, Request, answer};
pub use clock::{CarriedClock, Looks};
