//! B1, B6 and the calendar: spans in minutes, days and working days, clocks that start late or stand still, and law.

use chrono::{DateTime, Datelike as _, NaiveDate};
use domain::calendar::{Holiday, Span, Still, city_day, over_at};
use domain::id::EntryId;
use domain::job::{Author, ClockEvent, Job, JobKind, Tick};
use domain::pack::{BUILTIN, Pack, Scope, looser};
use domain::promise::{ClockError, PromiseState, check, clock, judge};
use domain::stamp::{Heard, Timestamp};
use domain::visit::{Fact, Outcome};
use uuid::Uuid;

use crate::build::*;

#[test]
fn working_days_follow_the_published_holidays_and_make_up_days_of_2025_and_2026() {
    for (day, works) in [
        ("2025-01-26", true),
        ("2025-01-28", false),
        ("2025-02-08", true),
        ("2025-10-08", false),
        ("2025-10-09", true),
        ("2025-10-11", true),
        ("2026-01-02", false),
        ("2026-01-04", true),
        ("2026-02-14", true),
        ("2026-02-16", false),
        ("2026-02-23", false),
        ("2026-02-24", true),
        ("2026-05-09", true),
        ("2026-09-20", true),
        ("2026-09-25", false),
        ("2026-10-07", false),
        ("2026-10-10", true),
        ("2026-11-28", false),
        ("2027-02-05", false),
        ("2027-02-09", true),
        ("2027-10-02", false),
    ] {
        assert_eq!(calendar_of(&pack()).is_working(date(day)), works, "{day}");
    }
}

#[test]
fn each_year_has_as_many_days_off_as_its_notice_gives() {
    let pack = pack();
    let calendar = calendar_of(&pack);
    let days_off = |year: i32| -> i64 {
        let of_year = calendar.rest.iter().filter(|rest| rest.from.year() == year);
        of_year.map(|rest| (rest.until - rest.from).num_days() + 1).sum()
    };

    // 1 + 8 + 3 + 5 + 3 + 8, 3 + 9 + 3 + 5 + 3 + 3 + 7, and the 13 days of the regulation alone.
    assert_eq!([2025, 2026, 2027].map(days_off), [28, 33, 13]);
    assert!(
        calendar.is_published(date("2026-12-31")) && !calendar.is_published(date("2027-01-01"))
    );
    let spring = calendar.next(Holiday::SpringFestival, date("2026-02-16")).unwrap();
    assert_eq!(spring.from, date("2027-02-05"));
}

#[test]
fn b1_days_end_with_the_day_and_leave_out_the_day_of_the_start() {
    let taken = moment("2026-09-28T15:00:00+08:00");
    for (span, over) in [
        (Span::Minutes(2_880), "2026-09-30T15:00:00+08:00"),
        (Span::Days(5), "2026-10-03T23:59:59.999+08:00"),
        // 29 and 30 September, 8, 9 and the made-up 10 October.
        (Span::WorkingDays(5), "2026-10-10T23:59:59.999+08:00"),
    ] {
        assert_eq!(over_at(span, taken, &[], &pack()), moment(over), "{span:?}");
    }
}

#[test]
fn a_pause_lengthens_minutes_and_takes_away_whole_days_only() {
    let taken = moment("2026-11-02T10:00:00+08:00");
    let still = [Still {
        from: moment("2026-11-03T09:00:00+08:00"),
        until: moment("2026-11-05T09:00:00+08:00"),
    }];
    for (span, over) in [
        (Span::Minutes(2_880), "2026-11-06T10:00:00+08:00"),
        (Span::Days(5), "2026-11-08T23:59:59.999+08:00"),
        (Span::WorkingDays(5), "2026-11-10T23:59:59.999+08:00"),
    ] {
        assert_eq!(over_at(span, taken, &still, &pack()), moment(over), "{span:?}");
    }
    let later = [Still {
        from: moment("2026-11-20T09:00:00+08:00"),
        until: moment("2026-11-25T09:00:00+08:00"),
    }];
    let unpaused = over_at(Span::Minutes(2_880), taken, &[], &pack());
    assert_eq!(over_at(Span::Minutes(2_880), taken, &later, &pack()), unpaused);
}

#[test]
fn b1_an_installation_is_promised_from_complete_papers_on_and_by_the_stricter_figure() {
    let job = installation(&[]);
    assert_eq!(clock(&job, &pack()), None, "nothing runs before the papers are complete");

    let job = installation(&[(ClockEvent::Started, "2026-11-24T09:00:00+08:00")]);
    let pack = pack();
    let found = clock(&job, &pack).unwrap();

    assert_eq!(found.rule.rule, "B1");
    assert_eq!(found.due_at, moment("2026-11-29T23:59:59.999+08:00"));
    assert_eq!(found.guide_due_at, Some(moment("2026-12-01T23:59:59.999+08:00")));
    for (closes, expected) in [
        (None, PromiseState::Running),
        (Some(Outcome::Done), PromiseState::Kept),
        (Some(Outcome::NoOneHome), PromiseState::Running),
    ] {
        let facts = closes.map(|outcome| ("10:40", Fact::Closed { outcome }));
        let visited = job_with(&job, facts);
        assert_eq!(state(&visited, "2026-11-26T09:00:00+08:00"), expected);
    }
    let not_heard = state(&job, "2026-11-30T00:00:00+08:00");
    assert_eq!(not_heard, PromiseState::NotHeard);
}

#[test]
fn b1_a_clock_stands_still_until_somebody_says_that_it_runs_on() {
    let wish =
        || ClockEvent::Paused { reason: "用户要求十二月再装".to_owned(), until: None };
    let started = (ClockEvent::Started, "2026-11-24T09:00:00+08:00");
    let paused = installation(&[started.clone(), (wish(), "2026-11-25T09:00:00+08:00")]);
    let resumed = installation(&[
        started.clone(),
        (wish(), "2026-11-25T09:00:00+08:00"),
        (ClockEvent::Resumed, "2026-12-05T09:00:00+08:00"),
    ]);
    let too_late = installation(&[started, (wish(), "2026-12-02T09:00:00+08:00")]);

    let years_later = "2028-11-30T00:00:00+08:00";
    assert_eq!(state(&paused, years_later), PromiseState::Paused);
    assert_eq!(
        PromiseState::Paused.read_at(at("10:00"), moment(years_later), Heard::Nobody),
        PromiseState::Paused
    );
    let pack = pack();
    // The 25th counts, and so does 5 December, on which the clock runs again.
    assert_eq!(clock(&resumed, &pack).unwrap().due_at, moment("2026-12-08T23:59:59.999+08:00"));
    assert_eq!(state(&too_late, "2026-12-03T09:00:00+08:00"), PromiseState::NotHeard);
}

#[test]
fn b6_a_household_that_wants_a_later_day_pauses_the_clock_until_then() {
    let mut job = job(JobKind::Ignition).build();
    let until = Some(at("06:00") + chrono::TimeDelta::days(3));
    tick(&mut job, 1, ClockEvent::Paused { reason: "周末才在家".to_owned(), until }, at("07:00"));
    let pack = pack();

    let found = clock(&job, &pack).unwrap();

    assert_eq!(found.due_at, at("05:00") + chrono::TimeDelta::days(5));
    assert_eq!(found.paused_since, None, "a pause with an end needs nobody to end it");
}

#[test]
fn a_clock_takes_only_what_can_have_happened() {
    let pause = |reason: &str| ClockEvent::Paused { reason: reason.to_owned(), until: None };
    let until =
        |clock| ClockEvent::Paused { reason: "等配件".to_owned(), until: Some(at(clock)) };
    let started = || (ClockEvent::Started, "2026-11-24T08:00:00+08:00");
    let stands = || [started(), (pause("用户出差"), "2026-11-24T09:00:00+08:00")];
    let reading = job(JobKind::MeterReading).build();
    let ignition = job(JobKind::Ignition).build();
    let waiting = installation(&[]);
    let running = installation(&[started()]);
    let still = installation(&stands());
    for (job, event, clock, expected) in [
        (&reading, ClockEvent::Started, "08:00", Err(ClockError::NothingPromised)),
        (&ignition, ClockEvent::Started, "08:00", Err(ClockError::StartsByItself)),
        (&ignition, pause("用户出差"), "08:00", Ok(())),
        (&ignition, pause("用户出差"), "05:00", Err(ClockError::BeforeTheLast)),
        (&waiting, ClockEvent::Started, "12:01", Err(ClockError::Ahead)),
        (&waiting, ClockEvent::Started, "08:00", Ok(())),
        (&waiting, pause("用户出差"), "08:00", Err(ClockError::NotStarted)),
        (&running, pause(" "), "08:30", Err(ClockError::NoReason)),
        (&running, until("08:30"), "08:30", Err(ClockError::EndsFirst)),
        (&running, until("18:30"), "08:30", Ok(())),
        (&running, ClockEvent::Resumed, "08:30", Err(ClockError::Running)),
        (&still, pause("用户出差"), "09:30", Err(ClockError::PausedAlready)),
        (&still, ClockEvent::Resumed, "08:30", Err(ClockError::BeforeTheLast)),
        (&still, ClockEvent::Resumed, "09:30", Ok(())),
    ] {
        let tick = Tick { event, at: at(clock), author: author(at(clock)) };
        assert_eq!(check(job, &tick, at("12:00"), &pack()), expected, "{tick:?}");
    }
}

#[test]
fn b13_a_figure_looser_than_the_law_is_named_with_the_law() {
    assert_eq!(
        looser(&pack()),
        Vec::new(),
        "the pack that comes with the program is within the law"
    );
    let short = BUILTIN.replacen("outage_ahead_minutes = 2880", "outage_ahead_minutes = 1440", 1);
    let city = "[[laws]]\nrule = \"B13\"\nscope = \"city\"\nwithin = { minutes = 1440 }\n\
                source = \"Zhengzhou 2022, art. 20\"\n\n[[skills]]";
    let both = short.replacen("[[skills]]", city, 1);

    let found = looser(&Pack::parse(&both).unwrap());

    let named: Vec<_> = found.iter().map(|it| (it.rule.as_str(), it.of, it.than)).collect();
    assert_eq!(
        named,
        [("B13", None, Scope::Nation), ("B13", Some(Scope::City), Scope::Nation)],
        "the company keeps to its city's law, which is looser than the nation's"
    );
    assert!(found[1].source.starts_with("Zhengzhou") && found[1].law_source.contains("art. 20"));
}

#[test]
fn b5_an_answer_slower_than_five_working_days_is_looser_than_the_law() {
    for (minutes, is_looser) in [(7 * 1_440, false), (7 * 1_440 + 1, true)] {
        let text = BUILTIN.replacen("minutes = 4320", &format!("minutes = {minutes}"), 1);
        let found = looser(&Pack::parse(&text).unwrap());
        assert_eq!(found.iter().any(|it| it.rule == "B5"), is_looser, "{minutes}");
    }
}

#[test]
fn a_promise_in_working_days_needs_a_calendar() {
    let (before, rest) = BUILTIN.split_once("[calendar]").unwrap();
    let after = &rest[rest.find("[punctuality]").unwrap()..];

    let error = Pack::parse(&format!("{before}{after}")).unwrap_err().to_string();

    assert!(
        error.contains("calendar: needs to be there where working_days are counted"),
        "{error}"
    );
}

#[test]
fn a_promised_day_is_one_of_the_halls_city() {
    let over = over_at(Span::Days(1), moment("2026-11-24T23:30:00+08:00"), &[], &pack());

    assert_eq!(city_day(over, 480), date("2026-11-25"));
}

fn state(job: &Job, now: &str) -> PromiseState {
    judge(job, &exact, (moment(now), Heard::Never), &pack()).expect("something is promised").state
}

fn installation(ticks: &[(ClockEvent, &str)]) -> Job {
    let mut job = job(JobKind::Installation).assigned_to(ANA, "07:00").build();
    for (number, (event, when)) in (1..).zip(ticks) {
        tick(&mut job, number, event.clone(), moment(when));
    }
    job
}

fn job_with(of: &Job, fact: Option<(&'static str, Fact)>) -> Job {
    let visited = job(JobKind::Installation).visit(1, ANA, fact.into_iter().collect()).build();
    Job { visits: visited.visits, ..of.clone() }
}

fn tick(job: &mut Job, number: u128, event: ClockEvent, when: Timestamp) {
    let entry = Tick { event, at: when, author: author(when) };
    job.plan.clock.insert(EntryId(Uuid::from_u128(number)), entry);
}

fn author(when: Timestamp) -> Author {
    Author { by: DISPATCHER, at: when }
}

fn calendar_of(pack: &Pack) -> &domain::pack::CalendarRules {
    pack.calendar.as_ref().expect("the built-in pack has a calendar")
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("the tests write valid days")
}

fn moment(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).expect("the tests write valid times").to_utc()
}
