//! How much gas a home was to use in a period: a base that it always burns and a part that follows the season.

use chrono::NaiveDate;

use super::history::Period;
use super::season::{Season, pack_weight};
use crate::pack::{Pack, ReadingRules};

/// A period as the fit sees it.
#[derive(Clone, Copy, Debug)]
struct Observed {
    days: f64,
    /// Its days weighted by how much their month is heated.
    heating_days: f64,
    cubic_metres: f64,
    /// How many times the doubt of a period that was seen.
    doubt: f64,
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
    /// The days of the past that it rests on.
    pub(super) known_days: i64,
}

/// What the use to expect is worked out by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basis<'a> {
    pub(super) pack: &'a Pack,
    /// As the neighbours tell it.
    pub(super) season: Option<&'a Season>,
}

impl Basis<'_> {
    /// The use to expect between two days; `None` with too little history.
    pub(super) fn expect(
        &self,
        past: &[Period],
        (from, to): (NaiveDate, NaiveDate),
    ) -> Option<Expected> {
        let known_days = past.iter().map(|it| (it.to - it.from).num_days()).sum();
        if known_days < self.pack.reading.least_history_days {
            return None;
        }
        let told = self.pack.reading.states.as_ref().map_or(1.0, |states| states.told_doubt);
        let observed = past.iter().map(|period| Observed {
            days: days(period.from, period.to),
            heating_days: self.heating_days(period.from, period.to),
            cubic_metres: period.cubic_metres,
            doubt: if period.is_seen { 1.0 } else { told },
        });
        let home = Home::fit(&observed.collect::<Vec<_>>(), &self.pack.reading);
        let expected = home.expect(days(from, to), self.heating_days(from, to));
        Some(Expected { known_days, ..expected })
    }

    /// Days weighted by their month, less the base; a usual year's weights average to one before that.
    fn heating_days(&self, from: NaiveDate, to: NaiveDate) -> f64 {
        let base = self.pack.reading.fit.base_weight;
        // A register is read at the day's end: the first day's use is in the earlier period.
        let days = from.iter_days().skip(1).take_while(|day| *day <= to);
        days.map(|day| (self.weight(day) - base).max(0.0)).sum()
    }

    /// How much of a heating home's use falls on a day, as the neighbours tell it or the pack says.
    pub(super) fn weight(&self, day: NaiveDate) -> f64 {
        let learnt = self.season.and_then(|season| season.weight(day));
        learnt.unwrap_or_else(|| pack_weight(day, &self.pack.reading))
    }
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
    fn fit(past: &[Observed], rules: &ReadingRules) -> Self {
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
                let at = (period.days, period.heating_days);
                known.observe(at, period.cubic_metres, doubt * period.doubt);
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
        let least = (likely - doubt).max(0.0);
        Expected { least, likely, most: likely + doubt, known_days: 0 }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a period has far fewer than 2^52 days")]
fn days(from: NaiveDate, to: NaiveDate) -> f64 {
    (to - from).num_days() as f64
}
