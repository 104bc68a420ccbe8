//! What programs in JavaScript do with Doorstep's files, tried with the library that they use.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::hall::{DemoHall, somebody};
use crate::run::{run, succeeds};

/// Serves the demo hall and runs the tests of `tests/javascript` against it.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    if !succeeds("npm", &["--version"]) {
        bail!(
            "node and npm are missing: install them, on Debian with `apt-get install nodejs npm`"
        );
    }
    let (from, to) = (root.join("tests/javascript"), root.join("target/javascript"));
    fs::create_dir_all(&to)?;
    for file in ["package.json", "package-lock.json", "document.test.js"] {
        fs::copy(from.join(file), to.join(file))?;
    }
    run(Command::new("npm").current_dir(&to).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    let hall = DemoHall::open(root, "javascript-hall")?;
    let (login, password) = somebody(root, "调度员")?;
    let mut tests = Command::new("node");
    tests.current_dir(&to).args(["--test", "document.test.js"]);
    tests.env("DOORSTEP_URL", format!("http://{}", hall.address));
    run(tests.env("DOORSTEP_LOGIN", login).env("DOORSTEP_PASSWORD", password))
}
