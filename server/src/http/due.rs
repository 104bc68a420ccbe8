//! What is due in the hall: a list that is worked out when it is asked for, its numbers, and the same as a file (B7, B8, B14, C5).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{Datelike as _, NaiveDate, TimeDelta};
use domain::address::{building, road};
use domain::catalogue::Language;
use domain::due::What;
use domain::id::{HouseholdId, UserId};
use domain::job::JobKind;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, PasswordGiven, Staff};
use super::error::ApiError;
use super::exports::{Form, Tongue, download};
use super::extract::Query;
use super::page::{Limit, Words, read_cursor};
use super::schema;
use super::unreached::NextRung;
use crate::db::due::OpenRow;
use crate::db::halls;
use crate::due::figures::{DueFigures, figures};
use crate::due::{Line, Looking, list};
use crate::export::{self, MOST_ROWS};
use crate::jobs::summary::WindowBody;
use crate::state::AppState;
use crate::unreached::{self, Tried};

/// Nobody looks further ahead.
const MOST_DAYS: i64 = 400;

/// Letters of a road or building.
const LONGEST_PLACE: usize = 200;

/// Whether a job serves it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// Nobody is sent yet.
    Open,
    /// A job is open, and its window is still to be agreed.
    ToBeAgreed,
    /// A job is open, and its window is agreed or announced.
    Planned,
}

/// A month of last days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Month {
    /// Those before today.
    Overdue,
    /// Those of a year and month, from today on.
    Of(i32, u32),
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "overdue" {
            return Ok(Self::Overdue);
        }
        let is_number = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
        let parts = text.split_once('-').filter(|(year, month)| {
            year.len() == 4 && month.len() == 2 && is_number(year) && is_number(month)
        });
        let parts = parts.and_then(|(year, month)| Some((year.parse().ok()?, month.parse().ok()?)));
        let (year, month) =
            parts.ok_or_else(|| D::Error::custom("send a `month` like 2026-12, or `overdue`"))?;
        Ok(Self::Of(year, month))
    }
}

/// Which items to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDue {
    /// The last day of the horizon, at most 400 days ahead.
    #[param(value_type = String, format = Date)]
    until: NaiveDate,
    #[param(schema_with = schema::due_what)]
    what: Option<What>,
    /// The kind of job that serves it.
    #[param(schema_with = schema::job_kind)]
    kind: Option<JobKind>,
    #[param(value_type = Option<Served>, inline)]
    served: Option<Served>,
    /// The month of its last day, like `2026-12`; `overdue` for what is late.
    #[param(value_type = Option<String>, pattern = "^([0-9]{4}-[0-9]{2}|overdue)$")]
    month: Option<Month>,
    /// The beginning of the address up to the end of the road.
    #[param(value_type = Option<String>, max_length = 200)]
    road: Option<String>,
    /// The beginning of the address up to the end of the building.
    #[param(value_type = Option<String>, max_length = 200)]
    building: Option<String>,
    /// Words in the household's account, holder or address.
    #[param(value_type = Option<String>, max_length = 100)]
    text: Option<Words>,
    /// The last page's `next`.
    after: Option<String>,
    /// Items on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of what is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueBody {
    /// By their last days, then by address.
    items: Vec<DueItem>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
    /// How many items there are on all pages.
    total: usize,
    /// How many households they are of.
    households: usize,
    /// Today in the hall's city.
    #[schema(value_type = String, format = Date)]
    today: NaiveDate,
}

/// Something that is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueItem {
    household: Uuid,
    account: String,
    holder: String,
    address: String,
    #[schema(schema_with = schema::due_what)]
    what: What,
    /// Which meter, hose, appliance or finding.
    about: Option<Uuid>,
    /// The first day on which doing it counts.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day on which it is in time.
    #[schema(value_type = String, format = Date)]
    by: NaiveDate,
    is_overdue: bool,
    /// Whether nobody knows for sure when it is due.
    is_estimated: bool,
    /// The kind of job that serves it.
    #[schema(schema_with = schema::job_kind)]
    kind: JobKind,
    /// Why, in Chinese.
    zh: String,
    /// Why, in English.
    en: String,
    /// The newest visit of the kind, where it did not get in.
    tried: Option<DueTry>,
    /// The open job that serves it.
    job: Option<DueJob>,
}

/// A visit that did not get in.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueTry {
    /// How it ended: `no_one_home`, `refused` or `empty`.
    last: String,
    last_at: i64,
    /// What is done next, where its kind has a ladder.
    next: Option<NextRung>,
}

impl From<&Tried> for DueTry {
    fn from(tried: &Tried) -> Self {
        Self {
            last: tried.met.key().to_owned(),
            last_at: tried.at.timestamp_millis(),
            next: tried.next.clone().map(NextRung::from),
        }
    }
}

/// A job that serves what is due.
#[derive(Debug, Serialize, ToSchema)]
pub struct DueJob {
    id: Uuid,
    #[schema(schema_with = schema::status)]
    status: String,
    #[schema(value_type = Option<Uuid>)]
    technician: Option<UserId>,
    /// What was agreed or announced; `null` while it is to be agreed.
    window: Option<WindowBody>,
    /// What the hall proposed.
    proposed: Option<WindowBody>,
}

impl From<OpenRow> for DueJob {
    fn from(row: OpenRow) -> Self {
        let window = |(start, end): (i64, i64)| WindowBody { start, end };
        Self {
            id: row.job_id,
            status: row.status,
            technician: row.technician_id.map(UserId),
            window: row.window_start.zip(row.window_end).map(window),
            proposed: row.proposed_start.zip(row.proposed_end).map(window),
        }
    }
}

impl DueItem {
    fn new(line: Line, today: NaiveDate, tried: Option<&Tried>) -> Self {
        let Line { household, item, job } = line;
        Self {
            household: household.id.0,
            account: household.account,
            holder: household.holder,
            address: household.address,
            what: item.what,
            about: item.about,
            from: item.from,
            by: item.by,
            is_overdue: item.by < today,
            is_estimated: item.is_estimated,
            kind: item.kind,
            zh: item.why.say(Language::Chinese),
            en: item.why.say(Language::English),
            tried: tried.map(DueTry::from),
            job: job.map(DueJob::from),
        }
    }
}

/// Which of the items somebody asks for.
struct Filter {
    what: Option<What>,
    kind: Option<JobKind>,
    served: Option<Served>,
    month: Option<Month>,
    road: Option<String>,
    building: Option<String>,
    words: Option<String>,
}

impl Filter {
    fn fits(&self, line: &Line, today: NaiveDate) -> bool {
        let Line { household, item, job } = line;
        let fits = |month: &Month| match month {
            Month::Overdue => item.by < today,
            Month::Of(year, month) => {
                item.by >= today && (item.by.year(), item.by.month()) == (*year, *month)
            }
        };
        let served = job.as_ref().map_or(Served::Open, |job| match job.window_start {
            Some(_) => Served::Planned,
            None => Served::ToBeAgreed,
        });
        let has = |words: &String| {
            [&household.account, &household.holder, &household.address]
                .into_iter()
                .any(|it| it.to_lowercase().contains(words))
        };
        self.what.is_none_or(|it| it == item.what)
            && self.kind.is_none_or(|it| it == item.kind)
            && self.served.is_none_or(|it| it == served)
            && self.month.as_ref().is_none_or(fits)
            && self.road.as_deref().is_none_or(|it| road(&household.address) == Some(it))
            && self.building.as_deref().is_none_or(|it| building(&household.address) == it)
            && self.words.as_ref().is_none_or(has)
    }
}

/// Lists what is due by the end of a horizon, with the open job that serves each.
#[utoipa::path(
    get, path = "/api/due", tag = "due", params(ListDue),
    responses((status = 200, description = "A page of what is due.", body = DueBody)),
)]
pub async fn list_due(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<ListDue>,
) -> Result<Json<DueBody>, ApiError> {
    let after: Option<(NaiveDate, String, HouseholdId, What, Option<Uuid>)> =
        read_cursor(asked.after.as_deref())?;
    let filter = Filter {
        what: asked.what,
        kind: asked.kind,
        served: asked.served,
        month: asked.month,
        road: place(asked.road)?,
        building: place(asked.building)?,
        words: asked.text.map(|it| it.lower()).filter(|it| !it.is_empty()),
    };
    let (today, mut lines) = read(&state, &caller, asked.until).await?;
    lines.retain(|line| filter.fits(line, today));
    let total = lines.len();
    let doors = lines.iter().map(|it| it.household.id);
    let households = doors.collect::<std::collections::BTreeSet<_>>().len();
    if let Some((by, address, household, what, about)) = &after {
        let key = (*by, address.as_str(), *household, *what, *about);
        lines.retain(|line| line.key() > key);
    }
    lines.truncate(usize::try_from(asked.limit.rows()).unwrap_or(usize::MAX));
    let next = asked.limit.next(&lines, |line| {
        let (by, address, household, what, about) = line.key();
        (by, address.to_owned(), household, what, about)
    });
    let mut conn = state.db.read().await?;
    let tried = unreached::tried(&state.packs, conn.c(), caller.hall, state.clock.now()).await?;
    let items = lines.into_iter().map(|line| {
        let tried = tried.get(&(line.household.id, line.item.kind));
        DueItem::new(line, today, tried)
    });
    let items = items.collect();
    Ok(Json(DueBody { items, next, total, households, today }))
}

/// Reads what is due in the caller's hall by the end of a day.
async fn read(
    state: &AppState,
    caller: &Caller,
    until: NaiveDate,
) -> Result<(NaiveDate, Vec<Line>), ApiError> {
    let now = state.clock.now();
    let mut conn = state.db.read().await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    let looking = Looking { packs: &state.packs, pack: &pack, now };
    let today = looking.today();
    check_until(until, today)?;
    let lines = list(conn.c(), caller.hall, &looking, until).await?;
    Ok((today, lines))
}

/// A horizon ends on a day that somebody can look ahead to.
pub(super) fn check_until(until: NaiveDate, today: NaiveDate) -> Result<(), ApiError> {
    if until >= today && until - today <= TimeDelta::days(MOST_DAYS) {
        return Ok(());
    }
    let what = format!("let `until` be a day from today on, at most {MOST_DAYS} days ahead");
    Err(ApiError::Unprocessable(what))
}

fn place(name: Option<String>) -> Result<Option<String>, ApiError> {
    if name.as_ref().is_some_and(|it| it.chars().count() > LONGEST_PLACE) {
        let what = format!("send a road or building of {LONGEST_PLACE} letters or fewer");
        return Err(ApiError::Unprocessable(what));
    }
    Ok(name.filter(|it| !it.is_empty()))
}

/// Which numbers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskDueFigures {
    /// The last day of the horizon, at most 400 days ahead.
    #[param(value_type = String, format = Date)]
    until: NaiveDate,
    /// The language of headings.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
}

/// Counts what is due by what it is, by month and by road.
#[utoipa::path(
    get, path = "/api/due/figures", tag = "due", params(AskDueFigures),
    responses((status = 200, description = "Three tables of numbers.", body = DueFigures)),
)]
pub async fn count_due(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<AskDueFigures>,
) -> Result<Json<DueFigures>, ApiError> {
    let (today, lines) = read(&state, &caller, asked.until).await?;
    let pack = state.packs.in_force(state.db.read().await?.c(), state.clock.now()).await?;
    Ok(Json(figures(&lines, (&pack, today), asked.lang.into())))
}

/// Which items, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskDueFile {
    /// The last day of the horizon, at most 400 days ahead.
    #[param(value_type = String, format = Date)]
    until: NaiveDate,
    #[param(schema_with = schema::due_what)]
    what: Option<What>,
    /// The kind of job that serves it.
    #[param(schema_with = schema::job_kind)]
    kind: Option<JobKind>,
    #[param(value_type = Option<Served>, inline)]
    served: Option<Served>,
    /// The month of its last day, like `2026-12`; `overdue` for what is late.
    #[param(value_type = Option<String>, pattern = "^([0-9]{4}-[0-9]{2}|overdue)$")]
    month: Option<Month>,
    /// The beginning of the address up to the end of the road.
    #[param(value_type = Option<String>, max_length = 200)]
    road: Option<String>,
    /// The beginning of the address up to the end of the building.
    #[param(value_type = Option<String>, max_length = 200)]
    building: Option<String>,
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// Writes what is due for spreadsheets.
#[utoipa::path(
    get, path = "/api/due/file", tag = "due", params(AskDueFile),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_due(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Query(asked): Query<AskDueFile>,
) -> Result<impl IntoResponse, ApiError> {
    let filter = Filter {
        what: asked.what,
        kind: asked.kind,
        served: asked.served,
        month: asked.month,
        road: place(asked.road)?,
        building: place(asked.building)?,
        words: None,
    };
    let (today, mut lines) = read(&state, &caller, asked.until).await?;
    lines.retain(|line| filter.fits(line, today));
    lines.truncate(usize::try_from(MOST_ROWS).unwrap_or(usize::MAX));
    let hall = halls::find_hall(state.db.read().await?.c(), caller.hall).await?;
    let hall = hall.ok_or(ApiError::NotFound("hall"))?;
    let sheet = export::due(lines, &hall, (asked.lang.into(), today));
    download(sheet, asked.format, &format!("due-{today}-{}", asked.until)).await
}
