//! A9: readings judged on the spot, on a table of cases and on the registers of 200 real homes.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use domain::catalogue::Language;
use domain::household::{Meter, PastReading};
use domain::id::MeterId;
use domain::measure::Volume;
use domain::pack::Pack;
use domain::reading::{Finding, ReadingState, Shown, Verdict, explain};
use uuid::Uuid;

use crate::build::pack;

/// A home that heats: much in winter, little in summer, read every two months.
const HEATING: [(&str, i64); 5] = [
    ("2026-01-20", 1_000),
    ("2026-03-20", 1_300),
    ("2026-05-20", 1_440),
    ("2026-07-20", 1_475),
    ("2026-09-20", 1_510),
];

#[test]
fn a9_a_reading_is_judged_against_past_and_season() {
    for (cubic_metres, expected) in [
        (1_640, Finding::Normal),
        (2_400, Finding::High),
        (1_511, Finding::Low),
        (1_510, Finding::Zero),
        (1_509, Finding::Backwards),
    ] {
        let found = seen(&meter(5, &HEATING), day("2026-11-20"), litres(cubic_metres));
        assert_eq!(found.finding, expected, "{cubic_metres}: {found:?}");
    }
}

#[test]
fn a9_winter_after_summer_is_no_alarm_and_the_same_use_in_summer_is() {
    let until_july = &HEATING[..4];
    let doubled_last_time = litres(1_475 + 260);

    let summer = seen(&meter(5, until_july), day("2026-09-20"), doubled_last_time);
    let winter = seen(&meter(5, &HEATING), day("2026-12-20"), litres(1_510 + 260));

    assert_eq!(summer.finding, Finding::High);
    assert_eq!(winter.finding, Finding::Normal);
}

#[test]
fn a9_a_register_past_its_last_digit_rolled_over() {
    let past = [("2026-07-20", 99_930), ("2026-09-20", 99_965)];

    let found = seen(&meter(5, &past), day("2026-11-20"), litres(40));

    assert_eq!(found.finding, Finding::Rollover);
    assert_eq!(found.used, Some(Volume(75_000)));
}

#[test]
fn a9_what_cannot_be_read_is_a_finding_of_its_own() {
    let found = seen(&meter(5, &HEATING), day("2026-11-20"), None);

    assert_eq!(found.finding, Finding::Unread);
    assert!(found.finding.is_abnormal());
}

#[test]
fn a9_without_history_only_what_is_impossible_is_abnormal() {
    let fitted = [("2026-10-20", 0)];

    for (cubic_metres, expected) in [(500, Finding::Normal), (0, Finding::Normal)] {
        let found = seen(&meter(5, &fitted), day("2026-11-20"), litres(cubic_metres));
        assert_eq!(found.finding, expected);
    }
    let never_read = seen(&meter(5, &[]), day("2026-11-20"), litres(7));
    assert_eq!(never_read.finding, Finding::Normal);
}

#[test]
fn a9_a_home_that_never_used_gas_raises_no_alarm() {
    let unused = HEATING.map(|(on, _)| (on, 777));

    let found = seen(&meter(5, &unused), day("2026-11-20"), litres(777));

    assert_eq!(found.finding, Finding::Normal);
}

#[test]
fn a9_the_sentence_names_use_days_and_limits() {
    let found = seen(&meter(5, &HEATING), day("2026-11-20"), litres(2_400));

    let sentence = explain(&found);

    let limit = found.high_above.map(|limit| limit.to_string()).unwrap_or_default();
    for language in [Language::Chinese, Language::English] {
        let said = sentence.say(language);
        assert!(said.contains("890") && said.contains("61") && said.contains(&limit), "{said}");
        assert!(!said.contains('{'), "{said}");
    }
}

#[test]
fn a9_every_finding_has_a_sentence() {
    let mut verdict = seen(&meter(5, &HEATING), day("2026-11-20"), litres(1_640));
    for finding in Finding::ALL {
        verdict.finding = finding;
        let sentence = explain(&verdict);
        assert_ne!(sentence.say(Language::Chinese), sentence.key);
    }
}

/// What the check does to honest registers, and to doubled and halved ones of the heating season.
#[test]
fn a9_on_real_homes_honest_readings_pass_and_wrong_ones_are_caught() {
    let (mut honest, mut doubled, mut halved) =
        (Share::default(), Share::default(), Share::default());
    for registers in real_homes().values() {
        for day_of_month in [5, 15, 24] {
            let read = every_two_months(registers, day_of_month);
            for last in 2..read.len() {
                let meter = with_readings(6, read[..last].to_vec());
                let (on, register) = (read[last].on, read[last].register);
                let used = register.0 - read[last - 1].register.0;
                let alarms = |litres: i64| {
                    let shown = Volume(read[last - 1].register.0 + litres);
                    seen(&meter, on, Some(shown)).finding.is_abnormal()
                };
                honest.count(alarms(used));
                if [1, 3, 11, 12].contains(&on.month()) && used > 30_000 {
                    doubled.count(alarms(used * 2));
                    halved.count(alarms(used / 2));
                }
            }
        }
    }

    assert!(honest.of > 2_900 && doubled.of > 1_000, "{honest:?} {doubled:?}");
    assert!(honest.percent() <= 4.0, "false alarms: {honest:?}");
    assert!(doubled.percent() >= 85.0, "doubled use caught: {doubled:?}");
    assert!(halved.percent() >= 70.0, "halved use caught: {halved:?}");
}

#[test]
fn a9_the_season_of_the_pack_is_that_of_the_real_homes() {
    let (mut shares, mut days) = ([0.0; 12], [0.0; 12]);
    for registers in real_homes().values() {
        let read: Vec<_> = registers.iter().collect();
        let year = read[read.len() - 1].1.cubic_metres() - read[0].1.cubic_metres();
        for pair in read.windows(2).filter(|_| year >= 20.0) {
            let month = usize::try_from(pair[1].0.month0()).unwrap();
            shares[month] += (pair[1].1.cubic_metres() - pair[0].1.cubic_metres()) / year;
            days[month] += 1.0;
        }
    }

    let a_day: Vec<f64> = shares.iter().zip(days).map(|(share, days)| share / days).collect();
    let mean = a_day.iter().sum::<f64>() / 12.0;
    let derived: Vec<f64> = a_day.iter().map(|share| (share / mean * 100.0).round()).collect();
    let rules = pack().reading;
    let stated: Vec<f64> = rules.season_weights.iter().map(|it| (it * 100.0).round()).collect();
    assert_eq!(stated, derived);
    let least = rules.season_weights.iter().copied().fold(f64::MAX, f64::min);
    assert!((rules.fit.base_weight - least).abs() < 1e-9);
}

#[test]
fn a9_a_home_known_from_summer_alone_is_no_alarm_when_it_begins_to_heat() {
    let summer = &HEATING[2..];

    for (cubic_metres, expected) in [(1_650, Finding::Normal), (2_900, Finding::High)] {
        let found = seen(&meter(5, summer), day("2026-11-20"), litres(cubic_metres));
        assert_eq!(found.finding, expected, "{cubic_metres}: {found:?}");
    }
}

#[test]
fn a9_a_home_that_never_heats_is_judged_by_its_own_habit() {
    let cooks = [
        ("2026-01-20", 1_000),
        ("2026-03-20", 1_030),
        ("2026-05-20", 1_060),
        ("2026-07-20", 1_091),
        ("2026-09-20", 1_121),
    ];

    for (cubic_metres, expected) in [(1_151, Finding::Normal), (1_300, Finding::High)] {
        let found = seen(&meter(5, &cooks), day("2026-11-20"), litres(cubic_metres));
        assert_eq!(found.finding, expected, "{cubic_metres}: {found:?}");
    }
}

#[test]
fn a9_a_meter_with_absurd_numbers_is_judged_without_failing() {
    let mut absurd = meter(u8::MAX, &[("2026-07-20", 1), ("2026-09-20", 2)]);
    absurd.readings[1].register = Volume(i64::MIN);

    let found = seen(&absurd, day("2026-11-20"), Some(Volume(i64::MAX)));

    assert_eq!(found.used, Some(Volume(i64::MAX)));
}

/// What somebody who saw the wheels makes of them, by the season of the pack.
fn seen(meter: &Meter, on: NaiveDate, register: Option<Volume>) -> Verdict {
    let shown = Shown { on, register, state: ReadingState::Seen };
    domain::reading::judge(meter, None, &shown, &Pack::builtin())
}

#[derive(Debug, Default)]
struct Share {
    alarms: u32,
    of: u32,
}

impl Share {
    fn count(&mut self, alarm: bool) {
        self.alarms += u32::from(alarm);
        self.of += 1;
    }

    fn percent(&self) -> f64 {
        100.0 * f64::from(self.alarms) / f64::from(self.of)
    }
}

fn real_homes() -> BTreeMap<String, BTreeMap<NaiveDate, Volume>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/source/gas_registers_2024.csv");
    let mut homes: BTreeMap<String, BTreeMap<NaiveDate, Volume>> = BTreeMap::new();
    for row in csv::Reader::from_path(path).expect("the demo's source is there").records() {
        let row = row.expect("the demo's source is a table");
        let cubic_metres: f64 = row[3].parse().expect("a register is a number");
        #[expect(clippy::cast_possible_truncation, reason = "a register has few digits")]
        let litres = (cubic_metres * 1000.0).round() as i64;
        homes.entry(row[0].to_owned()).or_default().insert(day(&row[2]), Volume(litres));
    }
    homes
}

fn every_two_months(registers: &BTreeMap<NaiveDate, Volume>, day: u32) -> Vec<PastReading> {
    let odd = [1, 3, 5, 7, 9, 11].map(|month| NaiveDate::from_ymd_opt(2024, month, day));
    let days = odd.into_iter().chain([NaiveDate::from_ymd_opt(2024, 12, 31)]).flatten();
    let known = days.filter_map(|on| Some((on, *registers.get(&on)?)));
    let state = ReadingState::Seen;
    known.map(|(on, register)| PastReading { on, register, state }).collect()
}

fn meter(digits: u8, past: &[(&str, i64)]) -> Meter {
    let readings = past.iter().map(|(on, cubic_metres)| PastReading {
        on: day(on),
        register: Volume(cubic_metres * 1000),
        state: ReadingState::Seen,
    });
    with_readings(digits, readings.collect())
}

fn with_readings(digits: u8, readings: Vec<PastReading>) -> Meter {
    let meter = Meter::new(MeterId(Uuid::from_u128(5)), "G0002", "G4", digits);
    Meter { readings, ..meter }
}

#[expect(clippy::unnecessary_wraps, reason = "a register that was read")]
fn litres(cubic_metres: i64) -> Option<Volume> {
    Some(Volume(cubic_metres * 1000))
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("the tests write valid days")
}
