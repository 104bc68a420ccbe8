//! A2, B7: who is not reached climbs a ladder of their own kind, across crews; absence and refusal never add up.

use chrono::TimeDelta;
use domain::id::VisitId;
use domain::job::JobKind;
use domain::ladder::{Attempt, LadderError, Met, Rung, check, of_job, stand};
use domain::pack::Pack;
use domain::stamp::Timestamp;
use domain::visit::check::missing_to_close;
use domain::visit::{Fact, Outcome, Subject};
use uuid::Uuid;

use crate::build::*;
use crate::door::*;
use Met::{Empty, LetIn, NoOneHome, Refused};

#[test]
fn a2_each_attempt_moves_one_rung_up_its_own_ladder() {
    for (met, next) in [
        (&[][..], None),
        (&[NoOneHome][..], Some("phone_first")),
        (&[NoOneHome, NoOneHome], Some("next_round_first")),
        (&[NoOneHome, NoOneHome, NoOneHome], Some("sniff_door")),
        (&[NoOneHome; 7], Some("tell_committee")),
        (&[Refused], Some("explain")),
        (&[Refused, Refused], Some("written_notice_refusal")),
        (&[Empty], Some("register_empty")),
        (&[NoOneHome, NoOneHome, LetIn], None),
        (&[NoOneHome, LetIn, NoOneHome], Some("phone_first")),
    ] {
        assert_eq!(after(met, &[]).next.map(|step| step.id).as_deref(), next, "{met:?}");
    }
}

#[test]
fn a2_absence_and_refusal_never_add_up() {
    let mixed = after(&[Refused, NoOneHome, NoOneHome, Refused], &[]);
    assert_eq!((mixed.absent, mixed.refused), (2, 2));
    assert_eq!(
        mixed.next.unwrap().id,
        "written_notice_refusal",
        "two refusals, whoever was out between"
    );

    let absent = noticed_before_the_last(&[NoOneHome; 12]);
    assert!(!absent.next.unwrap().suspends, "nobody's gas is off because they were out");
    let last_absent = noticed_before_the_last(&[Refused, Refused, Refused, NoOneHome]);
    assert_eq!(last_absent.next.unwrap().id, "phone_first");
}

#[test]
fn a2_supply_is_suspended_after_refusals_and_a_written_notice_only() {
    let refused = [Refused; 3];
    assert_eq!(after(&refused, &[]).next.unwrap().id, "written_notice_refusal");
    let noticed = after(&refused, &["written_notice_refusal"]).next.unwrap();
    assert_eq!(noticed.id, "written_notice_refusal", "nobody refused since the notice");
    let again = noticed_before_the_last(&refused).next.unwrap();
    assert_eq!((again.id.as_str(), again.suspends), ("may_suspend", true));
    let let_in = noticed_before_the_last(&[Refused, Refused, Refused, LetIn]);
    assert_eq!(let_in.next, None);
    let let_in = after(&[Refused, Refused, LetIn, Refused, Refused, Refused], &[]);
    assert_eq!(let_in.next.unwrap().id, "written_notice_refusal");
}

#[test]
fn a2_the_desk_writes_down_steps_that_were_reached_and_none_of_the_door() {
    let rung = after(&[Refused, NoOneHome, NoOneHome], &["phone_first"]);
    let told: Vec<_> = rung
        .steps
        .iter()
        .map(|it| (it.step.id.as_str(), it.is_reached, it.done_at.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("phone_first", true, true),
            ("next_round_first", true, false),
            ("sniff_door", false, false),
            ("tell_committee", false, false),
            ("explain", true, false),
            ("written_notice_refusal", false, false),
            ("may_suspend", false, false),
        ]
    );

    assert_eq!(check(&rung, "explain"), Ok(()));
    assert_eq!(check(&rung, "phone_first"), Ok(()), "they may be phoned again");
    assert_eq!(check(&rung, "next_round_first"), Err(LadderError::AtTheDoor));
    assert_eq!(check(&rung, "written_notice_refusal"), Err(LadderError::NotReached));
    assert_eq!(check(&rung, "register_empty"), Err(LadderError::NotReached));
    let let_in = after(&[Refused, LetIn], &["explain"]);
    assert_eq!((let_in.steps.len(), check(&let_in, "explain")), (0, Err(LadderError::NotReached)));
}

#[test]
fn a2_a_pack_that_suspends_for_absence_is_refused() {
    let text = domain::pack::BUILTIN;
    for (from, to, says) in [
        ("after = \"refused\"\ntimes = 3", "after = \"no_one_home\"\ntimes = 9", "lower steps"),
        ("needs = \"written_notice_refusal\"\n", "", "suspend after refusals only"),
        ("id = \"explain\"", "id = \"sniff_door\"", "once each"),
    ] {
        let error = Pack::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(says), "{from}: {error}");
    }
}

#[test]
fn a2_attempts_of_all_crews_and_of_the_job_itself_count_together() {
    let mut job = planned(JobKind::SafetyInspection);
    job.briefing.attempts = attempts(&[NoOneHome, NoOneHome]);
    assert_eq!(of_job(&job, &pack()).unwrap().next.unwrap().id, "next_round_first");

    let facts = vec![("10:00", arrived()), ("10:05", closed(Outcome::NoOneHome))];
    job.visits.insert(VisitId(Uuid::from_u128(77)), visit(ANA, facts));

    assert_eq!(of_job(&job, &pack()).unwrap().next.unwrap().id, "sniff_door");
    let repair = planned(JobKind::Repair);
    assert_eq!(of_job(&repair, &pack()), None, "repairs have no ladder");
}

#[test]
fn a2_after_repeated_absence_the_door_is_sniffed_before_the_visit_ends() {
    let mut job = planned(JobKind::SafetyInspection);
    job.briefing.attempts = attempts(&[NoOneHome; 3]);
    let notice = photo(Subject::NoticeOnDoor);
    let facts = vec![("10:00", arrived()), ("10:02", notice.clone())];
    let said = |visit| {
        let missing = missing_to_close(&job, &visit, &Outcome::NoOneHome, &pack());
        missing.into_iter().map(|it| it.key).collect::<Vec<_>>()
    };

    assert_eq!(said(visit(ANA, facts.clone())), ["missing.door_sniff"]);
    let sniffed = [facts, vec![("10:03", Fact::DoorSniffed { leak: false })]].concat();
    assert_eq!(said(visit(ANA, sniffed)), Vec::<String>::new());
}

#[test]
fn a2_an_empty_home_is_an_outcome_of_its_own_with_a_picture() {
    let job = planned(JobKind::MeterReading);
    let said = |facts| {
        let missing = missing_to_close(&job, &visit(ANA, facts), &Outcome::Empty, &pack());
        missing.into_iter().map(|it| it.key).collect::<Vec<_>>()
    };

    assert_eq!(said(vec![("10:00", arrived())]), ["missing.empty_photo"]);
    let shown = vec![("10:00", arrived()), ("10:01", photo(Subject::EmptyHome))];
    assert_eq!(said(shown), Vec::<String>::new());
    let notice = vec![("10:00", arrived()), ("10:01", photo(Subject::NoticeOnDoor))];
    assert_eq!(said(notice), ["missing.empty_photo"], "a notice on the door proves something else");
}

fn closed(outcome: Outcome) -> Fact {
    Fact::Closed { outcome }
}

fn attempts(met: &[Met]) -> Vec<Attempt> {
    let attempt = |(number, met): (i64, &Met)| Attempt {
        visit: VisitId(Uuid::from_u128(u128::try_from(number).expect("numbers begin at zero") + 1)),
        at: at("06:00") - TimeDelta::days(100 - number),
        met: *met,
    };
    (0..).zip(met).map(attempt).collect()
}

fn after(met: &[Met], done: &[&str]) -> Rung {
    stood(met, done, at("06:00"))
}

/// A written notice that was there before the newest attempt.
fn noticed_before_the_last(met: &[Met]) -> Rung {
    let newest = attempts(met).last().expect("an attempt").at;
    stood(met, &["written_notice_refusal"], newest - TimeDelta::hours(1))
}

fn stood(met: &[Met], done: &[&str], done_at: Timestamp) -> Rung {
    let done: Vec<_> = done.iter().map(|id| ((*id).to_owned(), done_at)).collect();
    stand(&attempts(met), &done, &pack().ladder.expect("the pack has a ladder"), at("09:00"))
}
