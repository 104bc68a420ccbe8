//! Explores one target with libFuzzer, which follows what the bytes reach; `cargo xtask fuzz` builds and runs it.
#![no_main]

use std::env;
use std::panic;
use std::sync::OnceLock;

use fuzz::{Target, target};
use libfuzzer_sys::fuzz_target;

/// The target that the environment names.
static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let target = TARGET.get_or_init(|| {
        // libFuzzer's own hook ends the process at each panic, also at those that are caught, as some must be.
        drop(panic::take_hook());
        let name = env::var("DOORSTEP_FUZZ").expect("DOORSTEP_FUZZ names a target");
        target(&name).expect("DOORSTEP_FUZZ names a target that there is")
    });
    (target.run)(bytes);
});
