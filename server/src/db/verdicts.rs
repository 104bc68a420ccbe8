//! Verdicts on appointments, counted for reports.

use domain::id::HallId;
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    LIST_VERDICTS = "select v.technician_id, u.name as technician_name, v.kind, v.day, v.window_end, v.punctuality, \
        (select max(d.heard_at) from device d where d.user_id = v.technician_id) as heard_at \
        from appointment_verdict v left join user_account u on u.user_id = v.technician_id \
        where v.hall_id = $1 and v.day >= $2 and v.day <= $3 order by v.day, v.job_id, v.ordinal";
}

/// A verdict as it was stored, with what is needed to judge again what depends on the clock.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredVerdict {
    /// Who is answerable.
    pub technician_id: Option<Uuid>,
    /// Their name.
    pub technician_name: Option<String>,
    /// The key of the job's kind.
    pub kind: String,
    /// The day in the hall's city.
    pub day: String,
    /// When the window ended, Unix ms.
    pub window_end: i64,
    /// The key of the verdict.
    pub punctuality: String,
    /// When a phone of the technician was heard last, Unix ms.
    pub heard_at: Option<i64>,
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
