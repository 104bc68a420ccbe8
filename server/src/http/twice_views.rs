//! What of a job was done in another job too, as the job's page shows it (B14).

use domain::id::{HallId, JobId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::ApiError;
use super::schema;
use crate::db::C;
use crate::db::twice::list_twice_of_job;

/// Work of a job that was done in another job too, with the case in which somebody settles it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwiceBody {
    /// `same_hose`, `same_meter` or `free_hose`.
    why: String,
    /// The case that looks at it.
    case: Uuid,
    /// What people say on the phone.
    number: i64,
    #[schema(schema_with = schema::case_state)]
    state: String,
    /// Who settles it.
    owner: Uuid,
    /// The other jobs.
    jobs: Vec<Uuid>,
}

/// What of a job was done in another job too.
pub(super) async fn twice_of(
    c: C<'_>,
    hall: HallId,
    job: JobId,
) -> Result<Vec<TwiceBody>, ApiError> {
    let mut bodies: Vec<TwiceBody> = Vec::new();
    for row in list_twice_of_job(c, hall, job).await? {
        let same = bodies.last_mut().filter(|it| it.case == row.case_id && it.why == row.why);
        if let Some(body) = same {
            body.jobs.extend(row.other_job_id);
            continue;
        }
        bodies.push(TwiceBody {
            why: row.why,
            case: row.case_id,
            number: row.number,
            state: row.state,
            owner: row.owner_id,
            jobs: row.other_job_id.into_iter().collect(),
        });
    }
    Ok(bodies)
}
