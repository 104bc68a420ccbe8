//! What a screen can ask or do, and how it is answered.

use domain::catalogue::Sentence;
use domain::conduct::Phase;
use domain::household::HoseKind;
use domain::id::{DeviceId, FactId, HallId, HoseId, JobId, MeterId, UserId};
use domain::measure::{Fen, Volume};
use domain::reading::ReadingState;
use domain::visit::{Fact, Outcome};
use mobile_core::Phone;
use mobile_core::clock::{Clock, Rng};
use mobile_core::log::{LogStore, StoreError};
use mobile_core::phone::{
    CommandError, EnrolError, NewHose, NewMeter, OldMeter, ReminderName, Said, Wipe, WipeError,
};
use mobile_core::photo::BlobStore;
use serde::Deserialize;
use serde_json::json;
use sync::device::Enrolment;

use crate::view;

/// A question or an order of a screen. `Ok` from an order means saved.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Makes this the phone of a technician.
    Enrol {
        /// The phone's name in the hall.
        device: DeviceId,
        /// The technician.
        user: UserId,
        /// Their hall.
        hall: HallId,
    },
    /// The list of today and the days to come.
    Day,
    /// Everything of one job.
    Job {
        /// The job.
        job: JobId,
    },
    /// How things stand between phone and hall.
    State,
    /// Saves a fact as it is.
    Record {
        /// The job.
        job: JobId,
        /// What happened.
        fact: Box<Fact>,
    },
    /// Answers what is still open of a phase as done.
    RestDone {
        /// The job.
        job: JobId,
        /// The phase.
        phase: Phase,
    },
    /// What a reading would be judged as; saves nothing.
    Judge {
        /// The job.
        job: JobId,
        /// The meter.
        meter: MeterId,
        /// What it shows, in litres.
        register: Option<Volume>,
        /// How anybody knows, or why nobody does.
        #[serde(default)]
        state: ReadingState,
    },
    /// Reads a meter.
    Read {
        /// The job.
        job: JobId,
        /// The meter.
        meter: MeterId,
        /// What it shows, in litres; nothing when it cannot be read.
        register: Option<Volume>,
        /// How anybody knows, or why nobody does.
        #[serde(default)]
        state: ReadingState,
        /// The reading that this one corrects.
        corrects: Option<FactId>,
    },
    /// Puts a meter in, takes one out or exchanges it.
    ChangeMeter {
        /// The job.
        job: JobId,
        /// The meter taken out, with its last register.
        old: Option<OldMeter>,
        /// The meter put in, with its first register.
        new: Option<NewMeter>,
        /// The number of its seal.
        #[serde(default)]
        seal: String,
    },
    /// Replaces a hose; whether it is free is judged.
    Hose {
        /// The job.
        job: JobId,
        /// The hose taken out.
        removed: Option<HoseId>,
        /// What the new one is made of.
        kind: HoseKind,
        /// How long it is.
        length_mm: u32,
        /// How many joints are in it.
        joints: Option<u8>,
        /// The maker's lot.
        #[serde(default)]
        lot: String,
    },
    /// Finds a hazard; its level is the rule pack's.
    Hazard {
        /// The job.
        job: JobId,
        /// The finding's key.
        item: String,
        /// Where and what, in words.
        text: String,
    },
    /// Takes cash; the receipt gets this phone's next number.
    Cash {
        /// The job.
        job: JobId,
        /// How much.
        amount: Fen,
        /// Why somebody pays so who is in no entitled group.
        reason: String,
    },
    /// Looks again at a hazard that the hall knows.
    Recheck {
        /// The job.
        job: JobId,
        /// The item's key.
        item: String,
        /// Whether it is gone.
        gone: bool,
        /// The SHA-256 of a picture from the same angle.
        photo: Option<String>,
    },
    /// What is missing before the visit can end so.
    Missing {
        /// The job.
        job: JobId,
        /// How it would end.
        outcome: Outcome,
    },
    /// Writes to the hall.
    Message {
        /// The job.
        job: JobId,
        /// The line.
        text: String,
    },
    /// Notes that the job was looked at.
    Seen {
        /// The job.
        job: JobId,
    },
    /// Puts a reminder off.
    Snooze {
        /// Which one.
        reminder: ReminderName,
        /// For how many minutes, one of those offered.
        minutes: i64,
    },
    /// Says that a reminder is seen to.
    SeenTo {
        /// Which one.
        reminder: ReminderName,
    },
    /// Deletes everything; refused while anything is on this phone only, unless `rescued`.
    Wipe {
        /// The rescue file is in safe hands.
        rescued: bool,
    },
}

/// Why a screen did not get what it asked for, in the catalogue's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub Vec<Sentence>);

/// Does what a screen asks; the answer is JSON.
#[expect(clippy::too_many_lines, reason = "some lines for each thing that a screen asks")]
pub async fn answer<S, C, R>(phone: &mut Phone<S, C, R>, asked: Request) -> Result<String, Refusal>
where
    S: LogStore + BlobStore,
    C: Clock,
    R: Rng,
{
    match asked {
        Request::Enrol { device, user, hall } => {
            phone.enrol(Enrolment { device, user, hall }).await?;
            Ok(done())
        }
        Request::Day => Ok(shown(&view::day(phone))),
        Request::Job { job } => Ok(shown(&view::job(phone, job)?)),
        Request::State => Ok(shown(&view::state(phone))),
        Request::Missing { job, outcome } => Ok(shown(&phone.missing(job, &outcome)?)),
        Request::Judge { job, meter, register, state } => {
            Ok(shown(&view::judged(&phone.judge_reading(job, meter, (register, state))?)))
        }
        Request::Wipe { rescued } => {
            let wipe = if rescued { Wipe::AfterRescue } else { Wipe::IfNothingIsOnlyHere };
            phone.wipe(wipe).await?;
            Ok(done())
        }
        Request::Record { job, fact } => Ok(saved(phone.record(job, *fact).await?.fact)),
        Request::RestDone { job, phase } => {
            phone.answer_rest_as_done(job, phase).await?;
            Ok(done())
        }
        Request::Read { job, meter, register, state, corrects } => Ok(saved(
            phone.read_or_correct(job, meter, (register, state), corrects).await?.saved.fact,
        )),
        Request::ChangeMeter { job, old, new, seal } => {
            Ok(saved(phone.change_meter(job, (old, new), seal).await?.fact))
        }
        Request::Hose { job, removed, kind, length_mm, joints, lot } => {
            let new = NewHose { kind, length_mm, joints, lot };
            Ok(saved(phone.replace_hose(job, removed, new).await?.saved.fact))
        }
        Request::Hazard { job, item, text } => {
            Ok(saved(phone.find_hazard(job, &item, text).await?.fact))
        }
        Request::Cash { job, amount, reason } => {
            Ok(saved(phone.take_cash(job, amount, reason).await?.fact))
        }
        Request::Recheck { job, item, gone, photo } => {
            phone.recheck(job, &item, (gone, photo)).await?;
            Ok(done())
        }
        Request::Message { job, text } => {
            phone.message(job, text).await?;
            Ok(done())
        }
        Request::Snooze { reminder, minutes } => {
            phone.answer_reminder(reminder, Said::Later { minutes }).await?;
            Ok(done())
        }
        Request::SeenTo { reminder } => {
            phone.answer_reminder(reminder, Said::Done).await?;
            Ok(done())
        }
        Request::Seen { job } => {
            phone.mark_seen(job).await?;
            Ok(done())
        }
    }
}

fn done() -> String {
    "null".to_owned()
}

fn saved(fact: FactId) -> String {
    json!({ "fact": fact }).to_string()
}

fn shown(view: &impl serde::Serialize) -> String {
    serde_json::to_string(view).expect("views have string keys only")
}

impl From<CommandError> for Refusal {
    fn from(error: CommandError) -> Self {
        Self(error.sentences())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<EnrolError> for Refusal {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::EnrolledAlready => Self(vec![Sentence::new("phone.enrolled_already")]),
            EnrolError::Store(error) => error.into(),
        }
    }
}

impl From<WipeError> for Refusal {
    fn from(error: WipeError) -> Self {
        let (key, count) = match error {
            WipeError::OnlyHere { count } => ("phone.facts_only_here", count),
            WipeError::PhotosOnlyHere { count } => ("phone.photos_only_here", count),
            WipeError::DamagedOnlyHere { count } => ("phone.damaged_only_here", count),
            WipeError::Store(error) => return error.into(),
        };
        Self(vec![Sentence::new(key).with("count", count.to_string())])
    }
}
