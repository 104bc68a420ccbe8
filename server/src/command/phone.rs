//! `doorstep phone`: a phone in a terminal, one JSON command a line in, one JSON reply a line out.

pub(crate) mod act;
mod picture;
mod taps;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::DateTime;
use domain::catalogue::Language;
use domain::id::{DeviceId, HallId, JobId, UserId};
use domain::stamp::BootId;
use domain::status::standing;
use mobile_core::clock::{Clock, ManualClock, Moment};
use mobile_core::link::{Link, LinkError};
use mobile_core::log::file::FileLog;
use mobile_core::native::{NativeClock, NativeDisk, NativeRng, open_log};
use mobile_core::phone::{CommandError, KeepPhotoError, Phone, SyncEnd};
use mobile_core::photo::{Part, PhotoLink, PhotoLinkError, Progress};
use serde::Deserialize;
use serde_json::{Value, json};
use sync::device::Enrolment;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::client::Client;
use super::words;
use act::Act;

/// Runs a phone until its standard input ends.
#[derive(Debug, clap::Args)]
pub struct PhoneCommand {
    /// The folder that is the phone's storage.
    #[arg(long)]
    store: PathBuf,
    /// The hall's server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// With `manual` each command carries the phone's clocks in `at`.
    #[arg(long, value_enum, default_value = "system")]
    clock: ClockKind,
    /// `zh` or `en`.
    #[arg(long, default_value = "zh")]
    language: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ClockKind {
    System,
    Manual,
}

/// One line of input.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    at: Option<At>,
    #[serde(flatten)]
    command: Command,
}

/// The phone's clocks, as the player of a day sets them.
#[derive(Clone, Copy, Debug, Deserialize)]
struct At {
    wall_ms: i64,
    mono_ms: i64,
    boot: BootId,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    /// Makes this the phone of a technician, with a one-time code of the hall.
    Enrol { login: String, password: String, code: String, name: String },
    /// Meets the hall.
    Sync,
    /// Does something in the visit of a job.
    Tap { job: JobId, tap: Act },
    /// Says what is on the phone.
    State,
    /// Shows one job as the phone has it.
    Job { job: JobId },
}

/// The clocks of the machine, or those that the player sets.
#[derive(Clone, Debug)]
enum AnyClock {
    System(NativeClock),
    Manual(ManualClock),
}

impl Clock for AnyClock {
    fn now(&self) -> Moment {
        match self {
            Self::System(clock) => clock.now(),
            Self::Manual(clock) => clock.now(),
        }
    }
}

type NativePhone = Phone<FileLog<NativeDisk>, AnyClock, NativeRng>;

impl PhoneCommand {
    /// Runs the command.
    pub async fn run(self, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.store)?;
        let language = words::language(&self.language)?;
        let manual =
            ManualClock::at(Moment { wall_at: DateTime::UNIX_EPOCH, boot: BootId(0), mono_ms: 0 });
        let clock = match self.clock {
            ClockKind::System => AnyClock::System(NativeClock::start()),
            ClockKind::Manual => AnyClock::Manual(manual.clone()),
        };
        let log = open_log(&self.store).context("the phone's storage")?;
        let opened = Phone::open(log, clock, NativeRng).await?;
        let client = Client::new(&self.server);
        let token = self.store.join("token");
        let mut terminal = Terminal { phone: opened.phone, client, token, language };
        for (job, hash) in terminal.phone.lost_photos().await? {
            writeln!(out, "{}", json!({"lost_photo": {"job": job, "hash": hash}}))?;
        }
        if !opened.report.is_clean() {
            writeln!(out, "{}", json!({"report": format!("{:?}", opened.report)}))?;
        }
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Some(line) = lines.next_line().await? {
            let reply = match serde_json::from_str::<Line>(&line) {
                Ok(line) => {
                    if let Some(at) = line.at {
                        manual.set(at.moment());
                    }
                    terminal.obey(line.command).await.unwrap_or_else(|error| refusal(&error))
                }
                Err(error) => json!({"error": format!("this line is no command: {error}")}),
            };
            writeln!(out, "{reply}")?;
            out.flush()?;
        }
        Ok(())
    }
}

impl At {
    fn moment(self) -> Moment {
        let wall_at = DateTime::from_timestamp_millis(self.wall_ms).unwrap_or_default();
        Moment { wall_at, boot: self.boot, mono_ms: self.mono_ms }
    }
}

fn refusal(error: &anyhow::Error) -> Value {
    json!({"error": format!("{error:#}")})
}

/// A phone with its way to the hall.
struct Terminal {
    phone: NativePhone,
    client: Client,
    token: PathBuf,
    language: Language,
}

impl Terminal {
    async fn obey(&mut self, command: Command) -> anyhow::Result<Value> {
        match command {
            Command::Enrol { login, password, code, name } => {
                let body =
                    json!({"login": login, "password": password, "code": code, "name": name});
                self.enrol(&body).await
            }
            Command::Sync => self.sync().await,
            Command::Tap { job, tap } => {
                let saved = taps::tap(&mut self.phone, job, tap).await;
                saved.map_err(|error| self.in_words(error))
            }
            Command::State => Ok(self.state()),
            Command::Job { job } => {
                let view = self.phone.job(job)?;
                Ok(json!({"job": view.job, "standing": view.standing}))
            }
        }
    }

    async fn enrol(&mut self, body: &Value) -> anyhow::Result<Value> {
        let enrolled: Value = self.client.post("/api/devices", body).await?;
        let id = |value: &Value| value.as_str().context("the hall gave no id").map(str::to_owned);
        let enrolment = Enrolment {
            device: id(&enrolled["device"])?.parse::<DeviceId>()?,
            user: id(&enrolled["user"]["id"])?.parse::<UserId>()?,
            hall: id(&enrolled["user"]["hall"])?.parse::<HallId>()?,
        };
        keep_secret(&self.token, &id(&enrolled["token"])?)?;
        self.phone.enrol(enrolment).await?;
        Ok(json!({"device": enrolment.device, "user": enrolment.user}))
    }

    async fn sync(&mut self) -> anyhow::Result<Value> {
        let token = std::fs::read_to_string(&self.token).context("enrol this phone first")?;
        let mut link = HallLink(self.client.clone().with_token(&token));
        let report = self.phone.sync(&mut link).await;
        if let SyncEnd::Stopped(error) = &report.end {
            anyhow::bail!("{error}");
        }
        let photos = self.phone.send_photos(&mut link).await;
        Ok(json!({
            "rounds": report.rounds, "offered": report.offered, "acked": report.acked,
            "arrived": report.arrived, "notices": format!("{:?}", report.notices),
            "photos": {
                "held": photos.held, "left": photos.left, "sent_bytes": photos.sent_bytes,
                "lost": photos.lost, "refused": photos.refused,
                "stopped": photos.stopped.map(|stop| stop.to_string()),
            },
        }))
    }

    fn state(&self) -> Value {
        let state = self.phone.sync_state();
        let jobs: Vec<Value> = self
            .phone
            .device()
            .jobs()
            .map(|job| json!({"id": job.id, "status": standing(job).status.key()}))
            .collect();
        json!({"pending": state.only_here + state.waiting, "acked": state.acked,
               "photos": self.phone.waiting_photos().len(),
               "quarantined": state.quarantined.len(), "skew_ms": state.clock_skew_ms, "jobs": jobs})
    }

    /// A refusal by the rules, in the catalogue's words.
    fn in_words(&self, error: anyhow::Error) -> anyhow::Error {
        let sentences = match (error.downcast_ref(), error.downcast_ref::<KeepPhotoError>()) {
            (Some(CommandError::Rule(rule)), _) => rule.sentences(),
            (_, Some(photo)) => vec![photo.sentence()],
            _ => return error,
        };
        let said: Vec<String> = sentences.iter().map(|it| it.say(self.language)).collect();
        anyhow::anyhow!(said.join("；"))
    }
}

/// Keeps the phone's token where only its owner reads it.
fn keep_secret(path: &Path, token: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(token.as_bytes())
}

/// The way to the hall over HTTP.
struct HallLink(Client);

impl Link for HallLink {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        self.0.exchange(request).await
    }
}

impl PhotoLink for HallLink {
    async fn photo_progress(&mut self, job: JobId, hash: &str) -> Result<Progress, PhotoLinkError> {
        self.0.photo(job, hash, None).await
    }

    async fn send_photo_part(
        &mut self,
        job: JobId,
        hash: &str,
        part: Part<'_>,
    ) -> Result<Progress, PhotoLinkError> {
        self.0.photo(job, hash, Some(part)).await
    }
}
