//! What is behind a number, all of it: its jobs, households, cases and outages as one sheet.

use domain::catalogue::{self, Language};
use domain::id::{ApplicationId, HallId};
use domain::outage::RULE;
use domain::stamp::Timestamp;

use super::tables::{Desk, JOBS};
use super::{Sheet, Value};
use crate::applications::{self, Whole};
use crate::db::exports::{self, CaseRow, DoorRow};
use crate::db::halls::HallRow;
use crate::db::outages::{self, OutageRow};
use crate::db::{C, devices};
use crate::figures::Pile;
use crate::http::error::ApiError;
use crate::outage::outage;
use crate::packs::Packs;

/// Lists what is behind a number of a hall's figure, in the order in which it was made.
pub async fn behind(
    mut c: C<'_>,
    hall: &HallRow,
    pile: &Pile,
    (packs, language, now): (&Packs, Language, Timestamp),
) -> anyhow::Result<Sheet> {
    let (desk, id) = (Desk::of(hall, language), HallId(hall.hall_id));
    let heard = devices::list_heard_until(c.lend(), id).await?;
    let mut rows = Vec::new();
    for job in &pile.jobs {
        if let Some(row) = exports::find_job(c.lend(), id, *job).await? {
            rows.push([vec![desk.what("job")], desk.job(row, now, &heard)].concat());
        }
    }
    for household in &pile.households {
        if let Some(row) = exports::find_door(c.lend(), id, *household).await? {
            rows.push(desk.door(row));
        }
    }
    for case in &pile.cases {
        if let Some(row) = exports::find_case(c.lend(), id, *case).await? {
            rows.push(desk.case(row));
        }
    }
    for outage in &pile.outages {
        if let Some(row) = outages::find_outage(c.lend(), id, *outage).await? {
            rows.push(desk.outage(row, now));
        }
    }
    for application in &pile.applications {
        match applications::find(c.lend(), packs, id, ApplicationId(*application)).await {
            Ok(whole) => rows.push(desk.application(whole, language)),
            Err(ApiError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let say = |key: &str| catalogue::text(language, key, &[]);
    // A job's columns, but that a case has a number where a job has an id.
    let more = JOBS.split(' ').skip(1).map(|it| say(&format!("export.column.{it}")));
    let headers = [say("figures.what"), say("figures.number")].into_iter().chain(more).collect();
    Ok(Sheet { title: say("figures.file.behind"), headers, rows })
}

impl Desk {
    fn what(&self, key: &str) -> Value {
        self.word("figures.what", key)
    }

    fn door(&self, row: DoorRow) -> Vec<Value> {
        let DoorRow { account, holder, address, phone } = row;
        let door = [account, holder, address, phone].map(Value::text);
        [vec![self.what("household"), Value::Empty, Value::Empty, Value::Empty], door.to_vec()]
            .concat()
            .into_iter()
            .chain(std::iter::repeat_n(Value::Empty, 7))
            .collect()
    }

    fn outage(&self, row: OutageRow, now: Timestamp) -> Vec<Value> {
        let known = outage(&row);
        vec![
            self.what("outage"),
            Value::Empty,
            self.word("outage.kind", known.kind.key()),
            self.word("outage.state", known.state(now).key()),
            Value::Empty,
            Value::Empty,
            Value::text(row.area),
            Value::Empty,
            Value::Empty,
            self.at(row.from_at),
            self.at(row.until_at),
            self.at(row.made_at),
            Value::text(RULE),
            self.at(Some(row.due_at)),
            Value::Empty,
        ]
    }

    fn application(&self, Whole { row, procedure, .. }: Whole, language: Language) -> Vec<Value> {
        let it = row.application;
        let name = match language {
            Language::Chinese => procedure.zh,
            Language::English => procedure.en,
        };
        let mut cells = vec![
            self.what("application"),
            Value::text(it.number.to_string()),
            Value::text(name),
            self.word("application.state", &it.standing.state),
        ];
        cells.extend([row.account, row.holder, row.address].map(Value::text));
        cells.extend([Value::text(it.contact), Value::Empty, Value::Empty, Value::Empty]);
        cells.push(self.at(it.taken_at));
        cells.extend([Value::Empty, Value::Empty, Value::Empty]);
        cells
    }

    fn case(&self, row: CaseRow) -> Vec<Value> {
        let mut cells = vec![
            self.what("case"),
            Value::text(row.number.to_string()),
            self.word("case.kind", &row.kind),
        ];
        cells.extend(std::iter::repeat_n(Value::Empty, 5));
        cells.push(Value::text(row.owner));
        cells.extend([Value::Empty, Value::Empty]);
        cells.push(self.at(row.opened_at));
        cells.extend([Value::maybe(row.promise_rule), self.at(row.due_at), Value::Empty]);
        cells
    }
}
