//! One visit of the script: how it ends, and every tap on the way there.

use chrono::TimeDelta;
use domain::conduct::{Answer, Phase};
use domain::household::HoseKind;
use domain::job::{Channel, JobKind, Window};
use domain::measure::{Fen, Volume};
use domain::place::Fix;
use domain::reading::Measure;
use domain::stamp::Timestamp;
use domain::visit::{Outcome, Subject};

use super::script::{Call, Register};
use crate::command::phone::act::Act;

/// How a call of the script ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The work is done.
    Done,
    /// Nobody opens.
    NoOneHome,
    /// Somebody opens and refuses.
    Refused,
    /// The household does not live there.
    WrongAddress,
    /// It needs another visit.
    CannotFinish,
    /// The technician phones ahead and agrees on tomorrow.
    AgreedAnew,
    /// The technician never comes.
    NeverCame,
    /// The dispatcher calls it off before anybody sets out.
    CalledOff,
}

impl Ending {
    /// The status that it leaves behind.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NoOneHome => "no_one_home",
            Self::Refused => "refused",
            Self::WrongAddress => "wrong_address",
            Self::CannotFinish => "cannot_finish",
            Self::AgreedAnew | Self::NeverCame => "assigned",
            Self::CalledOff => "cancelled",
        }
    }
}

/// Deals the endings: most calls are done, a few of each other kind.
pub(crate) fn ending(technician: usize, number: usize, call: &Call) -> Ending {
    if call.window.is_none() {
        return Ending::Done;
    }
    match (technician * 7 + number * 3) % 41 {
        5 | 26 => Ending::NoOneHome,
        11 => Ending::Refused,
        17 => Ending::WrongAddress,
        23 => Ending::CannotFinish,
        31 => Ending::AgreedAnew,
        37 => Ending::NeverCame,
        13 if technician < 3 => Ending::CalledOff,
        _ => Ending::Done,
    }
}

/// When the technician means to be there.
pub(crate) fn wanted_at(call: &Call) -> Timestamp {
    match call.window {
        Some(window) => window.start + TimeDelta::minutes(7),
        None => call.created_at + TimeDelta::minutes(9),
    }
}

/// A visit with its taps.
pub(crate) struct Scene {
    /// Every tap with its time.
    pub(crate) acts: Vec<(Timestamp, Act)>,
    /// When the technician stood at the door.
    pub(crate) arrived_at: Option<Timestamp>,
    /// When another window was agreed.
    pub(crate) agreed_at: Option<Timestamp>,
    /// When the technician is free again.
    pub(crate) ends_at: Timestamp,
}

/// Plays a call that the technician can turn to at `free_at`, as the `number`th of the round.
pub(crate) fn play(call: &Call, ending: Ending, number: usize, free_at: Timestamp) -> Scene {
    let mut taps = Taps { now: free_at, acts: Vec::new() };
    match ending {
        Ending::NeverCame | Ending::CalledOff => {
            return Scene { acts: taps.acts, arrived_at: None, agreed_at: None, ends_at: free_at };
        }
        Ending::AgreedAnew => {
            // Some phone while there is time, some only when the window is over.
            let late = call.window.filter(|_| number.is_multiple_of(2)).map(|window| window.end);
            let late = late.map(|end| end + TimeDelta::minutes(6));
            taps.now = taps.now.max(late.unwrap_or(taps.now));
            taps.tap(Act::PhoneAhead { reached: true });
            let agreed_at = Some(taps.now);
            taps.tap(agree_on_tomorrow(call));
            return Scene { acts: taps.acts, arrived_at: None, agreed_at, ends_at: taps.now };
        }
        Ending::Done
        | Ending::NoOneHome
        | Ending::Refused
        | Ending::WrongAddress
        | Ending::CannotFinish => {}
    }
    let arrived_at = arrival(call, number, free_at);
    taps.now = taps.now.max(arrived_at - TimeDelta::minutes(3));
    taps.tap(Act::PhoneAhead { reached: ending != Ending::NoOneHome });
    taps.tap(Act::SetOut);
    taps.now = arrived_at;
    taps.tap(Act::Arrive { fix: fix(call, number) });
    taps.at_the_door(call, ending, number);
    Scene { acts: taps.acts, arrived_at: Some(arrived_at), agreed_at: None, ends_at: taps.now }
}

/// When the technician stands at the door: some early, some late, never on the very edge.
fn arrival(call: &Call, number: usize, free_at: Timestamp) -> Timestamp {
    let soonest = free_at + TimeDelta::minutes(4);
    let Some(window) = call.window else { return soonest.max(wanted_at(call)) };
    // Every fourth call opens a new window: only there can somebody be too early.
    let wanted = match number {
        4 | 8 => window.start - TimeDelta::minutes(12),
        6 | 15 => window.end + TimeDelta::minutes(9),
        _ => wanted_at(call),
    };
    let at = soonest.max(wanted);
    let on_the_edge =
        [window.start, window.end].iter().any(|edge| (at - edge).abs() < TimeDelta::minutes(2));
    if on_the_edge { at + TimeDelta::minutes(4) } else { at }
}

fn agree_on_tomorrow(call: &Call) -> Act {
    let day = TimeDelta::days(1);
    let window = call.window.map_or(
        Window { start: call.created_at + day, end: call.created_at + day + TimeDelta::hours(2) },
        |window| Window { start: window.start + day, end: window.end + day },
    );
    Act::AgreeAnew { window, channel: Channel::Phone }
}

/// Every third door is in a basement or stairwell: no fix.
fn fix(call: &Call, number: usize) -> Option<Fix> {
    let place = call.door.filter(|_| !number.is_multiple_of(3))?;
    Some(Fix { place, accuracy_m: 18.0, age_ms: 900 })
}

struct Taps {
    now: Timestamp,
    acts: Vec<(Timestamp, Act)>,
}

impl Taps {
    fn tap(&mut self, act: Act) {
        self.acts.push((self.now, act));
        self.now += TimeDelta::seconds(40);
    }

    fn at_the_door(&mut self, call: &Call, ending: Ending, number: usize) {
        self.tap(Act::AnswerRest { phase: Phase::AtTheDoor });
        match ending {
            Ending::NoOneHome => {
                self.tap(Act::TakePhoto { subject: Subject::NoticeOnDoor });
                self.tap(Act::Close { outcome: Outcome::NoOneHome });
            }
            Ending::Refused => {
                let reason = "家里有客人，不让进门".to_owned();
                self.tap(Act::Close { outcome: Outcome::Refused { reason } });
            }
            Ending::WrongAddress => {
                let reason = "该户已搬走，门牌对不上".to_owned();
                self.tap(Act::Close { outcome: Outcome::WrongAddress { reason } });
            }
            Ending::CannotFinish => {
                self.enter(number);
                self.tap(Act::AnswerRest { phase: Phase::BeforeLeaving });
                let reason = "灶前阀锈死，需专用工具".to_owned();
                let follow_up = "带阀门更换工具再上门".to_owned();
                self.tap(Act::Close { outcome: Outcome::CannotFinish { reason, follow_up } });
            }
            Ending::Done | Ending::AgreedAnew | Ending::NeverCame | Ending::CalledOff => {
                self.enter(number);
                self.work(call, number);
                self.tap(Act::AnswerRest { phase: Phase::BeforeLeaving });
                self.tap(Act::Sign);
                self.tap(Act::Close { outcome: Outcome::Done });
            }
        }
    }

    fn enter(&mut self, number: usize) {
        if number.is_multiple_of(5) {
            let item = "shoe_covers".to_owned();
            self.tap(Act::Answer { item, answer: Answer::Waived });
        }
        self.tap(Act::AnswerRest { phase: Phase::BeforeEntering });
    }

    fn work(&mut self, call: &Call, number: usize) {
        match call.kind {
            JobKind::MeterReading => self.read(call, number),
            JobKind::HoseReplacement => {
                let (kind, length_mm) = (HoseKind::Corrugated, 1_500);
                self.tap(Act::ReplaceHose { removed: call.hose, kind, length_mm });
                self.tap(Act::TestTightness { tight: true });
                self.tap(Act::TakePhoto { subject: Subject::Hose });
            }
            JobKind::Ignition | JobKind::Unsealing => {
                self.tap(Act::TestTightness { tight: true });
                self.read(call, 0);
                if call.kind == JobKind::Ignition {
                    self.tap(Act::SignContract { number: format!("HT{number:04}") });
                }
                self.tap(Act::SwitchGas { on: true });
            }
            JobKind::Installation | JobKind::Relocation | JobKind::MeterReplacement => {
                self.read(call, 0);
                self.tap(Act::TestTightness { tight: true });
                self.tap(Act::TakePhoto { subject: Subject::Meter });
            }
            JobKind::Removal => {
                self.read(call, 0);
                self.tap(Act::SwitchGas { on: false });
                self.tap(Act::TakePhoto { subject: Subject::Meter });
            }
            JobKind::Sealing | JobKind::GasStop => {
                self.read(call, 0);
                self.tap(Act::SwitchGas { on: false });
            }
            JobKind::SafetyInspection => {
                self.tap(Act::TestTightness { tight: true });
                if number.is_multiple_of(4) {
                    let (item, text) = ("hose_overdue".to_owned(), "灶具软管已超年限".to_owned());
                    self.tap(Act::FindHazard { item, text });
                    self.tap(Act::TakePhoto { subject: Subject::Hazard });
                    self.tap(Act::GiveNotice);
                }
                self.tap(Act::TakePhoto { subject: Subject::Other });
            }
            JobKind::CashCollection => {
                let reason = "线上缴费停用".to_owned();
                self.tap(Act::TakeCash { amount: Fen(12_350), reason });
            }
            JobKind::Emergency
            | JobKind::Repair
            | JobKind::InstallationSurvey
            | JobKind::PublicInspection
            | JobKind::HazardRecheck
            | JobKind::SafetyGuidance => {
                self.tap(Act::TestTightness { tight: true });
                self.tap(Act::Note { text: "接头已紧固，检漏无泄漏".to_owned() });
                self.tap(Act::TakePhoto { subject: Subject::Other });
            }
        }
    }

    /// Reads the meter: most show what they really show, a few far too much, far too little, less than last time,
    /// or nothing that can be read.
    fn read(&mut self, call: &Call, number: usize) {
        let Some(Register { meter, last, today }) = call.meter else { return };
        let used = today.0 - last.0;
        let register = match number {
            4 => Some(Volume(today.0 + 900_000)),
            7 => None,
            10 => Some(Volume(last.0 + used / 6)),
            13 => Some(Volume(last.0 - 2_000)),
            _ => Some(today),
        };
        self.tap(Act::Read { meter, register });
        // The phone says whether these two are needed; tapping them where they are not is refused.
        self.tap(Act::TellHousehold);
        self.tap(Act::TakeMeasure { measure: Measure::ReadAgain });
    }
}
