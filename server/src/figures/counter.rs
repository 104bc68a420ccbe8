//! What the counter costs households, and how its telephones answer (B3, B16, C7).

use domain::catalogue::Language;
use domain::pack::CounterRules;
use domain::procedure::ApplicationState;
use domain::telephone::Answered;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Count, Counted, Figure, Named, Rate};
use crate::db::applications::{OpenedRow, TakenRow};

const DAY_MS: i64 = 86_400_000;

/// Ways to the hall; three or more are one column.
const TRIPS: [&str; 4] = ["0", "1", "2", "3"];

/// Days from asking to gas, each up to its edge; what has no gas yet comes last.
const BANDS: [(&str, i64); 3] = [("5", 5), ("10", 10), ("20", 20)];

/// How it went with papers.
const PAPERS: [&str; 5] = ["at_once", "second", "breach", "under_way", "dropped"];

/// Accounts on their way to gas, and how it went with papers.
#[derive(Debug, Serialize, ToSchema)]
pub struct TripFigures {
    /// Accounts opened by ways to the hall until gas burned, or until now (B16).
    pub trips: Figure,
    /// The same by days to first gas, a line for each number of ways.
    pub first_gas: Figure,
    /// Applications by whether everything missing was said once, a line for each procedure (C7).
    pub papers: Figure,
}

/// Counts accounts by their ways to the hall (B16).
pub fn trips(opened: &[OpenedRow], language: Language) -> Figure {
    let columns = TRIPS.map(|trips| Named::word(language, "figures.trips", trips)).to_vec();
    let lines = ["burning", "on_the_way"].map(|key| Named::word(language, "figures.account", key));
    let one = Rate {
        named: Named::word(language, "figures", "one_trip_rate"),
        of: &["0", "1"],
        out_of: &TRIPS,
    };
    let mut count = Count::of(columns).with_rates(vec![one]).under(lines.to_vec());
    let [burning, on_the_way] = lines;
    for row in opened {
        let line = if row.first_gas_at.is_some() { &burning } else { &on_the_way };
        count.add(line, trip_key(row), Counted::Application(row.application_id));
    }
    count.finish(language)
}

/// Counts accounts by their days to first gas (B16).
pub fn first_gas(opened: &[OpenedRow], language: Language) -> Figure {
    let edges = BANDS.map(|(key, _)| key);
    let columns = edges.into_iter().chain(["later", "waiting"]);
    let columns = columns.map(|key| Named::word(language, "figures.gas_days", key)).collect();
    let lines = TRIPS.map(|trips| Named::word(language, "figures.trips", trips));
    let mut count = Count::of(columns).under(lines.to_vec());
    for row in opened {
        let line = Named::word(language, "figures.trips", trip_key(row));
        count.add(&line, band(row), Counted::Application(row.application_id));
    }
    count.finish(language)
}

fn trip_key(row: &OpenedRow) -> &'static str {
    let most = TRIPS.len() - 1;
    TRIPS[usize::try_from(row.trips).unwrap_or(most).min(most)]
}

fn band(row: &OpenedRow) -> &'static str {
    let Some(first_gas_at) = row.first_gas_at else { return "waiting" };
    let took = first_gas_at - row.taken_at;
    BANDS.into_iter().find(|(_, days)| took <= days * DAY_MS).map_or("later", |(key, _)| key)
}

/// Counts applications by how it went with their papers, a line for each procedure (C7).
pub fn papers(taken: &[TakenRow], rules: &CounterRules, language: Language) -> Figure {
    let columns = PAPERS.map(|key| Named::word(language, "figures.papers", key)).to_vec();
    let kept = Rate {
        named: Named::word(language, "figures", "papers_kept_rate"),
        of: &["at_once", "second"],
        out_of: &["at_once", "second", "breach"],
    };
    let named = |id: &str| {
        let name = rules.procedure(id).map(|it| match language {
            Language::Chinese => it.zh.clone(),
            Language::English => it.en.clone(),
        });
        Named { key: id.to_owned(), name: name.unwrap_or_else(|| id.to_owned()) }
    };
    let known = rules.procedures.iter().map(|it| named(&it.id)).collect();
    let mut count = Count::of(columns).with_rates(vec![kept]).under(known);
    for row in taken {
        let what = Counted::Application(row.application_id);
        count.add(&named(&row.procedure_id), papers_key(row), what);
    }
    count.finish(language)
}

fn papers_key(row: &TakenRow) -> &'static str {
    let is = |state: ApplicationState| row.state == state.key();
    if row.breaches > 0 {
        "breach"
    } else if is(ApplicationState::Accepted) || is(ApplicationState::Done) {
        if row.was_incomplete { "second" } else { "at_once" }
    } else if is(ApplicationState::Refused) || is(ApplicationState::Withdrawn) {
        "dropped"
    } else {
        "under_way"
    }
}

/// Begins the count of calls by how soon they were answered (B3).
pub fn answered(language: Language) -> Count {
    const ALL: &[&str] = &["staff", "public", "late", "lost"];
    let columns = Answered::ALL.map(|it| Named::word(language, "answered", it.key())).to_vec();
    let rate =
        |key: &str, of| Rate { named: Named::word(language, "figures", key), of, out_of: ALL };
    Count::of(columns).with_rates(vec![
        rate("staff_rings_rate", &["staff"]),
        rate("public_rings_rate", &["staff", "public"]),
        rate("lost_rate", &["lost"]),
    ])
}

/// Whether the promise to the public was kept with a call (B3).
pub fn promise_state(answered_as: &str) -> &'static str {
    let is = |it: Answered| answered_as == it.key();
    if is(Answered::Staff) || is(Answered::Public) { "kept" } else { "broken" }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn opened(trips: i64, days: Option<i64>) -> OpenedRow {
        OpenedRow {
            application_id: Uuid::from_u128(u128::try_from(trips).unwrap()),
            procedure_id: "installation".to_owned(),
            taken_at: 0,
            first_gas_at: days.map(|days| days * DAY_MS),
            trips,
        }
    }

    #[test]
    fn b16_accounts_are_counted_by_trips_with_the_share_of_one_and_by_days_to_gas() {
        let rows = [opened(0, Some(3)), opened(1, Some(5)), opened(2, Some(21)), opened(7, None)];

        let by_trips = trips(&rows, Language::English);
        let by_days = first_gas(&rows, Language::English);

        let counts = |figure: &Figure, line: &str| -> Vec<u64> {
            let line = figure.lines.iter().find(|it| it.heading.key == line).unwrap();
            line.cells.iter().map(|it| it.count).collect()
        };
        assert_eq!(counts(&by_trips, "burning"), [1, 1, 1, 0]);
        assert_eq!(counts(&by_trips, "on_the_way"), [0, 0, 0, 1]);
        assert_eq!(by_trips.total.rates, [Some(0.5)]);
        assert_eq!(counts(&by_days, "1"), [1, 0, 0, 0, 0]);
        assert_eq!(counts(&by_days, "2"), [0, 0, 0, 1, 0]);
        assert_eq!(counts(&by_days, "3"), [0, 0, 0, 0, 1]);
    }
}
