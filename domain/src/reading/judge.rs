//! The judgement itself: one reading against the meter, the home's past and the season (A9).

use chrono::NaiveDate;

use super::expect::{Basis, Expected};
use super::history::{self, Period};
use super::season::Season;
use super::state::{ReadingState, Trust};
use super::{Finding, Grounds, Verdict, litres};
use crate::household::Meter;
use crate::measure::Volume;
use crate::pack::Pack;

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The day, in the hall's city.
    pub on: NaiveDate,
    /// What the register shows; `None` when it could not be read.
    pub register: Option<Volume>,
    /// How anybody knows, or why nobody does.
    pub state: ReadingState,
}

/// Judges a register on the spot against the home's own past and the season (A9).
///
/// `season` is what the neighbours tell; without it the season is the pack's.
pub fn judge(meter: &Meter, season: Option<&Season>, shown: &Shown, pack: &Pack) -> Verdict {
    let mut verdict = Verdict::new(Finding::Normal, &pack.id);
    verdict.state = shown.state;
    let basis = Basis { pack, season };
    let found = Case { meter, basis, shown }.judge(&mut verdict);
    verdict.finding = exempted(found, shown, pack);
    verdict
}

/// An empty home uses little, and a locked one shows nothing: neither is an alarm where the pack says so.
fn exempted(found: Finding, shown: &Shown, pack: &Pack) -> Finding {
    let is_exempt = pack.reading.states.as_ref().is_some_and(|it| it.exempt.contains(&shown.state));
    let is_little = [Finding::Low, Finding::Zero, Finding::StillZero, Finding::Unread];
    if is_exempt && is_little.contains(&found) { Finding::Exempt } else { found }
}

struct Case<'a> {
    meter: &'a Meter,
    basis: Basis<'a>,
    shown: &'a Shown,
}

impl Case<'_> {
    fn judge(&self, verdict: &mut Verdict) -> Finding {
        let (meter, on) = (self.meter, self.shown.on);
        let Some(register) = self.shown.register else { return Finding::Unread };
        let Some(since) = history::anchor(meter, on, self.shown.state) else {
            return Finding::Normal;
        };
        let days = (on - since.on).num_days();
        let used = history::used_between(since.register, register, meter.digits);
        let possible = history::most_possible(&meter.size, days, self.basis.pack);
        verdict.since = Some(since);
        verdict.days = Some(days);
        verdict.used = Some(used);
        verdict.possible = possible;
        verdict.guess = history::newest(meter, on).filter(|guess| {
            guess.state.trust() < Trust::Seen && *guess != since && register < guess.register
        });
        let has_rolled_over = history::has_rolled_over(since.register, register, meter.digits);
        if used.0 < 0 {
            return self.gone_back(verdict);
        }
        if possible.is_some_and(|most| used > most) {
            return if has_rolled_over { Finding::Backwards } else { Finding::Impossible };
        }
        let found = self.against_past(verdict, used);
        if found != Finding::Normal {
            return found;
        }
        match verdict.guess {
            _ if has_rolled_over => Finding::Rollover,
            Some(_) => Finding::BelowGuess,
            None => Finding::Normal,
        }
    }

    /// Below a guess is no going back: only wheels that somebody saw can have been turned.
    fn gone_back(&self, verdict: &mut Verdict) -> Finding {
        let guess = verdict.since.filter(|since| since.state.trust() < Trust::Seen);
        match guess {
            Some(guess) if self.shown.state.trust() > guess.state.trust() => {
                verdict.guess = Some(guess);
                Finding::BelowGuess
            }
            _ => Finding::Backwards,
        }
    }

    fn against_past(&self, verdict: &mut Verdict, used: Volume) -> Finding {
        let (Some(since), on) = (verdict.since, self.shown.on) else { return Finding::Normal };
        let past = history::periods(self.meter, since.on, self.basis.pack);
        let span = (since.on, on);
        let Some(limits) = self.limits(&past, span) else { return Finding::Normal };
        verdict.expected = Some(litres(limits.expected.likely));
        verdict.high_above = Some(limits.high_above);
        verdict.low_below = Some(limits.low_below);
        verdict.grounds = Some(self.grounds(&limits.expected, &past, span));
        let is_zero = used.0 < self.basis.pack.reading.zero_below_litres;
        if used > limits.high_above {
            Finding::High
        } else if let Some(zero_since) = self.still_zero(&past, since.on).filter(|_| is_zero) {
            verdict.zero_since = Some(zero_since);
            Finding::StillZero
        } else if is_zero && limits.low_below.0 > 0 {
            Finding::Zero
        } else if used < limits.low_below {
            Finding::Low
        } else {
            Finding::Normal
        }
    }

    /// Since when nothing was used, if that is more than one period and the home was to use gas in that time.
    fn still_zero(&self, past: &[Period], last: NaiveDate) -> Option<NaiveDate> {
        let zero_below = Volume(self.basis.pack.reading.zero_below_litres).cubic_metres();
        let zeros = past.iter().rev().take_while(|it| it.cubic_metres < zero_below).count();
        let (before, zeros) = past.split_at(past.len() - zeros);
        let since = zeros.first().filter(|_| zeros.last().is_some_and(|it| it.to == last))?.from;
        let limits = self.limits(before, (since, self.shown.on))?;
        (limits.low_below.0 > 0).then_some(since)
    }

    fn limits(&self, past: &[Period], (from, to): (NaiveDate, NaiveDate)) -> Option<Limits> {
        let rules = &self.basis.pack.reading;
        let expected = self.basis.expect(past, (from, to))?;
        #[expect(clippy::cast_precision_loss, reason = "a period has far fewer than 2^52 days")]
        let slack = rules.slack_m3_per_30_days * (to - from).num_days() as f64 / 30.0;
        let high_above = litres(expected.most * rules.high_coefficient + slack);
        let low_below = litres((expected.least * rules.low_coefficient - slack).max(0.0));
        Some(Limits { expected, high_above, low_below })
    }

    fn grounds(
        &self,
        expected: &Expected,
        past: &[Period],
        (from, to): (NaiveDate, NaiveDate),
    ) -> Grounds {
        let days: Vec<f64> = from
            .iter_days()
            .skip(1)
            .take_while(|day| *day <= to)
            .map(|day| self.basis.weight(day))
            .collect();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "weights are above zero and far below 2^32"
        )]
        let season_percent =
            (days.iter().sum::<f64>() * 100.0 / days.len().max(1) as f64).round() as u32;
        let hung_from = self.meter.readings.first().map(|first| first.on);
        Grounds {
            known_days: expected.known_days,
            season_percent,
            neighbours: self.basis.season.map(|season| season.homes),
            across_change: past.iter().any(|it| hung_from.is_some_and(|day| it.to <= day)),
        }
    }
}

struct Limits {
    expected: Expected,
    high_above: Volume,
    low_below: Volume,
}
