//! The technician's app: its brain in WebAssembly, its face in TypeScript, put together into one folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::run::{run, succeeds};
use crate::wasm;

/// Where the built app lies, as a server is told by `--web`.
pub(crate) fn built(root: &Path) -> PathBuf {
    root.join("target/web")
}

/// Builds the app as it is served: hashed names, compressed copies, the list that the service worker keeps.
pub(crate) fn build(root: &Path) -> anyhow::Result<()> {
    install(root)?;
    wasm::build(root, &root.join("web/field/src/brain"))?;
    npm(root, &["run", "--silent", "check"])?;
    npm(root, &["run", "--silent", "build"])
}

/// Installs the packages of the lock file, when it changed since.
fn install(root: &Path) -> anyhow::Result<()> {
    if !succeeds("npm", &["--version"]) {
        bail!(
            "node and npm are missing: install them, on Debian with `apt-get install nodejs npm`"
        );
    }
    let lock = fs::read(root.join("web/package-lock.json"))?;
    let mark = root.join("web/node_modules/.installed");
    if fs::read(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    npm(root, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
    Ok(fs::write(mark, lock)?)
}

/// Runs npm in the folder of the web applications.
pub(crate) fn npm(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("npm").current_dir(root.join("web")).args(arguments))
}
