//! What can be done with an outage, and whether its households were told in time.

use super::*;
use crate::pack::Pack;

const CITY: i32 = 480;

fn rules() -> NoticeRules {
    Pack::builtin().notices.expect("the built-in pack tells households")
}

fn at(text: &str) -> Timestamp {
    format!("{text}:00+08:00").parse::<Timestamp>().expect("a time")
}

fn span(from: &str, until: &str) -> Window {
    Window { start: at(from), end: at(until) }
}

fn planned(from: &str, until: &str) -> Outage {
    let span = span(from, until);
    let none = None;
    Outage {
        kind: OutageKind::Planned,
        span,
        announced_at: none,
        ended_at: none,
        cancelled_at: none,
    }
}

fn announced(from: &str, until: &str) -> Outage {
    Outage { announced_at: Some(at("2026-03-01T09:00")), ..planned(from, until) }
}

#[test]
fn b13_a_planned_outage_is_in_time_48_hours_ahead_and_late_a_minute_after() {
    let (rules, now) = (rules(), at("2026-03-02T09:00"));
    let judged = |from: &str| {
        check((OutageKind::Planned, span(from, "2026-03-04T18:00")), now, (&rules, CITY))
    };

    let kept = judged("2026-03-04T09:00").unwrap();
    assert!(kept.is_in_time());
    assert_eq!(kept.due_at, now);
    let broken = judged("2026-03-04T08:59").unwrap();
    assert!(!broken.is_in_time());
    assert_eq!(broken.earliest_begin, Some(at("2026-03-04T09:00")));
}

#[test]
fn b13_what_is_announced_at_night_is_told_in_the_morning_and_judged_by_that() {
    let (rules, night) = (rules(), at("2026-03-02T22:30"));
    let work = span("2026-03-05T00:00", "2026-03-05T06:00");

    let check = check((OutageKind::Planned, work), night, (&rules, CITY)).unwrap();

    assert_eq!(check.tells_at, at("2026-03-03T08:00"));
    assert!(!check.is_in_time(), "49.5 hours from now, 40 from the morning");
    assert_eq!(check.earliest_begin, Some(at("2026-03-05T08:00")));
}

#[test]
fn b13_an_unforeseen_outage_is_in_time_within_24_hours_of_its_begin_at_night_too() {
    let rules = rules();
    let went = span("2026-03-01T23:00", "2026-03-03T12:00");
    let judged = |now: &str| check((OutageKind::Unforeseen, went), at(now), (&rules, CITY));

    let kept = judged("2026-03-02T23:00").unwrap();
    assert!(kept.is_in_time() && kept.earliest_begin.is_none());
    assert_eq!(kept.tells_at, at("2026-03-02T23:00"), "urgent");
    assert!(!judged("2026-03-02T23:01").unwrap().is_in_time());
}

#[test]
fn b13_the_hours_are_the_packs() {
    let mut rules = rules();
    rules.outage_ahead_minutes = 60;
    let soon = (OutageKind::Planned, span("2026-03-02T10:00", "2026-03-02T12:00"));

    assert!(check(soon, at("2026-03-02T09:00"), (&rules, CITY)).unwrap().is_in_time());
    assert!(!check(soon, at("2026-03-02T09:01"), (&rules, CITY)).unwrap().is_in_time());
}

#[test]
fn b13_times_that_cannot_be_are_refused() {
    let (rules, now) = (rules(), at("2026-03-02T09:00"));
    let (planned, unforeseen) = (OutageKind::Planned, OutageKind::Unforeseen);
    for (kind, from, until, error) in [
        (planned, "2026-03-06T09:00", "2026-03-06T09:00", OutageError::Backwards),
        (planned, "2026-03-06T09:00", "2026-04-06T09:01", OutageError::TooLong),
        (planned, "2026-03-02T09:00", "2026-03-02T12:00", OutageError::BegunAlready),
        (unforeseen, "2026-03-02T09:01", "2026-03-02T12:00", OutageError::NotBegun),
        (unforeseen, "2026-03-02T07:00", "2026-03-02T09:00", OutageError::OverAlready),
    ] {
        let judged = check((kind, span(from, until)), now, (&rules, CITY));
        assert_eq!(judged, Err(error), "{kind:?} {from} {until}");
    }
}

#[test]
fn b13_what_breaks_the_promise_is_announced_with_a_reason_only() {
    let (rules, now) = (rules(), at("2026-03-02T09:00"));
    let soon = planned("2026-03-03T09:00", "2026-03-03T12:00");

    assert_eq!(soon.announce("  ", now, (&rules, CITY)), Err(OutageError::WhyMissing));
    assert!(soon.announce("阀门漏气，不能等", now, (&rules, CITY)).is_ok());
    let later = planned("2026-03-06T09:00", "2026-03-06T12:00");
    assert!(later.announce("", now, (&rules, CITY)).is_ok());
    let twice = Outage { announced_at: Some(now), ..later };
    assert_eq!(twice.announce("", now, (&rules, CITY)), Err(OutageError::AnnouncedAlready));
}

#[test]
fn an_outage_is_over_when_somebody_says_so_and_not_by_the_clock() {
    let it = announced("2026-03-04T09:00", "2026-03-04T12:00");
    for (now, state) in [
        ("2026-03-04T08:59", OutageState::Coming),
        ("2026-03-04T09:00", OutageState::Running),
        ("2026-03-04T11:59", OutageState::Running),
        ("2026-03-04T12:00", OutageState::Overdue),
        ("2026-03-09T12:00", OutageState::Overdue),
    ] {
        assert_eq!(it.state(at(now)), state, "{now}");
    }
    let now = at("2026-03-04T13:00");
    assert_eq!(planned("2026-03-04T09:00", "2026-03-04T12:00").state(now), OutageState::Draft);
    assert_eq!(Outage { ended_at: Some(now), ..it }.state(now), OutageState::Ended);
    assert_eq!(Outage { cancelled_at: Some(now), ..it }.state(now), OutageState::Cancelled);
}

#[test]
fn an_outage_is_prolonged_ended_and_cancelled_once_and_in_its_turn() {
    let it = announced("2026-03-04T09:00", "2026-03-04T12:00");
    let (before, during) = (at("2026-03-04T08:00"), at("2026-03-04T11:00"));

    assert!(it.prolong(at("2026-03-04T16:00"), during).is_ok());
    assert_eq!(it.prolong(at("2026-03-04T12:00"), during), Err(OutageError::NotLater));
    let afterwards = at("2026-03-04T15:00");
    assert_eq!(it.prolong(at("2026-03-04T14:00"), afterwards), Err(OutageError::NotLater));
    assert_eq!(it.prolong(at("2026-04-09T12:00"), during), Err(OutageError::TooLong));
    assert!(it.end(at("2026-03-04T10:30"), during).is_ok());
    assert_eq!(it.end(at("2026-03-04T08:30"), during), Err(OutageError::NoEnd));
    assert_eq!(it.end(at("2026-03-04T11:01"), during), Err(OutageError::NoEnd));
    assert_eq!(it.end(before, before), Err(OutageError::CancelInstead));
    assert!(it.cancel().is_ok());
    assert_eq!(it.revise(), Err(OutageError::AnnouncedAlready));

    let draft = planned("2026-03-04T09:00", "2026-03-04T12:00");
    assert!(draft.revise().is_ok() && draft.cancel().is_ok());
    assert_eq!(draft.prolong(at("2026-03-04T16:00"), before), Err(OutageError::NotAnnounced));
    assert_eq!(draft.end(during, during), Err(OutageError::NotAnnounced));
    let over = Outage { ended_at: Some(during), ..it };
    assert_eq!(over.cancel(), Err(OutageError::Closed));
    assert_eq!(over.end(during, during), Err(OutageError::Closed));
    assert_eq!(over.prolong(at("2026-03-04T16:00"), during), Err(OutageError::Closed));
}

#[test]
fn b13_the_promise_is_kept_when_the_last_household_was_told_in_time() {
    let rules = rules();
    let it = announced("2026-03-04T09:00", "2026-03-04T12:00");
    let due = at("2026-03-02T09:00");
    let told = |told, last: &str| Told { households: 3, told, last_at: Some(at(last)) };
    let state = |of: &Told, now: &str| it.clock(of, &rules, at(now)).map(|it| it.state);

    let (nearly, everybody) = (told(2, "2026-03-01T10:00"), told(3, "2026-03-02T09:00"));
    assert_eq!(state(&nearly, "2026-03-02T09:00"), Some(ClockState::Running));
    assert_eq!(state(&nearly, "2026-03-02T09:01"), Some(ClockState::Broken));
    assert_eq!(state(&everybody, "2026-03-09T09:00"), Some(ClockState::Kept));
    assert_eq!(state(&told(3, "2026-03-02T09:01"), "2026-03-02T10:00"), Some(ClockState::Broken));
    let nobody = Told::default();
    assert_eq!(state(&nobody, "2026-03-01T10:00"), Some(ClockState::Running));

    let clock = it.clock(&nearly, &rules, at("2026-03-02T01:00")).unwrap();
    assert_eq!((clock.due_at, clock.is_at_risk), (due, Some(true)));
    let calm = it.clock(&nearly, &rules, at("2026-03-02T00:59")).unwrap();
    assert_eq!(calm.is_at_risk, Some(false));
    let off = Outage { cancelled_at: Some(due), ..it };
    assert_eq!(off.clock(&nearly, &rules, at("2026-03-09T09:00")), None);
}

#[test]
fn an_area_is_roads_buildings_and_households() {
    let set = |of: &[&str]| of.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>();
    let area = Area {
        roads: set(&["芜湖市镜湖区文化路"]),
        buildings: set(&["芜湖市镜湖区吉和街听江里1幢"]),
        accounts: set(&["30100077"]),
    };
    for (account, address, covered) in [
        ("1", "芜湖市镜湖区文化路书院里3幢2单元101室", true),
        ("1", "芜湖市镜湖区吉和街听江里1幢1单元101室", true),
        ("1", "芜湖市镜湖区吉和街听江里11幢1单元101室", false),
        ("1", "芜湖市弋江区文化路书院里3幢2单元101室", false),
        ("30100077", "芜湖市弋江区文化路书院里3幢2单元101室", true),
    ] {
        assert_eq!(area.covers(account, address), covered, "{account} {address}");
    }
    assert_eq!(area.words(), "文化路、吉和街听江里1幢");
    assert!(Area::default().is_empty() && !area.is_empty());
}
