//! A1 and A2: appointments, and whether people arrive when they promised.

use chrono::TimeDelta;
use domain::appointment::{appointments, current};
use domain::job::{Channel, Job, JobKind, Window};
use domain::punctuality::{Circumstances, Punctuality, Tally, verdicts};
use domain::stamp::{Anchor, BootId, Heard, Interval, Stamp, Timestamp};
use domain::visit::{Fact, check::RecordError, check::check};
use proptest::prelude::*;

use crate::build::*;

#[test]
fn a1_without_an_appointment_a_visit_does_not_start() {
    let job = job(JobKind::MeterReading).assigned_to(ANA, "07:00").build();

    assert_eq!(check(&job, None, &Fact::SetOut, &pack()), Err(RecordError::NoAppointment));
    assert_eq!(check(&job, None, &arrived(), &pack()), Err(RecordError::NoAppointment));
}

#[test]
fn a1_an_emergency_needs_no_appointment() {
    let job = job(JobKind::Emergency).assigned_to(ANA, "07:00").build();

    assert_eq!(check(&job, None, &arrived(), &pack()), Ok(()));
}

#[test]
fn a1_an_appointment_agreed_by_the_technician_counts() {
    let job = job(JobKind::Repair).visit(1, ANA, vec![("08:00", anew("10:00", "12:00"))]).build();

    assert_eq!(current(&job).unwrap().window, window("10:00", "12:00"));
    let visit = job.visits.values().next();
    assert_eq!(check(&job, visit, &Fact::SetOut, &pack()), Ok(()));
}

#[test]
fn a1_a_replacement_keeps_the_appointment_it_replaces() {
    let job = ten_to_twelve().agreed(window("14:00", "16:00"), "09:00").build();

    let windows: Vec<_> = appointments(&job).iter().map(|agreed| agreed.window).collect();
    assert_eq!(windows, [window("10:00", "12:00"), window("14:00", "16:00")]);
}

#[test]
fn a2_an_arrival_is_judged_against_its_window() {
    for (clock, expected) in [
        ("09:59", Punctuality::Early),
        ("10:00", Punctuality::OnTime),
        ("11:15", Punctuality::OnTime),
        ("12:00", Punctuality::OnTime),
        ("12:01", Punctuality::Late),
    ] {
        let job = ten_to_twelve().visit(1, ANA, vec![(clock, arrived())]).build();
        assert_eq!(judged(&job), [expected], "{clock}");
    }
}

#[test]
fn a2_an_arrival_too_blurred_to_place_cannot_be_told() {
    let job = ten_to_twelve().visit(1, ANA, vec![("10:05", arrived())]).build();

    let blurred = blurred(10);
    let found = verdicts(&job, &known(&blurred, "20:00", Some("20:00")));

    assert_eq!(found[0].punctuality, Punctuality::CannotTell { width_ms: 20 * 60_000 });
}

#[test]
fn a2_blur_that_stays_inside_the_window_is_on_time() {
    let job = ten_to_twelve().visit(1, ANA, vec![("11:00", arrived())]).build();

    let blurred = blurred(50);
    let found = verdicts(&job, &known(&blurred, "20:00", None));

    assert_eq!(found[0].punctuality, Punctuality::OnTime);
}

#[test]
fn a2_agreed_anew_before_the_windows_end_is_no_breach() {
    let job = ten_to_twelve().visit(1, ANA, vec![("11:59", anew("15:00", "17:00"))]).build();

    assert_eq!(judged(&job)[0], Punctuality::Released);
}

#[test]
fn a2_agreed_anew_after_the_windows_end_is_a_breach() {
    let job = ten_to_twelve().visit(1, ANA, vec![("12:01", anew("15:00", "17:00"))]).build();

    assert_eq!(judged(&job)[0], Punctuality::Missed);
}

#[test]
fn a2_agreed_anew_at_a_time_that_straddles_the_end_cannot_be_told() {
    let job = ten_to_twelve().visit(1, ANA, vec![("12:00", anew("15:00", "17:00"))]).build();

    let blurred = blurred(5);
    let found = verdicts(&job, &known(&blurred, "20:00", None));

    assert!(matches!(found[0].punctuality, Punctuality::CannotTell { .. }));
}

#[test]
fn a2_an_arrival_counts_for_the_appointment_that_held() {
    let job = ten_to_twelve()
        .agreed(window("14:00", "16:00"), "11:00")
        .visit(1, ANA, vec![("14:30", arrived())])
        .build();

    assert_eq!(judged(&job), [Punctuality::Released, Punctuality::OnTime]);
}

#[test]
fn a2_nobody_came_is_missed_only_when_the_phone_was_heard() {
    let job = ten_to_twelve().build();

    for (now, heard, expected) in [
        ("12:00", None, Punctuality::Pending),
        ("12:01", None, Punctuality::NotHeard),
        ("18:00", Some("11:59"), Punctuality::NotHeard),
        ("18:00", Some("12:00"), Punctuality::Missed),
    ] {
        let found = verdicts(&job, &known(&exact, now, heard));
        assert_eq!(found[0].punctuality, expected, "{now} {heard:?}");
    }
}

#[test]
fn a2_called_off_in_time_releases_and_too_late_does_not() {
    assert_eq!(judged(&ten_to_twelve().cancelled("11:00").build()), [Punctuality::Released]);
    assert_eq!(judged(&ten_to_twelve().cancelled("12:30").build()), [Punctuality::Missed]);
}

#[test]
fn a2_whoever_came_answers_for_the_arrival() {
    let job =
        ten_to_twelve().assigned_to(BEN, "09:00").visit(1, ANA, vec![("10:30", arrived())]).build();

    let found = verdicts(&job, &known(&exact, "20:00", None));

    assert_eq!(found[0].technician, Some(ANA));
}

#[test]
fn a2_late_without_notice_is_a_breach() {
    let late = || ten_to_twelve().visit(1, ANA, vec![("12:30", arrived())]);

    assert_eq!(judged(&late().build()), [Punctuality::Late]);
    assert_eq!(judged(&late().cancelled("12:10").build()), [Punctuality::Late], "too late");
    assert_eq!(judged(&late().cancelled("11:00").build()), [Punctuality::Released], "nobody waits");
}

#[test]
fn a2_an_arrival_before_anything_was_agreed_is_not_early() {
    let job = job(JobKind::Emergency)
        .assigned_to(ANA, "06:00")
        .visit(1, ANA, vec![("06:20", arrived())])
        .agreed(window("14:00", "16:00"), "07:00")
        .visit(2, ANA, vec![("15:00", arrived())])
        .build();

    assert_eq!(judged(&job), [Punctuality::OnTime]);
}

#[test]
fn a2_an_arrival_that_may_belong_to_either_window_cannot_be_told() {
    let job = ten_to_twelve()
        .agreed(window("14:00", "16:00"), "11:00")
        .visit(1, ANA, vec![("11:05", arrived())])
        .build();

    let blurred = blurred(10);
    let found = verdicts(&job, &known(&blurred, "20:00", Some("20:00")));

    let cannot_tell = Punctuality::CannotTell { width_ms: 20 * 60_000 };
    assert_eq!([found[0].punctuality, found[1].punctuality], [cannot_tell; 2]);
}

#[test]
fn a2_one_phones_own_clock_orders_what_it_recorded() {
    let facts = vec![("11:00", anew("14:00", "16:00")), ("11:30", arrived())];
    let job = ten_to_twelve().visit(1, ANA, facts).build();

    // Both facts lie somewhere in the same hour, and still the arrival is the later one.
    let blurred = blurred(20);
    let found = verdicts(&job, &known(&blurred, "20:00", Some("20:00")));

    let found = [found[0].punctuality, found[1].punctuality];
    assert_eq!(found, [Punctuality::Released, Punctuality::Early]);
}

#[test]
fn a2_who_had_the_job_at_the_windows_end_answers_for_nobody_coming() {
    let job = ten_to_twelve()
        .agreed(window("15:00", "17:00"), "12:30")
        .assigned_to(BEN, "12:30")
        .visit(1, BEN, vec![("15:30", arrived())])
        .build();

    let found = verdicts(&job, &known(&exact, "20:00", Some("20:00")));

    let found: Vec<_> = found.iter().map(|it| (it.technician, it.punctuality)).collect();
    assert_eq!(found, [(Some(ANA), Punctuality::Missed), (Some(BEN), Punctuality::OnTime)]);
}

#[test]
fn a2_agreed_anew_too_late_is_a_breach_only_when_the_phone_was_heard() {
    let by_the_hall = ten_to_twelve().agreed(window("15:00", "17:00"), "12:30").build();
    for (heard, expected) in [(None, Punctuality::NotHeard), (Some("12:00"), Punctuality::Missed)] {
        let found = verdicts(&by_the_hall, &known(&exact, "13:00", heard));
        assert_eq!(found[0].punctuality, expected, "somebody may have come: {heard:?}");
    }

    let by_phone = ten_to_twelve().visit(1, ANA, vec![("12:01", anew("15:00", "17:00"))]).build();
    let found = verdicts(&by_phone, &known(&exact, "13:00", None));
    assert_eq!(found[0].punctuality, Punctuality::Missed, "the phone itself has told");
}

#[test]
fn a2_a_window_at_the_end_of_time_is_judged_too() {
    let ages = Window { start: Timestamp::MIN_UTC, end: Timestamp::MAX_UTC };
    let agreed = Fact::AgreedAnew { window: ages, channel: Channel::Phone };
    let facts = vec![("09:00", agreed), ("10:00", arrived())];
    let job = job(JobKind::Repair).visit(1, ANA, facts).build();
    let mut pack = pack();
    pack.punctuality.early_grace_minutes = 1440;
    pack.punctuality.late_grace_minutes = 1440;

    let known = Circumstances { times: &exact, now: at("20:00"), heard_until: None, pack: &pack };

    assert_eq!(verdicts(&job, &known)[0].punctuality, Punctuality::OnTime);
}

#[test]
fn a2_the_rate_leaves_out_what_cannot_be_judged() {
    let mut tally = Tally::default();
    let cannot_tell = Punctuality::CannotTell { width_ms: 1 };
    for verdict in [Punctuality::OnTime, Punctuality::Late, cannot_tell, Punctuality::Released] {
        tally.count(verdict);
    }

    assert_eq!(tally.on_time_rate(), Some(0.5));
    assert_eq!(Tally::default().on_time_rate(), None);
}

#[test]
fn s19_a_wrong_wall_clock_changes_no_verdict_and_is_noticed() {
    let mut recorded = stamp(at("10:30"));
    recorded.wall_at -= TimeDelta::days(2);

    let resolved = exact(&recorded);

    assert_eq!(resolved, Interval::at(at("10:30")));
    assert_eq!(recorded.skew_ms(resolved), -2 * 86_400_000);
}

#[test]
fn s19_a_clock_moved_between_two_facts_is_noticed() {
    let first = stamp(at("10:00"));
    let mut second = stamp(at("10:10"));
    assert!(!domain::stamp::clock_stepped(&first, &second, 1000));

    second.wall_at += TimeDelta::hours(1);

    assert!(domain::stamp::clock_stepped(&first, &second, 1000));
}

#[test]
fn s19_a_boot_that_never_heard_the_hall_lies_between_what_is_known() {
    let anchor = Anchor { boot: BootId(1), mono_ms: 0, server_at: at("09:00"), round_trip_ms: 40 };
    let unheard = Stamp { wall_at: at("03:00"), boot: BootId(2), mono_ms: 5, anchor: Some(anchor) };
    let bounds = Interval { earliest: at("06:00"), latest: at("13:00") };

    let resolved = unheard.resolve(&[], bounds, 200);

    assert_eq!(resolved, Interval { earliest: at("09:00"), latest: at("13:00") });
}

proptest! {
    #[test]
    fn s19_the_true_time_is_never_ruled_out(
        booted in 0_i64..1_000_000, event in 0_i64..80_000_000, heard in 0_i64..80_000_000,
        round_trip in 0_i64..20_000, part in 0_i64..=100, drift in -200_i64..=200, wall in any::<i32>(),
    ) {
        let origin = at("00:00") + TimeDelta::milliseconds(booted);
        let mono = |true_ms: i64| true_ms + true_ms * drift / 1_000_000;
        let truth = origin + TimeDelta::milliseconds(event);
        let spoke = heard - round_trip * part / 100;
        let anchor = Anchor {
            boot: BootId(1), mono_ms: mono(heard), round_trip_ms: round_trip,
            server_at: origin + TimeDelta::milliseconds(spoke),
        };
        let wall_at = origin + TimeDelta::milliseconds(i64::from(wall));
        let recorded = Stamp { wall_at, boot: BootId(1), mono_ms: mono(event), anchor: None };
        let bounds = Interval { earliest: origin, latest: origin + TimeDelta::days(3) };

        // One millisecond of rounding on either side.
        let found = recorded.resolve(&[anchor], bounds, 201);

        prop_assert!(found.earliest <= truth + TimeDelta::milliseconds(1), "{found:?} {truth}");
        prop_assert!(truth <= found.latest + TimeDelta::milliseconds(1), "{found:?} {truth}");
    }
}

proptest! {
    #[test]
    fn s19_no_claim_of_a_phone_stops_the_judge(
        wall in -1_000_000_i64..1_000_000, event in any::<i64>(), heard in any::<i64>(),
        round_trip in any::<i64>(), anchored in any::<bool>(),
    ) {
        let anchor = Anchor {
            boot: BootId(1), mono_ms: heard, server_at: at("09:00"), round_trip_ms: round_trip,
        };
        let wall_at = at("09:00") + TimeDelta::seconds(wall);
        let own = anchored.then_some(anchor);
        let claimed = Stamp { wall_at, boot: BootId(1), mono_ms: event, anchor: own };
        let bounds = Interval { earliest: at("06:00"), latest: at("13:00") };

        let found = claimed.resolve(&[anchor], bounds, 200);

        prop_assert!(found.earliest <= found.latest, "{found:?}");
        prop_assert_eq!(claimed.skew_ms(found) == 0, found.earliest <= wall_at && wall_at <= found.latest);
        let other = Stamp { mono_ms: heard, ..claimed };
        prop_assert_eq!(
            domain::stamp::clock_stepped(&claimed, &other, 0),
            domain::stamp::clock_stepped(&other, &claimed, 0)
        );
    }
}

fn heard_by(heard: Option<&str>) -> Heard {
    Heard::of(Some(ANA), heard.map(at))
}

#[test]
fn a2_a_window_that_nobody_was_to_keep_is_missed() {
    let job = job(JobKind::Repair).agreed(window("10:00", "12:00"), "07:00").build();

    let found = verdicts(&job, &known(&exact, "13:00", None));

    assert_eq!((found[0].technician, found[0].punctuality), (None, Punctuality::Missed));
}

#[test]
fn a2_read_later_only_what_was_open_is_decided_by_time() {
    let read = |verdict: Punctuality, now: &str, heard: Option<&str>| {
        verdict.read_at(at("12:00"), at(now), heard_by(heard))
    };

    for open in [Punctuality::Pending, Punctuality::NotHeard] {
        assert_eq!(read(open, "12:00", Some("12:00")), Punctuality::Pending, "the last moment");
        assert_eq!(read(open, "12:01", None), Punctuality::NotHeard);
        assert_eq!(read(open, "18:00", Some("11:59")), Punctuality::NotHeard);
        assert_eq!(read(open, "18:00", Some("12:00")), Punctuality::Missed);
    }
    for decided in [
        Punctuality::Early,
        Punctuality::OnTime,
        Punctuality::Late,
        Punctuality::Missed,
        Punctuality::CannotTell { width_ms: 7 },
        Punctuality::Released,
    ] {
        assert_eq!(read(decided, "11:00", None), decided);
        assert_eq!(read(decided, "18:00", Some("18:00")), decided);
    }
}

fn ten_to_twelve() -> JobBuilder {
    let job = job(JobKind::SafetyInspection).assigned_to(ANA, "07:00");
    job.agreed(window("10:00", "12:00"), "07:00")
}

fn arrived() -> Fact {
    Fact::Arrived { fix: None }
}

fn anew(start: &str, end: &str) -> Fact {
    Fact::AgreedAnew { window: window(start, end), channel: Channel::Phone }
}

fn known<'a>(
    times: &'a dyn Fn(&Stamp) -> Interval,
    now: &str,
    heard: Option<&str>,
) -> Circumstances<'a> {
    let pack = Box::leak(Box::new(pack()));
    Circumstances { times, now: at(now), heard_until: heard.map(at), pack }
}

fn judged(job: &Job) -> Vec<Punctuality> {
    let found = verdicts(job, &known(&exact, "20:00", Some("20:00")));
    found.iter().map(|verdict| verdict.punctuality).collect()
}
