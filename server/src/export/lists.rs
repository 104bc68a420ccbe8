//! Lists that a desk watches, as sheets: open promises, and phones.

use chrono::FixedOffset;
use domain::catalogue::{self, Language};

use super::{Sheet, Value};
use crate::figures::phones::{PhoneRow, Standing};
use crate::figures::promises::{OpenPromise, WatchedCase, WatchedOutage, WatchedSupply};

/// Promises whose clock runs.
pub struct OpenPromises {
    /// Of jobs.
    pub jobs: Vec<OpenPromise>,
    /// Of cases.
    pub cases: Vec<WatchedCase>,
    /// Of outages.
    pub outages: Vec<WatchedOutage>,
    /// Of supplies that are to be restored.
    pub supplies: Vec<WatchedSupply>,
}

/// Lists promises whose clock runs, of whatever, broken ones first, as the desk's screen does.
pub fn open_promises(
    OpenPromises { jobs, cases, outages, supplies }: OpenPromises,
    language: Language,
    offset: FixedOffset,
) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let row = |what: &str, it: Watched| {
        let state = match it.rank() {
            AT_RISK => Value::text(say("figures.at_risk")),
            _ => Value::word(language, "promise", &it.state),
        };
        let cells = vec![
            state,
            Value::instant(Some(it.due_at), offset),
            Value::text(it.rule.clone()),
            Value::word(language, "figures.what", what),
            Value::text(it.name.clone()),
            Value::text(it.place.clone()),
            Value::text(it.owner.clone().unwrap_or_else(|| say("figures.nobody"))),
        ];
        ((it.rank(), it.due_at), cells)
    };
    let jobs = jobs.into_iter().map(|it| row("job", it.into()));
    let cases = cases.into_iter().map(|it| row("case", it.into()));
    let outages = outages.into_iter().map(|it| row("outage", it.into()));
    let supplies = supplies.into_iter().map(|it| {
        let name = say("doors.restoring");
        row("household", Watched { name, ..it.into() })
    });
    let mut rows: Vec<_> = jobs.chain(cases).chain(outages).chain(supplies).collect();
    rows.sort_by_key(|(order, _)| *order);
    let headers = [
        "figures.state",
        "figures.due",
        "figures.rule",
        "figures.what",
        "export.column.kind",
        "export.column.address",
        "figures.owner",
    ];
    let rows = rows.into_iter().map(|(_, cells)| cells).collect();
    let title = say("figures.file.open_promises");
    Sheet { title, headers: headers.map(say).to_vec(), rows }
}

/// What is at risk stands behind what is broken and what nobody heard of.
const AT_RISK: u8 = 2;

/// A promise whose clock runs, of whatever.
struct Watched {
    state: String,
    is_at_risk: bool,
    due_at: i64,
    rule: String,
    name: String,
    place: String,
    owner: Option<String>,
}

impl Watched {
    fn rank(&self) -> u8 {
        match self.state.as_str() {
            "broken" => 0,
            "not_heard" => 1,
            _ if self.is_at_risk => AT_RISK,
            _ => AT_RISK + 1,
        }
    }
}

impl From<OpenPromise> for Watched {
    fn from(it: OpenPromise) -> Self {
        Self {
            is_at_risk: it.is_at_risk == Some(true),
            state: it.state,
            due_at: it.due_at,
            rule: it.rule,
            name: it.kind_name,
            place: it.address,
            owner: it.technician_name,
        }
    }
}

impl From<WatchedCase> for Watched {
    fn from(it: WatchedCase) -> Self {
        Self {
            is_at_risk: it.is_at_risk == Some(true),
            state: it.state,
            due_at: it.due_at,
            rule: it.rule,
            name: format!("{} {}", it.kind_name, it.number),
            place: String::new(),
            owner: Some(it.owner_name),
        }
    }
}

impl From<WatchedOutage> for Watched {
    fn from(it: WatchedOutage) -> Self {
        Self {
            is_at_risk: it.is_at_risk == Some(true),
            state: it.state,
            due_at: it.due_at,
            rule: it.rule,
            name: format!("{} {}/{}", it.kind_name, it.told, it.households),
            place: it.area,
            owner: None,
        }
    }
}

impl From<WatchedSupply> for Watched {
    fn from(it: WatchedSupply) -> Self {
        Self {
            is_at_risk: it.is_at_risk == Some(true),
            state: it.state,
            due_at: it.due_at,
            rule: it.rule,
            name: String::new(),
            place: it.address,
            owner: it.technician_name,
        }
    }
}

/// Lists phones in the order given; of one that was never heard nobody knows what it holds.
pub fn phones(phones: Vec<(Standing, PhoneRow)>, language: Language, offset: FixedOffset) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let rows = phones.into_iter().map(|(standing, row)| {
        let pending = match row.heard_at {
            Some(_) => Value::Whole(row.pending),
            None => Value::text(say("desk.cannot_know")),
        };
        vec![
            Value::text(say(&format!("figures.phone_{}", standing.key()))),
            Value::text(row.person),
            Value::text(row.phone),
            Value::instant(row.heard_at, offset),
            pending,
            Value::Whole(row.open_jobs),
        ]
    });
    let headers = [
        "figures.state",
        "desk.column_who",
        "figures.phone",
        "figures.heard",
        "figures.pending",
        "figures.open_jobs",
    ];
    let rows = rows.collect();
    Sheet { title: say("figures.file.phones"), headers: headers.map(say).to_vec(), rows }
}
