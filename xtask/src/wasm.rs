//! WebAssembly: the rooms that a browser runs must build for it.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::run::{cargo, output, run, succeeds};

const TARGET: &str = "wasm32-unknown-unknown";

/// The rooms that run in a browser.
const ROOMS: [&str; 6] = ["-p", "domain", "-p", "sync", "-p", "mobile-core"];

/// Lints the rooms for WebAssembly; installs the target, or takes Debian's toolchain where that is refused.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    if has_target() || (succeeds("rustup", &["target", "add", TARGET]) && has_target()) {
        let lint =
            [&["clippy", "--target", TARGET], &ROOMS[..], &["--", "-D", "warnings"]].concat();
        return cargo(root, &lint);
    }
    let packages = ["rustc-web", "rust-web-src", "cargo-web", "rust-web-llvm"];
    let install = [&["install", "-y", "--no-install-recommends"], &packages[..]].concat();
    if !succeeds("apt-get", &install) {
        bail!(
            "install the target: `rustup target add {TARGET}`, or Debian's {}",
            packages.join(" ")
        );
    }
    let sysroot = output("rustc", &["--print", "sysroot"])?;
    let linker = format!("{sysroot}/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
    let build =
        [&["build", "--target", TARGET, "-Zbuild-std=std,panic_abort"], &ROOMS[..]].concat();
    run(Command::new("/usr/bin/cargo")
        .current_dir(root)
        .args(build)
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", root.join("target/web"))
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker))
}

fn has_target() -> bool {
    output("rustc", &["--print", "target-libdir", "--target", TARGET])
        .is_ok_and(|folder| Path::new(&folder).is_dir())
}
