//! What is due in numbers: by what it is, by month and by road.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::address::{road, short};
use domain::catalogue::{self, Language};
use domain::due::What;
use domain::pack::Pack;
use serde::Serialize;
use utoipa::ToSchema;

use super::Line;
use crate::figures::{Count, Counted, Figure, Named};
use crate::told::travel_rules;

/// What is due in numbers; which doors are behind one is asked of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueFigures {
    /// By what it is: late, due, or served by a job already.
    pub by_what: Figure,
    /// By the month of its last day, what is late first.
    pub by_month: Figure,
    /// By road, the most first.
    pub by_road: Figure,
    /// How many households they are of.
    pub households: usize,
    /// The hours of a day in which windows are offered.
    pub offered_hours: Vec<(u8, u8)>,
    /// A window that is only announced begins so many hours later, or more.
    pub notice_hours: u32,
}

/// Counts lines.
pub fn figures(
    lines: &[Line],
    (pack, today): (&Pack, NaiveDate),
    language: Language,
) -> DueFigures {
    let word = |key: &str| Named::word(language, "due.figure", key);
    let whats: Vec<Named> =
        What::ALL.iter().map(|it| Named::word(language, "due.what", it.key())).collect();
    let states = ["planned", "open", "overdue"].map(word).to_vec();
    let mut by_what = Count::of(states.clone()).under(whats.clone());
    let mut by_month = Count::of(whats.clone());
    let mut by_road = Count::of(states);
    let nowhere = word("no_road");
    for Line { household, item, job } in lines {
        let what = Named::word(language, "due.what", item.what.key());
        let state = match job {
            Some(_) => "planned",
            None if item.by < today => "overdue",
            None => "open",
        };
        by_what.add(&what, state, Counted::Elsewhere);
        let month = if item.by < today {
            // Sorts before every month.
            Named {
                key: "0".to_owned(),
                name: catalogue::text(language, "due.figure.overdue", &[]),
            }
        } else {
            Named::plain(item.by.format("%Y-%m").to_string())
        };
        by_month.add(&month, item.what.key(), Counted::Elsewhere);
        let road = road(&household.address).map_or_else(
            || nowhere.clone(),
            |it| Named { key: it.to_owned(), name: short(it).to_owned() },
        );
        by_road.add(&road, state, Counted::Elsewhere);
    }
    let mut by_what = by_what.finish(language);
    let count = |line: &crate::figures::Line| line.cells.iter().map(|it| it.count).sum::<u64>();
    by_what.lines.retain(|line| count(line) > 0);
    let mut by_month = by_month.finish(language);
    if let Some(first) = by_month.lines.first_mut().filter(|it| it.heading.key == "0") {
        "overdue".clone_into(&mut first.heading.key);
    }
    let mut by_road = by_road.finish(language);
    by_road.lines.sort_by_key(|line| std::cmp::Reverse(count(line)));
    let households: BTreeSet<_> = lines.iter().map(|it| it.household.id).collect();
    DueFigures {
        by_what,
        by_month,
        by_road,
        households: households.len(),
        offered_hours: travel_rules(pack).offered_hours,
        notice_hours: pack.due.as_ref().map_or(0, |it| it.notice_hours),
    }
}
