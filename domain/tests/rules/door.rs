//! What tests record at a door.

use chrono::NaiveDate;
use domain::conduct::Answer;
use domain::household::{Hose, HoseKind};
use domain::id::{HoseId, MeterId};
use domain::job::{Job, JobKind};
use domain::measure::{Fen, Volume};
use domain::pack::ItemName;
use domain::reading::{Finding, ReadingState, Verdict};
use domain::visit::check::{RecordError, check};
use domain::visit::{Fact, Subject, Visit};
use uuid::Uuid;

use crate::build::*;

pub(crate) fn named(item: &str) -> ItemName {
    let pack = pack();
    let found = pack.conduct.iter().find(|asked| asked.id == item);
    found.expect("the tests name items of the pack").name()
}

pub(crate) fn planned_by(job: JobBuilder) -> Job {
    job.assigned_to(ANA, "07:00").agreed(window("10:00", "12:00"), "07:00").build()
}

pub(crate) fn planned(kind: JobKind) -> Job {
    planned_by(job(kind))
}

#[expect(clippy::needless_pass_by_value, reason = "the fact stands at the call")]
pub(crate) fn try_fact(visit: &Visit, fact: Fact) -> Result<(), RecordError> {
    check(&planned(JobKind::MeterReading), Some(visit), &fact, &pack())
}

pub(crate) fn at_the_open_door() -> Visit {
    let door = ["uniform_badge", "knock_identify"].map(|item| ("10:01", conduct(item)));
    visit(ANA, [vec![("10:00", arrived())], door.to_vec()].concat())
}

pub(crate) fn entered_facts() -> Vec<(&'static str, Fact)> {
    let items = ["uniform_badge", "knock_identify", "asked_to_enter", "shoe_covers", "tool_mat"];
    let answers = items.map(|item| ("10:05", conduct(item)));
    [vec![("10:00", arrived())], answers.to_vec()].concat()
}

pub(crate) fn leaving_facts() -> Vec<(&'static str, Fact)> {
    let items = ["no_smoking_gifts", "household_equipment", "left_clean", "contact_card"];
    items.map(|item| ("10:50", conduct(item))).to_vec()
}

pub(crate) fn arrived() -> Fact {
    Fact::Arrived { fix: None }
}

pub(crate) fn conduct(item: &str) -> Fact {
    Fact::Conduct { item: item.to_owned(), answer: Answer::Done }
}

pub(crate) fn read(finding: Finding) -> Fact {
    let verdict = Verdict::new(finding, &pack().id);
    let meter = MeterId(Uuid::from_u128(5));
    Fact::Read {
        meter,
        register: Some(Volume(1_234_000)),
        state: ReadingState::Seen,
        verdict,
        corrects: None,
    }
}

pub(crate) fn tight() -> Fact {
    Fact::TightnessTested { tight: true }
}

pub(crate) fn gas(on: bool) -> Fact {
    Fact::GasSwitched { on }
}

pub(crate) fn signed() -> Fact {
    Fact::Signed { hash: "ab".repeat(32) }
}

pub(crate) fn contract() -> Fact {
    Fact::ContractSigned { number: "HT-2026-0412".to_owned() }
}

pub(crate) fn cash() -> Fact {
    let (receipt, reason) = ("00000001".to_owned(), String::new());
    Fact::CashTaken { amount: Fen(12_350), receipt, reason }
}

pub(crate) fn photo(subject: Subject) -> Fact {
    Fact::PhotoTaken { hash: "cd".repeat(32), subject }
}

pub(crate) fn hose(length_mm: u32) -> Fact {
    Fact::HoseReplaced {
        removed: None,
        installed: new_hose(length_mm),
        free: false,
        lot: String::new(),
    }
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests write valid days")
}

pub(crate) fn new_hose(length_mm: u32) -> Hose {
    let id = HoseId(Uuid::from_u128(6));
    Hose {
        id,
        kind: HoseKind::Corrugated,
        length_mm,
        installed_on: day("2026-11-24"),
        is_estimated: false,
        joints: None,
    }
}
