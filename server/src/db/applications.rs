//! Applications: what never changes of one, its events, the trips it cost, its jobs, and what the events come to.

use domain::id::{ApplicationId, HallId, HouseholdId, JobId};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    NEXT_NUMBER = "select coalesce(max(number), 0) + 1 from application where hall_id = $1";
    INSERT_APPLICATION = "insert into application (application_id, hall_id, number, procedure_id, household_id, applicant, \
        contact, words, new_holder, new_phone, new_address, new_household_id, pack_id, opens_account, taken_at, owner_id, \
        state, trips, breaches, was_incomplete, accepted_at, ended_at, version) \
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)";
    UPDATE_STANDING = "update application set owner_id = $2, state = $3, trips = $4, breaches = $5, was_incomplete = $6, \
        accepted_at = $7, ended_at = $8, version = $9 where application_id = $1";
    LIST_APPLICATIONS = "select a.application_id, a.hall_id, a.number, a.procedure_id, a.household_id, a.applicant, a.contact, \
        a.words, a.new_holder, a.new_phone, a.new_address, a.new_household_id, a.pack_id, a.opens_account, a.taken_at, \
        a.owner_id, a.state, a.trips, a.breaches, a.was_incomplete, a.accepted_at, a.ended_at, a.version, \
        h.account, h.holder, h.address from application a join household h on h.household_id = a.household_id \
        where a.hall_id = $1 and a.number < $2 and (a.application_id = $3 or $3 is null) \
        and (a.owner_id = $4 or $4 is null) and (a.state = $5 or $5 is null) \
        and ((a.ended_at is not null) = $6 or $6 is null) and ((a.breaches > 0) = $7 or $7 is null) \
        and (a.household_id = $8 or a.new_household_id = $8 or $8 is null) and (a.procedure_id = $9 or $9 is null) \
        and (cast(a.number as text) like $10 escape '\\' or lower(a.applicant) like $10 escape '\\' \
        or a.contact like $10 escape '\\' or lower(a.words) like $10 escape '\\' or lower(h.account) like $10 escape '\\' \
        or lower(h.holder) like $10 escape '\\' or lower(h.address) like $10 escape '\\' or $10 is null) \
        order by a.number desc limit $11";
    COUNT_APPLICATIONS = "select \
        cast(coalesce(sum(case when state in ('open', 'incomplete') then 1 else 0 end), 0) as bigint) as gathering, \
        cast(coalesce(sum(case when state = 'incomplete' then 1 else 0 end), 0) as bigint) as incomplete, \
        cast(coalesce(sum(case when state = 'accepted' then 1 else 0 end), 0) as bigint) as accepted, \
        cast(coalesce(sum(case when breaches > 0 then 1 else 0 end), 0) as bigint) as breached \
        from application where hall_id = $1";
    INSERT_EVENT = "insert into application_event (application_id, number, author_id, at, body) values ($1, $2, $3, $4, $5)";
    LIST_EVENTS = "select author_id, at, body from application_event where application_id = $1 order by number";
    LIST_APPLICATION_IDS = "select hall_id, application_id from application order by application_id";
    INSERT_TRIP = "insert into application_trip (application_id, number, at) values ($1, $2, $3)";
    INSERT_JOB = "insert into application_job (application_id, job_id) values ($1, $2)";
    FIND_OF_JOB = "select a.application_id, a.number, a.procedure_id, a.state from application_job j \
        join application a on a.application_id = j.application_id where j.job_id = $1 and a.hall_id = $2";
    COUNT_OPEN_JOBS = "select count(*) from application_job a join job j on j.job_id = a.job_id \
        where a.application_id = $1 and j.status not in ('done', 'cancelled')";
    UPDATE_HOLDER = "update household set holder = $2, phone = $3 where household_id = $1";
    LIST_OPEN_JOBS = "select a.job_id from application_job a join job j on j.job_id = a.job_id \
        where a.application_id = $1 and j.status not in ('done', 'cancelled') order by a.job_id";
    UPDATE_ADDRESS = "update household set address = $2, longitude = null, latitude = null \
        where household_id = $1";
    LIST_OPENED = "select a.application_id, a.procedure_id, a.taken_at, \
        (select min(j.status_since) from job j where j.household_id = a.household_id and j.kind = 'ignition' \
        and j.status = 'done' and j.status_since >= a.taken_at) as first_gas_at, \
        (select count(*) from application_trip t join application b on b.application_id = t.application_id \
        where b.household_id = a.household_id and t.at >= a.taken_at and not exists (select j.job_id from job j \
        where j.household_id = a.household_id and j.kind = 'ignition' and j.status = 'done' \
        and j.status_since >= a.taken_at and j.status_since < t.at)) as trips \
        from application a where a.hall_id = $1 and a.opens_account and a.state not in ('refused', 'withdrawn') \
        and a.taken_at >= $2 and a.taken_at < $3 order by a.number";
    LIST_TAKEN = "select application_id, procedure_id, pack_id, state, breaches, was_incomplete from application \
        where hall_id = $1 and taken_at >= $2 and taken_at < $3 order by number";
}

/// An application as stored: what never changes, and what its events come to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ApplicationRow {
    /// The application.
    pub application_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// The procedure's key.
    pub procedure_id: String,
    /// Whose home it is about.
    pub household_id: Uuid,
    /// Who asked.
    pub applicant: String,
    /// How to reach them.
    pub contact: String,
    /// What they asked for, in words.
    pub words: String,
    /// Of a transfer: the holder to be.
    pub new_holder: String,
    /// Their number.
    pub new_phone: String,
    /// Of a relocation: the other address.
    pub new_address: String,
    /// Its household, where the register knows it.
    pub new_household_id: Option<Uuid>,
    /// The rule pack that holds for it.
    pub pack_id: String,
    /// Whether it opens an account.
    pub opens_account: bool,
    /// When it was taken on.
    pub taken_at: i64,
    /// What its events come to.
    #[sqlx(flatten)]
    pub standing: StandingRow,
}

/// What the events of an application come to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StandingRow {
    /// Who has it.
    pub owner_id: Uuid,
    /// The state's key.
    pub state: String,
    /// Ways to the hall.
    pub trips: i64,
    /// How often the household was sent away for what had not been named.
    pub breaches: i64,
    /// Whether it was ever incomplete.
    pub was_incomplete: bool,
    /// When papers and payment were complete.
    pub accepted_at: Option<i64>,
    /// When it was over.
    pub ended_at: Option<i64>,
    /// How many events there are.
    pub version: i64,
}

/// An application in a list.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedRow {
    /// The application.
    #[sqlx(flatten)]
    pub application: ApplicationRow,
    /// The household's account number.
    pub account: String,
    /// Its holder's name.
    pub holder: String,
    /// Its address.
    pub address: String,
}

/// Which applications a list shows; `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One application.
    pub application: Option<Uuid>,
    /// An owner.
    pub owner: Option<Uuid>,
    /// The key of a state.
    pub state: Option<String>,
    /// Whether it is over.
    pub ended: Option<bool>,
    /// Whether its household was sent away for what had not been named.
    pub breached: Option<bool>,
    /// A household.
    pub household: Option<Uuid>,
    /// The key of a procedure.
    pub procedure: Option<String>,
    /// What number, applicant, words or household are like, in lower case.
    pub pattern: Option<String>,
}

/// The next number of a hall's application; the hall's row has to be held.
pub async fn next_number(c: C<'_>, hall: HallId) -> Result<i64> {
    c.q(NEXT_NUMBER).bind(hall.0).scalar().await
}

/// Inserts an application.
pub async fn insert_application(c: C<'_>, row: &ApplicationRow) -> Result<()> {
    let q = c.q(INSERT_APPLICATION).bind(row.application_id).bind(row.hall_id).bind(row.number);
    let q = q.bind(&row.procedure_id).bind(row.household_id).bind(&row.applicant);
    let q = q.bind(&row.contact).bind(&row.words).bind(&row.new_holder).bind(&row.new_phone);
    let q = q.bind(&row.new_address).bind(row.new_household_id).bind(&row.pack_id);
    let q = q.bind(row.opens_account).bind(row.taken_at);
    let it = &row.standing;
    let q = q.bind(it.owner_id).bind(&it.state).bind(it.trips).bind(it.breaches);
    let q = q.bind(it.was_incomplete).bind(it.accepted_at).bind(it.ended_at).bind(it.version);
    q.execute().await.map(drop)
}

/// Writes what the events of an application come to.
pub async fn update_standing(c: C<'_>, id: ApplicationId, it: &StandingRow) -> Result<()> {
    let q = c.q(UPDATE_STANDING).bind(id.0).bind(it.owner_id).bind(&it.state).bind(it.trips);
    let q = q.bind(it.breaches).bind(it.was_incomplete).bind(it.accepted_at).bind(it.ended_at);
    q.bind(it.version).execute().await.map(drop)
}

/// Lists applications of a hall with numbers below one, newest first.
pub async fn list_applications(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    (below, limit): (i64, i64),
) -> Result<Vec<ListedRow>> {
    let q = c.q(LIST_APPLICATIONS).bind(hall.0).bind(below).bind(filter.application);
    let q = q.bind(filter.owner).bind(&filter.state).bind(filter.ended).bind(filter.breached);
    let q = q.bind(filter.household).bind(&filter.procedure).bind(&filter.pattern);
    q.bind(limit).all().await
}

/// Finds an application of a hall.
pub async fn find_application(
    c: C<'_>,
    hall: HallId,
    id: ApplicationId,
) -> Result<Option<ListedRow>> {
    let filter = Filter { application: Some(id.0), ..Filter::default() };
    Ok(list_applications(c, hall, &filter, (i64::MAX, 1)).await?.pop())
}

/// How many applications there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountsRow {
    /// Papers and fees are being gathered.
    pub gathering: i64,
    /// Those whose household knows what is missing.
    pub incomplete: i64,
    /// Those whose jobs are under way.
    pub accepted: i64,
    /// Those whose household was sent away for what had not been named, ever.
    pub breached: i64,
}

/// Counts the applications of a hall.
pub async fn count_applications(c: C<'_>, hall: HallId) -> Result<CountsRow> {
    c.q(COUNT_APPLICATIONS).bind(hall.0).one().await
}

/// An event of an application.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct EventRow {
    /// Who did it.
    pub author_id: Uuid,
    /// When.
    pub at: i64,
    /// What.
    pub body: Json<Value>,
}

/// Adds an event as the next of its application.
pub async fn insert_event(c: C<'_>, id: ApplicationId, number: i64, row: &EventRow) -> Result<()> {
    let q = c.q(INSERT_EVENT).bind(id.0).bind(number).bind(row.author_id);
    q.bind(row.at).bind(&row.body).execute().await.map(drop)
}

/// Lists the events of an application, oldest first.
pub async fn list_events(c: C<'_>, id: ApplicationId) -> Result<Vec<EventRow>> {
    c.q(LIST_EVENTS).bind(id.0).all().await
}

/// Lists every application of the server with its hall.
pub async fn list_application_ids(c: C<'_>) -> Result<Vec<(HallId, ApplicationId)>> {
    let rows: Vec<(Uuid, Uuid)> = c.q(LIST_APPLICATION_IDS).all().await?;
    Ok(rows.into_iter().map(|(hall, id)| (HallId(hall), ApplicationId(id))).collect())
}

/// Notes a way to the hall, told by the event of this number.
pub async fn insert_trip(c: C<'_>, id: ApplicationId, (number, at): (i64, i64)) -> Result<()> {
    c.q(INSERT_TRIP).bind(id.0).bind(number).bind(at).execute().await.map(drop)
}

/// Notes that a job was made of an application.
pub async fn insert_job(c: C<'_>, id: ApplicationId, job: JobId) -> Result<()> {
    c.q(INSERT_JOB).bind(id.0).bind(job.0).execute().await.map(drop)
}

/// An application that a job was made of.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OriginRow {
    /// The application.
    pub application_id: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// The procedure's key.
    pub procedure_id: String,
    /// The state's key.
    pub state: String,
}

/// Finds the application that a job was made of.
pub async fn find_of_job(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<OriginRow>> {
    c.q(FIND_OF_JOB).bind(job.0).bind(hall.0).opt().await
}

/// How many jobs of an application are not over.
pub async fn count_open_jobs(c: C<'_>, id: ApplicationId) -> Result<i64> {
    c.q(COUNT_OPEN_JOBS).bind(id.0).scalar().await
}

/// Jobs of an application that are not over.
pub async fn list_open_jobs(c: C<'_>, id: ApplicationId) -> Result<Vec<JobId>> {
    let ids: Vec<(Uuid,)> = c.q(LIST_OPEN_JOBS).bind(id.0).all().await?;
    Ok(ids.into_iter().map(|(job,)| JobId(job)).collect())
}

/// Gives a household another address, whose place on the map nobody knows yet.
pub async fn update_address(c: C<'_>, household: HouseholdId, address: &str) -> Result<()> {
    c.q(UPDATE_ADDRESS).bind(household.0).bind(address).execute().await.map(drop)
}

/// Gives a household another holder and number.
pub async fn update_holder(
    c: C<'_>,
    household: HouseholdId,
    (holder, phone): (&str, &str),
) -> Result<()> {
    c.q(UPDATE_HOLDER).bind(household.0).bind(holder).bind(phone).execute().await.map(drop)
}

/// An account that was opened, and how it came to gas (B16).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenedRow {
    /// The application.
    pub application_id: Uuid,
    /// The procedure's key.
    pub procedure_id: String,
    /// When it was taken on.
    pub taken_at: i64,
    /// When gas burned first.
    pub first_gas_at: Option<i64>,
    /// Ways to the hall until then, of all that the household asked for.
    pub trips: i64,
}

/// Lists the accounts of a hall that were opened in some days.
pub async fn list_opened(
    c: C<'_>,
    hall: HallId,
    (from, until): (i64, i64),
) -> Result<Vec<OpenedRow>> {
    c.q(LIST_OPENED).bind(hall.0).bind(from).bind(until).all().await
}

/// An application that was taken on, and how it went (C7).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TakenRow {
    /// The application.
    pub application_id: Uuid,
    /// The procedure's key.
    pub procedure_id: String,
    /// The pack that names it.
    pub pack_id: String,
    /// The state's key.
    pub state: String,
    /// How often the household was sent away for what had not been named.
    pub breaches: i64,
    /// Whether it was ever incomplete.
    pub was_incomplete: bool,
}

/// Lists the applications of a hall that were taken on in some days.
pub async fn list_taken(
    c: C<'_>,
    hall: HallId,
    (from, until): (i64, i64),
) -> Result<Vec<TakenRow>> {
    c.q(LIST_TAKEN).bind(hall.0).bind(from).bind(until).all().await
}
