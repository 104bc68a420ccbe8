//! The technician's app: its brain in WebAssembly, its face in TypeScript, put together into one folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::run::{cargo, doorstep, output, run, succeeds};
use crate::wasm;

/// Where Chromium may be; the journeys look in the same places.
const BROWSERS: [&str; 3] =
    ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

/// Where the built app lies, as a server is told by `--web`.
pub(crate) fn built(root: &Path) -> PathBuf {
    root.join("target/web")
}

/// Builds the app and walks its journeys in a real browser.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    in_a_browser(root, "journeys", &doorstep(root)?)
}

/// Builds the app and measures it in a real browser, by a script of its packages.
pub(crate) fn bench(root: &Path, script: &str) -> anyhow::Result<()> {
    cargo(root, &["build", "--release", "--package", "server", "--bin", "doorstep"])?;
    in_a_browser(root, script, &root.join("target/release/doorstep"))
}

/// Runs a script of the web applications against the app as it is served.
fn in_a_browser(root: &Path, script: &str, server: &Path) -> anyhow::Result<()> {
    build(root)?;
    install_browser()?;
    let ground = root.join("target/journeys");
    if ground.exists() {
        fs::remove_dir_all(&ground)?;
    }
    let mut command = Command::new("npm");
    command.current_dir(root.join("web")).args(["run", "--silent", script]);
    command.env("DOORSTEP", server).env("DOORSTEP_WEB", built(root));
    run(command.env("DOORSTEP_HALL", root.join("demo/hall")).env("DOORSTEP_GROUND", ground))
}

/// Chromium, and letters for Chinese: without them every page is boxes.
fn install_browser() -> anyhow::Result<()> {
    let has_letters = output("fc-list", &[":lang=zh"]).is_ok_and(|fonts| !fonts.is_empty());
    if BROWSERS.iter().any(|path| Path::new(path).exists()) && has_letters {
        return Ok(());
    }
    let packages = ["chromium", "fontconfig", "fonts-wqy-microhei"];
    let install = [&["install", "-y", "--no-install-recommends"], &packages[..]].concat();
    if succeeds("apt-get", &["update"]) && succeeds("apt-get", &install) {
        return Ok(());
    }
    bail!(
        "Chromium is missing: install it, on Debian with `apt-get install {}`",
        packages.join(" ")
    )
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
