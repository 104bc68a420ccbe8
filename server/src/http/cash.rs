//! Cash at home (B15): the daily balance of each technician, what was counted at the hall, and the same as a file.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{NaiveDate, TimeDelta};
use domain::calendar::city_day;
use domain::cash::{Balance, HandIn};
use domain::id::UserId;
use domain::measure::Fen;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Cashier, PasswordGiven, Phone};
use super::error::ApiError;
use super::exports::{Form, Tongue, download, span};
use super::extract::{Query, read_whole};
use super::jobs::day_bounds;
use super::once::{Once, Receipt};
use super::outages::fitting;
use super::plans::said;
use super::users::find_in_hall;
use crate::audit::{self, Entry, Subject, What};
use crate::cash::{self, Book, LIVE_KIND, may_bring_more};
use crate::db::cash::{self as rows, PhoneRow};
use crate::db::halls::{self, HallRow};
use crate::db::{live_events, users};
use crate::export;
use crate::identity::Role;
use crate::ids::fresh_uuid;
use crate::retry::until_won;
use crate::state::AppState;

/// The most that is counted at once, in fen: a hundred thousand yuan.
const MOST_FEN: i64 = 10_000_000;

/// How long ago a day can be whose cash is counted.
const MOST_DAYS: i64 = 400;

/// Days that a technician's own view shows.
const OWN_DAYS: i64 = 14;

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskCashDay {
    /// The day in the hall's city, like 2026-03-02; today when not said.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<NaiveDate>,
}

/// A day's cash by all that the hall knows now. Amounts are fen.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashDayBody {
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    technicians: Vec<TechnicianCash>,
    /// Receipts of the day, oldest first.
    receipts: Vec<CashReceipt>,
    /// Counts for the day, oldest first.
    hand_ins: Vec<CashCount>,
}

/// What the day comes to for one technician.
#[derive(Debug, Serialize, ToSchema)]
pub struct TechnicianCash {
    technician: Uuid,
    name: String,
    #[serde(flatten)]
    balance: BalanceBody,
    /// What they carry at the end of the day, of this and earlier ones.
    carried: i64,
    /// Whether more of the day may still arrive: a phone holds something, or was not heard since the day ended.
    is_open: bool,
    /// When the hall heard last from whichever of their phones has been silent longest; `null` for never.
    heard_at: Option<i64>,
    /// What their phones said that they still hold alone.
    pending: i64,
}

/// What a day comes to.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct BalanceBody {
    /// What the receipts that stand say.
    taken: i64,
    receipts: u32,
    void: u32,
    /// What was counted at the hall.
    handed_in: i64,
    /// Counted less taken.
    difference: i64,
}

impl From<Balance> for BalanceBody {
    fn from(it: Balance) -> Self {
        Self {
            taken: it.taken.0,
            receipts: it.receipts,
            void: it.void,
            handed_in: it.handed_in.0,
            difference: it.difference().0,
        }
    }
}

/// A receipt.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashReceipt {
    job: Uuid,
    technician: Uuid,
    receipt: String,
    account: String,
    amount: i64,
    /// Why somebody pays so who is in no entitled group; empty for who is.
    reason: String,
    taken_at: i64,
    is_void: bool,
    /// Whether the hall handed this number to the phone that wrote it.
    is_reserved: bool,
    /// Cases that look at it.
    cases: Vec<CashCase>,
}

/// A case that looks at a receipt.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashCase {
    id: Uuid,
    number: i64,
    /// `paid_twice` or `same_number`.
    doubt: String,
}

/// Cash counted at the hall.
#[derive(Debug, Serialize, ToSchema)]
pub struct CashCount {
    id: Uuid,
    technician: Uuid,
    counted: i64,
    note: String,
    author: String,
    at: i64,
}

/// Shows what a day's cash comes to for each technician, with its receipts and counts.
#[utoipa::path(
    get, path = "/api/cash", tag = "cash", params(AskCashDay),
    responses((status = 200, description = "The day.", body = CashDayBody)),
)]
pub async fn get_cash_day(
    State(state): State<AppState>,
    Cashier(caller): Cashier,
    Query(asked): Query<AskCashDay>,
) -> Result<Json<CashDayBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let day = asked.day.unwrap_or_else(|| today(&hall, &state));
    let (_, ends_ms) = day_bounds(day, hall.utc_offset_minutes)?;
    let book = cash::book(conn.c(), caller.hall, (day, day), None).await?;
    let carried = cash::carried(conn.c(), caller.hall, day).await?;
    let phones = rows::list_phones(conn.c(), caller.hall).await?;
    let mut people: BTreeSet<UserId> = book.balances.keys().map(|(_, user)| *user).collect();
    people.extend(carried.iter().filter(|(_, fen)| fen.0 != 0).map(|(user, _)| *user));
    let mut technicians = Vec::with_capacity(people.len());
    for user in people {
        let balance = book.balances.get(&(day, user)).copied().unwrap_or_default();
        let own: Vec<&PhoneRow> = phones.iter().filter(|row| row.user_id == user.0).collect();
        let name = users::find_user(conn.c(), user).await?.map(|row| row.name);
        let heard = own.iter().map(|row| row.heard_at).min().flatten();
        technicians.push(TechnicianCash {
            technician: user.0,
            name: name.unwrap_or_default(),
            balance: balance.into(),
            carried: carried.get(&user).map_or(0, |fen| fen.0),
            is_open: own.iter().any(|row| may_bring_more(row, ends_ms)),
            heard_at: heard,
            pending: own.iter().map(|row| row.pending).sum(),
        });
    }
    technicians.sort_by(|a, b| (&a.name, a.technician).cmp(&(&b.name, b.technician)));
    Ok(Json(CashDayBody { day, technicians, receipts: receipts(&book), hand_ins: counts(&book) }))
}

/// What a technician carries, by all that the hall knows.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnCashBody {
    /// Fen.
    carried: i64,
    /// The last days with cash, the newest first.
    days: Vec<OwnCashDay>,
    /// The server's time, Unix milliseconds.
    at: i64,
}

/// One day of a technician's cash.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnCashDay {
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    #[serde(flatten)]
    balance: BalanceBody,
}

/// Shows technicians what they carry and what was counted of it.
#[utoipa::path(
    get, path = "/api/cash/mine", tag = "cash",
    responses((status = 200, description = "Their own cash.", body = OwnCashBody)),
)]
pub async fn get_own_cash(
    State(state): State<AppState>,
    phone: Phone,
) -> Result<Json<OwnCashBody>, ApiError> {
    let (hall_id, user) = (phone.caller.hall, phone.caller.user);
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), hall_id).await?.ok_or(ApiError::NotFound("hall"))?;
    let today = today(&hall, &state);
    let from = today.checked_sub_signed(TimeDelta::days(OWN_DAYS)).unwrap_or(today);
    let book = cash::book(conn.c(), hall_id, (from, today), Some(user)).await?;
    let carried = cash::carried(conn.c(), hall_id, today).await?;
    let days = book.balances.iter().rev();
    let days = days.map(|((day, _), it)| OwnCashDay { day: *day, balance: (*it).into() });
    let carried = carried.get(&user).map_or(0, |fen| fen.0);
    Ok(Json(OwnCashBody { carried, days: days.collect(), at: state.clock.now_ms() }))
}

/// Cash that a technician laid on the counter.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountCash {
    technician: Uuid,
    /// The day whose cash it is, no later than today.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    /// Fen, not zero; less than nothing corrects an earlier count, with a note.
    #[serde(deserialize_with = "read_whole")]
    #[schema(minimum = -10_000_000, maximum = 10_000_000)]
    counted: i64,
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
}

/// What was counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountedBody {
    id: Uuid,
}

/// Enters what was counted of a technician's cash; nothing is ever changed, a wrong count is corrected by another.
#[utoipa::path(
    post, path = "/api/cash/counts", tag = "cash", request_body = CountCash,
    responses(
        (status = 201, description = "It is entered.", body = CountedBody),
        (status = 404, description = "The hall has no such technician."),
    ),
)]
pub async fn count_cash(
    State(state): State<AppState>,
    Cashier(caller): Cashier,
    Once(body, receipt): Once<CountCash>,
) -> Result<(StatusCode, Json<CountedBody>), ApiError> {
    let note = fitting(&body.note, "note")?;
    let is_sum = body.counted != 0 && (-MOST_FEN..=MOST_FEN).contains(&body.counted);
    if !is_sum {
        let what = "send as `counted` fen from -10000000 to 10000000, and not zero";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    if body.counted < 0 {
        said(note.clone())?;
    }
    let person = find_in_hall(&state, &caller, UserId(body.technician)).await?;
    if person.role != Role::Technician {
        let what = "cash is taken by technicians: choose one of them";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    let hand_in = HandIn { technician: person.id, day: body.day, counted: Fen(body.counted) };
    let made = until_won(|| enter(&state, &caller, (&hand_in, &note), &receipt)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn enter(
    state: &AppState,
    caller: &Caller,
    (hand_in, note): (&HandIn, &str),
    receipt: &Receipt,
) -> Result<CountedBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let hall = halls::find_hall(tx.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let today = today(&hall, state);
    if hand_in.day > today || today - hand_in.day > TimeDelta::days(MOST_DAYS) {
        let what = "count the cash of a day no later than today and at most 400 days ago";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    let id = fresh_uuid(now);
    let (by, now_ms) = ((caller.hall, caller.user), now.timestamp_millis());
    rows::insert_hand_in(tx.c(), by, (id, hand_in, note), now_ms).await?;
    let entry = Entry::new(caller, What::CashCounted, Subject::Id("person", hand_in.technician.0));
    let detail = json!({"day": hand_in.day, "fen": hand_in.counted});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, id), (now, position)).await?;
    let made = CountedBody { id };
    receipt.keep(tx.c(), &made, now_ms).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(made)
}

/// Which days, and what of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskCashFile {
    /// The first day in the hall's city, like 2026-03-02.
    #[param(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day, no earlier, at most 400 days later.
    #[param(value_type = String, format = Date)]
    to: NaiveDate,
    /// The balances of days, or every receipt.
    #[serde(default)]
    #[param(value_type = Option<CashTable>, inline)]
    what: CashTable,
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// What a file of cash lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CashTable {
    /// What each day of each technician comes to.
    #[default]
    Balances,
    /// Every receipt, void ones too.
    Receipts,
}

/// Writes the cash of days as a file for spreadsheets.
#[utoipa::path(
    get, path = "/api/cash/file", tag = "cash", params(AskCashFile),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_cash(
    State(state): State<AppState>,
    Cashier(caller): Cashier,
    _: PasswordGiven,
    Query(asked): Query<AskCashFile>,
) -> Result<impl IntoResponse, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    span(&hall, (asked.from, asked.to))?;
    let book = cash::book(conn.c(), caller.hall, (asked.from, asked.to), None).await?;
    let mut names = BTreeMap::new();
    let people: BTreeSet<UserId> = book.balances.keys().map(|(_, user)| *user).collect();
    for user in people {
        let row = users::find_user(conn.c(), user).await?;
        names.insert(user, row.map(|row| row.name).unwrap_or_default());
    }
    drop(conn);
    let language = asked.lang.into();
    let (sheet, name) = match asked.what {
        CashTable::Balances => (export::cash_balances(&book, &names, language), "cash"),
        CashTable::Receipts => (export::cash_receipts(&book, &names, &hall, language), "receipts"),
    };
    download(sheet, asked.format, &format!("{name}-{}-{}", asked.from, asked.to)).await
}

/// The day that it is in the hall's city.
fn today(hall: &HallRow, state: &AppState) -> NaiveDate {
    city_day(state.clock.now(), i32::try_from(hall.utc_offset_minutes).unwrap_or(0))
}

fn receipts(book: &Book) -> Vec<CashReceipt> {
    let receipt = |row: &rows::TakenRow| {
        let place = (row.job_id, row.visit_id, row.fact_id);
        let doubts = book.doubts.iter().filter(|it| (it.job_id, it.visit_id, it.fact_id) == place);
        let cases = doubts.map(|it| CashCase {
            id: it.case_id,
            number: it.case_number,
            doubt: it.doubt.clone(),
        });
        CashReceipt {
            job: row.job_id,
            technician: row.technician_id,
            receipt: row.receipt.clone(),
            account: row.account.clone(),
            amount: row.amount,
            reason: row.reason.clone(),
            taken_at: row.taken_at,
            is_void: row.withdrawn,
            is_reserved: row.reserved > 0,
            cases: cases.collect(),
        }
    };
    book.taken.iter().map(receipt).collect()
}

fn counts(book: &Book) -> Vec<CashCount> {
    let count = |row: &rows::HandInRow| CashCount {
        id: row.hand_in_id,
        technician: row.technician_id,
        counted: row.counted,
        note: row.note.clone(),
        author: row.author_name.clone(),
        at: row.at,
    };
    book.hand_ins.iter().map(count).collect()
}
