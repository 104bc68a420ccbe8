//! What lists and pages show of cases, and the questions at doors that are none yet.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use domain::case::CaseState;
use domain::id::HouseholdId;
use domain::promise::PromiseState;
use domain::stamp::{Heard, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::Staff;
use super::cases::AskedAt;
use super::error::ApiError;
use super::extract::Query;
use super::page::{Limit, read_cursor};
use super::schema;
use crate::cases::nature;
use crate::db::cases::{self as rows, CountsRow, ListedRow, LookRow, OriginRow, QuestionRow};
use crate::jobs::summary::{Door, JobSummary, PromiseBody};
use crate::state::AppState;

/// A case in a list; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseSummary {
    id: Uuid,
    /// What people say on the phone.
    number: i64,
    #[schema(schema_with = schema::case_kind)]
    kind: String,
    #[schema(schema_with = schema::channel)]
    channel: String,
    #[schema(schema_with = schema::case_state)]
    state: String,
    /// What somebody said.
    words: String,
    /// Whose home it is about.
    household: Option<Door>,
    /// Who came with it; empty where that is secret.
    caller: String,
    /// How to reach them; empty where that is secret.
    contact: String,
    /// Whether who came with it is shown to the owner alone.
    is_secret: bool,
    /// Who has it.
    owner: Uuid,
    /// Whether the owner was shut out, so that somebody has to hand it on.
    owner_has_left: bool,
    /// To whom it is offered.
    offered_to: Option<Uuid>,
    promise: Option<PromiseBody>,
    /// Whether the caller waits for a call.
    call_back_owed: bool,
    opened_at: i64,
    told_at: Option<i64>,
    closed_at: Option<i64>,
    /// How many things have happened to it: what an addition is held to.
    version: i64,
}

impl CaseSummary {
    /// A stored case as of now.
    pub fn new(row: ListedRow, now: Timestamp) -> anyhow::Result<Self> {
        let nature = nature(&row.case)?;
        let case = row.case;
        let standing = case.standing;
        let promise = case.promise_rule.zip(standing.due_at).map(|(rule, due_at)| {
            let state = promise_state(due_at, standing.told_at, now);
            PromiseBody { rule, due_at, state: state.key().to_owned() }
        });
        let door = case.household_id.zip(row.account).zip(row.holder).zip(row.address);
        let household = door.map(|(((id, account), holder), address)| Door {
            id: HouseholdId(id),
            account,
            holder,
            address,
        });
        let is_open = standing.state != CaseState::Closed.key();
        Ok(Self {
            id: case.case_id,
            number: case.number,
            kind: case.kind,
            channel: case.channel,
            state: standing.state,
            words: case.words,
            household,
            caller: case.caller_name,
            contact: case.caller_contact,
            is_secret: nature.kind.hides_caller(),
            owner: standing.owner_id,
            owner_has_left: row.owner_left_at.is_some() && is_open,
            offered_to: standing.offered_to,
            promise,
            call_back_owed: standing.call_back_owed,
            opened_at: case.opened_at,
            told_at: standing.told_at,
            closed_at: standing.closed_at,
            version: standing.version,
        })
    }
}

fn promise_state(due_at: i64, told_at: Option<i64>, now: Timestamp) -> PromiseState {
    match told_at {
        Some(told_at) if told_at <= due_at => PromiseState::Kept,
        Some(_) => PromiseState::Broken,
        None => {
            let due_at = chrono::DateTime::from_timestamp_millis(due_at).unwrap_or(now);
            PromiseState::Running.read_at(due_at, now, Heard::Nobody)
        }
    }
}

/// How many open cases there are for somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseCounts {
    /// Theirs.
    mine: i64,
    /// Offered to them.
    offered: i64,
    /// All.
    open: i64,
    /// Those whose promise is broken.
    overdue: i64,
    /// Those whose caller waits for a call.
    call_back: i64,
    /// Those whose owner was shut out.
    left: i64,
    /// Questions at doors that are no case yet.
    asked: i64,
}

impl CaseCounts {
    /// The counts as stored.
    pub fn new(row: CountsRow, asked: i64) -> Self {
        let CountsRow { mine, offered, open, overdue, call_back, left_behind } = row;
        Self { mine, offered, open, overdue, call_back, left: left_behind, asked }
    }
}

/// A case that a job was born of.
#[derive(Debug, Serialize, ToSchema)]
pub struct OriginBody {
    id: Uuid,
    /// What people say on the phone.
    number: i64,
    #[schema(schema_with = schema::case_kind)]
    kind: String,
    #[schema(schema_with = schema::case_state)]
    state: String,
}

impl From<OriginRow> for OriginBody {
    fn from(row: OriginRow) -> Self {
        Self { id: row.case_id, number: row.number, kind: row.kind, state: row.state }
    }
}

/// A case whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseBody {
    /// As lists show it.
    pub case: CaseSummary,
    /// What happened to it, oldest first: `type`, `by`, `at`, and what belongs to the type.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, serde_json::Value>>)]
    pub history: serde_json::Value,
    /// What the caller may do with it now.
    pub may: Vec<&'static str>,
    /// The jobs born of it.
    pub jobs: Vec<JobSummary>,
    /// The jobs whose work it looks at, because it was done twice.
    pub about: Vec<JobSummary>,
    /// Who looked at the reporter of abuse.
    pub looks: Vec<Look>,
    /// Whether the caller may look.
    pub may_see_reporter: bool,
    /// What a proven report earns, in yuan.
    pub reward_yuan: Option<u32>,
    /// How often its promise was broken before it was taken up again.
    pub broken_before: u32,
    /// The question at a door that it answers.
    pub asked: Option<AskedAt>,
}

/// A look at a reporter.
#[derive(Debug, Serialize, ToSchema)]
pub struct Look {
    by: Uuid,
    at: i64,
    /// Whether they were shown nothing.
    refused: bool,
}

impl Look {
    /// A look as stored.
    pub fn new(row: &LookRow) -> Self {
        Self { by: row.user_id, at: row.at, refused: row.refused }
    }
}

/// Who reported abuse.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReporterBody {
    /// Their name.
    pub name: String,
    /// How to reach them.
    pub contact: String,
}

/// Where to go on in the list of questions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuestions {
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// A page of questions.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionsBody {
    questions: Vec<QuestionBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
}

/// A question that was asked at a door.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionBody {
    /// Where it stands: to send as `asked` of a case.
    asked: AskedAt,
    question: String,
    /// The earliest that it can have been asked.
    earliest: i64,
    /// The latest.
    latest: i64,
    /// Who was asked.
    technician: Uuid,
    household: Door,
    /// The household's telephone number.
    phone: String,
}

/// Lists the questions asked at doors that are no case yet, oldest first (A10).
#[utoipa::path(
    get, path = "/api/questions", tag = "cases", params(ListQuestions),
    responses((status = 200, description = "A page of questions.", body = QuestionsBody)),
)]
pub async fn list_questions(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Query(asked): Query<ListQuestions>,
) -> Result<Json<QuestionsBody>, ApiError> {
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((i64::MIN, Uuid::nil()));
    let mut conn = state.db.read().await?;
    let page = (after, asked.limit.rows());
    let listed = rows::list_questions(conn.c(), caller.hall, page).await?;
    let next = asked.limit.next(&listed, |row| (row.earliest, row.fact_id));
    Ok(Json(QuestionsBody { questions: listed.into_iter().map(question).collect(), next }))
}

fn question(row: QuestionRow) -> QuestionBody {
    QuestionBody {
        asked: AskedAt { job: row.job_id, visit: row.visit_id, fact: row.fact_id },
        question: row.body.0["question"].as_str().unwrap_or_default().to_owned(),
        earliest: row.earliest,
        latest: row.latest,
        technician: row.technician_id,
        household: Door {
            id: HouseholdId(row.household_id),
            account: row.account,
            holder: row.holder,
            address: row.address,
        },
        phone: row.phone,
    }
}
