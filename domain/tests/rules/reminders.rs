//! Reminders: when somebody is told to phone, to set out, to look at a promise, a hazard, a phone, a duty.

use chrono::{NaiveDate, TimeDelta};
use domain::pack::{Pack, ReminderRules};
use domain::reminder::{self, About, Reminder};
use domain::stamp::Timestamp;
use domain::status::Status;

use crate::build::{at, window};

fn rules() -> ReminderRules {
    Pack::builtin().reminders.expect("the built-in pack reminds")
}

/// What holds at a time of the day.
fn holding(reminders: &[Reminder], clock: &str) -> Vec<About> {
    reminders.iter().filter(|it| it.holds_at(at(clock))).map(|it| it.about).collect()
}

#[test]
fn a1_a_household_is_phoned_before_its_window_and_a2_somebody_sets_out_in_time() {
    use About::{PhoneAhead, SetOut};
    let of =
        |status, phoned| reminder::of_window(window("10:00", "12:00"), (status, phoned), &rules());

    for (status, phoned, clock, expected) in [
        (Status::Assigned, false, "09:19", vec![]),
        (Status::Assigned, false, "09:20", vec![PhoneAhead]),
        (Status::Assigned, false, "09:45", vec![PhoneAhead, SetOut]),
        (Status::Assigned, true, "09:45", vec![SetOut]),
        (Status::Assigned, false, "10:00", vec![SetOut]),
        (Status::Assigned, false, "11:59", vec![SetOut]),
        (Status::Assigned, false, "12:00", vec![]),
        (Status::SetOut, false, "09:45", vec![]),
        (Status::Unassigned, false, "09:45", vec![]),
        (Status::Cancelled, false, "09:45", vec![]),
        (Status::Done, false, "09:45", vec![]),
    ] {
        assert_eq!(holding(&of(status, phoned), clock), expected, "{status:?} {phoned} {clock}");
    }
}

#[test]
fn b2_a_promise_is_spoken_of_only_while_it_can_be_kept() {
    let reminded = [reminder::of_promise(at("10:30"), 15)];

    for (clock, expected) in [("10:14", 0), ("10:15", 1), ("10:29", 1), ("10:30", 0)] {
        assert_eq!(holding(&reminded, clock).len(), expected, "{clock}");
    }
}

#[test]
fn a_hazard_is_looked_at_until_its_last_day_is_over() {
    let deadline = "2026-11-24".parse::<NaiveDate>().expect("a day");
    let reminded = reminder::of_hazard(deadline, 480, &rules());

    assert!(reminded.holds_at(at("00:00") - TimeDelta::days(3)));
    assert!(!reminded.holds_at(at("00:00") - TimeDelta::days(3) - TimeDelta::milliseconds(1)));
    assert!(reminded.holds_at(at("23:59")));
    assert!(!reminded.holds_at(at("00:00") + TimeDelta::days(1)));
}

#[test]
fn a_phone_is_silent_only_while_its_owner_has_work() {
    let work = window("10:00", "12:00");
    let of = |heard: Option<Timestamp>| reminder::of_silence(heard, work, &rules());

    let never = of(None).expect("nobody heard of it");
    assert!(!never.holds_at(at("11:29")) && never.holds_at(at("11:30")));
    assert!(!never.holds_at(at("12:00")));
    assert_eq!(of(Some(at("08:00"))), of(None));
    assert_eq!(of(Some(at("10:20"))).map(|it| it.from), Some(at("11:50")));
    assert_eq!(of(Some(at("10:30"))), None);
}

#[test]
fn unsent_work_is_asked_for_after_hours() {
    let reminded = reminder::of_unsent(at("08:00"), &rules());

    assert!(!reminded.holds_at(at("11:59")) && reminded.holds_at(at("12:00")));
}

#[test]
fn d5_each_day_has_its_duties_at_their_times() {
    let keys = |day: &str| -> Vec<String> {
        let day = day.parse::<NaiveDate>().expect("a day");
        let rules = rules();
        reminder::duties(day, 480, &rules).map(|(duty, _)| duty.id.clone()).collect()
    };
    let daily = ["before_opening", "briefing", "round_morning", "round_afternoon", "closing"];

    // A Tuesday, a Monday that is the 30th, a Friday.
    assert_eq!(keys("2026-11-24"), daily);
    assert_eq!(keys("2026-11-30"), [&daily[..], &["weekly_meeting", "monthly_plan"]].concat());
    assert_eq!(keys("2026-11-27"), [&daily[..], &["weekly_plan"]].concat());

    let day = "2026-11-24".parse::<NaiveDate>().expect("a day");
    let rules = rules();
    let (_, briefing) = reminder::duties(day, 480, &rules).nth(1).expect("a briefing");
    assert_eq!((briefing.from, briefing.until), (at("07:45"), at("08:00")));
}
