//! Cases: what never changes of one, its events, and what they come to.

use domain::id::{CaseId, HallId, JobId, UserId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, statements};

/// When the clock of a case is due that has none: behind every date.
pub const NO_CLOCK: i64 = i64::MAX;

statements! {
    NEXT_NUMBER = "select coalesce(max(number), 0) + 1 from hall_case where hall_id = $1";
    INSERT_CASE = "insert into hall_case (case_id, hall_id, number, kind, channel, household_id, caller_name, caller_contact, \
        words, call_back, asked_job_id, asked_visit_id, asked_fact_id, pack_id, promise_rule, promise_minutes, opened_at, \
        owner_id, offered_to, state, due_at, told_at, closed_at, clock_at, call_back_owed, version) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
        $24, $25, $26)";
    UPDATE_STANDING = "update hall_case set owner_id = $2, offered_to = $3, state = $4, due_at = $5, told_at = $6, \
        closed_at = $7, clock_at = $8, call_back_owed = $9, version = $10 where case_id = $1";
    LIST_CASES = "select c.case_id, c.hall_id, c.number, c.kind, c.channel, c.household_id, c.caller_name, c.caller_contact, \
        c.words, c.call_back, c.asked_job_id, c.asked_visit_id, c.asked_fact_id, c.pack_id, c.promise_rule, \
        c.promise_minutes, c.opened_at, c.owner_id, c.offered_to, c.state, c.due_at, c.told_at, c.closed_at, c.clock_at, \
        c.call_back_owed, c.version, h.account, h.holder, h.address, o.disabled_at as owner_left_at \
        from hall_case c join user_account o on o.user_id = c.owner_id \
        left join household h on h.household_id = c.household_id \
        where c.hall_id = $1 and (c.clock_at > $2 or (c.clock_at = $2 and c.number < $3)) \
        and (c.case_id = $4 or $4 is null) and (c.owner_id = $5 or $5 is null) and (c.offered_to = $6 or $6 is null) \
        and ((c.closed_at is not null) = $7 or $7 is null) and (c.clock_at < $8 or $8 is null) \
        and (c.call_back_owed = $9 or $9 is null) \
        and ((o.disabled_at is not null and c.closed_at is null) = $10 or $10 is null) \
        and (c.household_id = $11 or $11 is null) and (c.kind = $12 or $12 is null) \
        and (cast(c.number as text) like $13 escape '\\' or lower(c.words) like $13 escape '\\' \
        or lower(c.caller_name) like $13 escape '\\' or c.caller_contact like $13 escape '\\' \
        or lower(h.account) like $13 escape '\\' or lower(h.holder) like $13 escape '\\' \
        or lower(h.address) like $13 escape '\\' or h.phone like $13 escape '\\' or $13 is null) \
        order by c.clock_at, c.number desc limit $14";
    COUNT_CASES = "select \
        cast(coalesce(sum(case when c.owner_id = $2 then 1 else 0 end), 0) as bigint) as mine, \
        cast(coalesce(sum(case when c.offered_to = $2 then 1 else 0 end), 0) as bigint) as offered, \
        count(*) as open, \
        cast(coalesce(sum(case when c.clock_at < $3 then 1 else 0 end), 0) as bigint) as overdue, \
        cast(coalesce(sum(case when c.call_back_owed then 1 else 0 end), 0) as bigint) as call_back, \
        cast(coalesce(sum(case when o.disabled_at is not null then 1 else 0 end), 0) as bigint) as left_behind \
        from hall_case c join user_account o on o.user_id = c.owner_id where c.hall_id = $1 and c.closed_at is null";
    INSERT_EVENT = "insert into case_event (case_id, number, author_id, at, body) values ($1, $2, $3, $4, $5)";
    LIST_EVENTS = "select author_id, at, body from case_event where case_id = $1 order by number";
    LIST_CASE_IDS = "select hall_id, case_id from hall_case order by case_id";
    INSERT_JOB = "insert into case_job (case_id, job_id) values ($1, $2) on conflict do nothing";
    FIND_FIRST_OWNER = "select user_id from user_account where hall_id = $1 and disabled_at is null \
        and role in ('manager', 'hall', 'dispatcher', 'admin') order by case role when 'manager' then 0 \
        when 'hall' then 1 when 'dispatcher' then 2 else 3 end, user_id limit 1";
    LIST_JOB_IDS = "select job_id from case_job where case_id = $1 order by job_id";
    LIST_CASES_OF_JOB = "select c.case_id, c.number, c.kind, c.state from case_job j \
        join hall_case c on c.case_id = j.case_id where j.job_id = $1 and c.hall_id = $2 order by c.number";
    INSERT_REPORTER = "insert into case_reporter (case_id, name, contact) values ($1, $2, $3)";
    FIND_REPORTER = "select name, contact from case_reporter where case_id = $1";
    INSERT_LOOK = "insert into case_look (look_id, case_id, user_id, at, refused) values ($1, $2, $3, $4, $5)";
    LIST_LOOKS = "select user_id, at, refused from case_look where case_id = $1 order by at, look_id";
    FIND_QUESTION = "select j.household_id, f.body from fact f join job j on j.job_id = f.job_id \
        where f.hall_id = $1 and f.job_id = $2 and f.visit_id = $3 and f.fact_id = $4 and f.kind = 'asked' \
        and not f.withdrawn";
    LIST_QUESTIONS = "select f.job_id, f.visit_id, f.fact_id, f.earliest, f.latest, f.body, v.technician_id, j.household_id, \
        h.account, h.holder, h.address, h.phone from fact f join job j on j.job_id = f.job_id \
        join household h on h.household_id = j.household_id \
        join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id \
        left join hall_case c on c.asked_job_id = f.job_id and c.asked_visit_id = f.visit_id and c.asked_fact_id = f.fact_id \
        where f.hall_id = $1 and f.kind = 'asked' and not f.withdrawn and c.case_id is null \
        and (f.earliest > $2 or (f.earliest = $2 and f.fact_id > $3)) order by f.earliest, f.fact_id limit $4";
    COUNT_QUESTIONS = "select count(*) from fact f left join hall_case c on c.asked_job_id = f.job_id \
        and c.asked_visit_id = f.visit_id and c.asked_fact_id = f.fact_id \
        where f.hall_id = $1 and f.kind = 'asked' and not f.withdrawn and c.case_id is null";
}

/// A case as stored: what never changes, and what its events come to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CaseRow {
    /// The case.
    pub case_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// The kind's key.
    pub kind: String,
    /// How it came, a channel's key.
    pub channel: String,
    /// Whose home it is about.
    pub household_id: Option<Uuid>,
    /// Who came with it; empty where that is secret.
    pub caller_name: String,
    /// How to reach them; empty where that is secret.
    pub caller_contact: String,
    /// What they said.
    pub words: String,
    /// Whether they have to be called back.
    pub call_back: bool,
    /// The job at whose door it was asked.
    pub asked_job_id: Option<Uuid>,
    /// The visit.
    pub asked_visit_id: Option<Uuid>,
    /// The question.
    pub asked_fact_id: Option<Uuid>,
    /// The rule pack that holds for it.
    pub pack_id: String,
    /// The rule of its promise.
    pub promise_rule: Option<String>,
    /// How long that gives.
    pub promise_minutes: Option<i64>,
    /// When it was taken on.
    pub opened_at: i64,
    /// What its events come to.
    #[sqlx(flatten)]
    pub standing: StandingRow,
}

/// What the events of a case come to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StandingRow {
    /// Who has it.
    pub owner_id: Uuid,
    /// To whom it is offered.
    pub offered_to: Option<Uuid>,
    /// The state's key.
    pub state: String,
    /// When its promise is broken.
    pub due_at: Option<i64>,
    /// When the caller was told.
    pub told_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// When the clock that still runs is due, or [`NO_CLOCK`].
    pub clock_at: i64,
    /// Whether the caller still waits for a call.
    pub call_back_owed: bool,
    /// How many events there are.
    pub version: i64,
}

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedRow {
    /// The case.
    #[sqlx(flatten)]
    pub case: CaseRow,
    /// The household's account number.
    pub account: Option<String>,
    /// Its holder's name.
    pub holder: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// When the owner was shut out.
    pub owner_left_at: Option<i64>,
}

/// Which cases a list shows; `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One case.
    pub case: Option<Uuid>,
    /// An owner.
    pub owner: Option<Uuid>,
    /// To whom it is offered.
    pub offered_to: Option<Uuid>,
    /// Whether it is over.
    pub closed: Option<bool>,
    /// Clocks that were due before this instant and still run.
    pub due_before: Option<i64>,
    /// Whether the caller waits for a call.
    pub call_back_owed: Option<bool>,
    /// Whether its owner left.
    pub left: Option<bool>,
    /// A household.
    pub household: Option<Uuid>,
    /// The key of a kind.
    pub kind: Option<String>,
    /// What number, words, caller or household are like, in lower case.
    pub pattern: Option<String>,
}

/// The next number of a hall's case; the hall's row has to be held.
pub async fn next_number(c: C<'_>, hall: HallId) -> Result<i64> {
    c.q(NEXT_NUMBER).bind(hall.0).scalar().await
}

/// Inserts a case.
pub async fn insert_case(c: C<'_>, row: &CaseRow) -> Result<()> {
    let q = c.q(INSERT_CASE).bind(row.case_id).bind(row.hall_id).bind(row.number);
    let q = q.bind(&row.kind).bind(&row.channel).bind(row.household_id);
    let q = q.bind(&row.caller_name).bind(&row.caller_contact).bind(&row.words);
    let q = q.bind(row.call_back).bind(row.asked_job_id).bind(row.asked_visit_id);
    let q = q.bind(row.asked_fact_id).bind(&row.pack_id).bind(&row.promise_rule);
    let q = q.bind(row.promise_minutes).bind(row.opened_at);
    let it = &row.standing;
    let q = q.bind(it.owner_id).bind(it.offered_to).bind(&it.state).bind(it.due_at);
    let q = q.bind(it.told_at).bind(it.closed_at).bind(it.clock_at).bind(it.call_back_owed);
    q.bind(it.version).execute().await.map(drop)
}

/// Writes what the events of a case come to.
pub async fn update_standing(c: C<'_>, case: CaseId, it: &StandingRow) -> Result<()> {
    let q = c.q(UPDATE_STANDING).bind(case.0).bind(it.owner_id).bind(it.offered_to);
    let q = q.bind(&it.state).bind(it.due_at).bind(it.told_at).bind(it.closed_at);
    q.bind(it.clock_at).bind(it.call_back_owed).bind(it.version).execute().await.map(drop)
}

/// Lists cases of a hall after a clock and a number: what is due first, then what came last.
pub async fn list_cases(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    ((clock_at, number), limit): ((i64, i64), i64),
) -> Result<Vec<ListedRow>> {
    let q = c.q(LIST_CASES).bind(hall.0).bind(clock_at).bind(number).bind(filter.case);
    let q = q.bind(filter.owner).bind(filter.offered_to).bind(filter.closed);
    let q = q.bind(filter.due_before).bind(filter.call_back_owed).bind(filter.left);
    let q = q.bind(filter.household).bind(&filter.kind).bind(&filter.pattern);
    q.bind(limit).all().await
}

/// Finds a case of a hall.
pub async fn find_case(c: C<'_>, hall: HallId, case: CaseId) -> Result<Option<ListedRow>> {
    let filter = Filter { case: Some(case.0), ..Filter::default() };
    Ok(list_cases(c, hall, &filter, ((i64::MIN, 0), 1)).await?.pop())
}

/// How many open cases there are, seen by somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountsRow {
    /// Theirs.
    pub mine: i64,
    /// Offered to them.
    pub offered: i64,
    /// All.
    pub open: i64,
    /// Those whose promise is broken.
    pub overdue: i64,
    /// Those whose caller waits for a call.
    pub call_back: i64,
    /// Those whose owner left.
    pub left_behind: i64,
}

/// Counts the open cases of a hall.
pub async fn count_cases(c: C<'_>, hall: HallId, user: UserId, now_ms: i64) -> Result<CountsRow> {
    c.q(COUNT_CASES).bind(hall.0).bind(user.0).bind(now_ms).one().await
}

/// An event of a case.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct EventRow {
    /// Who did it.
    pub author_id: Uuid,
    /// When.
    pub at: i64,
    /// What.
    pub body: Json<Value>,
}

/// Adds an event as the next of its case.
pub async fn insert_event(c: C<'_>, case: CaseId, number: i64, row: &EventRow) -> Result<()> {
    let q = c.q(INSERT_EVENT).bind(case.0).bind(number).bind(row.author_id);
    q.bind(row.at).bind(&row.body).execute().await.map(drop)
}

/// Lists the events of a case, oldest first.
pub async fn list_events(c: C<'_>, case: CaseId) -> Result<Vec<EventRow>> {
    c.q(LIST_EVENTS).bind(case.0).all().await
}

/// Lists every case of the server with its hall.
pub async fn list_case_ids(c: C<'_>) -> Result<Vec<(HallId, CaseId)>> {
    let rows: Vec<(Uuid, Uuid)> = c.q(LIST_CASE_IDS).all().await?;
    Ok(rows.into_iter().map(|(hall, id)| (HallId(hall), CaseId(id))).collect())
}

/// Notes that a job was born of a case.
pub async fn insert_job(c: C<'_>, case: CaseId, job: JobId) -> Result<()> {
    c.q(INSERT_JOB).bind(case.0).bind(job.0).execute().await.map(drop)
}

/// Lists the jobs born of a case, in the order in which they were taken on.
pub async fn list_job_ids(c: C<'_>, case: CaseId) -> Result<Vec<JobId>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_JOB_IDS).bind(case.0).all().await?;
    Ok(rows.into_iter().map(|(id,)| JobId(id)).collect())
}

/// A case that a job was born of.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OriginRow {
    /// The case.
    pub case_id: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// The kind's key.
    pub kind: String,
    /// The state's key.
    pub state: String,
}

/// Who takes on a case that nobody opened: a manager, or else somebody of the hall's staff.
pub async fn find_first_owner(c: C<'_>, hall: HallId) -> Result<Option<UserId>> {
    let found = c.q(FIND_FIRST_OWNER).bind(hall.0).opt::<(Uuid,)>().await?;
    Ok(found.map(|(user,)| UserId(user)))
}

/// Lists the cases that a job was born of.
pub async fn list_cases_of_job(c: C<'_>, hall: HallId, job: JobId) -> Result<Vec<OriginRow>> {
    c.q(LIST_CASES_OF_JOB).bind(job.0).bind(hall.0).all().await
}

/// Keeps who reported abuse, apart from the case (B10).
pub async fn insert_reporter(c: C<'_>, case: CaseId, (name, contact): (&str, &str)) -> Result<()> {
    c.q(INSERT_REPORTER).bind(case.0).bind(name).bind(contact).execute().await.map(drop)
}

/// Finds who reported abuse; whoever asks has to note the look.
pub async fn find_reporter(c: C<'_>, case: CaseId) -> Result<Option<(String, String)>> {
    c.q(FIND_REPORTER).bind(case.0).opt().await
}

/// A look at a reporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LookRow {
    /// Who looked.
    pub user_id: Uuid,
    /// When.
    pub at: i64,
    /// Whether they were shown nothing.
    pub refused: bool,
}

/// Notes a look.
pub async fn insert_look(c: C<'_>, look: Uuid, case: CaseId, row: &LookRow) -> Result<()> {
    let q = c.q(INSERT_LOOK).bind(look).bind(case.0).bind(row.user_id);
    q.bind(row.at).bind(row.refused).execute().await.map(drop)
}

/// Lists the looks at a reporter, oldest first.
pub async fn list_looks(c: C<'_>, case: CaseId) -> Result<Vec<LookRow>> {
    c.q(LIST_LOOKS).bind(case.0).all().await
}

/// Finds the household and the body of a question that was asked at a door.
pub async fn find_question(
    c: C<'_>,
    hall: HallId,
    (job, visit, fact): (Uuid, Uuid, Uuid),
) -> Result<Option<(Uuid, Json<Value>)>> {
    c.q(FIND_QUESTION).bind(hall.0).bind(job).bind(visit).bind(fact).opt().await
}

/// A question that was asked at a door and is no case yet.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct QuestionRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// The fact.
    pub fact_id: Uuid,
    /// The earliest that it can have been asked.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
    /// The fact's body.
    pub body: Json<Value>,
    /// Who was asked.
    pub technician_id: Uuid,
    /// Whose door it was.
    pub household_id: Uuid,
    /// The account number.
    pub account: String,
    /// The holder's name.
    pub holder: String,
    /// The address.
    pub address: String,
    /// The telephone number.
    pub phone: String,
}

/// Lists the questions of a hall that are no case yet, after one of them, oldest first.
pub async fn list_questions(
    c: C<'_>,
    hall: HallId,
    ((earliest, fact), limit): ((i64, Uuid), i64),
) -> Result<Vec<QuestionRow>> {
    c.q(LIST_QUESTIONS).bind(hall.0).bind(earliest).bind(fact).bind(limit).all().await
}

/// Counts the questions of a hall that are no case yet.
pub async fn count_questions(c: C<'_>, hall: HallId) -> Result<i64> {
    c.q(COUNT_QUESTIONS).bind(hall.0).scalar().await
}
