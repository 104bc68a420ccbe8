//! The season as the neighbours' registers tell it, so that a cold month is no alarm at every door.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::history::Period;
use crate::household::Meter;
use crate::pack::{Pack, ReadingRules, SeasonRules};

/// Times that the months are fitted anew; after a few rounds nothing moves any more.
const ROUNDS: u32 = 8;

/// How far one home's period may pull a month: beyond that it says something of the home, not of the weather.
const PULL: (f64, f64) = (0.25, 4.0);

/// The months as they were: how much of a heating home's use fell on each, by the neighbours' registers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// The day on which it was learnt, in the hall's city.
    pub learnt_on: NaiveDate,
    /// How many homes told it.
    pub homes: u32,
    /// The first day of the first month.
    pub from: NaiveDate,
    /// Each month from then on, in hundredths of a usual year's mean.
    pub percent: Vec<u32>,
}

impl Season {
    /// The weight of a day's month; `None` for months that it does not tell.
    pub(super) fn weight(&self, day: NaiveDate) -> Option<f64> {
        let at = usize::try_from(month_number(day) - month_number(self.from)).ok()?;
        self.percent.get(at).map(|percent| f64::from(*percent) / 100.0)
    }
}

/// Learns the months before a day from the meters of a neighbourhood; `None` while too few homes tell anything.
///
/// Every home counts the same, whatever it burns. Each month is moved to where the homes' periods over it lie, by
/// what each period has of the month; homes that say little of a month leave it where the pack has it.
pub fn learn(meters: &[Meter], on: NaiveDate, pack: &Pack) -> Option<Season> {
    let rules = &pack.reading;
    let learning = rules.season.as_ref()?;
    let from = first_of_month(on).checked_sub_months(Months::new(learning.months))?;
    let homes: Vec<Vec<Period>> = meters
        .iter()
        .map(|meter| super::history::periods(meter, on, pack))
        .map(|periods| periods.into_iter().filter(|it| it.from >= from).collect::<Vec<_>>())
        .filter(|periods| tells(periods, rules, learning))
        .collect();
    let count = u32::try_from(homes.len()).unwrap_or(u32::MAX);
    if count < learning.least_homes {
        return None;
    }
    let mut months = Weights::of(from, on, rules);
    for _ in 0..ROUNDS {
        months.move_to(&homes, learning);
    }
    Some(Season { learnt_on: on, homes: count, from, percent: months.percent() })
}

/// Whether a home's past says anything of the season.
fn tells(periods: &[Period], rules: &ReadingRules, learning: &SeasonRules) -> bool {
    let days: i64 = periods.iter().map(|it| (it.to - it.from).num_days()).sum();
    let used: f64 = periods.iter().map(|it| it.cubic_metres).sum();
    periods.len() > 1 && days >= rules.least_history_days && used >= learning.least_m3
}

/// The weights while they are fitted.
struct Weights {
    from: NaiveDate,
    weights: Vec<f64>,
}

impl Weights {
    /// As the pack has them.
    fn of(from: NaiveDate, on: NaiveDate, rules: &ReadingRules) -> Self {
        let count = month_number(on) - month_number(from) + 1;
        let weights = (0..u32::try_from(count).unwrap_or(0)).map(|ahead| {
            let month = from.checked_add_months(Months::new(ahead)).unwrap_or(from);
            pack_weight(month, rules)
        });
        Self { from, weights: weights.collect() }
    }

    /// One round of the fit: each month by the ratio of what was used to what it makes one expect.
    fn move_to(&mut self, homes: &[Vec<Period>], learning: &SeasonRules) {
        let prior_days = learning.prior_homes * 30.0;
        let mut told: Vec<(f64, f64)> =
            self.weights.iter().map(|weight| (prior_days * weight, prior_days * weight)).collect();
        for periods in homes {
            let shares: Vec<BTreeMap<usize, f64>> =
                periods.iter().map(|period| self.shares(period)).collect();
            let sums: Vec<f64> = shares.iter().map(|it| it.values().sum()).collect();
            let used: f64 = periods.iter().map(|it| it.cubic_metres).sum();
            let level = used / sums.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            for ((period, shares), sum) in periods.iter().zip(&shares).zip(&sums) {
                let ratio = period.cubic_metres / (level * sum).max(f64::MIN_POSITIVE);
                let ratio = ratio.clamp(PULL.0, PULL.1);
                for (month, share) in shares {
                    told[*month].0 += share * ratio;
                    told[*month].1 += share;
                }
            }
        }
        for (weight, (used, expected)) in self.weights.iter_mut().zip(told) {
            *weight *= used / expected.max(f64::MIN_POSITIVE);
        }
    }

    /// The weighted days of a period by month.
    fn shares(&self, period: &Period) -> BTreeMap<usize, f64> {
        let mut shares = BTreeMap::new();
        for day in period.from.iter_days().skip(1).take_while(|day| *day <= period.to) {
            let Ok(at) = usize::try_from(month_number(day) - month_number(self.from)) else {
                continue;
            };
            if let Some(weight) = self.weights.get(at) {
                *shares.entry(at).or_insert(0.0) += weight;
            }
        }
        shares
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a weight is above zero and far below 2^32"
    )]
    fn percent(&self) -> Vec<u32> {
        self.weights.iter().map(|weight| (weight * 100.0).round().clamp(0.0, 1e6) as u32).collect()
    }
}

/// The weight of a day's month by the pack, of a year whose mean is one.
pub(super) fn pack_weight(day: NaiveDate, rules: &ReadingRules) -> f64 {
    let mean = rules.season_weights.iter().sum::<f64>() / 12.0;
    let month = usize::try_from(day.month0()).unwrap_or(0);
    rules.season_weights.get(month).copied().unwrap_or(mean) / mean
}

fn month_number(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}
