//! Verdicts on appointments, for reports and for a job's own page.

use domain::id::{HallId, JobId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    LIST_VERDICTS = "select v.job_id, v.agreed_id, v.technician_id, u.name as technician_name, v.kind, v.day, v.window_start, \
        v.window_end, v.punctuality, v.width_ms \
        from appointment_verdict v left join user_account u on u.user_id = v.technician_id \
        where v.hall_id = $1 and v.day >= $2 and v.day <= $3 order by v.day, v.job_id, v.ordinal";
    LIST_JOB_VERDICTS = "select v.job_id, v.agreed_id, v.technician_id, u.name as technician_name, v.kind, v.day, \
        v.window_start, v.window_end, v.punctuality, v.width_ms \
        from appointment_verdict v left join user_account u on u.user_id = v.technician_id \
        where v.job_id = $1 order by v.ordinal";
}

/// A verdict as it was stored when its job changed last.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredVerdict {
    /// The job.
    pub job_id: Uuid,
    /// The plan's entry or the fact that agreed the window.
    pub agreed_id: Uuid,
    /// Who is answerable.
    pub technician_id: Option<Uuid>,
    /// Their name.
    pub technician_name: Option<String>,
    /// The key of the job's kind.
    pub kind: String,
    /// The day in the hall's city.
    pub day: String,
    /// When the window began, Unix ms.
    pub window_start: i64,
    /// When it ended.
    pub window_end: i64,
    /// The key of the verdict.
    pub punctuality: String,
    /// How wide the doubt is, when it cannot be told.
    pub width_ms: Option<i64>,
}

/// Lists a hall's verdicts of some days, both ends included.
pub async fn list_verdicts(
    c: C<'_>,
    hall: HallId,
    from: &str,
    to: &str,
) -> Result<Vec<StoredVerdict>> {
    c.q(LIST_VERDICTS).bind(hall.0).bind(from).bind(to).all().await
}

/// Lists the verdicts on a job's appointments, oldest first.
pub async fn list_job_verdicts(c: C<'_>, job: JobId) -> Result<Vec<StoredVerdict>> {
    c.q(LIST_JOB_VERDICTS).bind(job.0).all().await
}
