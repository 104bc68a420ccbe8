//! `doorstep watch`: the hall's live stream on any terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};

use anyhow::Context as _;
use chrono::{DateTime, FixedOffset};
use domain::catalogue::Language;
use serde_json::Value;

use crate::config::Secret;

use super::client::{Client, Event};
use super::words;

/// Follows the hall until the person stops it; a broken stream is taken up where it broke.
#[derive(Debug, clap::Args)]
pub struct Watch {
    /// The server's address.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Who watches: a dispatcher, hall staff or a manager.
    #[arg(long)]
    login: String,
    /// Their password; the environment keeps it out of the process list.
    #[arg(long, env = "DOORSTEP_PASSWORD")]
    password: Secret,
    /// `zh` or `en`.
    #[arg(long, default_value = "zh")]
    language: String,
}

impl Watch {
    /// Runs the command.
    pub async fn run(self, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let language = words::language(&self.language)?;
        let mut client = Client::new(&self.server).sign_in(&self.login, &self.password.0).await?;
        let redraw = std::io::stdout().is_terminal();
        let mut board = Board::new(language);
        let mut last_id: Option<String> = None;
        loop {
            let mut events = client.live(last_id.as_deref()).await?;
            while let Some(event) = events.next().await? {
                board.take(&event)?;
                if redraw {
                    write!(out, "\x1b[2J\x1b[H{}", board.picture())?;
                } else if let Some(line) = board.newest() {
                    writeln!(out, "{line}")?;
                }
                out.flush()?;
                last_id = Some(event.id);
            }
            // The server ends a stream with its session; a new session goes on where the old one stopped.
            client.renew().await?;
        }
    }
}

/// What the stream told so far.
pub(crate) struct Board {
    language: Language,
    jobs: BTreeMap<String, Value>,
    lines: Vec<String>,
    heard_at: Option<DateTime<FixedOffset>>,
}

/// How many of the newest events the picture shows.
const SHOWN: usize = 16;

impl Board {
    /// A board that has heard nothing yet.
    pub(crate) fn new(language: Language) -> Self {
        Self { language, jobs: BTreeMap::new(), lines: Vec::new(), heard_at: None }
    }

    /// Takes one event in.
    pub(crate) fn take(&mut self, event: &Event) -> anyhow::Result<()> {
        let data: Value = serde_json::from_str(&event.data)
            .with_context(|| format!("event {} is not JSON", event.id))?;
        if event.name == "snapshot" {
            for job in data["jobs"].as_array().into_iter().flatten() {
                self.remember(job);
            }
            return Ok(());
        }
        if event.name != "job" {
            return Ok(());
        }
        self.heard_at = data["at"].as_i64().and_then(words::local_time).or(self.heard_at);
        self.lines.push(self.line(event, &data));
        self.lines.drain(..self.lines.len().saturating_sub(SHOWN));
        self.remember(&data["job"]);
        Ok(())
    }

    /// The newest event as one line.
    pub(crate) fn newest(&self) -> Option<&str> {
        self.lines.last().map(String::as_str)
    }

    /// The status of each job as the stream told it last.
    pub(crate) fn statuses(&self) -> BTreeMap<&str, &str> {
        let known = self.jobs.iter();
        known.filter_map(|(id, job)| Some((id.as_str(), job["status"].as_str()?))).collect()
    }

    /// The whole board: a bar for each status, then the newest events.
    pub(crate) fn picture(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for status in self.statuses().into_values() {
            *counts.entry(status).or_default() += 1;
        }
        let heard = self.heard_at.map(|at| at.format("%H:%M:%S").to_string()).unwrap_or_default();
        let mut picture = format!("{}  {heard}\n\n", words::say(self.language, "watch.title", &[]));
        for (status, count) in counts {
            let name = words::say(self.language, &format!("status.{status}"), &[]);
            let bar = "█".repeat(count.div_ceil(4));
            let name = words::padded(&name, 14);
            picture.extend([name.as_str(), &format!("{count:>5}  "), bar.as_str(), "\n"]);
        }
        picture.push('\n');
        for line in &self.lines {
            picture.push_str(line);
            picture.push('\n');
        }
        picture
    }

    fn remember(&mut self, job: &Value) {
        if let Some(id) = job["id"].as_str() {
            self.jobs.insert(id.to_owned(), job.clone());
        }
    }

    fn line(&self, event: &Event, data: &Value) -> String {
        let job = &data["job"];
        let at = data["at"].as_i64().and_then(words::local_time);
        let at = at.map(|at| at.format("%H:%M").to_string()).unwrap_or_default();
        let status = job["status"].as_str().unwrap_or("?");
        let kind = job["kind"].as_str().unwrap_or("?");
        let clash = if job["clashes"].as_array().is_some_and(|all| !all.is_empty()) {
            format!("  ⚠ {}", words::say(self.language, "watch.clash", &[]))
        } else {
            String::new()
        };
        format!(
            "{at} #{} {}{}{}{clash}",
            words::padded(&event.id, 7),
            words::padded(&words::say(self.language, &format!("kind.{kind}"), &[]), 19),
            words::padded(&words::say(self.language, &format!("status.{status}"), &[]), 15),
            job["household"]["address"].as_str().unwrap_or(""),
        )
    }
}
