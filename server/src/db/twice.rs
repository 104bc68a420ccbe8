//! What crews did twice in jobs apart, each fact with the case that looks at it (B14).

use std::collections::BTreeMap;

use domain::id::{CaseId, FactId, HallId, HouseholdId, JobId, VisitId};
use domain::twice::Twice;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    FIND_TWICE = "select case_id from work_twice where job_id = $1 and visit_id = $2 and fact_id = $3 and why = $4";
    INSERT_TWICE = "insert into work_twice (job_id, visit_id, fact_id, why, case_id) values ($1, $2, $3, $4, $5)";
    LIST_TWICE_OF_JOB = "select distinct t.why, t.case_id, c.number, c.state, c.owner_id, o.job_id as other_job_id \
        from work_twice t join hall_case c on c.case_id = t.case_id \
        left join work_twice o on o.case_id = t.case_id and o.why = t.why and o.job_id <> t.job_id \
        where t.job_id = $1 and c.hall_id = $2 order by c.number, t.why, o.job_id";
    LIST_JOBS_OF_CASE = "select distinct job_id from work_twice where case_id = $1 order by job_id";
    LIST_CREWS = "select v.visit_id, u.name from visit v join job j on j.job_id = v.job_id \
        join user_account u on u.user_id = v.technician_id where j.household_id = $1";
}

/// A job's work that was done in another job too.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TwiceRow {
    /// The key of why.
    pub why: String,
    /// The case that looks at it.
    pub case_id: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// The key of where it stands.
    pub state: String,
    /// Who has it.
    pub owner_id: Uuid,
    /// Another job.
    pub other_job_id: Option<Uuid>,
}

/// The case that looks at a fact for this reason.
pub async fn find_twice(
    c: C<'_>,
    (job, visit, fact): (JobId, VisitId, FactId),
    why: Twice,
) -> Result<Option<CaseId>> {
    let q = c.q(FIND_TWICE).bind(job.0).bind(visit.0).bind(fact.0).bind(why.key());
    Ok(q.opt::<(Uuid,)>().await?.map(|(case,)| CaseId(case)))
}

/// Enters that a case looks at a fact.
pub async fn insert_twice(
    c: C<'_>,
    (job, visit, fact): (JobId, VisitId, FactId),
    (why, case): (Twice, CaseId),
) -> Result<()> {
    let q = c.q(INSERT_TWICE).bind(job.0).bind(visit.0).bind(fact.0).bind(why.key());
    q.bind(case.0).execute().await.map(drop)
}

/// Lists what of a job was done in another job too, a row for each other job.
pub async fn list_twice_of_job(c: C<'_>, hall: HallId, job: JobId) -> Result<Vec<TwiceRow>> {
    c.q(LIST_TWICE_OF_JOB).bind(job.0).bind(hall.0).all().await
}

/// Lists the jobs whose work a case looks at.
pub async fn list_jobs_of_case(c: C<'_>, case: CaseId) -> Result<Vec<JobId>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_JOBS_OF_CASE).bind(case.0).all().await?;
    Ok(rows.into_iter().map(|(job,)| JobId(job)).collect())
}

/// The names of who went to a household, by visit.
pub async fn list_crews(c: C<'_>, household: HouseholdId) -> Result<BTreeMap<VisitId, String>> {
    let rows: Vec<(Uuid, String)> = c.q(LIST_CREWS).bind(household.0).all().await?;
    Ok(rows.into_iter().map(|(visit, name)| (VisitId(visit), name)).collect())
}
