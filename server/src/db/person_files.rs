//! What a household's file holds beside its page: answers, money, and who looked.

use domain::id::HouseholdId;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    LIST_CASE_IDS = "select case_id from hall_case where household_id = $1 order by number";
    LIST_APPLICATION_IDS = "select application_id from application where household_id = $1 order by number";
    LIST_RATINGS = "select r.job_id, r.score, r.words, r.rated_at from rating r join document d on d.job_id = r.job_id \
        where d.household_id = $1 order by r.rated_at";
    LIST_WISHES = "select w.job_id, w.window_start, w.window_end, w.made_at, w.state from wish w \
        join document d on d.job_id = w.job_id where d.household_id = $1 order by w.made_at";
    LIST_CALLERS = "select l.job_id, l.caller_phone, l.begun_at from leak l join document d on d.job_id = l.job_id \
        where d.household_id = $1 order by l.begun_at";
    LIST_NOTICES = "select occasion, words, made_at, state, ended_at from household_notice where household_id = $1 order by made_at";
    LIST_CASH = "select amount, receipt, reason, taken_at from cash_taken where household_id = $1 and withdrawn = $2 order by taken_at";
    LIST_LOOKS = "select e.at, e.what, coalesce(u.role, '') as role from audit_entry e left join user_account u on u.user_id = e.user_id \
        where e.subject_id = $1 or e.subject_id in (select d.job_id from document d where d.household_id = $1) order by e.at, e.entry_id";
}

/// What it said of a visit behind its link.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct RatingRow {
    /// The job.
    pub job_id: Uuid,
    /// From 1 to 5.
    pub score: i64,
    /// In its own words.
    pub words: String,
    /// When, Unix ms.
    pub rated_at: i64,
}

/// Another window that it asked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct WishRow {
    /// The job.
    pub job_id: Uuid,
    /// From, Unix ms.
    pub window_start: i64,
    /// Until, Unix ms.
    pub window_end: i64,
    /// When it asked, Unix ms.
    pub made_at: i64,
    /// What became of it.
    pub state: String,
}

/// The number from which a leak was reported.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct CallerRow {
    /// The job.
    pub job_id: Uuid,
    /// The number.
    pub caller_phone: String,
    /// When, Unix ms.
    pub begun_at: i64,
}

/// A message to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct NoticeRow {
    /// What happened.
    pub occasion: String,
    /// What it was told.
    pub words: String,
    /// When it was written, Unix ms.
    pub made_at: i64,
    /// How it stands.
    pub state: String,
    /// When it ended, Unix ms.
    pub ended_at: Option<i64>,
}

/// Cash that it paid at home.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct CashRow {
    /// Fen.
    pub amount: i64,
    /// The receipt's number.
    pub receipt: String,
    /// Why so, mostly empty.
    pub reason: String,
    /// When, Unix ms.
    pub taken_at: i64,
}

/// That somebody of the hall read, changed or took along something of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct LookRow {
    /// When, Unix ms.
    pub at: i64,
    /// What was done, by its key.
    pub what: String,
    /// In which role; empty for the server.
    pub role: String,
}

/// Everything that stands beside the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Beside {
    /// Ratings, the oldest first.
    pub ratings: Vec<RatingRow>,
    /// Windows asked for.
    pub wishes: Vec<WishRow>,
    /// Leaks reported.
    pub callers: Vec<CallerRow>,
    /// Messages.
    pub notices: Vec<NoticeRow>,
    /// Cash.
    pub cash: Vec<CashRow>,
    /// Who looked.
    pub looks: Vec<LookRow>,
}

/// Reads what stands beside the page.
pub async fn find_beside(mut c: C<'_>, household: HouseholdId) -> Result<Beside> {
    let id = household.0;
    Ok(Beside {
        ratings: c.lend().q(LIST_RATINGS).bind(id).all().await?,
        wishes: c.lend().q(LIST_WISHES).bind(id).all().await?,
        callers: c.lend().q(LIST_CALLERS).bind(id).all().await?,
        notices: c.lend().q(LIST_NOTICES).bind(id).all().await?,
        cash: c.lend().q(LIST_CASH).bind(id).bind(false).all().await?,
        looks: c.q(LIST_LOOKS).bind(id).all().await?,
    })
}

/// Its cases by their ids, the oldest first.
pub async fn list_case_ids(c: C<'_>, household: HouseholdId) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_CASE_IDS).bind(household.0).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Its applications by their ids, the oldest first.
pub async fn list_application_ids(c: C<'_>, household: HouseholdId) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_APPLICATION_IDS).bind(household.0).all().await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
