//! WebAssembly: the rooms that a browser runs, linted and built for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::run::{cargo, output, run, succeeds};

const TARGET: &str = "wasm32-unknown-unknown";

/// The rooms that run in a browser.
const ROOMS: [&str; 8] = ["-p", "domain", "-p", "sync", "-p", "mobile-core", "-p", "brain"];

/// Lints the rooms for WebAssembly; with Debian's toolchain, which has no clippy for it, builds them.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    if has_target() {
        let lint =
            [&["clippy", "--target", TARGET], &ROOMS[..], &["--", "-D", "warnings"]].concat();
        return cargo(root, &lint);
    }
    let build = [&["build", "--target", TARGET], &ROOMS[..]].concat();
    run(&mut debian(root, &build)?)
}

/// Builds the brain and writes its module and glue into a folder.
pub(crate) fn build(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let build = ["build", "-p", "brain", "--target", TARGET, "--profile", "brain"];
    let target = if has_target() {
        cargo(root, &build)?;
        root.join("target")
    } else {
        run(&mut debian(root, &build)?)?;
        debian_target(root)
    };
    let module = target.join(TARGET).join("brain/brain.wasm");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&module).web(true)?.typescript(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).with_context(|| format!("the glue for {}", module.display()))
}

/// Finds the target or has rustup install it.
fn has_target() -> bool {
    let is_there = || {
        output("rustc", &["--print", "target-libdir", "--target", TARGET])
            .is_ok_and(|folder| Path::new(&folder).is_dir())
    };
    is_there() || (succeeds("rustup", &["target", "add", TARGET]) && is_there())
}

fn debian_target(root: &Path) -> PathBuf {
    root.join("target/web-debian")
}

/// Debian's toolchain, for where rustup cannot install the target.
fn debian(root: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
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
    let mut command = Command::new("/usr/bin/cargo");
    command
        .current_dir(root)
        .args(arguments)
        .arg("-Zbuild-std=std,panic_abort")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", debian_target(root))
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    Ok(command)
}
