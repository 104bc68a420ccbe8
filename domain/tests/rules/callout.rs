//! Calls to an emergency (B2): who leads, who supports, and what a call asks of whom.

use chrono::TimeDelta;
use domain::callout::{Answer, accepted_by, callout, waiting_for};
use domain::id::{FactId, UserId, VisitId};
use domain::job::{Job, JobKind};
use domain::stamp::{Interval, Stamp};
use domain::status::{Clash, Status, standing};
use domain::visit::check::{RecordError, check, check_by};
use domain::visit::{Fact, Outcome, Recorded, Visit};
use proptest::prelude::*;
use uuid::Uuid;

use crate::build::*;

const CHEN: UserId = UserId(Uuid::from_u128(0xC));

fn leak() -> JobBuilder {
    job(JobKind::Emergency).called(ANA, "安娜", "06:00").called(BEN, "本", "06:00")
}

fn declined(reason: &str) -> Fact {
    Fact::CallDeclined { reason: reason.to_owned() }
}

#[test]
fn b2_the_first_acceptance_by_trusted_time_leads_and_the_other_supports() {
    let both = leak()
        .visit(1, ANA, vec![("06:03", Fact::CallAccepted)])
        .visit(2, BEN, vec![("06:02", Fact::CallAccepted)])
        .build();

    let found = callout(&both, &exact);

    assert_eq!((found.lead, found.supports), (Some(BEN), vec![ANA]), "whoever came in first");
    assert_eq!(found.called.len(), 2);
    assert_eq!(found.called[0].answer, Some(Answer::Accepted));
}

#[test]
fn b2_where_the_time_is_wide_the_latest_it_can_have_been_decides() {
    let both = leak()
        .visit(1, ANA, vec![("06:02", Fact::CallAccepted)])
        .visit(2, BEN, vec![("06:03", Fact::CallAccepted)])
        .build();
    let anas = both.visits[&VisitId(Uuid::from_u128(1))].facts[&fact_id(0)].stamp;
    let wide = |stamp: &Stamp| {
        let sharp = exact(stamp);
        let by = TimeDelta::minutes(if *stamp == anas { 10 } else { 0 });
        Interval { earliest: sharp.earliest - by, latest: sharp.latest + by }
    };

    assert_eq!(callout(&both, &wide).lead, Some(BEN), "Ana's may have been at 06:12");
}

#[test]
fn b2_who_takes_the_acceptance_back_leads_no_more() {
    let base = || leak().visit(2, BEN, vec![("06:05", Fact::CallAccepted)]);
    let back = Fact::Withdrawn { fact: fact_id(0), reason: "爆胎".to_owned() };
    let withdrawn = base().visit(1, ANA, vec![("06:01", Fact::CallAccepted), ("06:04", back)]);
    let changed = vec![("06:01", Fact::CallAccepted), ("06:04", declined("爆胎"))];
    let changed = base().visit(1, ANA, changed);

    for job in [withdrawn.build(), changed.build()] {
        let found = callout(&job, &exact);
        assert_eq!((found.lead, found.supports), (Some(BEN), vec![]));
        assert_eq!(accepted_by(&job).into_iter().collect::<Vec<_>>(), [BEN]);
    }
}

#[test]
fn b2_only_who_was_called_to_an_emergency_answers() {
    let job_of = leak().build();
    let repair = job(JobKind::Repair).called(ANA, "安娜", "06:00").build();

    for fact in [Fact::CallAccepted, declined("")] {
        assert_eq!(check_by(&job_of, ANA, &fact), Ok(()));
        assert_eq!(check(&job_of, None, &fact, &pack()), Ok(()));
        assert_eq!(check_by(&job_of, CHEN, &fact), Err(RecordError::NotCalled));
        assert_eq!(check(&repair, None, &fact, &pack()), Err(RecordError::NotCalled));
    }
    let uncalled = leak().visit(3, CHEN, vec![("06:01", Fact::CallAccepted)]).build();
    assert_eq!(callout(&uncalled, &exact).lead, None, "whatever a phone wrote");
    assert_eq!(accepted_by(&uncalled).len(), 0);
}

#[test]
fn b2_a_call_waits_until_it_is_answered_or_somebody_has_the_job() {
    let waits = |job: Job| waiting_for(&job, ANA).is_some();
    let answered = |fact: Fact| leak().visit(1, ANA, vec![("06:01", fact)]);

    assert!(waits(leak().build()));
    assert!(!waits(answered(declined("远")).build()));
    assert!(!waits(answered(Fact::CallAccepted).build()));
    assert!(!waits(leak().assigned_to(BEN, "06:02").build()));
    assert!(!waits(leak().cancelled("06:02").build()));
    assert!(waiting_for(&leak().build(), CHEN).is_none());
}

#[test]
fn b2_a_new_call_asks_again_who_had_declined() {
    let mut job = leak().build();
    let decline = Recorded { stamp: stamp(at("06:01")), fact: declined("远") };
    // Between the two calls by its id, as a phone makes it.
    let minutes = u128::try_from((at("06:01") - at("00:00")).num_minutes()).unwrap_or(0);
    let id = FactId(Uuid::from_u128(minutes * 10));
    let device = domain::id::DeviceId(Uuid::from_u128(9));
    let visit = Visit { technician: ANA, device, facts: [(id, decline)].into() };
    job.visits.insert(VisitId(Uuid::from_u128(1)), visit);
    assert!(waiting_for(&job, ANA).is_none());

    let again = leak().called(ANA, "安娜", "06:05").build();
    job.plan.calls = again.plan.calls;

    assert!(waiting_for(&job, ANA).is_some());
    let found = callout(&job, &exact);
    assert_eq!((found.called[0].technician, &found.called[0].answer), (ANA, &None));
    assert_eq!(found.called[0].at, at("06:05"));
}

#[test]
fn b2_a_supporter_at_the_door_clashes_with_nothing() {
    let arrived = || Fact::Arrived { fix: None };
    let team = leak()
        .assigned_to(ANA, "06:01")
        .visit(1, ANA, vec![("06:01", Fact::CallAccepted), ("06:20", arrived())])
        .visit(2, BEN, vec![("06:02", Fact::CallAccepted), ("06:15", arrived())]);
    let stranger = team.clone().visit(3, CHEN, vec![("06:20", arrived())]).build();

    assert_eq!(standing(&team.clone().build()).clashes, []);
    assert_eq!(
        standing(&stranger).clashes,
        [Clash::VisitedByOther { visit: VisitId(Uuid::from_u128(3)), technician: CHEN }]
    );
    let done = || Fact::Closed { outcome: Outcome::Done };
    let both = leak()
        .assigned_to(ANA, "06:01")
        .visit(1, ANA, vec![("06:01", Fact::CallAccepted), ("06:50", done())])
        .visit(2, BEN, vec![("06:02", Fact::CallAccepted), ("06:51", done())]);
    assert_eq!(standing(&both.build()).clashes, [], "they did it together");
}

#[test]
fn b2_a_supporter_who_turns_back_does_not_stop_the_one_at_the_door() {
    let cannot = Outcome::CannotFinish { reason: "堵".to_owned(), follow_up: "无".to_owned() };
    let team = leak()
        .assigned_to(ANA, "06:01")
        .visit(1, ANA, vec![("06:01", Fact::CallAccepted), ("06:20", Fact::SetOut)])
        .visit(
            2,
            BEN,
            vec![("06:02", Fact::CallAccepted), ("06:25", Fact::Closed { outcome: cannot })],
        )
        .build();

    assert_eq!(standing(&team).status, Status::SetOut);
}

#[test]
fn b2_accepting_or_declining_alone_moves_no_status() {
    for fact in [Fact::CallAccepted, declined("远")] {
        let job = leak().visit(1, ANA, vec![("06:01", fact)]).build();
        assert_eq!(standing(&job).status, Status::Unassigned);
    }
}

proptest! {
    /// Any order of arrival folds to the same lead: the document is all that counts.
    #[test]
    fn b2_every_copy_names_the_same_lead(minutes in prop::collection::vec(1_i64..50, 2..6), seed in any::<u64>()) {
        let who = |number: usize| UserId(Uuid::from_u128(0x100 + number as u128));
        let clock = |minute: i64| format!("06:{minute:02}");
        let build = |order: &[usize]| {
            let mut made = job(JobKind::Emergency);
            for number in 0..minutes.len() {
                made = made.called(who(number), "某", &format!("05:{number:02}"));
            }
            for number in order {
                let accepted = clock(minutes[*number]);
                let facts = vec![(accepted.as_str(), Fact::CallAccepted)];
                made = made.visit(10 + *number as u128, who(*number), facts);
            }
            made.build()
        };
        let order: Vec<usize> = (0..minutes.len()).collect();
        let mut other = order.clone();
        other.rotate_left(usize::try_from(seed % minutes.len() as u64).unwrap_or(0));

        let (one, two) = (callout(&build(&order), &exact), callout(&build(&other), &exact));

        prop_assert_eq!(&one, &two);
        let first = minutes.iter().min().copied().unwrap_or(0);
        let lead = one.lead.expect("somebody accepted");
        let number = (0..minutes.len()).find(|it| who(*it) == lead).expect("called");
        prop_assert_eq!(minutes[number], first);
        prop_assert_eq!(one.supports.len(), minutes.len() - 1);
    }
}
