//! The day's processes: a server on a temporary hall and one phone for each technician, all real.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use domain::stamp::{BootId, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A child process that talks in lines.
struct Talker {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Talker {
    /// Starts this very program again with other arguments.
    fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{arguments:?} does not start"))?;
        let stdin = child.stdin.take().context("the child has no standard input")?;
        let stdout = child.stdout.take().context("the child has no standard output")?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout).lines() })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        match self.stdout.next_line().await? {
            Some(line) => Ok(line),
            None => bail!("the process ended: {}", self.child.wait().await?),
        }
    }
}

/// A server of the day's own.
pub(crate) struct Server {
    _process: Talker,
    /// Where it listens.
    pub(crate) base: String,
}

impl Server {
    /// Starts a server with the manual clock on this database and waits until it listens.
    pub(crate) async fn start(database: &str, photos: &Path) -> anyhow::Result<Self> {
        let photos = photos.to_str().context("the folder's path is not UTF-8")?;
        let mut process = Talker::start(&[
            "serve",
            "--database",
            database,
            "--photo-store",
            photos,
            "--listen",
            "127.0.0.1:0",
            "--clock",
            "manual",
        ])?;
        loop {
            let line = process.line().await?;
            if let Some((_, base)) = line.split_once("listening on ") {
                let base = base.trim().to_owned();
                return Ok(Self { _process: process, base });
            }
        }
    }
}

/// One technician's phone in a process of its own.
pub(crate) struct PhoneProcess {
    process: Talker,
    store: PathBuf,
    base: String,
    boot: u32,
    booted_at: Timestamp,
    clock_error: TimeDelta,
}

impl PhoneProcess {
    /// Switches the phone on for the first time.
    pub(crate) fn start(
        store: &Path,
        base: &str,
        now: Timestamp,
        clock_error: TimeDelta,
    ) -> anyhow::Result<Self> {
        let process = spawn_phone(store, base)?;
        let (store, base) = (store.to_owned(), base.to_owned());
        // Any phone has been on for a while when its day begins.
        let booted_at = now - TimeDelta::hours(9);
        Ok(Self { process, store, base, boot: 1, booted_at, clock_error })
    }

    /// Kills the process as the system does, and starts the app again in the same boot.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.child.kill().await?;
        self.process = spawn_phone(&self.store, &self.base)?;
        Ok(())
    }

    /// Switches the phone off and on: another boot, and a monotonic clock that begins again.
    pub(crate) async fn reboot(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.boot += 1;
        self.booted_at = now;
        self.kill().await
    }

    /// Sends one command and reads the reply; a refusal is a reply, too.
    pub(crate) async fn send(
        &mut self,
        now: Timestamp,
        mut command: Value,
    ) -> anyhow::Result<Value> {
        command["at"] = json!({
            "wall_ms": (now + self.clock_error).timestamp_millis(),
            "mono_ms": (now - self.booted_at).num_milliseconds(),
            "boot": BootId(self.boot),
        });
        let mut line = command.to_string();
        line.push('\n');
        self.process.stdin.write_all(line.as_bytes()).await?;
        let reply = self.process.line().await?;
        serde_json::from_str(&reply).with_context(|| format!("the phone said {reply:?}"))
    }

    /// Sends one command that has to succeed.
    pub(crate) async fn expect(&mut self, now: Timestamp, command: Value) -> anyhow::Result<Value> {
        let said = command.to_string();
        let reply = self.send(now, command).await?;
        match reply["error"].as_str() {
            None => Ok(reply),
            Some(error) => bail!("{said} was refused: {error}"),
        }
    }
}

fn spawn_phone(store: &Path, base: &str) -> anyhow::Result<Talker> {
    let store = store.to_str().context("the store's path is not UTF-8")?;
    Talker::start(&["phone", "--store", store, "--server", base, "--clock", "manual"])
}
