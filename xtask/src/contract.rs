//! The API against its own description: schemathesis sends what the document allows, and what it does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::hall::{DemoHall, somebody};
use crate::run::{run, succeeds};

/// The version that the settings were written for.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Who the API is tried as, by the roles of the demo's staff file: dispatcher, hall, manager, admin.
const STAFF: [&str; 4] = ["调度员", "营业员", "经理", "管理员"];

/// Who comes with a phone.
const TECHNICIAN: &str = "技术员";

/// Serves the demo hall and tries the API as each role.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let schemathesis = install(root)?;
    let hall = DemoHall::open(root, "contract-hall")?;
    let mut tokens = Vec::new();
    for role in STAFF {
        tokens.push((role, hall.sign_in(&somebody(root, role)?)?));
    }
    let dispatcher = tokens[0].1.clone();
    tokens.push((TECHNICIAN, hall.enrol(&somebody(root, TECHNICIAN)?, &dispatcher)?));
    for (role, token) in &tokens {
        try_as(&schemathesis, root, &hall, (role, token))?;
    }
    Ok(())
}

/// Makes a Python environment of the workspace's own with schemathesis in it; returns the program.
fn install(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join("target/schemathesis");
    let program = folder.join("bin/schemathesis");
    let mark = folder.join("installed");
    if fs::read_to_string(&mark).is_ok_and(|it| it == SCHEMATHESIS) {
        return Ok(program);
    }
    if !succeeds("python3", &["-c", "import venv, ensurepip"]) {
        bail!(
            "Python's venv is missing: install it, on Debian with `apt-get install python3-venv`"
        );
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    fs::write(mark, SCHEMATHESIS)?;
    Ok(program)
}

fn try_as(
    schemathesis: &Path,
    root: &Path,
    hall: &DemoHall,
    (role, token): (&str, &str),
) -> anyhow::Result<()> {
    let mut command = Command::new(schemathesis);
    // Where it remembers what it learnt.
    command.current_dir(root.join("target"));
    command.arg("--config-file").arg(root.join("xtask/schemathesis.toml"));
    command.arg("run").arg(format!("http://{}/api/openapi.json", hall.address));
    command.arg("--header").arg(format!("Authorization: Bearer {token}"));
    run(&mut command).with_context(|| format!("the API does not do as it says to the role {role}"))
}
