//! B7: a hazard from its first finding to the recheck that closes it.

use chrono::TimeDelta;
use domain::hazard::{Act, Done, Finding, FindingId, Hazard, HazardError, NoticeAnswer, Stoppage};
use domain::hazard::{check as check_entry, open, stoppages};
use domain::id::{EntryId, FactId, JobId, VisitId};
use domain::job::{Author, JobKind};
use domain::ledger::{Entry, Written};
use domain::pack::Pack;
use domain::promise::PromiseState;
use domain::stamp::{Heard, Interval, Timestamp};
use domain::visit::check::{RecordError, check, missing_to_close};
use domain::visit::{Fact, Outcome};
use uuid::Uuid;

use crate::build::*;
use crate::door::*;

#[test]
fn b7_the_deadline_runs_from_the_first_finding_and_a_second_does_not_move_it() {
    let pack = pack();
    let findings = [found(1, "hose_overdue", 2, 0, &pack), found(2, "hose_overdue", 2, 20, &pack)];

    let hazards = open(&findings, &[], &[]);

    assert_eq!(hazards.len(), 1);
    assert_eq!(hazards[0].deadline, Some(day("2026-12-24")));
    assert_eq!(hazards[0].findings, [id(1), id(2)]);
}

#[test]
fn b7_a_new_pack_never_changes_the_level_of_a_finding() {
    let mut newer = pack();
    newer.hazards.iter_mut().for_each(|rule| rule.level = 1);
    let finding = Finding { level: 3, ..found(1, "hose_overdue", 3, 0, &newer) };

    assert_eq!(open(&[finding], &[], &[])[0].level, 3);
}

#[test]
fn b7_each_level_has_its_steps_in_their_order_and_facts_of_the_visit_do_some() {
    let pack = pack();
    let findings = [found(1, "leak", 1, 0, &pack)];
    let next =
        |acts: &[Act], entries: &[Written]| open(&findings, acts, entries)[0].next.key().to_owned();
    let stopped = act(1, 0, Done::Stopped);
    let noticed = act(1, 0, Done::Notice(Some(refusal())));
    let phoned = written(1, step("control_room"));

    assert_eq!(next(&[], &[]), "shut_off");
    assert_eq!(next(std::slice::from_ref(&stopped), &[]), "control_room");
    assert_eq!(
        next(std::slice::from_ref(&stopped), std::slice::from_ref(&phoned)),
        "written_notice"
    );
    assert_eq!(
        next(&[stopped.clone(), noticed.clone()], std::slice::from_ref(&phoned)),
        "call_back"
    );
    let hazard = &open(&findings, &[stopped, noticed], &[])[0];
    assert_eq!(hazard.notice, Some(Some(refusal())), "a refusal to sign is a result of its own");
    assert_eq!(hazard.steps[1].due_at, moment(0) + TimeDelta::minutes(30));
}

#[test]
fn b7_a_hazard_cleared_at_the_desk_while_a_phone_finds_it_again_stays_open() {
    let pack = pack();
    let known = found(1, "stove_near_wall", 3, 0, &pack);
    let again = found(2, "stove_near_wall", 3, 1, &pack);
    let entries = [written(3, cleared(1))];

    assert!(open(std::slice::from_ref(&known), &[], &entries).is_empty());
    let hazards = open(&[known, again], &[], &entries);
    assert_eq!(hazards[0].findings, [id(2)], "what nobody at the desk knew of is not cleared");
}

#[test]
fn b7_a_recheck_closes_what_it_names_unless_somebody_saw_it_at_the_same_time() {
    let pack = pack();
    let findings = [found(1, "hose_overdue", 2, 0, &pack)];
    let is_open = |acts: &[Act]| !open(&findings, acts, &[]).is_empty();
    let seen = |day: i64, gone: bool| act(1, day, Done::Rechecked { gone });

    assert!(!is_open(&[seen(5, true)]));
    assert!(is_open(&[seen(5, false)]));
    assert!(!is_open(&[seen(5, false), seen(9, true)]), "gone at the next look");
    assert!(is_open(&[seen(5, true), seen(9, false)]), "there again");
    let wide = Act { at: Interval { earliest: moment(4), latest: moment(6) }, ..seen(5, false) };
    assert!(is_open(&[seen(5, true), wide]), "in doubt it is there");
}

#[test]
fn b7_a_stop_is_lifted_by_gas_that_flows_and_due_once_nothing_severe_is_left() {
    let pack = pack();
    let findings =
        [found(1, "leak", 1, 0, &pack), found(2, "no_flame_failure_device", 1, 0, &pack)];
    let stopped = act(1, 0, Done::Stopped);
    let all = [stopped.clone(), gone(1, 2), gone(2, 3)];
    let at = |acts: &[Act], flows: &[Interval]| stoppages(&findings, acts, &[], flows);

    let inspected = at(&[stopped.clone(), gone(1, 2)], &[])[0];
    assert_eq!((inspected.stopped_at, inspected.restoring), (moment(0), None));
    let restoring = at(&all, &[])[0].restoring.unwrap();
    assert_eq!(restoring.started_at, moment(3), "from the last of them");
    assert_eq!(restoring.due_at, moment(3) + TimeDelta::hours(24));
    assert_eq!(at(&all, &[exactly(4)])[0].restored, Some(exactly(4)));
    assert_eq!(at(&[stopped], &[exactly(-1)])[0].restored, None, "it flowed before");
}

#[test]
fn b7_restoring_is_a_promise_kept_by_the_stamp_of_the_visit_that_turned_the_gas_on() {
    let pack = pack();
    let findings = [found(1, "leak", 1, 0, &pack)];
    let acts = [act(1, 0, Done::Stopped), gone(1, 2)];
    let due_at = moment(3);
    let state = |flows: &[Interval], now: Timestamp, heard: Heard| {
        stoppages(&findings, &acts, &[], flows)[0].state(now, heard).unwrap()
    };
    let (soon, late) = (due_at, due_at + TimeDelta::milliseconds(1));
    let before = |latest: Timestamp| Interval { earliest: moment(2), latest };

    assert_eq!(state(&[], soon, Heard::Nobody), PromiseState::Running);
    assert_eq!(state(&[], late, Heard::Nobody), PromiseState::Broken);
    assert_eq!(state(&[], late, Heard::Until(moment(2))), PromiseState::NotHeard);
    assert_eq!(state(&[], late, Heard::Until(due_at)), PromiseState::Broken);
    let days_later = moment(9);
    assert_eq!(state(&[before(due_at)], days_later, Heard::Nobody), PromiseState::Kept);
    assert_eq!(state(&[exactly(4)], days_later, Heard::Nobody), PromiseState::Broken);
    let wide = state(&[before(late)], days_later, Heard::Nobody);
    assert!(matches!(wide, PromiseState::CannotTell { .. }), "{wide:?}");
}

#[test]
fn b7_what_is_found_in_time_stops_the_restoring_and_what_is_found_later_mends_nothing() {
    let pack = pack();
    let acts = [act(1, 0, Done::Stopped), gone(1, 2)];
    let stop = |found_on: i64, more: &[Act]| -> Stoppage {
        let findings = [
            found(1, "leak", 1, 0, &pack),
            found(2, "no_flame_failure_device", 1, found_on, &pack),
        ];
        stoppages(&findings, &[&acts[..], more].concat(), &[], &[])[0]
    };

    assert_eq!(stop(3, &[]).restoring, None, "on the last moment");
    assert_eq!(stop(3, &[gone(2, 5)]).restoring.unwrap().started_at, moment(5));
    assert_eq!(stop(4, &[]).restoring.unwrap().due_at, moment(3), "broken a day before");
}

#[test]
fn b7_each_stop_has_a_promise_of_its_own_also_one_for_a_lesser_hazard() {
    let pack = pack();
    let findings = [found(1, "hose_overdue", 2, 0, &pack), found(2, "leak", 1, 20, &pack)];
    let acts = [
        act(1, 0, Done::Stopped),
        gone(1, 1),
        act(2, 20, Done::Stopped),
        act(2, 21, Done::Stopped),
        gone(2, 22),
    ];

    let stops = stoppages(&findings, &acts, &[], &[exactly(2), exactly(10), exactly(30)]);

    let told: Vec<_> = stops
        .iter()
        .map(|it| (it.stopped_at, it.restored.unwrap(), it.restoring.unwrap().started_at))
        .collect();
    let expected = [(moment(0), exactly(2), moment(1)), (moment(20), exactly(30), moment(22))];
    assert_eq!(told, expected);
}

#[test]
fn b7_a_deadline_is_extended_once_with_a_name_and_never_for_the_gravest() {
    let pack = pack();
    let care = pack.hazard_care.clone().unwrap();
    let until = |text: &str| Entry::HazardExtended {
        job: id(1).0,
        visit: id(1).1,
        fact: id(1).2,
        until: day(text),
        text: "配件未到".to_owned(),
    };
    let hazard = |level: u8, item: &str, entries: &[Written]| {
        open(&[found(1, item, level, 0, &pack)], &[], entries).remove(0)
    };
    let known = hazard(2, "hose_overdue", &[]);

    assert_eq!(check_entry(&known, &until("2027-01-08"), &care), Ok(()));
    for wrong in ["2026-12-24", "2027-01-09"] {
        assert_eq!(check_entry(&known, &until(wrong), &care), Err(HazardError::NotThatDay(15)));
    }
    let extended = hazard(2, "hose_overdue", &[written(2, until("2027-01-08"))]);
    assert_eq!(extended.deadline, Some(day("2027-01-08")));
    assert_eq!(extended.extension.as_ref().unwrap().0.by, DISPATCHER);
    assert_eq!(
        check_entry(&extended, &until("2027-01-09"), &care),
        Err(HazardError::ExtendedAlready)
    );
    let leak = hazard(1, "leak", &[]);
    assert_eq!(check_entry(&leak, &until("2026-11-26"), &care), Err(HazardError::NotExtendable));
}

#[test]
fn b7_the_desk_closes_advice_only_and_no_step_of_the_door() {
    let pack = pack();
    let care = pack.hazard_care.clone().unwrap();
    let of = |level: u8, item: &str| -> Hazard {
        open(&[found(1, item, level, 0, &pack)], &[], &[]).remove(0)
    };

    assert_eq!(check_entry(&of(3, "stove_near_wall"), &cleared(1), &care), Ok(()));
    assert_eq!(
        check_entry(&of(2, "hose_overdue"), &cleared(1), &care),
        Err(HazardError::NeedsRecheck)
    );
    let leak = of(1, "leak");
    assert_eq!(check_entry(&leak, &step("control_room"), &care), Ok(()));
    assert_eq!(check_entry(&leak, &step("shut_off"), &care), Err(HazardError::AtTheDoor));
    assert_eq!(check_entry(&leak, &step("phone_15"), &care), Err(HazardError::NoSuchStep));
}

#[test]
fn b7_a_notice_says_whether_it_was_signed_for_and_a_recheck_shows_what_is_gone() {
    let job = planned(JobKind::SafetyInspection);
    let mut facts = entered_facts();
    facts.push(("10:10", hazard_fact("hose_overdue", 2)));
    let visit = visit(ANA, facts);
    let of = fact_id(visit.facts.len() - 1);
    let tried = |fact: Fact| check(&job, Some(&visit), &fact, &pack());
    let notice = |answer| Fact::NoticeGiven { hazard: of, answer };
    let recheck = |photo: Option<&str>, gone| Fact::HazardRechecked {
        job: job.id,
        visit: VisitId(Uuid::from_u128(9)),
        hazard: of,
        gone,
        photo: photo.map(str::to_owned),
    };

    assert_eq!(tried(notice(None)), Err(RecordError::NoticeNeedsAnswer));
    assert_eq!(tried(notice(Some(refusal()))), Ok(()));
    let wordless = NoticeAnswer::RefusedToSign { reason: " ".to_owned() };
    assert_eq!(tried(notice(Some(wordless))), Err(RecordError::NoReason));
    assert_eq!(tried(recheck(None, true)), Err(RecordError::RecheckNeedsPhoto));
    assert_eq!(tried(recheck(Some("ab"), true)), Ok(()));
    assert_eq!(tried(recheck(None, false)), Ok(()));
}

#[test]
fn b7_nobody_leaves_a_severe_hazard_with_the_gas_on() {
    let job = planned(JobKind::SafetyInspection);
    let mut facts = [entered_facts(), leaving_facts()].concat();
    facts.push(("10:10", hazard_fact("leak", 1)));
    let of = fact_id(facts.len() - 1);
    facts.push(("10:12", Fact::NoticeGiven { hazard: of, answer: Some(refusal()) }));
    let says = |facts: &[(&'static str, Fact)]| {
        let missing = missing_to_close(&job, &visit(ANA, facts.to_vec()), &Outcome::Done, &pack());
        missing.iter().any(|it| it.key == "missing.supply_stop")
    };

    assert!(says(&facts));
    facts.push(("10:13", Fact::SupplyStopped { hazard: of }));
    assert!(!says(&facts));
}

fn hazard_fact(item: &str, level: u8) -> Fact {
    Fact::HazardFound { item: item.to_owned(), level, text: String::new() }
}

fn refusal() -> NoticeAnswer {
    NoticeAnswer::RefusedToSign { reason: "不同意更换，邻居在场".to_owned() }
}

fn id(number: u128) -> FindingId {
    let id = Uuid::from_u128(number);
    (JobId(id), VisitId(id), FactId(id))
}

fn moment(days: i64) -> Timestamp {
    at("10:00") + TimeDelta::days(days)
}

fn exactly(days: i64) -> Interval {
    Interval { earliest: moment(days), latest: moment(days) }
}

fn found<'a>(number: u128, item: &str, level: u8, days: i64, pack: &'a Pack) -> Finding<'a> {
    let (item, text) = (item.to_owned(), String::new());
    Finding { id: id(number), item, level, text, at: exactly(days), pack }
}

fn act(number: u128, days: i64, done: Done) -> Act {
    Act { of: id(number), at: exactly(days), done }
}

fn cleared(number: u128) -> Entry {
    let (job, visit, fact) = id(number);
    Entry::HazardCleared { job, visit, fact, text: "已挪开灶具".to_owned() }
}

/// A step that the desk did about the first finding.
fn step(name: &str) -> Entry {
    let (job, visit, fact) = id(1);
    Entry::HazardStepDone { job, visit, fact, step: name.to_owned(), text: "已办".to_owned() }
}

fn written(days: i64, entry: Entry) -> Written {
    let author = Author { by: DISPATCHER, at: moment(days) };
    Written {
        id: EntryId(Uuid::from_u128(u128::try_from(days).expect("days are counted from zero"))),
        author,
        entry,
    }
}

fn gone(finding: u128, day: i64) -> Act {
    act(finding, day, Done::Rechecked { gone: true })
}
