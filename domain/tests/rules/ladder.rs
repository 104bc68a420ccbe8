//! A2, B7: who is not reached climbs a ladder of their own kind, across crews; absence and refusal never add up.

use chrono::TimeDelta;
use domain::id::VisitId;
use domain::job::JobKind;
use domain::ladder::{Attempt, Met, Rung, of_job, stand};
use domain::pack::Pack;
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

    let absent = after(&[NoOneHome; 12], &["written_notice_refusal"]);
    assert!(!absent.next.unwrap().suspends, "nobody's gas is off because they were out");
    let last_absent = after(&[Refused, Refused, Refused, NoOneHome], &["written_notice_refusal"]);
    assert_eq!(last_absent.next.unwrap().id, "phone_first");
}

#[test]
fn a2_supply_is_suspended_after_refusals_and_a_written_notice_only() {
    let refused = [Refused; 3];
    assert_eq!(after(&refused, &[]).next.unwrap().id, "written_notice_refusal");
    let noticed = after(&refused, &["written_notice_refusal"]).next.unwrap();
    assert_eq!((noticed.id.as_str(), noticed.suspends), ("may_suspend", true));
    let let_in = after(&[Refused, Refused, LetIn, Refused, Refused, Refused], &[]);
    assert_eq!(let_in.next.unwrap().id, "written_notice_refusal");
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
    let done: Vec<_> = done.iter().map(|id| ((*id).to_owned(), at("06:00"))).collect();
    stand(&attempts(met), &done, &pack().ladder.expect("the pack has a ladder"), at("09:00"))
}
