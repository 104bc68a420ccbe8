//! Links to households' pages, and what households answer there: wishes for another window, ratings.

use domain::id::{HallId, JobId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_LINK = "insert into track_link (link_hash, hall_id, job_id, made_by, made_at, expires_at) \
        values ($1, $2, $3, $4, $5, $6)";
    FIND_LINK = "select link_hash, hall_id, job_id, made_by, made_at, expires_at, revoked_at from track_link \
        where link_hash = $1 and expires_at > $2 and revoked_at is null";
    LIST_LINKS = "select link_hash, hall_id, job_id, made_by, made_at, expires_at, revoked_at from track_link \
        where hall_id = $1 and job_id = $2 order by made_at desc limit 50";
    REVOKE_LINKS = "update track_link set revoked_at = $1 where hall_id = $2 and job_id = $3 and revoked_at is null \
        and expires_at > $1";
    DELETE_LINKS = "delete from track_link where expires_at < $1";
    INSERT_WISH = "insert into wish (wish_id, hall_id, job_id, case_id, window_start, window_end, made_at, state) \
        values ($1, $2, $3, $4, $5, $6, $7, 'open')";
    LIST_WISHES = "select wish_id, hall_id, job_id, case_id, window_start, window_end, made_at, state, decided_by, decided_at \
        from wish where hall_id = $1 and job_id = $2 order by made_at desc, wish_id desc limit 50";
    FIND_WISH = "select wish_id, hall_id, job_id, case_id, window_start, window_end, made_at, state, decided_by, decided_at \
        from wish where hall_id = $1 and job_id = $2 and wish_id = $3";
    DECIDE_WISH = "update wish set state = $1, decided_by = $2, decided_at = $3 where wish_id = $4 and state = 'open'";
    SUPERSEDE_WISHES = "update wish set state = 'declined', decided_at = $1 where job_id = $2 and state = 'open'";
    FIND_RATING = "select job_id, score, words, rated_at, changed_at from rating where hall_id = $1 and job_id = $2";
    UPSERT_RATING = "insert into rating (job_id, hall_id, score, words, rated_at, changed_at) values ($1, $2, $3, $4, $5, $5) \
        on conflict (job_id) do update set score = excluded.score, words = excluded.words, changed_at = excluded.changed_at";
    LAST_PLANNER = "select c.author_id from change c join user_account u on u.user_id = c.author_id \
        where c.job_id = $1 and u.hall_id = $2 and u.role <> 'technician' and u.disabled_at is null \
        order by c.position desc limit 1";
    ANY_STAFF = "select user_id from user_account where hall_id = $1 and disabled_at is null and role <> 'technician' \
        order by case role when 'dispatcher' then 0 when 'hall' then 1 when 'manager' then 2 else 3 end, login limit 1";
}

/// A link as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LinkRow {
    /// The hash of its token.
    pub link_hash: Vec<u8>,
    /// The hall.
    pub hall_id: Uuid,
    /// Whose page it opens.
    pub job_id: Uuid,
    /// Who made it; `None` for one that a notice carried.
    pub made_by: Option<Uuid>,
    /// When.
    pub made_at: i64,
    /// When it is over.
    pub expires_at: i64,
    /// When somebody ended it.
    pub revoked_at: Option<i64>,
}

impl std::fmt::Debug for LinkRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkRow").field("job_id", &self.job_id).finish_non_exhaustive()
    }
}

/// Keeps a link.
pub async fn insert_link(c: C<'_>, row: &LinkRow) -> Result<()> {
    let q = c.q(INSERT_LINK).bind(&row.link_hash).bind(row.hall_id).bind(row.job_id);
    q.bind(row.made_by).bind(row.made_at).bind(row.expires_at).execute().await.map(drop)
}

/// Finds a link that is neither over nor ended: whoever asks cannot tell those from one that never was.
pub async fn find_link(c: C<'_>, hash: &[u8], now_ms: i64) -> Result<Option<LinkRow>> {
    c.q(FIND_LINK).bind(hash).bind(now_ms).opt().await
}

/// Lists the links of a job, newest first.
pub async fn list_links(c: C<'_>, hall: HallId, job: JobId) -> Result<Vec<LinkRow>> {
    c.q(LIST_LINKS).bind(hall.0).bind(job.0).all().await
}

/// Ends every link of a job; tells how many.
pub async fn revoke_links(c: C<'_>, (hall, job): (HallId, JobId), now_ms: i64) -> Result<u64> {
    c.q(REVOKE_LINKS).bind(now_ms).bind(hall.0).bind(job.0).execute().await
}

/// Deletes links that were over before an instant.
pub async fn delete_links(c: C<'_>, before_ms: i64) -> Result<u64> {
    c.q(DELETE_LINKS).bind(before_ms).execute().await
}

/// A window that a household asked for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct WishRow {
    /// Its id.
    pub wish_id: Uuid,
    /// The hall.
    pub hall_id: Uuid,
    /// The job.
    pub job_id: Uuid,
    /// The case that somebody owns for it.
    pub case_id: Option<Uuid>,
    /// Nobody comes before this.
    pub window_start: i64,
    /// Nobody comes after this.
    pub window_end: i64,
    /// When it was asked for.
    pub made_at: i64,
    /// `open`, `agreed` or `declined`.
    pub state: String,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// When.
    pub decided_at: Option<i64>,
}

/// Keeps a wish.
pub async fn insert_wish(c: C<'_>, row: &WishRow) -> Result<()> {
    let q = c.q(INSERT_WISH).bind(row.wish_id).bind(row.hall_id).bind(row.job_id).bind(row.case_id);
    q.bind(row.window_start).bind(row.window_end).bind(row.made_at).execute().await.map(drop)
}

/// Lists the wishes of a job, newest first.
pub async fn list_wishes(c: C<'_>, hall: HallId, job: JobId) -> Result<Vec<WishRow>> {
    c.q(LIST_WISHES).bind(hall.0).bind(job.0).all().await
}

/// Finds a wish of a job.
pub async fn find_wish(
    c: C<'_>,
    (hall, job): (HallId, JobId),
    wish: Uuid,
) -> Result<Option<WishRow>> {
    c.q(FIND_WISH).bind(hall.0).bind(job.0).bind(wish).opt().await
}

/// Declines what a household asked for before: it asks for something else.
pub async fn supersede_wishes(c: C<'_>, job: JobId, now_ms: i64) -> Result<()> {
    c.q(SUPERSEDE_WISHES).bind(now_ms).bind(job.0).execute().await.map(drop)
}

/// Decides a wish that is open; tells whether it was.
pub async fn decide_wish(
    c: C<'_>,
    wish: Uuid,
    (state, by, at): (&str, Option<UserId>, i64),
) -> Result<bool> {
    let q = c.q(DECIDE_WISH).bind(state).bind(by.map(|it| it.0)).bind(at).bind(wish);
    Ok(q.execute().await? == 1)
}

/// How a household found a visit.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RatingRow {
    /// The job.
    pub job_id: Uuid,
    /// From 1 to 5, which is best.
    pub score: i64,
    /// In words; may be empty.
    pub words: String,
    /// When it was given first.
    pub rated_at: i64,
    /// When it was changed last.
    pub changed_at: i64,
}

/// Finds the rating of a job.
pub async fn find_rating(c: C<'_>, hall: HallId, job: JobId) -> Result<Option<RatingRow>> {
    c.q(FIND_RATING).bind(hall.0).bind(job.0).opt().await
}

/// Keeps a rating, in the place of the one before.
pub async fn upsert_rating(
    c: C<'_>,
    (hall, job): (HallId, JobId),
    (score, words): (i64, &str),
    now_ms: i64,
) -> Result<()> {
    let q = c.q(UPSERT_RATING).bind(job.0).bind(hall.0).bind(score).bind(words).bind(now_ms);
    q.execute().await.map(drop)
}

/// Who of the hall's staff answers for a job: who planned it last, else the first dispatcher there is.
pub async fn find_responsible(
    mut c: C<'_>,
    (hall, job): (HallId, JobId),
) -> Result<Option<UserId>> {
    let last: Option<(Uuid,)> = c.lend().q(LAST_PLANNER).bind(job.0).bind(hall.0).opt().await?;
    let found = match last {
        Some(last) => Some(last),
        None => c.q(ANY_STAFF).bind(hall.0).opt().await?,
    };
    Ok(found.map(|it| UserId(it.0)))
}
