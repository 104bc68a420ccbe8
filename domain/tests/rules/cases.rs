//! B4, B5, B10, D7: who has a case, who may do what with it, and when it is over.

use domain::case::{
    Act, Actor, CaseError, CaseEvent, CaseKind, CaseStanding, CaseState, Happened, Nature, check,
    fold, may, may_see_reporter,
};
use domain::id::UserId;
use domain::job::Channel;
use domain::promise::PromiseState;
use domain::stamp::Timestamp;
use uuid::Uuid;

use crate::build::pack;

const ANA: UserId = UserId(Uuid::from_u128(1));
const BEN: UserId = UserId(Uuid::from_u128(2));
const MARA: UserId = UserId(Uuid::from_u128(3));

fn hour(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + chrono::TimeDelta::hours(hour)
}

fn nature(kind: CaseKind) -> Nature {
    let promise =
        pack().cases.expect("rules of cases").promise(kind).map(|promise| promise.minutes);
    Nature { kind, call_back: false, promise_minutes: promise }
}

/// A case that Ana took on at hour zero, with what happened then, an hour each.
fn case(kind: CaseKind, events: &[(UserId, CaseEvent)]) -> CaseStanding {
    let opened = Happened { by: ANA, at: hour(0), event: CaseEvent::Opened };
    let rest = events.iter().zip(1..).map(|((by, event), at)| Happened {
        by: *by,
        at: hour(at),
        event: event.clone(),
    });
    let history: Vec<Happened> = std::iter::once(opened).chain(rest).collect();
    fold(nature(kind), &history).expect("a case that was opened")
}

fn offered(to: UserId) -> CaseEvent {
    CaseEvent::Offered { to, text: "她负责这一片".to_owned() }
}

fn decided(founded: Option<bool>) -> CaseEvent {
    CaseEvent::Decided { text: "属实，已道歉".to_owned(), founded }
}

fn told(reached: bool) -> CaseEvent {
    CaseEvent::Told { channel: Channel::Phone, reached, text: String::new() }
}

fn closed() -> CaseEvent {
    CaseEvent::Closed { text: String::new() }
}

fn by(user: UserId) -> Actor {
    Actor { user, manages: user == MARA, owner_has_left: false }
}

#[test]
fn b4_a_case_is_never_without_an_owner() {
    let offer = (ANA, offered(BEN));
    let declined = (BEN, CaseEvent::Declined { text: "休假".to_owned() });
    for (events, owner, offered_to) in [
        (vec![], ANA, None),
        (vec![offer.clone()], ANA, Some(BEN)),
        (vec![offer.clone(), declined], ANA, None),
        (vec![offer.clone(), (ANA, CaseEvent::OfferWithdrawn)], ANA, None),
        (vec![offer.clone(), (BEN, CaseEvent::Accepted)], BEN, None),
        (vec![offer, (ANA, closed())], ANA, None),
    ] {
        let standing = case(CaseKind::Request, &events);
        assert_eq!((standing.owner, standing.offered_to), (owner, offered_to), "{events:?}");
    }
    assert_eq!(fold(nature(CaseKind::Request), &[]), None);
}

#[test]
fn b4_only_the_person_offered_accepts_and_only_the_owner_offers() {
    let standing = case(CaseKind::Request, &[(ANA, offered(BEN))]);
    let nature = nature(CaseKind::Request);
    let try_by = |event: &CaseEvent, who| check(nature, &standing, event, by(who));

    assert_eq!(try_by(&CaseEvent::Accepted, BEN), Ok(()));
    assert_eq!(try_by(&CaseEvent::Accepted, MARA), Err(CaseError::NotOffered));
    assert_eq!(try_by(&CaseEvent::Accepted, ANA), Err(CaseError::NotOffered));
    assert_eq!(try_by(&offered(MARA), BEN), Err(CaseError::NotOwner));
    assert_eq!(try_by(&offered(ANA), ANA), Err(CaseError::OwnerAlready));
    assert_eq!(try_by(&offered(MARA), ANA), Ok(()), "another offer takes the place of this one");
    let nobody = case(CaseKind::Request, &[]);
    let withdrawn = check(nature, &nobody, &CaseEvent::OfferWithdrawn, by(ANA));
    assert_eq!(withdrawn, Err(CaseError::NoOffer));
}

#[test]
fn b4_who_runs_the_hall_hands_on_what_somebody_left_behind_and_nothing_else() {
    let standing = case(CaseKind::Complaint, &[]);
    let nature = nature(CaseKind::Complaint);
    let left = |user, manages| Actor { user, manages, owner_has_left: true };

    assert_eq!(check(nature, &standing, &offered(BEN), left(MARA, true)), Ok(()));
    assert_eq!(check(nature, &standing, &offered(BEN), left(BEN, false)), Err(CaseError::NotOwner));
    assert_eq!(check(nature, &standing, &offered(BEN), by(MARA)), Err(CaseError::NotOwner));
    let decides = check(nature, &standing, &decided(Some(true)), left(MARA, true));
    assert_eq!(decides, Err(CaseError::NotOwner), "only an owner decides");
}

#[test]
fn b5_a_complaint_is_decided_and_told_before_it_is_closed() {
    let nature = nature(CaseKind::Complaint);
    let close = |events: &[(UserId, CaseEvent)]| {
        check(nature, &case(CaseKind::Complaint, events), &closed(), by(ANA))
    };
    let decision = (ANA, decided(Some(true)));

    assert_eq!(close(&[]), Err(CaseError::NotDecided));
    assert_eq!(close(&[(ANA, told(true))]), Err(CaseError::NotDecided));
    assert_eq!(close(std::slice::from_ref(&decision)), Err(CaseError::NotTold));
    assert_eq!(close(&[decision.clone(), (ANA, told(false))]), Err(CaseError::NotTold));
    assert_eq!(close(&[decision.clone(), (ANA, told(true))]), Ok(()));
    let anew = [decision.clone(), (ANA, told(true)), decision];
    assert_eq!(close(&anew), Err(CaseError::NotTold), "nobody heard the second decision");
    let unsaid = check(nature, &case(CaseKind::Complaint, &[]), &decided(None), by(ANA));
    assert_eq!(unsaid, Err(CaseError::FoundedNotSaid));
}

#[test]
fn b5_the_clock_stops_when_the_complainant_heard_the_decision() {
    let nature = nature(CaseKind::Complaint);
    let open = case(CaseKind::Complaint, &[]);
    let interim = case(CaseKind::Complaint, &[(ANA, told(true))]);
    let kept = case(CaseKind::Complaint, &[(ANA, decided(Some(false))), (ANA, told(true))]);

    assert_eq!(open.due_at(nature), Some(hour(72)));
    for (standing, at, state) in [
        (&open, 72, PromiseState::Running),
        (&open, 73, PromiseState::Broken),
        (&interim, 73, PromiseState::Broken),
        (&kept, 1000, PromiseState::Kept),
    ] {
        assert_eq!(standing.promise(nature, hour(at)), Some(state), "{standing:?}");
    }
    assert_eq!(
        case(CaseKind::Question, &[]).promise(self::nature(CaseKind::Question), hour(1)),
        None
    );
}

#[test]
fn b5_a_case_taken_up_again_gets_a_new_clock_and_keeps_that_the_old_one_broke() {
    let nature = nature(CaseKind::Complaint);
    let history: Vec<Happened> = [
        (0, CaseEvent::Opened),
        (80, decided(Some(true))),
        (81, told(true)),
        (82, closed()),
        (90, CaseEvent::Reopened { text: "用户不满意".to_owned() }),
    ]
    .map(|(at, event)| Happened { by: ANA, at: hour(at), event })
    .into();

    let standing = fold(nature, &history).unwrap();

    assert_eq!((standing.state(), standing.broken_before), (CaseState::Open, 1));
    assert_eq!(standing.due_at(nature), Some(hour(90 + 72)));
    assert_eq!(standing.owner, ANA);
}

#[test]
fn d7_who_was_promised_a_call_is_called_before_the_case_is_closed() {
    let nature = Nature { call_back: true, ..nature(CaseKind::Question) };
    let fold = |events: &[CaseEvent]| {
        let all = std::iter::once(&CaseEvent::Opened).chain(events);
        let history: Vec<Happened> =
            all.map(|event| Happened { by: ANA, at: hour(0), event: event.clone() }).collect();
        fold(nature, &history).unwrap()
    };
    let (fresh, missed, heard) = (fold(&[]), fold(&[told(false)]), fold(&[told(true)]));

    assert!(fresh.owes_call_back(nature) && missed.owes_call_back(nature));
    assert!(!heard.owes_call_back(nature));
    assert_eq!(check(nature, &missed, &closed(), by(ANA)), Err(CaseError::NotTold));
    assert_eq!(check(nature, &heard, &closed(), by(ANA)), Ok(()));
}

#[test]
fn b10_the_owner_alone_may_see_who_reported() {
    let standing = case(CaseKind::AbuseReport, &[(ANA, offered(BEN))]);
    let taken = case(CaseKind::AbuseReport, &[(ANA, offered(BEN)), (BEN, CaseEvent::Accepted)]);

    for (standing, user, may) in [
        (&standing, ANA, true),
        (&standing, BEN, false),
        (&standing, MARA, false),
        (&taken, ANA, false),
        (&taken, BEN, true),
    ] {
        assert_eq!(may_see_reporter(standing, user), may, "{standing:?} {user}");
    }
    assert!(
        CaseKind::ALL.iter().all(|kind| kind.hides_caller() == (*kind == CaseKind::AbuseReport))
    );
}

#[test]
fn what_a_screen_offers_is_what_the_rules_allow() {
    let nature = nature(CaseKind::Complaint);
    let open = case(CaseKind::Complaint, &[(ANA, offered(BEN))]);
    let over = case(
        CaseKind::Complaint,
        &[(ANA, decided(Some(true))), (ANA, told(true)), (ANA, closed())],
    );
    let all = |standing: &CaseStanding, who| Vec::from_iter(may(nature, standing, by(who)));

    assert_eq!(
        all(&open, ANA),
        [Act::Note, Act::Offer, Act::WithdrawOffer, Act::Decide, Act::Tell]
    );
    assert_eq!(all(&open, BEN), [Act::Note, Act::Accept, Act::Decline]);
    assert_eq!(all(&open, MARA), [Act::Note]);
    assert_eq!(all(&over, MARA), [Act::Note, Act::Reopen]);
    assert_eq!(check(nature, &over, &told(true), by(ANA)), Err(CaseError::Closed));
    let reopen = CaseEvent::Reopened { text: "又来电".to_owned() };
    assert_eq!(check(nature, &open, &reopen, by(ANA)), Err(CaseError::NotClosed));
    assert_eq!(check(nature, &open, &CaseEvent::Opened, by(ANA)), Err(CaseError::OpenedAlready));
}

#[test]
fn an_event_looks_the_same_for_good() {
    let event = Happened { by: ANA, at: hour(1), event: offered(BEN) };

    let written = serde_json::json!(event);

    assert_eq!(written["type"], "offered");
    assert_eq!(written["at"], 3_600_000);
    assert_eq!(serde_json::from_value::<Happened>(written).unwrap(), event);
}
