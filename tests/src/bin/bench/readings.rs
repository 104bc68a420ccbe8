//! What the judgement of readings finds on real registers with planted faults, beside rules of thumb (A9).

#[path = "readings/faults.rs"]
mod faults;
#[path = "readings/homes.rs"]
mod homes;
#[path = "readings/rules.rs"]
mod rules;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Datelike as _, NaiveDate};
use domain::household::{Meter, PastReading};
use domain::measure::Volume;
use domain::pack::Pack;
use domain::reading::{Season, learn};

use self::faults::Fault;
use self::homes::{Cadence, Half, Home, load, rounds};
use self::rules::Rule;
use super::figures::print;

/// Where the registers are, from the workspace's folder.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/source/gas_registers_2024.csv");

/// Faults among a hundred readings where precision is told.
const FAULTS_PER_100: f64 = 2.0;

/// The rules of thumb, as the trade has them.
const THUMB: [Rule; 4] =
    [Rule::LastTime(0.5), Rule::Average(3, 2.0), Rule::Average(6, 2.0), Rule::Average(12, 2.0)];

/// Parts of the year, by the month in which a period ends.
const SEASONS: [(&str, [u32; 3]); 4] =
    [("winter", [12, 1, 2]), ("spring", [3, 4, 5]), ("summer", [6, 7, 8]), ("autumn", [9, 10, 11])];

/// A reading to be judged, true or with a fault.
struct Case<'a> {
    home: &'a Home,
    /// Up to and with the one judged.
    readings: Vec<PastReading>,
    fault: Option<Fault>,
}

impl Case<'_> {
    fn on(&self) -> NaiveDate {
        self.readings.last().map_or(NaiveDate::MIN, |last| last.on)
    }

    fn season(&self) -> usize {
        let month = self.on().month();
        SEASONS.iter().position(|(_, months)| months.contains(&month)).unwrap_or(0)
    }
}

/// Judges both cadences and prints what was found.
pub(crate) fn readings() -> anyhow::Result<()> {
    let (homes, pack) = (load(Path::new(SOURCE))?, Pack::builtin());
    let of = |half| homes.iter().filter(|home| home.half() == half).collect::<Vec<_>>();
    let (tuning, report) = (of(Half::Tuning), of(Half::Report));
    print("real meters, by the hash of their name", "", "");
    print("  numbers were picked on (hash even)", tuning.len(), "meters");
    print("  reported below (hash odd)", report.len(), "meters");
    for cadence in [Cadence::EveryTwoMonths, Cadence::EveryMonth] {
        let judges = Judges::of(&tuning, cadence, &pack);
        let (tune, cases) = (cases(&tuning, cadence), cases(&report, cadence));
        print("", "", "");
        print(&format!("{}:", cadence.words()), "", "");
        let ours = judges.score(&cases, Rule::Ours);
        ours.print("Doorstep");
        judges.without_neighbours().score(&cases, Rule::Ours).print_line("  by the pack's season");
        let late = a_month_late(&pack);
        let misled = Judges::of(&tuning, cadence, &late);
        misled.score(&cases, Rule::Ours).print_line("  where the pack's season is a month late");
        let misled = misled.without_neighbours().score(&cases, Rule::Ours);
        misled.print_line("  the same without neighbours");
        let allowed = judges.score(&tune, Rule::Ours).false_alarms_per_100();
        for rule in THUMB {
            judges.score(&cases, rule).print(&rule.words());
            let wide = judges.widened(&tune, rule, allowed);
            judges
                .score(&cases, wide)
                .print_line(&format!("  as quiet as Doorstep: {}", wide.words()));
        }
    }
    Ok(())
}

/// The pack of a city whose winter comes a month later: what neighbours can mend.
fn a_month_late(pack: &Pack) -> Pack {
    let mut pack = pack.clone();
    pack.reading.season_weights.rotate_right(1);
    pack
}

/// Every reading of these homes that has one period before it, true and with each fault that shows.
fn cases<'a>(homes: &[&'a Home], cadence: Cadence) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for (months, day) in rounds(cadence) {
        let read: Vec<Vec<PastReading>> = homes.iter().map(|it| it.read(&months, day)).collect();
        for (home, all) in homes.iter().zip(&read) {
            for last in 2..all.len() {
                let readings = all[..=last].to_vec();
                let neighbours: Vec<Volume> =
                    read.iter().filter_map(|it| Some(it.get(last)?.register)).collect();
                for fault in Fault::ALL {
                    let planted = fault.plant(&home.name, &readings, &neighbours);
                    cases.extend(planted.map(|readings| Case {
                        home,
                        readings,
                        fault: Some(fault),
                    }));
                }
                cases.push(Case { home, readings, fault: None });
            }
        }
    }
    cases
}

/// What the rules judge by.
struct Judges<'a> {
    pack: &'a Pack,
    /// The season by the day on which it was learnt.
    seasons: BTreeMap<NaiveDate, Option<Season>>,
}

impl<'a> Judges<'a> {
    /// Neighbours are the half that nothing is reported of, each read on one round, up to each day.
    fn of(neighbours: &[&Home], cadence: Cadence, pack: &'a Pack) -> Self {
        let all = rounds(cadence);
        let meters: Vec<Meter> = neighbours
            .iter()
            .zip(all.iter().cycle())
            .map(|(home, (months, day))| home.meter(&home.read(months, *day)))
            .collect();
        let days = all.iter().flat_map(|(months, day)| {
            months.iter().filter_map(|month| NaiveDate::from_ymd_opt(2024, *month, *day))
        });
        let seasons = days.map(|day| (day, learn(&meters, day, pack))).collect();
        Self { pack, seasons }
    }

    fn without_neighbours(&self) -> Self {
        Self { pack: self.pack, seasons: BTreeMap::new() }
    }

    fn score(&self, cases: &[Case<'_>], rule: Rule) -> Score {
        let mut score = Score::default();
        for case in cases {
            let season = self.seasons.get(&case.on()).and_then(Option::as_ref);
            let alarm = rule.alarms(case.home, &case.readings, (self.pack, season));
            score.add(case, alarm.unwrap_or(false));
        }
        score
    }

    /// The rule with the narrowest limits by which it raises no more false alarms.
    fn widened(&self, cases: &[Case<'_>], rule: Rule, allowed: f64) -> Rule {
        let honest: Vec<&Case<'_>> = cases.iter().filter(|case| case.fault.is_none()).collect();
        let is_quiet = |rule: Rule| {
            let alarms = honest.iter().filter(|case| {
                rule.alarms(case.home, &case.readings, (self.pack, None)) == Some(true)
            });
            percent((alarms.count(), honest.len())) <= allowed
        };
        let steps = (2..=400).map(|tenths| rule.widened(f64::from(tenths) / 10.0));
        steps.into_iter().find(|rule| is_quiet(*rule)).unwrap_or_else(|| rule.widened(40.0))
    }
}

/// What a rule found: alarms and cases, by season and fault; no fault are true readings.
#[derive(Default)]
struct Score(BTreeMap<(Option<Fault>, usize), (usize, usize)>);

impl Score {
    fn add(&mut self, case: &Case<'_>, alarm: bool) {
        let counts = self.0.entry((case.fault, case.season())).or_default();
        counts.0 += usize::from(alarm);
        counts.1 += 1;
    }

    fn of(&self, fault: Option<Fault>, season: Option<usize>) -> (usize, usize) {
        let own = self
            .0
            .iter()
            .filter(|((of, at), _)| *of == fault && season.is_none_or(|season| season == *at));
        own.fold((0, 0), |sum, (_, it)| (sum.0 + it.0, sum.1 + it.1))
    }

    fn false_alarms_per_100(&self) -> f64 {
        percent(self.of(None, None))
    }

    /// The mean over the faults, each as often as the others.
    fn recall(&self, season: Option<usize>) -> f64 {
        let each = Fault::ALL.map(|fault| percent(self.of(Some(fault), season)));
        each.iter().sum::<f64>() / f64::from(u32::try_from(each.len()).unwrap_or(1))
    }

    fn precision(&self) -> f64 {
        let found = FAULTS_PER_100 * self.recall(None);
        let wrong = (100.0 - FAULTS_PER_100) * self.false_alarms_per_100();
        100.0 * found / (found + wrong).max(f64::MIN_POSITIVE)
    }

    fn print_line(&self, name: &str) {
        let told = format!(
            "{:.1} / {:.1} / {:.1}",
            self.false_alarms_per_100(),
            self.recall(None),
            self.precision()
        );
        print(name, told, "false alarms per 100 / recall % / precision %");
    }

    fn print(&self, name: &str) {
        self.print_line(name);
        for (at, (season, _)) in SEASONS.iter().enumerate() {
            let (alarms, of) = self.of(None, Some(at));
            let told = format!("{:.1} / {:.1}", percent((alarms, of)), self.recall(Some(at)));
            print(
                &format!("    {season}, {of} true readings"),
                told,
                "false alarms per 100 / recall %",
            );
        }
        for fault in Fault::ALL {
            let (found, of) = self.of(Some(fault), None);
            let told = format!("{:.1}", percent((found, of)));
            print(&format!("    {}, {of}", fault.words()), told, "% found");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands of cases")]
fn percent((part, of): (usize, usize)) -> f64 {
    if of == 0 { 0.0 } else { 100.0 * part as f64 / of as f64 }
}
