//! Arrivals: how late they were (A2).

use std::collections::BTreeMap;

use domain::catalogue::{self, Language};
use domain::punctuality::Punctuality;
use uuid::Uuid;

use super::{Count, Counted, Figure, Named, Rate};
use crate::db::verdicts::StoredVerdict;

/// Every verdict, in the order in which lists show them.
const VERDICTS: [&str; 8] =
    ["on_time", "early", "late", "missed", "cannot_tell", "not_heard", "released", "pending"];

/// Where one band of minutes ends and the next begins.
const EDGES: [i64; 6] = [5, 15, 30, 60, 120, 240];

/// An arrival that was not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Arrival {
    /// The job.
    pub job_id: Uuid,
    /// Who came.
    pub technician_id: Uuid,
    /// The earliest that it can have been, Unix ms.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
}

/// Begins the count of appointments by how they turned out: a column for each verdict's key (A2).
pub fn turned_out(language: Language) -> Count {
    let columns = VERDICTS.map(|key| Named::word(language, "punctuality", key));
    let on_time = Rate {
        named: Named::word(language, "figures", "on_time_rate"),
        of: &["on_time"],
        out_of: &["on_time", "early", "late", "missed"],
    };
    let untold = Rate {
        named: Named::word(language, "figures", "untold_rate"),
        of: &["cannot_tell", "not_heard"],
        out_of: &["on_time", "early", "late", "missed", "cannot_tell", "not_heard"],
    };
    Count::of(columns.to_vec()).with_rates(vec![on_time, untold])
}

/// Counts arrivals by how many minutes after the window's end they were (A2).
///
/// `read` are verdicts as they read now. Of one that cannot be told nothing is guessed, nor of an arrival whose
/// interval lies in two bands.
pub fn lateness(
    read: &[(StoredVerdict, Punctuality)],
    arrivals: &[Arrival],
    language: Language,
) -> Figure {
    let mut by_job: BTreeMap<Uuid, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals {
        by_job.entry(arrival.job_id).or_default().push(arrival);
    }
    for came in by_job.values_mut() {
        came.sort_by_key(|it| (it.latest, it.earliest));
    }
    let late = bands(language);
    let in_time = Named::word(language, "figures", "in_time");
    let cannot_tell = Named::word(language, "punctuality", "cannot_tell");
    let mut headings = vec![in_time.clone()];
    headings.extend(late.iter().cloned());
    headings.push(cannot_tell.clone());
    let mut count = Count::of(vec![Named::word(language, "figures", "arrivals")]).under(headings);
    for (verdict, punctuality) in read {
        let heading = match punctuality {
            Punctuality::OnTime | Punctuality::Early => &in_time,
            Punctuality::CannotTell { .. } => &cannot_tell,
            Punctuality::Late => {
                let came = by_job.get(&verdict.job_id).into_iter().flatten();
                let mut came = came.filter(|it| Some(it.technician_id) == verdict.technician_id);
                let first = came.find(|it| it.earliest > verdict.window_end);
                let band = first.and_then(|it| band(it, verdict.window_end));
                band.map_or(&cannot_tell, |at| &late[at])
            }
            Punctuality::Pending
            | Punctuality::Missed
            | Punctuality::NotHeard
            | Punctuality::Released => continue,
        };
        count.add(heading, "arrivals", Counted::Job(verdict.job_id));
    }
    count.finish(language)
}

/// The one band in which all of an arrival's interval lies.
fn band(arrival: &Arrival, window_end: i64) -> Option<usize> {
    let of = |at: i64| EDGES.iter().filter(|edge| at - window_end > **edge * 60_000).count();
    let (first, last) = (of(arrival.earliest), of(arrival.latest));
    (first == last).then_some(first)
}

fn bands(language: Language) -> Vec<Named> {
    let from = std::iter::once(0).chain(EDGES);
    let until = EDGES.into_iter().map(Some).chain([None]);
    let named = from.zip(until).map(|(from, until)| {
        let (sentence, to) = match until {
            Some(until) => ("figures.minutes_late", until.to_string()),
            None => ("figures.minutes_late_over", String::new()),
        };
        let key = format!("{from}-{to}");
        let places = [("from", from.to_string()), ("to", to)];
        Named { key, name: catalogue::text(language, sentence, &places) }
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a2_an_arrival_over_a_bands_edge_is_not_put_into_either() {
        let minute = |it: i64| it * 60_000;
        let came = |earliest, latest| Arrival {
            job_id: Uuid::nil(),
            technician_id: Uuid::nil(),
            earliest: minute(earliest),
            latest: minute(latest),
        };

        assert_eq!(band(&came(101, 105), minute(100)), Some(0));
        assert_eq!(band(&came(106, 115), minute(100)), Some(1));
        assert_eq!(band(&came(104, 106), minute(100)), None);
        assert_eq!(band(&came(400, 999), minute(100)), Some(6));
    }
}
