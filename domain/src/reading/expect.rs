//! How much gas a home was to use in a period: a base that it always burns and a part that follows the season.

use chrono::{Datelike as _, NaiveDate};

use crate::household::PastReading;
use crate::pack::ReadingRules;

/// A period between two readings.
#[derive(Clone, Copy, Debug)]
struct Period {
    days: f64,
    /// Its days weighted by how much their month is heated.
    heating_days: f64,
    cubic_metres: f64,
}

/// The use to expect, in cubic metres.
#[derive(Debug)]
pub(super) struct Expected {
    /// The least that the past explains.
    pub(super) least: f64,
    /// What is shown to people.
    pub(super) likely: f64,
    /// The most that the past explains.
    pub(super) most: f64,
}

/// The use to expect between two days; `None` with too little history.
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
            heating_days: heating_days(pair[0].on, pair[1].on, rules),
            cubic_metres: pair[1].register.cubic_metres() - pair[0].register.cubic_metres(),
        })
        .filter(|period| period.cubic_metres >= 0.0)
        .collect();
    let known_days: f64 = past.iter().map(|period| period.days).sum();
    #[expect(clippy::cast_precision_loss, reason = "a pack asks for a few dozen days")]
    if known_days < rules.least_history_days as f64 {
        return None;
    }
    let home = Home::fit(&past, rules);
    Some(home.expect(days(from, to), heating_days(from, to, rules)))
}

/// What one home burns: so much a day, and so much a heating day, and how surely that is known.
struct Home {
    base: f64,
    heat: f64,
    known: Normal,
}

/// The normal equations of the fit for the two rates.
#[derive(Clone, Copy, Default)]
struct Normal {
    bb: f64,
    bh: f64,
    hh: f64,
    by: f64,
    hy: f64,
}

impl Normal {
    /// Adds one observation `base × b + heat × h = y`, known to within `doubt`.
    fn observe(&mut self, (b, h): (f64, f64), y: f64, doubt: f64) {
        let weight = 1.0 / (doubt * doubt);
        self.bb += weight * b * b;
        self.bh += weight * b * h;
        self.hh += weight * h * h;
        self.by += weight * b * y;
        self.hy += weight * h * y;
    }

    fn determinant(&self) -> f64 {
        self.bb * self.hh - self.bh * self.bh
    }

    /// The two rates, neither below zero.
    fn solve(&self) -> (f64, f64) {
        let base = (self.by * self.hh - self.hy * self.bh) / self.determinant();
        let heat = (self.hy * self.bb - self.by * self.bh) / self.determinant();
        match (base >= 0.0, heat >= 0.0) {
            (true, true) => (base, heat),
            (true, false) => ((self.by / self.bb).max(0.0), 0.0),
            (false, _) => (0.0, (self.hy / self.hh).max(0.0)),
        }
    }
}

impl Home {
    /// Fits the two rates to the past by weighted least squares.
    ///
    /// One more observation says that the home mixes base and heat as homes here do. It decides while the past shows
    /// one season only, and hardly counts once the past has shown both.
    fn fit(past: &[Period], rules: &ReadingRules) -> Self {
        let fit = &rules.fit;
        let typical: f64 = past.iter().map(|it| it.days * fit.base_weight + it.heating_days).sum();
        let used: f64 = past.iter().map(|it| it.cubic_metres).sum();
        let level = used / typical.max(f64::MIN_POSITIVE);
        let mix_doubt = (fit.mix_doubt * fit.base_weight * level).max(1e-6);
        let (mut base, mut heat) = (fit.base_weight * level, level);
        let mut known = Normal::default();
        // How sure a period is depends on the use to expect in it: the second round knows that from the first.
        for _ in 0..2 {
            known = Normal::default();
            known.observe((1.0, -fit.base_weight), 0.0, mix_doubt);
            for period in past {
                let likely = base * period.days + heat * period.heating_days;
                let doubt = fit.use_doubt * likely + fit.doubt_m3_per_30_days * period.days / 30.0;
                known.observe((period.days, period.heating_days), period.cubic_metres, doubt);
            }
            (base, heat) = known.solve();
        }
        Self { base, heat, known }
    }

    /// The use in a period, with one standard error of the fit on either side.
    fn expect(&self, days: f64, heating_days: f64) -> Expected {
        let likely = self.base * days + self.heat * heating_days;
        let Normal { bb, bh, hh, .. } = self.known;
        let spread =
            days * days * hh - 2.0 * days * heating_days * bh + heating_days * heating_days * bb;
        let doubt = (spread / self.known.determinant()).max(0.0).sqrt();
        Expected { least: (likely - doubt).max(0.0), likely, most: likely + doubt }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a period has far fewer than 2^52 days")]
fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    (to - from).num_days() as f64
}

/// Days weighted by their month, less the base; a year's weights average to one before that.
fn heating_days(from: NaiveDate, to: NaiveDate, rules: &ReadingRules) -> f64 {
    let mean = rules.season_weights.iter().sum::<f64>() / 12.0;
    let weight = |day: NaiveDate| {
        let month = usize::try_from(day.month0()).unwrap_or(0);
        let weight = rules.season_weights.get(month).copied().unwrap_or(mean);
        (weight / mean - rules.fit.base_weight).max(0.0)
    };
    // A register is read at the day's end: the first day's use is in the earlier period.
    from.iter_days().skip(1).take_while(|day| *day <= to).map(weight).sum()
}
