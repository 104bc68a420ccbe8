//! Meters put in, taken out and exchanged: what may be recorded, what hangs afterwards, and two crews who say the same.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::household::{Meter, PastReading};
use domain::id::MeterId;
use domain::job::{Job, JobKind};
use domain::measure::Volume;
use domain::meter::{
    self, ChangeMeterError, InstalledMeter, RemovedMeter, changes, hanging, of_job,
};
use domain::reading::{Finding, Measure, ReadingState, Verdict};
use domain::status::{Clash, standing};
use domain::visit::check::{RecordError, check, missing_to_close};
use domain::visit::{Fact, Outcome, Subject};
use uuid::Uuid;

use crate::build::*;
use crate::door::*;

const OLD: MeterId = MeterId(Uuid::from_u128(50));
const NEW: MeterId = MeterId(Uuid::from_u128(51));
const OTHER: MeterId = MeterId(Uuid::from_u128(52));

#[test]
fn a9_the_last_register_of_an_old_meter_is_judged_like_any_reading() {
    let job = with_old(job(JobKind::MeterReplacement).build());
    let mut at_door = visit(ANA, entered_facts());
    at_door.facts.insert(fact_id(90), recorded(exchanged(NEW, "N1", Finding::High)));

    let missing = words(&missing_to_close(&job, &at_door, &Outcome::Done, &pack()));

    for key in ["missing.household_told", "missing.measure"] {
        assert!(missing.contains(&key.to_owned()), "{missing:?}");
    }
    let told = Fact::HouseholdTold { reading: fact_id(90) };
    assert_eq!(check(&job, Some(&at_door), &told, &pack()), Ok(()));
}

#[test]
fn a9_old_wheels_new_wheels_and_seal_are_pictured() {
    let job = with_old(job(JobKind::MeterReplacement).build());
    let mut at_door = visit(ANA, entered_facts());
    let lacks = |at_door: &domain::visit::Visit, outcome: &Outcome| {
        words(&missing_to_close(&job, at_door, outcome, &pack()))
    };
    let missing = lacks(&at_door, &Outcome::Done);
    for key in ["missing.meter_removed", "missing.meter_installed"] {
        assert!(missing.contains(&key.to_owned()), "{missing:?}");
    }

    at_door.facts.insert(fact_id(90), recorded(exchanged(NEW, "N1", Finding::Normal)));
    let unfinished =
        Outcome::CannotFinish { reason: "漏气".to_owned(), follow_up: "再来".to_owned() };
    for outcome in [Outcome::Done, unfinished] {
        let missing = lacks(&at_door, &outcome);
        for key in ["missing.old_wheels", "missing.new_wheels", "missing.seal"] {
            assert!(missing.contains(&key.to_owned()), "{missing:?}");
        }
        assert!(!missing.contains(&"missing.meter_removed".to_owned()), "{missing:?}");
    }
    for (number, subject) in
        [(91, Subject::OldWheels), (92, Subject::NewWheels), (93, Subject::Seal)]
    {
        let photo = Fact::PhotoTaken { hash: "ab".repeat(32), subject };
        at_door.facts.insert(fact_id(number), recorded(photo));
    }
    let missing = lacks(&at_door, &Outcome::Done);
    assert!(!missing.iter().any(|it| it.contains("wheels") || it.contains("seal")), "{missing:?}");
}

#[test]
fn a9_a_change_that_cannot_be_is_refused_in_words() {
    let job = with_old(job(JobKind::MeterReplacement).build());
    let at_door = visit(ANA, entered_facts());
    let removed = |meter| Some(removed(meter, Finding::Normal));
    let new = |serial: &str| InstalledMeter { serial: serial.to_owned(), ..installed(NEW, "") };
    for (removed, installed, why) in [
        (None, None, ChangeMeterError::Nothing),
        (removed(OTHER), Some(new("N1")), ChangeMeterError::NotHanging),
        (removed(OLD), Some(new(" ")), ChangeMeterError::NoSerial),
        (removed(OLD), Some(new("G0002")), ChangeMeterError::SerialTwice("G0002".to_owned())),
        (
            removed(OLD),
            Some(InstalledMeter { size: "G5".to_owned(), ..new("N1") }),
            ChangeMeterError::UnknownSize("G5".to_owned()),
        ),
        (
            removed(OLD),
            Some(InstalledMeter { digits: 3, ..new("N1") }),
            ChangeMeterError::Digits { fewest: 4, most: 8 },
        ),
        (
            removed(OLD),
            Some(InstalledMeter { register: Volume(100_000_000), ..new("N1") }),
            ChangeMeterError::Register(5),
        ),
    ] {
        let fact = Fact::MeterChanged { removed, installed, on: today(), seal: String::new() };
        let refused = check(&job, Some(&at_door), &fact, &pack()).unwrap_err();
        assert_eq!(refused, RecordError::Meter(why));
        assert!(!refused.sentences()[0].say(domain::catalogue::Language::Chinese).contains('{'));
    }
}

#[test]
fn a9_after_an_exchange_the_new_meter_hangs_with_the_homes_past() {
    let job = with_old(job(JobKind::MeterReplacement).build());
    let mut job = JobVisited(job).visited(1, exchanged(NEW, "N1", Finding::Normal));

    let hangs = of_job(&job);

    assert_eq!(hangs.len(), 1);
    assert_eq!((hangs[0].id, hangs[0].serial.as_str(), hangs[0].digits), (NEW, "N1", 5));
    assert_eq!(hangs[0].installed_on, Some(today()));
    assert_eq!(hangs[0].readings, [past("2026-11-24", 2)]);
    let former = &hangs[0].before[0];
    assert_eq!((former.serial.as_str(), former.removed_on), ("G0002", today()));
    assert_eq!(former.readings, [past("2026-09-20", 1_510), past("2026-11-24", 1_640)]);
    // Taken back with a trace, the old one hangs again.
    let reason = "拆错表".to_owned();
    let (_, visit) = job.visits.iter_mut().next().unwrap();
    visit.facts.insert(fact_id(99), recorded(Fact::Withdrawn { fact: fact_id(90), reason }));
    assert_eq!(of_job(&job)[0].id, OLD);
}

#[test]
fn a9_two_crews_who_take_out_the_same_meter_clash_and_it_is_counted_once() {
    let job = with_old(job(JobKind::MeterReplacement).assigned_to(ANA, "07:00").build());
    let job = JobVisited(job).visited(1, exchanged(NEW, "N1", Finding::Normal));
    let job = JobVisited(job).visited(2, exchanged(OTHER, "N2", Finding::Normal));

    let clashes = standing(&job).clashes;

    assert!(
        clashes.iter().any(
            |it| matches!(it, Clash::MeterChangedTwice { meter: OLD, visits } if visits.len() == 2)
        ),
        "{clashes:?}"
    );
    assert_eq!(changes(&job).len(), 1, "counted once");
    let hangs = of_job(&job);
    assert_eq!(hangs.len(), 1);
    // A person's ruling says which of them stands.
    for (stands, serial) in [(1, "N1"), (2, "N2")] {
        let mut ruled = job.clone();
        let settles = standing(&ruled).clashes;
        let author = domain::job::Author { by: DISPATCHER, at: at("18:00") };
        let stands = Some(domain::id::VisitId(Uuid::from_u128(stands)));
        let ruling =
            domain::job::Ruling { stands, settles, reason: "看过表".to_owned(), author };
        ruled.plan.rulings.insert(domain::id::EntryId(Uuid::from_u128(1)), ruling);
        assert_eq!(of_job(&ruled)[0].serial, serial);
        assert!(standing(&ruled).clashes.is_empty());
    }
}

#[test]
fn a9_a_meter_taken_out_by_two_jobs_is_taken_out_once() {
    let change = |job: u128, serial: &str| {
        let job = Job { id: domain::id::JobId(Uuid::from_u128(job)), ..with_old(job_of()) };
        let id = MeterId(Uuid::from_u128(100 + job.id.0.as_u128()));
        changes(&JobVisited(job).visited(1, exchanged(id, serial, Finding::Normal)))
    };
    let both = [change(1, "N1"), change(2, "N2")].concat();

    let hangs = hanging(&[old()], &both, &BTreeMap::new());

    assert_eq!(hangs.iter().map(|it| it.serial.as_str()).collect::<Vec<_>>(), ["N1"]);
}

#[test]
fn a9_a_register_that_hears_of_the_new_meter_later_does_not_hang_it_twice() {
    let job = JobVisited(with_old(job_of())).visited(1, exchanged(NEW, "N1", Finding::Normal));
    let in_register = Meter::new(OTHER, "N1", "G4", 5);
    let later = PastReading { on: day("2027-01-20"), ..past("2026-11-24", 100) };
    let read = BTreeMap::from([(NEW, vec![later])]);

    let hangs = hanging(&[old(), in_register], &changes(&job), &read);

    assert_eq!(hangs.len(), 1);
    assert_eq!((hangs[0].id, hangs[0].readings.len(), hangs[0].before.len()), (OTHER, 2, 1));
}

#[test]
fn a9_a_meter_lives_as_long_as_its_gas_lets_it() {
    let mut meter = old();
    assert_eq!(meter::ends_on(&meter, &pack()), None, "nobody knows since when it hangs");
    meter.installed_on = Some(day("2016-11-24"));
    assert_eq!(meter::ends_on(&meter, &pack()), Some(day("2026-11-24")));
    assert!(!meter::is_overdue(&meter, day("2026-11-24"), &pack()));
    assert!(meter::is_overdue(&meter, day("2026-11-25"), &pack()));
    let mut coal = pack();
    coal.meter.as_mut().unwrap().gas = meter::Gas::CoalGas;
    assert_eq!(meter::ends_on(&meter, &coal), Some(day("2022-11-24")));
}

#[test]
fn a9_two_zero_periods_are_not_settled_by_a_photo() {
    let job = job(JobKind::MeterReading).build();
    let mut at_door = visit(ANA, entered_facts());
    at_door.facts.insert(fact_id(90), recorded(read(Finding::StillZero)));
    at_door.facts.insert(fact_id(91), recorded(Fact::HouseholdTold { reading: fact_id(90) }));
    let mut lacks = |measure| {
        let taken = Fact::MeasureTaken { reading: fact_id(90), measure };
        at_door.facts.insert(fact_id(92), recorded(taken));
        words(&missing_to_close(&job, &at_door, &Outcome::Done, &pack()))
            .contains(&"missing.meter_looked_at".to_owned())
    };
    assert!(lacks(Measure::Photo));
    assert!(!lacks(Measure::FollowUpJob));
    assert!(!lacks(Measure::MeterCheck));
}

/// A job with one more visit of it.
struct JobVisited(Job);

impl JobVisited {
    fn visited(mut self, number: u128, fact: Fact) -> Job {
        let mut at_door = visit(ANA, entered_facts());
        // Facts of two phones have ids of their own.
        let id = if number == 1 { fact_id(90) } else { fact_id(190) };
        at_door.facts.insert(id, recorded(fact));
        self.0.visits.insert(domain::id::VisitId(Uuid::from_u128(number)), at_door);
        self.0
    }
}

fn job_of() -> Job {
    job(JobKind::MeterReplacement).build()
}

fn with_old(mut job: Job) -> Job {
    job.briefing.meters.push(old());
    job
}

fn old() -> Meter {
    let meter = Meter::new(OLD, "G0002", "G4", 5);
    Meter { readings: vec![past("2026-09-20", 1_510)], ..meter }
}

fn exchanged(id: MeterId, serial: &str, finding: Finding) -> Fact {
    let (removed, installed) = (Some(removed(OLD, finding)), Some(installed(id, serial)));
    Fact::MeterChanged { removed, installed, on: today(), seal: "F0815".to_owned() }
}

fn removed(meter: MeterId, finding: Finding) -> RemovedMeter {
    let verdict = Verdict::new(finding, &pack().id);
    let state = ReadingState::Seen;
    RemovedMeter { meter, register: Some(Volume(1_640_000)), state, verdict }
}

fn installed(id: MeterId, serial: &str) -> InstalledMeter {
    let (serial, size) = (serial.to_owned(), "G4".to_owned());
    InstalledMeter { id, serial, size, digits: 5, register: Volume(2_000) }
}

fn recorded(fact: Fact) -> domain::visit::Recorded {
    domain::visit::Recorded { stamp: stamp(at("10:30")), fact }
}

fn words(sentences: &[domain::catalogue::Sentence]) -> Vec<String> {
    sentences.iter().map(|it| it.key.clone()).collect()
}

fn past(on: &str, cubic_metres: i64) -> PastReading {
    let (register, state) = (Volume(cubic_metres * 1000), ReadingState::Seen);
    PastReading { on: day(on), register, state }
}

fn today() -> NaiveDate {
    day("2026-11-24")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests write valid days")
}
