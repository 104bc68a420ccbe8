//! The fold from plan and facts to status and clashes, and the promises B2 and B6.

use domain::household::{Hose, HoseKind};
use domain::id::{EntryId, HoseId, UserId, VisitId, uuid_v7};
use domain::job::{Job, JobKind};
use domain::promise::{PromiseState, judge};
use domain::stamp::{Heard, Interval, Stamp};
use domain::status::{Clash, Status, assigned, assigned_at, since, standing};
use domain::visit::{Fact, Outcome};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use crate::build::*;

#[test]
fn the_status_follows_the_visit() {
    let base = || job(JobKind::Repair).agreed(window("10:00", "12:00"), "07:00");
    let refused = Outcome::Refused { reason: "不方便".to_owned() };
    let wrong = Outcome::WrongAddress { reason: "门牌不对".to_owned() };
    let cannot =
        Outcome::CannotFinish { reason: "锈死".to_owned(), follow_up: "再来".to_owned() };
    for (facts, expected) in [
        (vec![], Status::Assigned),
        (vec![("09:50", Fact::PhonedAhead { reached: true })], Status::Assigned),
        (vec![("09:50", Fact::SetOut)], Status::SetOut),
        (vec![("10:10", arrived())], Status::AtDoor),
        (vec![("10:20", Fact::TightnessTested { tight: true })], Status::Working),
        (vec![("10:30", closed(Outcome::Done))], Status::Done),
        (vec![("10:30", closed(Outcome::NoOneHome))], Status::NoOneHome),
        (vec![("10:30", closed(refused))], Status::Refused),
        (vec![("10:30", closed(wrong))], Status::WrongAddress),
        (vec![("10:30", closed(cannot))], Status::CannotFinish),
    ] {
        let job = base().assigned_to(ANA, "07:00").visit(1, ANA, facts).build();
        assert_eq!(standing(&job).status, expected);
    }
    assert_eq!(standing(&base().build()).status, Status::Unassigned);
    assert_eq!(standing(&base().cancelled("08:00").build()).status, Status::Cancelled);
}

#[test]
fn a_second_attempt_under_way_outweighs_the_first_that_failed() {
    let job = job(JobKind::Repair)
        .assigned_to(ANA, "07:00")
        .visit(1, ANA, vec![("10:00", closed(Outcome::NoOneHome))])
        .visit(2, ANA, vec![("15:00", Fact::SetOut)])
        .build();

    assert_eq!(standing(&job).status, Status::SetOut);
}

#[test]
fn a_status_is_as_old_as_what_made_it() {
    let given = || job(JobKind::Repair).assigned_to(ANA, "07:00");
    let visited = |facts| given().visit(1, ANA, facts).build();
    let working = || {
        let tested = || Fact::TightnessTested { tight: true };
        visited(vec![("10:05", Fact::SetOut), ("10:20", tested()), ("10:40", tested())])
    };
    for (job, expected) in [
        (given().build(), "07:00"),
        (given().taken_back("08:30").build(), "08:30"),
        (given().cancelled("08:10").build(), "08:10"),
        (visited(vec![("10:05", Fact::SetOut)]), "10:05"),
        (working(), "10:20"),
    ] {
        assert_eq!(since(&job, &standing(&job), &exact), at(expected));
    }
    let untouched = job(JobKind::Repair).build();
    assert_eq!(since(&untouched, &standing(&untouched), &exact), untouched.created_at);
    let job = working();
    // Nobody can say more of a blurred time than how late it was at most.
    assert_eq!(since(&job, &standing(&job), &blurred(5)), at("10:25"));
}

#[test]
fn a_withdrawn_fact_moves_nothing() {
    let withdrawn = Fact::Withdrawn { fact: fact_id(0), reason: "点错了".to_owned() };
    let job = job(JobKind::Repair)
        .assigned_to(ANA, "07:00")
        .visit(1, ANA, vec![("10:00", arrived()), ("10:01", withdrawn)])
        .build();

    assert_eq!(standing(&job).status, Status::Assigned);
}

#[test]
fn two_technicians_who_closed_the_job_clash() {
    let job = done_by_ana().visit(2, BEN, vec![("11:00", closed(Outcome::Done))]).build();

    let found = standing(&job);

    assert_eq!(found.status, Status::Done);
    assert!(found.clashes.contains(&Clash::ClosedTwice { visits: vec![visit_id(1), visit_id(2)] }));
}

#[test]
fn cancelled_while_being_done_is_done_and_named() {
    let found = standing(&done_by_ana().cancelled("10:00").build());

    assert_eq!(found.status, Status::Done);
    assert_eq!(found.clashes, [Clash::CancelledWhileVisited { visit: visit_id(1) }]);
}

#[test]
fn cancelled_before_the_door_is_cancelled_without_a_clash() {
    let job = job(JobKind::Repair)
        .assigned_to(ANA, "07:00")
        .cancelled("09:00")
        .visit(1, ANA, vec![("09:05", Fact::SetOut)])
        .build();

    let found = standing(&job);

    assert_eq!((found.status, found.clashes), (Status::Cancelled, vec![]));
}

#[test]
fn a_visit_by_somebody_it_was_taken_from_is_named() {
    let found = standing(&done_by_ana().assigned_to(BEN, "09:00").build());

    assert_eq!(found.clashes, [Clash::VisitedByOther { visit: visit_id(1), technician: ANA }]);
    assert_eq!(found.technician, Some(BEN));
}

#[test]
fn passing_on_a_job_after_a_failed_visit_is_no_clash() {
    let job = job(JobKind::Repair)
        .assigned_to(ANA, "07:00")
        .visit(1, ANA, vec![("10:00", closed(Outcome::NoOneHome))])
        .assigned_to(BEN, "12:00")
        .build();

    assert!(standing(&job).clashes.is_empty());
}

#[test]
fn two_crews_who_changed_one_hose_clash() {
    let hose = HoseId(Uuid::from_u128(7));
    let job = job(JobKind::HoseReplacement)
        .assigned_to(ANA, "07:00")
        .visit(1, ANA, vec![("10:00", replaced(hose))])
        .visit(2, ANA, vec![("11:00", replaced(hose))])
        .build();

    let visits = vec![visit_id(1), visit_id(2)];
    assert_eq!(standing(&job).clashes, [Clash::HoseReplacedTwice { hose, visits }]);
}

#[test]
fn a_ruling_settles_a_clash() {
    let twice = || done_by_ana().visit(2, BEN, vec![("11:00", closed(Outcome::Done))]);
    let found = standing(&twice().ruled(Some(2), "13:00").build());
    assert_eq!((found.visit, found.clashes.len()), (Some(visit_id(2)), 0));

    let found = standing(&done_by_ana().cancelled("10:00").ruled(None, "13:00").build());
    assert_eq!((found.status, found.clashes.len()), (Status::Cancelled, 0));

    let found = standing(&done_by_ana().cancelled("10:00").ruled(Some(1), "13:00").build());
    assert_eq!((found.status, found.clashes.len()), (Status::Done, 0));
}

#[test]
fn b2_an_emergency_is_promised_in_thirty_minutes() {
    for (arrives, now, expected) in [
        (Some("06:30"), "07:00", PromiseState::Kept),
        (Some("06:31"), "07:00", PromiseState::Broken),
        (None, "06:30", PromiseState::Running),
        (None, "06:31", PromiseState::NotHeard),
    ] {
        let mut job = job(JobKind::Emergency).assigned_to(ANA, "06:00");
        if let Some(clock) = arrives {
            job = job.visit(1, ANA, vec![(clock, arrived())]);
        }
        assert_eq!(promised(&job.build(), now), Some(("B2", expected)), "{arrives:?}");
    }
}

#[test]
fn b2_a_blocked_road_excuses_only_with_evidence() {
    let blocked = |photo: Option<&str>| Fact::RoadBlocked {
        reason: "道路施工".to_owned(),
        photo: photo.map(str::to_owned),
    };
    for (fact, expected) in
        [(blocked(Some("ab")), PromiseState::Excused), (blocked(None), PromiseState::Broken)]
    {
        let job = job(JobKind::Emergency)
            .visit(1, ANA, vec![("06:20", fact), ("06:50", arrived())])
            .build();
        assert_eq!(promised(&job, "07:00"), Some(("B2", expected)));
    }
}

#[test]
fn b2_a_promise_read_later_is_broken_when_its_clock_ran_out() {
    for (state, now, expected) in [
        (PromiseState::Running, "06:30", PromiseState::Running),
        (PromiseState::Running, "06:31", PromiseState::Broken),
        (PromiseState::NotHeard, "06:31", PromiseState::Broken),
        (PromiseState::Kept, "23:00", PromiseState::Kept),
        (PromiseState::Excused, "23:00", PromiseState::Excused),
    ] {
        let heard = Heard::Until(at("06:30"));
        assert_eq!(state.read_at(at("06:30"), at(now), heard), expected, "{state:?} at {now}");
    }
}

#[test]
fn b2_who_was_not_heard_since_has_not_broken_the_promise() {
    for (heard, expected) in [
        (Heard::Never, PromiseState::NotHeard),
        (Heard::Until(at("06:29")), PromiseState::NotHeard),
        (Heard::Until(at("06:30")), PromiseState::Broken),
        (Heard::Nobody, PromiseState::Broken),
    ] {
        let job = job(JobKind::Emergency).assigned_to(ANA, "06:00").build();
        let found = judge(&job, &exact, (at("07:00"), heard), &pack()).unwrap();
        assert_eq!((found.state, found.answerable), (expected, Some(ANA)), "{heard:?}");
    }
}

#[test]
fn b2_the_first_of_several_arrivals_stops_the_clock() {
    let doubtful = |stamp: &Stamp| {
        let sharp = exact(stamp).earliest;
        let wide = sharp == at("06:50");
        let earliest = if wide { at("06:10") } else { sharp };
        Interval { earliest, latest: sharp }
    };
    let job = job(JobKind::Emergency)
        .assigned_to(ANA, "06:00")
        .visit(1, ANA, vec![("06:50", arrived())])
        .visit(2, BEN, vec![("06:40", arrived())])
        .build();

    let found = judge(&job, &doubtful, (at("07:00"), Heard::Never), &pack()).unwrap();

    let width_ms = 30 * 60_000;
    assert_eq!(found.state, PromiseState::CannotTell { width_ms }, "the wide one may be in time");
}

#[test]
fn b2_an_arrival_that_cannot_be_placed_cannot_be_told() {
    let job = job(JobKind::Emergency).visit(1, ANA, vec![("06:29", arrived())]).build();

    let found = judge(&job, &blurred(5), (at("07:00"), Heard::Never), &pack()).unwrap();

    assert_eq!(found.state, PromiseState::CannotTell { width_ms: 600_000 });
}

#[test]
fn b6_ignition_unsealing_and_gas_stop_are_promised_in_forty_eight_hours() {
    for kind in [JobKind::Ignition, JobKind::Unsealing, JobKind::GasStop] {
        let done = job(kind).visit(1, ANA, vec![("20:00", closed(Outcome::Done))]).build();
        assert_eq!(promised(&done, "21:00"), Some(("B6", PromiseState::Kept)));
        let only_there = job(kind).visit(1, ANA, vec![("20:00", arrived())]).build();
        assert_eq!(promised(&only_there, "21:00"), Some(("B6", PromiseState::Running)));
        let due = judge(&only_there, &exact, (at("21:00"), Heard::Never), &pack()).unwrap().due_at;
        assert_eq!(due - at("06:00"), chrono::TimeDelta::hours(48));
    }
    assert_eq!(promised(&job(JobKind::MeterReading).build(), "21:00"), None);
}

#[test]
fn b6_the_clock_stops_when_the_gas_is_as_was_asked() {
    for (kind, on) in
        [(JobKind::Ignition, true), (JobKind::Unsealing, true), (JobKind::GasStop, false)]
    {
        let switched = |on| job(kind).visit(1, ANA, vec![("20:00", Fact::GasSwitched { on })]);
        assert_eq!(promised(&switched(on).build(), "21:00"), Some(("B6", PromiseState::Kept)));
        let still = Some(("B6", PromiseState::Running));
        assert_eq!(promised(&switched(!on).build(), "21:00"), still, "{kind}");
    }
}

#[test]
fn a_visit_after_the_job_was_taken_back_to_the_hall_is_named() {
    let found = standing(&done_by_ana().taken_back("09:00").build());

    assert_eq!(found.clashes, [Clash::VisitedByOther { visit: visit_id(1), technician: ANA }]);
}

#[test]
fn a_ruling_leaves_open_what_clashes_after_it() {
    let ruled = || done_by_ana().cancelled("10:00").ruled(None, "13:00");
    let later = ruled().visit(2, ANA, vec![("14:00", closed(Outcome::Done))]).build();

    let found = standing(&later);

    let twice = Clash::ClosedTwice { visits: vec![visit_id(1), visit_id(2)] };
    let visited = Clash::CancelledWhileVisited { visit: visit_id(2) };
    assert_eq!(found.clashes, [twice, visited], "the first visit's is settled");
    assert_eq!(standing(&ruled().build()).status, Status::Cancelled);
}

#[test]
fn a_visit_after_a_ruling_moves_the_job_on() {
    let at_work = vec![("10:00", Fact::TightnessTested { tight: true })];
    let job = job(JobKind::Repair)
        .assigned_to(BEN, "07:00")
        .visit(1, ANA, at_work)
        .ruled(Some(1), "12:00")
        .visit(2, BEN, vec![("15:00", closed(Outcome::Done))])
        .build();

    let found = standing(&job);

    assert_eq!((found.status, found.visit), (Status::Done, Some(visit_id(2))));
}

proptest! {
    #[test]
    fn s9_nothing_that_arrives_later_undoes_a_job_or_hides_a_clash(
        first in vec(any_visit(), 1..4),
        then in any_visit(),
        (moved, cancelled) in (any::<bool>(), any::<bool>()),
    ) {
        let mut job = job(JobKind::Repair).assigned_to(ANA, "07:00");
        if moved {
            job = job.assigned_to(BEN, "09:00");
        }
        if cancelled {
            job = job.cancelled("10:00");
        }
        for (number, (technician, facts)) in (1..).zip(first) {
            job = job.visit(number, technician, facts);
        }
        let before = standing(&job.clone().build());
        let after = standing(&job.visit(9, then.0, then.1).build());

        prop_assert!(before.status != Status::Done || after.status == Status::Done);
        for clash in &before.clashes {
            let named = |it: &Clash| {
                std::mem::discriminant(it) == std::mem::discriminant(clash)
                    && clash.visits().iter().all(|visit| it.visits().contains(visit))
            };
            prop_assert!(after.clashes.iter().any(named), "{clash:?} of {after:?}");
        }
    }
}

fn any_visit() -> impl Strategy<Value = (UserId, Vec<(&'static str, Fact)>)> {
    let hose = HoseId(Uuid::from_u128(7));
    let facts = prop_oneof![
        Just(vec![("10:00", Fact::SetOut)]),
        Just(vec![("10:10", arrived())]),
        Just(vec![("10:10", arrived()), ("10:20", replaced(hose))]),
        Just(vec![("10:10", arrived()), ("10:40", closed(Outcome::Done))]),
        Just(vec![("10:10", arrived()), ("10:40", closed(Outcome::NoOneHome))]),
    ];
    (prop_oneof![Just(ANA), Just(BEN)], facts)
}

fn done_by_ana() -> JobBuilder {
    let job = job(JobKind::Repair).assigned_to(ANA, "07:00");
    job.visit(1, ANA, vec![("10:10", arrived()), ("10:40", closed(Outcome::Done))])
}

fn promised(job: &Job, now: &str) -> Option<(&'static str, PromiseState)> {
    let found = judge(job, &exact, (at(now), Heard::Never), &pack())?;
    let rule = ["B2", "B6"].into_iter().find(|rule| *rule == found.rule);
    Some((rule.expect("the pack knows two promises"), found.state))
}

fn visit_id(number: u128) -> VisitId {
    VisitId(Uuid::from_u128(number))
}

fn arrived() -> Fact {
    Fact::Arrived { fix: None }
}

fn closed(outcome: Outcome) -> Fact {
    Fact::Closed { outcome }
}

fn replaced(hose: HoseId) -> Fact {
    let installed = Hose {
        id: HoseId(Uuid::from_u128(8)),
        kind: HoseKind::Corrugated,
        length_mm: 1500,
        installed_on: at("10:00").date_naive(),
        is_estimated: false,
        joints: None,
    };
    Fact::HoseReplaced { removed: Some(hose), installed, free: true, lot: String::new() }
}

/// Two nodes of a hall, the first with a fast clock: what was decided later holds, whatever the clocks say (S19, F30).
#[test]
fn s19_the_newest_decision_is_told_by_its_id_and_not_by_a_nodes_clock() {
    let mut job = job(JobKind::Repair).assigned_to(ANA, "09:05").assigned_to(BEN, "09:10").build();
    let newest = job.plan.assignments.last_entry().expect("two assignments").into_mut();
    newest.author = author("09:01");
    assert_eq!(assigned(&job), Some(BEN));
    assert_eq!(assigned_at(&job, at("09:06")), Some(BEN), "it was decided after what 09:05 says");
    let later = EntryId(uuid_v7(job.newest_ms() + 1, [0; 10]));
    assert!(job.plan.entry_ids().all(|id| id < later), "what comes next sorts after all there is");
}
