//! A9: readings that nobody saw, meters that were changed, what no meter can pass, and neighbours who tell the season.

use chrono::NaiveDate;
use domain::catalogue::Language;
use domain::household::{FormerMeter, Meter, PastReading};
use domain::id::MeterId;
use domain::measure::Volume;
use domain::pack::Pack;
use domain::reading::{Finding, ReadingState, Season, Shown, Verdict, explain, grounds, learn};
use uuid::Uuid;

use crate::build::pack;

const SEEN: ReadingState = ReadingState::Seen;
const GUESSED: ReadingState = ReadingState::Estimated;
const TOLD: ReadingState = ReadingState::SelfReported;

/// A home that heats, read every two months.
const HEATING: [(&str, i64); 5] = [
    ("2026-01-20", 1_000),
    ("2026-03-20", 1_300),
    ("2026-05-20", 1_440),
    ("2026-07-20", 1_475),
    ("2026-09-20", 1_510),
];

#[test]
fn a9_a_real_reading_below_a_guess_is_no_theft() {
    for state in [GUESSED, TOLD] {
        let mut meter = heating();
        meter.readings[4] = past("2026-09-20", 1_700, state);

        let found = judged(&meter, "2026-11-20", Some(1_650), SEEN);

        assert_eq!(found.finding, Finding::BelowGuess, "{found:?}");
        assert_eq!(
            found.since.map(|it| it.on),
            Some(day("2026-07-20")),
            "counted from what was seen"
        );
        assert!(!found.finding.is_abnormal());
        let said = explain(&found).say(Language::English);
        assert!(said.contains("1700") && said.contains("2026-09-20"), "{said}");
        let said = explain(&found).say(Language::Chinese);
        assert!(said.contains(if state == GUESSED { "估抄" } else { "自报" }), "{said}");
    }
}

#[test]
fn a9_below_the_last_wheels_that_somebody_saw_is_backwards_whatever_was_guessed() {
    let mut meter = heating();
    meter.readings[4] = past("2026-09-20", 1_700, GUESSED);

    assert_eq!(judged(&meter, "2026-11-20", Some(1_470), SEEN).finding, Finding::Backwards);
    let only_guessed = with(vec![past("2026-09-20", 1_700, GUESSED)]);
    assert_eq!(judged(&only_guessed, "2026-11-20", Some(1_470), SEEN).finding, Finding::BelowGuess);
    assert_eq!(
        judged(&only_guessed, "2026-11-20", Some(1_470), GUESSED).finding,
        Finding::Backwards
    );
}

#[test]
fn a9_a_guess_is_no_part_of_the_past() {
    let mut guessed = heating();
    guessed.readings[3] = past("2026-07-20", 9_000, GUESSED);
    let mut without = heating();
    without.readings.remove(3);

    let (guessed, without) = (
        judged(&guessed, "2026-11-20", Some(1_640), SEEN),
        judged(&without, "2026-11-20", Some(1_640), SEEN),
    );

    assert_eq!(guessed, without);
}

#[test]
fn a9_what_a_household_told_is_believed_less() {
    let mut told = heating();
    told.readings[3].state = TOLD;

    let width = |meter| {
        let found = judged(meter, "2026-11-20", Some(1_640), SEEN);
        found.high_above.unwrap().0 - found.low_below.unwrap().0
    };

    assert!(width(&told) > width(&heating()));
}

#[test]
fn a9_an_exempt_state_is_not_put_to_the_test_but_gas_in_an_empty_home_is() {
    for state in [ReadingState::Vacant, ReadingState::LongUnused] {
        assert_eq!(judged(&heating(), "2026-11-20", Some(1_510), state).finding, Finding::Exempt);
        let found = judged(&heating(), "2026-11-20", Some(2_400), state);
        assert_eq!(found.finding, Finding::High, "an empty home that uses gas");
    }
    let locked = judged(&heating(), "2026-11-20", None, ReadingState::DoorLocked);
    assert_eq!(locked.finding, Finding::Exempt);
    assert!(explain(&locked).say(Language::Chinese).contains("门锁"));
    let refused = judged(&heating(), "2026-11-20", None, ReadingState::Refused);
    assert!(refused.finding.is_abnormal(), "a refusal wants an answer");
}

#[test]
fn a9_more_than_a_g4_can_pass_is_said_to_be_impossible() {
    // 61 days and the two that they lie between, at six cubic metres an hour.
    let most = 6 * 24 * 62;

    let possible = judged(&heating(), "2026-11-20", Some(1_510 + most), SEEN);
    let impossible = judged(&heating(), "2026-11-20", Some(1_510 + most + 1), SEEN);

    assert_eq!(possible.finding, Finding::High);
    assert_eq!(impossible.finding, Finding::Impossible);
    let said = explain(&impossible).say(Language::Chinese);
    assert!(said.contains(&most.to_string()), "{said}");
    let bigger = Meter { size: "g10".to_owned(), ..heating() };
    let found = judged(&bigger, "2026-11-20", Some(1_510 + most + 1), SEEN);
    assert_eq!(found.finding, Finding::High, "a larger meter passes more");
}

#[test]
fn a9_two_periods_without_gas_send_somebody_to_look_at_the_meter() {
    let mut stopped = heating();
    stopped.readings.push(past("2026-11-20", 1_510, SEEN));

    let found = judged(&stopped, "2027-01-20", Some(1_510), SEEN);

    assert_eq!(found.finding, Finding::StillZero);
    assert_eq!(found.zero_since, Some(day("2026-09-20")));
    assert!(explain(&found).say(Language::Chinese).contains("2026-09-20"));
    let never_used = with(HEATING.map(|(on, _)| past(on, 777, SEEN)).to_vec());
    assert_eq!(judged(&never_used, "2026-11-20", Some(777), SEEN).finding, Finding::Normal);
}

#[test]
fn a9_a_homes_past_goes_on_across_a_change_of_its_meter() {
    let old = heating();
    let mut new = with(vec![past("2026-09-20", 0, SEEN)]);
    new.before.push(FormerMeter {
        serial: old.serial.clone(),
        size: old.size.clone(),
        digits: old.digits,
        removed_on: day("2026-09-20"),
        readings: old.readings.clone(),
    });

    let on_new = judged(&new, "2026-11-20", Some(130), SEEN);
    let on_old = judged(&old, "2026-11-20", Some(1_640), SEEN);

    assert_eq!(on_new.finding, Finding::Normal);
    assert_eq!(on_new.expected, on_old.expected, "the home is the same");
    assert!(on_new.grounds.unwrap().across_change && !on_old.grounds.unwrap().across_change);
    assert_eq!(judged(&new, "2026-11-20", Some(900), SEEN).finding, Finding::High);
}

#[test]
fn a9_one_misread_register_does_not_spoil_the_past() {
    let mut misread = heating();
    misread.readings[2] = past("2026-05-20", 14_400, SEEN);
    let mut without = heating();
    without.readings.remove(2);

    let found = judged(&misread, "2026-11-20", Some(1_640), SEEN);

    assert_eq!(found.expected, judged(&without, "2026-11-20", Some(1_640), SEEN).expected);
}

#[test]
fn a9_neighbours_tell_a_cold_autumn_and_it_is_no_alarm_at_every_door() {
    // Everybody used twice what the pack expects of this autumn.
    let cold: Vec<Meter> = (0..40)
        .map(|_| {
            let mut meter = heating();
            meter.readings.push(past("2026-11-19", 1_510 + 380, SEEN));
            meter
        })
        .collect();
    let season = learn(&cold, day("2026-11-20"), &pack()).unwrap();

    let usual = judged(&heating(), "2026-11-20", Some(1_510 + 380), SEEN);
    let told = by(&heating(), Some(&season), "2026-11-20", 1_510 + 380);

    assert_eq!((usual.finding, told.finding), (Finding::High, Finding::Normal));
    assert_eq!(told.grounds.unwrap().neighbours, Some(40));
    assert!(told.grounds.unwrap().season_percent > usual.grounds.unwrap().season_percent);
    let said = grounds(&told).unwrap().say(Language::Chinese);
    assert!(said.contains("40 户邻居"), "{said}");
}

#[test]
fn a9_too_few_neighbours_tell_nothing() {
    let few = vec![heating(); 19];

    assert_eq!(learn(&few, day("2026-11-20"), &pack()), None);
    assert!(learn(&vec![heating(); 20], day("2026-11-20"), &pack()).is_some());
}

#[test]
fn a9_a_verdict_keeps_what_it_was_judged_by_and_old_ones_are_still_read() {
    let found = judged(&heating(), "2026-11-20", Some(2_400), SEEN);

    let kept: Verdict = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();

    assert_eq!(kept, found);
    assert_eq!(kept.since, Some(past("2026-09-20", 1_510, SEEN)));
    assert!(kept.possible.is_some() && kept.grounds.unwrap().known_days == 243);
    let old = r#"{"finding":"high","pack":"city-gas-2025-01-01","days":61,"used":890000}"#;
    let old: Verdict = serde_json::from_str(old).unwrap();
    assert_eq!((old.finding, old.state, old.grounds), (Finding::High, SEEN, None));
}

#[test]
fn a9_a_pack_from_before_meters_and_neighbours_still_judges() {
    let mut old = pack();
    (old.meter, old.reading.states, old.reading.season) = (None, None, None);

    let shown = shown("2026-11-20", Some(1_510 + 9_000), SEEN);
    let found = domain::reading::judge(&heating(), None, &shown, &old);

    assert_eq!((found.finding, found.possible), (Finding::High, None));
    assert_eq!(learn(&vec![heating(); 20], day("2026-11-20"), &old), None);
}

fn judged(meter: &Meter, on: &str, cubic_metres: Option<i64>, state: ReadingState) -> Verdict {
    domain::reading::judge(meter, None, &shown(on, cubic_metres, state), &Pack::builtin())
}

fn by(meter: &Meter, season: Option<&Season>, on: &str, cubic_metres: i64) -> Verdict {
    domain::reading::judge(meter, season, &shown(on, Some(cubic_metres), SEEN), &Pack::builtin())
}

fn shown(on: &str, cubic_metres: Option<i64>, state: ReadingState) -> Shown {
    Shown { on: day(on), register: cubic_metres.map(|it| Volume(it * 1000)), state }
}

fn heating() -> Meter {
    with(HEATING.map(|(on, cubic_metres)| past(on, cubic_metres, SEEN)).to_vec())
}

fn with(readings: Vec<PastReading>) -> Meter {
    let meter = Meter::new(MeterId(Uuid::from_u128(5)), "G0002", "G4", 5);
    Meter { readings, ..meter }
}

fn past(on: &str, cubic_metres: i64, state: ReadingState) -> PastReading {
    PastReading { on: day(on), register: Volume(cubic_metres * 1000), state }
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests write valid days")
}
