//! `cargo xtask deb`: the Debian package, its unit checked, and with `--install` tried as a machine would run it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::hall::send;
use crate::run::{cargo, doorstep, output, run, succeeds};
use crate::{sbom, web};

/// Builds the Debian package.
#[derive(clap::Args)]
pub(crate) struct Deb {
    /// Packs the unoptimised build, to try the packaging in seconds.
    #[arg(long)]
    debug: bool,
    /// Installs the package on this machine, runs it as its unit would, and removes it again; needs root.
    #[arg(long)]
    install: bool,
}

impl Deb {
    /// Runs the task.
    #[expect(clippy::print_stdout, reason = "people follow the steps in their terminal")]
    pub(crate) fn run(&self, root: &Path) -> anyhow::Result<()> {
        if !succeeds("cargo", &["deb", "--version"]) {
            cargo(root, &["install", "--locked", "cargo-deb"])?;
        }
        web::build(root)?;
        let profile = if self.debug {
            doorstep(root)?;
            "dev"
        } else {
            cargo(root, &["build", "--release", "--package", "server", "--bin", "doorstep"])?;
            "release"
        };
        sbom::write(root)?;
        let package = root.join("target/doorstep.deb");
        let mut pack = Command::new("cargo");
        pack.current_dir(root).args(["deb", "--package", "server", "--no-build", "--no-strip"]);
        pack.args(["--profile", profile, "--output"]).arg(&package);
        run(&mut pack)?;
        println!("{} is packed", package.display());
        check_unit(root)?;
        if !self.install {
            return Ok(());
        }
        let is_root = output("id", &["-u"]).is_ok_and(|id| id == "0");
        if !is_root || !succeeds("dpkg", &["--version"]) {
            println!("not installed: that needs root and dpkg");
            return Ok(());
        }
        let data = Path::new("/var/lib/doorstep");
        ensure!(!data.exists(), "{} is there already: this machine has a hall", data.display());
        run(Command::new("dpkg").arg("--install").arg(&package))?;
        let tried = try_installed();
        run(Command::new("dpkg").args(["--purge", "doorstep"]))?;
        std::fs::remove_dir_all(data)?;
        tried?;
        println!("installed, started, ready, stopped and removed");
        Ok(())
    }
}

/// What systemd itself says of the unit, where it is there.
#[expect(clippy::print_stdout, reason = "people follow the steps in their terminal")]
fn check_unit(root: &Path) -> anyhow::Result<()> {
    if !succeeds("systemd-analyze", &["--version"]) {
        println!("the unit was not checked: systemd-analyze is not here");
        return Ok(());
    }
    let unit = root.join("packaging/doorstep.service");
    // Fails when the unit is more exposed than 2.0 of 10.
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=20", "--no-pager"]).arg(&unit);
    run(security.stdout(Stdio::null()))?;
    println!("the unit is as closed as it should be");
    Ok(())
}

/// Starts the server as the unit would, without systemd, and stops it as systemd would.
fn try_installed() -> anyhow::Result<()> {
    let config = "/etc/doorstep/doorstep.toml";
    run(
        as_doorstep(&["--config", config, "config", "check"]).env("DOORSTEP_LISTEN", "127.0.0.1:0")
    )?;
    let mut server = as_doorstep(&["--config", config, "serve"]);
    let child = server.env("DOORSTEP_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).spawn()?;
    let mut server = Stopped(child);
    let out = server.0.stdout.take().context("the server's output is piped")?;
    let line = BufReader::new(out).lines().next().context("the server says nothing")??;
    let address = line.rsplit("http://").next().context("it does not say where it listens")?;
    let ready = send(address, "GET /readyz", "", "")?;
    ensure!(ready.starts_with("HTTP/1.1 200"), "the installed server is not ready: {ready:?}");
    for (path, title) in [("/m/", "<title>上门</title>"), ("/c/", "<title>上门 · 营业厅</title>")]
    {
        let face = send(address, &format!("GET {path}"), "", "")?;
        ensure!(face.contains(title), "{path} is not served: {face:?}");
    }
    run(Command::new("kill").args(["-TERM", &server.0.id().to_string()]))?;
    let status = server.0.wait()?;
    ensure!(status.success(), "the server did not stop cleanly: {status}");
    let database = PathBuf::from("/var/lib/doorstep/hall.db");
    ensure!(database.exists(), "the database is not where the settings say");
    let _unwell = as_doorstep(&["--config", config, "doctor"]).status()?;
    Ok(())
}

fn as_doorstep(arguments: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=doorstep", "--regid=doorstep", "--clear-groups", "--no-new-privs"]);
    command.arg("/usr/bin/doorstep").args(arguments).current_dir("/var/lib/doorstep");
    command
}

/// A server that does not outlive what went wrong.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
