//! Figures: what is counted under which heading, each number with the jobs behind it.
//!
//! Pure: rows go in, tables of numbers come out. The numbers of the trade come from rule packs; the bands in which
//! minutes and months are shown are presentation and stand here.

pub mod arrivals;
pub mod counter;
pub mod hoses;
pub mod phones;
pub mod promises;
pub mod ratings;
pub mod readings;
pub mod visits;

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{self, Language};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The most ids that an answer names behind one number; the number itself is always whole.
pub const MOST_NAMED: usize = 200;

/// A key with what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Named {
    /// The word in JSON; empty for what has none, such as nobody.
    pub key: String,
    /// In the language asked for.
    pub name: String,
}

impl Named {
    /// A key that is its own name, such as a day.
    pub fn plain(key: impl Into<String>) -> Self {
        let key = key.into();
        Self { name: key.clone(), key }
    }

    /// A key whose name stands in the catalogue under `what`.
    pub fn word(language: Language, what: &str, key: &str) -> Self {
        let name = catalogue::text(language, &format!("{what}.{key}"), &[]);
        Self { key: key.to_owned(), name }
    }
}

/// A number and what is behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pile {
    /// How many.
    pub count: u64,
    /// How many different jobs, households, cases, outages and applications of the caller's hall are behind it.
    pub behind: u64,
    /// The jobs behind it, each once, the first 200.
    #[serde(serialize_with = "first_named")]
    #[schema(value_type = Vec<Uuid>, max_items = 200)]
    pub jobs: BTreeSet<Uuid>,
    /// The households behind it where no job is, the first 200.
    #[serde(serialize_with = "first_named", skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<Uuid>, max_items = 200)]
    pub households: BTreeSet<Uuid>,
    /// The cases behind it, the first 200.
    #[serde(serialize_with = "first_named", skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<Uuid>, max_items = 200)]
    pub cases: BTreeSet<Uuid>,
    /// The outages behind it, the first 200.
    #[serde(serialize_with = "first_named", skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<Uuid>, max_items = 200)]
    pub outages: BTreeSet<Uuid>,
    /// The applications behind it, the first 200.
    #[serde(serialize_with = "first_named", skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<Uuid>, max_items = 200)]
    pub applications: BTreeSet<Uuid>,
}

fn first_named<S: Serializer>(ids: &BTreeSet<Uuid>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().take(MOST_NAMED))
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Something of a job.
    Job(Uuid),
    /// Something that hangs at a household and of which no job tells.
    Household(Uuid),
    /// A case.
    Case(Uuid),
    /// An outage.
    Outage(Uuid),
    /// An application.
    Application(Uuid),
    /// A call, or something of a hall into which the caller does not see: a number and nothing more.
    Elsewhere,
}

impl Pile {
    fn add(&mut self, what: Counted) {
        self.count += 1;
        let is_new = match what {
            Counted::Job(id) => self.jobs.insert(id),
            Counted::Household(id) => self.households.insert(id),
            Counted::Case(id) => self.cases.insert(id),
            Counted::Outage(id) => self.outages.insert(id),
            Counted::Application(id) => self.applications.insert(id),
            Counted::Elsewhere => false,
        };
        self.behind += u64::from(is_new);
    }
}

/// One heading with its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Line {
    /// What it counts under.
    #[serde(flatten)]
    pub heading: Named,
    /// A number for each column.
    pub cells: Vec<Pile>,
    /// A share for each rate, from 0 to 1; none where nothing can be judged.
    pub rates: Vec<Option<f64>>,
}

/// A table of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Figure {
    /// What is told apart.
    pub columns: Vec<Named>,
    /// Shares of a line.
    pub rates: Vec<Named>,
    /// A line for each heading.
    pub lines: Vec<Line>,
    /// All lines together.
    pub total: Line,
}

impl Figure {
    /// Finds what is behind a number by the keys of its line and column.
    pub fn pile(&self, line: &str, column: &str) -> Option<&Pile> {
        let mut lines = self.lines.iter().chain([&self.total]);
        let line = lines.find(|it| it.heading.key == line)?;
        line.cells.get(self.columns.iter().position(|it| it.key == column)?)
    }
}

/// A share: these columns out of those.
#[derive(Clone, Debug)]
pub struct Rate {
    /// What it is called.
    pub named: Named,
    /// The columns that count for it.
    pub of: &'static [&'static str],
    /// The columns that can be judged.
    pub out_of: &'static [&'static str],
}

/// A figure that is being counted.
#[derive(Clone, Debug)]
pub struct Count {
    columns: Vec<Named>,
    rates: Vec<Rate>,
    /// Headings in the order in which they are shown; others follow by their keys.
    known: Vec<Named>,
    lines: BTreeMap<String, (Named, Vec<Pile>)>,
    total: Vec<Pile>,
}

impl Count {
    /// Begins with these columns.
    pub fn of(columns: Vec<Named>) -> Self {
        let total = vec![Pile::default(); columns.len()];
        Self { columns, rates: Vec::new(), known: Vec::new(), lines: BTreeMap::new(), total }
    }

    /// Shows these headings in this order, also when nothing falls under them.
    #[must_use]
    pub fn under(mut self, headings: Vec<Named>) -> Self {
        self.known = headings;
        self
    }

    /// Works shares out.
    #[must_use]
    pub fn with_rates(mut self, rates: Vec<Rate>) -> Self {
        self.rates = rates;
        self
    }

    /// Counts one thing; a column that the figure has not is left out.
    pub fn add(&mut self, heading: &Named, column: &str, what: Counted) {
        let Some(at) = self.columns.iter().position(|it| it.key == column) else { return };
        let width = self.columns.len();
        let fresh = || (heading.clone(), vec![Pile::default(); width]);
        let (_, cells) = self.lines.entry(heading.key.clone()).or_insert_with(fresh);
        cells[at].add(what);
        self.total[at].add(what);
    }

    /// Gives the table.
    pub fn finish(mut self, language: Language) -> Figure {
        let width = self.columns.len();
        let mut lines = Vec::new();
        for heading in std::mem::take(&mut self.known) {
            let counted = self.lines.remove(&heading.key);
            let cells = counted.map_or_else(|| vec![Pile::default(); width], |(_, cells)| cells);
            lines.push(self.line(heading, cells));
        }
        for (heading, cells) in std::mem::take(&mut self.lines).into_values() {
            lines.push(self.line(heading, cells));
        }
        let total = std::mem::take(&mut self.total);
        let total = self.line(Named::word(language, "figures", "total"), total);
        let rates = self.rates.into_iter().map(|it| it.named).collect();
        Figure { columns: self.columns, rates, lines, total }
    }

    fn line(&self, heading: Named, cells: Vec<Pile>) -> Line {
        let sum = |keys: &[&str]| -> u64 {
            let cells = self.columns.iter().zip(&cells);
            cells.filter(|(it, _)| keys.contains(&it.key.as_str())).map(|(_, it)| it.count).sum()
        };
        let share = |rate: &Rate| share(sum(rate.of), sum(rate.out_of));
        let rates = self.rates.iter().map(share).collect();
        Line { heading, cells, rates }
    }
}

/// A part of a whole; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "no hall counts to 2^53")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_and_names_at_most_two_hundred_jobs_each_once() {
        let mut count = Count::of(vec![Named::plain("a"), Named::plain("b")]);
        for number in 0..300_u128 {
            count.add(&Named::plain("x"), "a", Counted::Job(Uuid::from_u128(number)));
        }
        for _ in 0..3 {
            count.add(&Named::plain("x"), "b", Counted::Job(Uuid::from_u128(1)));
        }
        count.add(&Named::plain("x"), "no such column", Counted::Job(Uuid::from_u128(1)));

        let figure = count.finish(Language::English);

        let [a, b] = &figure.lines[0].cells[..] else { panic!("two columns") };
        let said = serde_json::to_value(a).unwrap();
        assert_eq!((a.count, a.behind), (300, 300));
        assert_eq!(said["jobs"].as_array().unwrap().len(), MOST_NAMED);
        assert_eq!((b.count, b.behind, b.jobs.len()), (3, 1, 1));
        assert_eq!(figure.total.cells, figure.lines[0].cells);
    }

    #[test]
    fn headings_keep_their_order_and_shares_of_nothing_are_none() {
        let rate = Rate { named: Named::plain("rate"), of: &["a"], out_of: &["a", "b"] };
        let count = Count::of(vec![Named::plain("a"), Named::plain("b")]);
        let known = vec![Named::plain("z"), Named::plain("m")];
        let mut count = count.under(known).with_rates(vec![rate]);
        for (heading, column) in [("c", "a"), ("z", "b"), ("z", "a"), ("z", "b"), ("z", "b")] {
            count.add(&Named::plain(heading), column, Counted::Job(Uuid::nil()));
        }

        let figure = count.finish(Language::English);

        let lines: Vec<_> =
            figure.lines.iter().map(|it| (it.heading.key.as_str(), it.rates[0])).collect();
        assert_eq!(lines, [("z", Some(0.25)), ("m", None), ("c", Some(1.0))]);
        assert_eq!(figure.total.rates, [Some(0.4)]);
    }
}
