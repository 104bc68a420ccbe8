//! How much gas a home was to use in a period: a base that it always burns and a part that follows the season.

use chrono::{Datelike as _, NaiveDate};

use crate::household::PastReading;
use crate::pack::ReadingRules;

/// A period between two readings: its days, its days weighted by season, and the gas used.
struct Period {
    days: f64,
    season_days: f64,
    cubic_metres: f64,
}

/// The use to expect, in cubic metres.
pub(super) struct Expected {
    /// The least that the past explains.
    pub(super) least: f64,
    /// What is shown to people.
    pub(super) likely: f64,
    /// The most that the past explains.
    pub(super) most: f64,
}

/// The use to expect between two days; `None` with too little history.
///
/// Two parts are fitted to the past by least squares, neither below zero: `base × days + heat × season days`.
/// A single period cannot tell them apart: then all base and all heat are the two ends of what may be.
pub(super) fn expected_use(
    readings: &[PastReading],
    from: NaiveDate,
    to: NaiveDate,
    rules: &ReadingRules,
) -> Option<Expected> {
    let past: Vec<Period> = readings
        .windows(2)
        .filter(|pair| pair[1].on <= from && pair[0].on < pair[1].on)
        .map(|pair| Period {
            days: days(pair[0].on, pair[1].on),
            season_days: season_days(pair[0].on, pair[1].on, rules),
            cubic_metres: pair[1].register.cubic_metres() - pair[0].register.cubic_metres(),
        })
        .filter(|period| period.cubic_metres >= 0.0)
        .collect();
    let known_days: f64 = past.iter().map(|period| period.days).sum();
    #[expect(clippy::cast_precision_loss, reason = "a pack asks for a few dozen days")]
    if known_days < rules.least_history_days as f64 {
        return None;
    }
    let (days, season_days) = (days(from, to), season_days(from, to, rules));
    let uses = fit(&past).map(|(base, heat)| base * days + heat * season_days);
    let (least, most) = (uses[0].min(uses[1]), uses[0].max(uses[1]));
    Some(Expected { least, likely: f64::midpoint(least, most), most })
}

/// Least squares for two rates that cannot be negative, as two answers that agree where the past decides.
fn fit(past: &[Period]) -> [(f64, f64); 2] {
    let sum = |of: &dyn Fn(&Period) -> f64| past.iter().map(of).sum::<f64>();
    let dd = sum(&|p| p.days * p.days);
    let ds = sum(&|p| p.days * p.season_days);
    let ss = sum(&|p| p.season_days * p.season_days);
    let du = sum(&|p| p.days * p.cubic_metres);
    let su = sum(&|p| p.season_days * p.cubic_metres);
    let (all_base, all_heat) = ((du / dd, 0.0), (0.0, su / ss));
    let determinant = dd * ss - ds * ds;
    if determinant.abs() <= 1e-6 * dd * ss {
        return [all_base, all_heat];
    }
    let base = (du * ss - su * ds) / determinant;
    let heat = (su * dd - du * ds) / determinant;
    let decided = match (base >= 0.0, heat >= 0.0) {
        (true, true) => (base, heat),
        (true, false) => all_base,
        (false, _) => all_heat,
    };
    [decided, decided]
}

#[expect(clippy::cast_precision_loss, reason = "a period has far fewer than 2^52 days")]
fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    (to - from).num_days() as f64
}

/// Days weighted by their month; a year's weights average to one.
fn season_days(from: NaiveDate, to: NaiveDate, rules: &ReadingRules) -> f64 {
    let mean = rules.season_weights.iter().sum::<f64>() / 12.0;
    let weight = |day: NaiveDate| {
        let month = usize::try_from(day.month0()).unwrap_or(0);
        rules.season_weights.get(month).copied().unwrap_or(mean) / mean
    };
    // A register is read at the day's end: the first day's use is in the earlier period.
    from.iter_days().skip(1).take_while(|day| *day <= to).map(weight).sum()
}
