//! Running other programs, with the command shown when it fails.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Runs cargo in the workspace.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("cargo").current_dir(root).args(arguments))
}

/// Builds the server as the tests are built and gives its place. With a test beside it cargo chooses the features
/// that all tests together need; any other choice would build nearly every dependency a second time.
pub(crate) fn doorstep(root: &Path) -> anyhow::Result<PathBuf> {
    cargo(root, &["build", "--workspace", "--bin", "doorstep", "--test", "log"])?;
    Ok(root.join("target/debug/doorstep"))
}

/// Runs a command to its end; an error names it.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("{shown} does not start"))?;
    if status.success() { Ok(()) } else { bail!("{shown} ended with {status}") }
}

/// Runs a command to its end and gives the lines that it printed, which people see as well.
#[expect(clippy::print_stdout, reason = "people follow what runs in their terminal")]
pub(crate) fn followed(command: &mut Command) -> anyhow::Result<Vec<String>> {
    let shown = format!("{command:?}");
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{shown} does not start"))?;
    let mut lines = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            lines.push(line);
        }
    }
    let status = child.wait()?;
    if status.success() { Ok(lines) } else { bail!("{shown} ended with {status}") }
}

/// Whether a command runs and succeeds, whatever it prints.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What a command prints, without the line's end.
pub(crate) fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let done = Command::new(program).args(arguments).output();
    let done = done.with_context(|| format!("{program} does not start"))?;
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
