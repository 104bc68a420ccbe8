//! The steps of a visit: which fact may be recorded now, and what is missing before it can close.

mod hazards;
mod readings;

use super::{Fact, Outcome, Recorded, Subject, Visit, live_facts};
use crate::appointment;
use crate::callout;
use crate::cash;
use crate::catalogue::Sentence;
use crate::conduct::{self, AnswerConductError, Phase};
use crate::hose::{self, Entitlement};
use crate::household::Hose;
use crate::id::{FactId, UserId};
use crate::job::{Job, JobKind};
use crate::ladder;
use crate::measure::Fen;
use crate::meter::ChangeMeterError;
use crate::pack::{ItemName, Need, Pack};

/// Why a fact cannot be recorded now.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// No window was agreed with the household (A1).
    #[error("agree a time window with the household first")]
    NoAppointment,
    /// The hall called the job off.
    #[error("the hall cancelled this job")]
    JobCancelled,
    /// The visit is over; a new attempt is a new visit.
    #[error("the visit is closed: start a new one")]
    VisitClosed,
    /// The step before has not been taken.
    #[error("record the arrival first")]
    NotArrived,
    /// Somebody arrived already.
    #[error("the arrival is recorded already")]
    ArrivedAlready,
    /// The conduct checklist does not take the answer.
    #[error(transparent)]
    Conduct(#[from] AnswerConductError),
    /// The conduct checklist before entering is not answered (A5).
    #[error("answer {0} before entering")]
    NotEntered(ItemName),
    /// The fact named is not in this visit, or was withdrawn.
    #[error("no such fact stands in this visit")]
    UnknownFact,
    /// The reading named is not abnormal; nothing has to be told or done (A9).
    #[error("the reading is not abnormal: nothing to tell or do")]
    ReadingNormal,
    /// The hose is longer than the rule pack allows.
    #[error("a hose of {length_mm} mm is too long: at most {max_mm} mm")]
    HoseTooLong {
        /// Its length.
        length_mm: u32,
        /// The longest allowed.
        max_mm: u32,
    },
    /// A hose has no joint in it.
    #[error("a hose with {0} joints is not put in: cut one piece")]
    HoseJointed(u8),
    /// The meter cannot be changed so.
    #[error(transparent)]
    Meter(#[from] ChangeMeterError),
    /// A register with a state that has none, or none with a state that has one.
    #[error("this state does not go with the register")]
    StateMismatch,
    /// The household does not get this hose free (B14).
    #[error("the household does not get this hose free: {0:?}")]
    NotFree(Entitlement),
    /// A correction names the reading of another meter.
    #[error("that reading is another meter's")]
    OtherMeter,
    /// A notice names what is no hazard.
    #[error("the fact named is no hazard")]
    NotAHazard,
    /// The window does not end after it starts (A1).
    #[error("a window ends after it starts")]
    WindowEndsFirst,
    /// Something must be said in words.
    #[error("say why in words")]
    NoReason,
    /// Only who was called to an emergency answers a call (B2).
    #[error("you were not called to this job")]
    NotCalled,
    /// A notice says what the household did with it.
    #[error("say whether the household signed for the notice or refused to")]
    NoticeNeedsAnswer,
    /// What is gone is shown in a picture from the same angle.
    #[error("take a picture from the same angle: a hazard is closed in person and with it")]
    RecheckNeedsPhoto,
    /// Cash is more than nothing (B15).
    #[error("say how much was paid")]
    NoAmount,
    /// Nobody has so much cash on them.
    #[error("the amount is beyond any: check it")]
    TooMuch,
    /// The household is in no group that may pay cash at home (B15).
    #[error("say why this household pays cash at home: it is in none of the groups that may")]
    CashNeedsReason,
    /// The visit cannot close yet.
    #[error("{} still missing", .0.len())]
    Missing(Vec<Sentence>),
}

impl RecordError {
    /// What to tell the technician, in the catalogue's words.
    pub fn sentences(&self) -> Vec<Sentence> {
        let key = match self {
            Self::NoAppointment => "record.no_appointment",
            Self::JobCancelled => "record.job_cancelled",
            Self::VisitClosed => "record.visit_closed",
            Self::NotArrived => "record.not_arrived",
            Self::ArrivedAlready => "record.arrived_already",
            Self::UnknownFact => "record.unknown_fact",
            Self::ReadingNormal => "record.reading_normal",
            Self::NoReason => "record.no_reason",
            Self::NotCalled => "record.not_called",
            Self::OtherMeter => "record.other_meter",
            Self::NotAHazard => "record.not_a_hazard",
            Self::NoticeNeedsAnswer => "record.notice_needs_answer",
            Self::RecheckNeedsPhoto => "record.recheck_needs_photo",
            Self::NoAmount => "record.no_amount",
            Self::TooMuch => "record.too_much",
            Self::CashNeedsReason => "record.cash_needs_reason",
            Self::WindowEndsFirst => "record.window_ends_first",
            Self::NotEntered(item) => {
                return vec![Sentence::new("record.not_entered").naming("item", item)];
            }
            Self::NotFree(Entitlement::UsedUp { on }) => {
                return vec![Sentence::new("record.hose_used_up").with("on", on.to_string())];
            }
            Self::NotFree(Entitlement::NotInGroup | Entitlement::Free { .. }) => {
                "record.hose_not_free"
            }
            Self::HoseTooLong { length_mm, max_mm } => {
                let sentence = Sentence::new("record.hose_too_long");
                let length = length_mm.to_string();
                return vec![sentence.with("length", length).with("max", max_mm.to_string())];
            }
            Self::HoseJointed(joints) => {
                let sentence = Sentence::new("record.hose_jointed");
                return vec![sentence.with("joints", joints.to_string())];
            }
            Self::Conduct(error) => return vec![conduct_sentence(error)],
            Self::Meter(error) => return vec![meter_sentence(error)],
            Self::StateMismatch => "record.state_mismatch",
            Self::Missing(missing) => return missing.clone(),
        };
        vec![Sentence::new(key)]
    }
}

fn conduct_sentence(error: &AnswerConductError) -> Sentence {
    let (key, item) = match error {
        AnswerConductError::UnknownItem(item) => {
            return Sentence::new("conduct.unknown_item").with("item", item);
        }
        AnswerConductError::NotWaivable(item) => ("conduct.not_waivable", item),
        AnswerConductError::NoReason(item) => ("conduct.no_reason", item),
        AnswerConductError::EarlierPhaseOpen(item) => ("conduct.earlier_phase_open", item),
    };
    Sentence::new(key).naming("item", item)
}

fn meter_sentence(error: &ChangeMeterError) -> Sentence {
    match error {
        ChangeMeterError::Nothing => Sentence::new("record.meter_nothing"),
        ChangeMeterError::NotHanging => Sentence::new("record.meter_not_hanging"),
        ChangeMeterError::NoSerial => Sentence::new("record.meter_no_serial"),
        ChangeMeterError::SerialTwice(serial) => {
            Sentence::new("record.meter_serial_twice").with("serial", serial)
        }
        ChangeMeterError::UnknownSize(size) => {
            Sentence::new("record.meter_unknown_size").with("size", size)
        }
        ChangeMeterError::Digits { fewest, most } => Sentence::new("record.meter_digits")
            .with("fewest", fewest.to_string())
            .with("most", most.to_string()),
        ChangeMeterError::Register(digits) => {
            Sentence::new("record.meter_register").with("digits", digits.to_string())
        }
    }
}

/// Whether a fact may be recorded now; `visit` is `None` before its first fact (A1–A9).
pub fn check(
    job: &Job,
    visit: Option<&Visit>,
    fact: &Fact,
    pack: &Pack,
) -> Result<(), RecordError> {
    let nothing = Visit::empty();
    let steps = Steps { job, visit: visit.unwrap_or(&nothing), pack };
    if steps.is_closed() {
        return Err(RecordError::VisitClosed);
    }
    if visit.is_none() && !job.plan.cancelled.is_empty() {
        return Err(RecordError::JobCancelled);
    }
    steps.check(fact)
}

/// Whether this technician may record the fact at all: a call is answered by who was called (B2).
pub fn check_by(job: &Job, technician: UserId, fact: &Fact) -> Result<(), RecordError> {
    let answers = matches!(fact, Fact::CallAccepted | Fact::CallDeclined { .. });
    if answers && !callout::was_called(job, technician) {
        return Err(RecordError::NotCalled);
    }
    Ok(())
}

/// What is missing before the visit can close with this outcome, in words.
pub fn missing_to_close(job: &Job, visit: &Visit, outcome: &Outcome, pack: &Pack) -> Vec<Sentence> {
    Steps { job, visit, pack }.missing(outcome)
}

struct Steps<'a> {
    job: &'a Job,
    visit: &'a Visit,
    pack: &'a Pack,
}

impl Steps<'_> {
    fn check(&self, fact: &Fact) -> Result<(), RecordError> {
        match fact {
            Fact::AgreedAnew { window, .. } if window.start >= window.end => {
                Err(RecordError::WindowEndsFirst)
            }
            Fact::PhonedAhead { .. } | Fact::AgreedAnew { .. } | Fact::Noted { .. } => Ok(()),
            Fact::CallAccepted | Fact::CallDeclined { .. } => {
                let is_emergency = self.pack.kind(self.job.kind).emergency;
                if is_emergency { Ok(()) } else { Err(RecordError::NotCalled) }
            }
            Fact::SetOut => self.needs_appointment(),
            Fact::Arrived { .. } => {
                self.needs_appointment()?;
                if self.has_arrived() { Err(RecordError::ArrivedAlready) } else { Ok(()) }
            }
            Fact::RoadBlocked { reason, .. } => said(reason),
            Fact::Conduct { item, answer } => {
                self.needs_arrival()?;
                Ok(conduct::check_answer(self.pack, self.visit, item, answer)?)
            }
            Fact::HoseReplaced { installed, free, .. } => {
                self.needs_entrance()?;
                self.check_hose(installed, *free)
            }
            Fact::HouseholdTold { .. }
            | Fact::MeasureTaken { .. }
            | Fact::MeterChanged { .. }
            | Fact::Read { .. } => self.needs_entrance().and_then(|()| self.check_reading(fact)),
            Fact::Surveyed { text: words, .. } | Fact::ContractSigned { number: words } => {
                self.needs_entrance()?;
                said(words)
            }
            Fact::NoticeGiven { .. }
            | Fact::SupplyStopped { .. }
            | Fact::HazardRechecked { .. } => {
                self.needs_entrance()?;
                self.check_hazard(fact)
            }
            Fact::TightnessTested { .. }
            | Fact::HoseSeen { .. }
            | Fact::ApplianceSeen { .. }
            | Fact::GasSwitched { .. }
            | Fact::HazardFound { .. }
            | Fact::Signed { .. } => self.needs_entrance(),
            Fact::CashTaken { amount, reason, .. } => self.check_cash(*amount, reason),
            Fact::PhotoTaken { .. }
            | Fact::Asked { .. }
            | Fact::LeafletGiven
            | Fact::DoorSniffed { .. } => self.needs_arrival(),
            Fact::Withdrawn { fact, reason } => {
                said(reason)?;
                self.needs_fact(*fact).map(|_| ())
            }
            Fact::Closed { outcome } => self.check_closing(outcome),
        }
    }

    /// No longer than allowed, of one piece, and free only for who is entitled (B14).
    fn check_hose(&self, installed: &Hose, free: bool) -> Result<(), RecordError> {
        let (length_mm, max_mm) = (installed.length_mm, self.pack.hose.max_length_mm);
        if length_mm > max_mm {
            return Err(RecordError::HoseTooLong { length_mm, max_mm });
        }
        if let Some(joints @ 1..) = installed.joints {
            return Err(RecordError::HoseJointed(joints));
        }
        let groups = &self.job.briefing.household.groups;
        let known = hose::replacements(self.job);
        match hose::entitlement(groups, &known, installed.installed_on, self.pack) {
            Entitlement::Free { .. } => Ok(()),
            entitlement if free => Err(RecordError::NotFree(entitlement)),
            Entitlement::UsedUp { .. } | Entitlement::NotInGroup => Ok(()),
        }
    }

    /// Something was paid, and by whom may pay so or says why (B15).
    fn check_cash(&self, amount: Fen, reason: &str) -> Result<(), RecordError> {
        self.needs_entrance()?;
        if amount.0 <= 0 {
            return Err(RecordError::NoAmount);
        }
        if amount > Fen::MOST {
            return Err(RecordError::TooMuch);
        }
        let groups = &self.job.briefing.household.groups;
        let is_entitled = cash::is_entitled(groups, self.pack);
        if is_entitled || !reason.trim().is_empty() {
            Ok(())
        } else {
            Err(RecordError::CashNeedsReason)
        }
    }

    fn check_closing(&self, outcome: &Outcome) -> Result<(), RecordError> {
        match outcome {
            Outcome::Done | Outcome::NoOneHome | Outcome::Empty => {}
            Outcome::Refused { reason } | Outcome::WrongAddress { reason } => said(reason)?,
            Outcome::CannotFinish { reason, follow_up } => {
                said(reason)?;
                said(follow_up)?;
            }
        }
        let missing = self.missing(outcome);
        if missing.is_empty() { Ok(()) } else { Err(RecordError::Missing(missing)) }
    }

    fn missing(&self, outcome: &Outcome) -> Vec<Sentence> {
        let mut missing = Vec::new();
        if !self.has_arrived() {
            missing.push(Sentence::new("missing.arrival"));
        }
        match outcome {
            Outcome::Refused { .. } | Outcome::WrongAddress { .. } => {}
            Outcome::NoOneHome => {
                // Proof that somebody was there: the notice on the door.
                let notice = |fact: &Fact| {
                    matches!(fact, Fact::PhotoTaken { subject: Subject::NoticeOnDoor, .. })
                };
                if !self.has(notice) {
                    missing.push(Sentence::new("missing.notice_photo"));
                }
                let sniffed = |fact: &Fact| matches!(fact, Fact::DoorSniffed { .. });
                if self.asks_to_sniff() && !self.has(sniffed) {
                    missing.push(Sentence::new("missing.door_sniff"));
                }
            }
            Outcome::Empty => {
                let shown = |fact: &Fact| {
                    matches!(fact, Fact::PhotoTaken { subject: Subject::EmptyHome, .. })
                };
                if !self.has(shown) {
                    missing.push(Sentence::new("missing.empty_photo"));
                }
            }
            Outcome::CannotFinish { .. } => {
                missing.extend(self.missing_conduct());
                missing.extend(self.missing_notices());
            }
            Outcome::Done => {
                missing.extend(self.missing_conduct());
                missing.extend(self.missing_notices());
                missing.extend(self.missing_stops());
                let mut needs = self.pack.kind(self.job.kind).needs.clone();
                // Every supply change carries a reading, also where the kind does not ask for one.
                if self.has(|fact| matches!(fact, Fact::GasSwitched { .. })) {
                    needs.insert(Need::Reading);
                }
                let open = needs
                    .iter()
                    .filter(|need| !self.has(|fact| answers_need(self.job.kind, fact, **need)));
                missing.extend(open.map(|need| Sentence::new(&format!("missing.{}", need.key()))));
            }
        }
        missing.extend(self.missing_for_readings());
        missing.extend(self.missing_wheels());
        missing
    }

    /// Whether the ladder's next step is to sniff at the door (field notes 3.5).
    fn asks_to_sniff(&self) -> bool {
        ladder::of_job(self.job, self.pack).is_some_and(|rung| rung.next.is_some_and(|it| it.sniff))
    }

    fn missing_conduct(&self) -> Vec<Sentence> {
        let phases = Phase::ALL.into_iter();
        let items = phases.flat_map(|phase| conduct::missing(self.pack, self.visit, phase));
        items.map(|item| Sentence::new("missing.conduct").naming("item", &item.name())).collect()
    }

    fn needs_appointment(&self) -> Result<(), RecordError> {
        let is_emergency = self.pack.kind(self.job.kind).emergency;
        if is_emergency || appointment::current(self.job).is_some() {
            Ok(())
        } else {
            Err(RecordError::NoAppointment)
        }
    }

    fn needs_arrival(&self) -> Result<(), RecordError> {
        if self.has_arrived() { Ok(()) } else { Err(RecordError::NotArrived) }
    }

    fn needs_entrance(&self) -> Result<(), RecordError> {
        self.needs_arrival()?;
        let phases = [Phase::AtTheDoor, Phase::BeforeEntering];
        let mut open = phases.iter().flat_map(|it| conduct::missing(self.pack, self.visit, *it));
        open.next().map_or(Ok(()), |item| Err(RecordError::NotEntered(item.name())))
    }

    fn needs_fact(&self, id: FactId) -> Result<&Recorded, RecordError> {
        let facts = live_facts(self.visit);
        let found = facts.into_iter().find(|(live, _)| *live == id);
        found.map(|(_, recorded)| recorded).ok_or(RecordError::UnknownFact)
    }

    fn has_arrived(&self) -> bool {
        self.has(|fact| matches!(fact, Fact::Arrived { .. }))
    }

    fn is_closed(&self) -> bool {
        self.has(|fact| matches!(fact, Fact::Closed { .. }))
    }

    fn has(&self, is_it: impl Fn(&Fact) -> bool) -> bool {
        live_facts(self.visit).iter().any(|(_, recorded)| is_it(&recorded.fact))
    }
}

fn said(words: &str) -> Result<(), RecordError> {
    if words.trim().is_empty() { Err(RecordError::NoReason) } else { Ok(()) }
}

/// Whether a fact is what a need asks for; gas must flow after an ignition and must not after a sealing.
fn answers_need(kind: JobKind, fact: &Fact, need: Need) -> bool {
    match (need, fact) {
        (Need::Survey, Fact::Surveyed { .. })
        | (Need::Reading, Fact::Read { .. })
        | (Need::MeterInstalled, Fact::MeterChanged { installed: Some(_), .. })
        | (Need::MeterRemoved, Fact::MeterChanged { removed: Some(_), .. })
        | (Need::Hose, Fact::HoseReplaced { .. })
        | (Need::Leaflet, Fact::LeafletGiven)
        | (Need::Tightness, Fact::TightnessTested { tight: true })
        | (Need::Cash, Fact::CashTaken { .. })
        | (Need::Contract, Fact::ContractSigned { .. })
        | (Need::Photo, Fact::PhotoTaken { .. })
        | (Need::Signature, Fact::Signed { .. }) => true,
        (Need::GasSwitched, Fact::GasSwitched { on }) => *on == kind.opens_gas(),
        _ => false,
    }
}
