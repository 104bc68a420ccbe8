//! What a technician does at a door, as one line of JSON.

use domain::conduct::{Answer, Phase};
use domain::household::HoseKind;
use domain::id::{HoseId, MeterId};
use domain::job::{Channel, Window};
use domain::measure::{Fen, Volume};
use domain::place::Fix;
use domain::reading::Measure;
use domain::visit::{Outcome, Subject};
use serde::{Deserialize, Serialize};

/// One tap of a technician in the visit of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub(crate) enum Act {
    /// Phones the household before coming.
    PhoneAhead {
        /// Whether somebody answered.
        reached: bool,
    },
    /// Agrees another window.
    AgreeAnew {
        /// The new window.
        window: Window,
        /// How it was agreed.
        channel: Channel,
    },
    /// Sets out.
    SetOut,
    /// Stands at the door.
    Arrive {
        /// Where the phone thinks it is.
        fix: Option<Fix>,
    },
    /// Answers one item of the conduct checklist.
    Answer {
        /// The item.
        item: String,
        /// The answer.
        answer: Answer,
    },
    /// Answers what is left of a phase as done.
    AnswerRest {
        /// The phase.
        phase: Phase,
    },
    /// Reads a meter.
    Read {
        /// Which one.
        meter: MeterId,
        /// What it shows; `None` when it cannot be read.
        register: Option<Volume>,
    },
    /// Tells the household of the last abnormal reading.
    TellHousehold,
    /// Does something about the last abnormal reading.
    TakeMeasure {
        /// What.
        measure: Measure,
    },
    /// Replaces a hose.
    ReplaceHose {
        /// The one taken out.
        removed: Option<HoseId>,
        /// What the new one is made of.
        kind: HoseKind,
        /// Its length.
        length_mm: u32,
    },
    /// Tests the joints.
    TestTightness {
        /// Whether they held.
        tight: bool,
    },
    /// Turns the gas on or off.
    SwitchGas {
        /// Whether it flows now.
        on: bool,
    },
    /// Finds a hazard.
    FindHazard {
        /// The finding's key in the rule pack.
        item: String,
        /// Where and what.
        text: String,
    },
    /// Hands the household the notice of the hazard found last.
    GiveNotice,
    /// Takes cash.
    TakeCash {
        /// How much.
        amount: Fen,
        /// Why somebody pays so who is in no entitled group; may be empty.
        #[serde(default)]
        reason: String,
    },
    /// Has the household sign the supply contract.
    SignContract {
        /// The contract's number.
        number: String,
    },
    /// Takes a photo.
    TakePhoto {
        /// What it shows.
        subject: Subject,
    },
    /// Has the household sign.
    Sign,
    /// Writes a remark.
    Note {
        /// What it says.
        text: String,
    },
    /// Ends the visit.
    Close {
        /// How.
        outcome: Outcome,
    },
}
