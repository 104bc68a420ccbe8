//! Photos: what the hall holds, uploads that are not finished, and which photos facts name.

use domain::id::{DeviceId, HallId, JobId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    FIND_PHOTO = "select hash, media_type, size_bytes, width, height, device_id, received_at, erased_at from photo \
        where hall_id = $1 and hash = $2";
    INSERT_PHOTO = "insert into photo (hall_id, hash, media_type, size_bytes, width, height, device_id, received_at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing";
    LIST_HELD = "select hall_id, hash, size_bytes from photo where erased_at is null order by hall_id, hash";
    SUM_RECEIVED = "select cast(coalesce(sum(size_bytes), 0) as bigint) from photo \
        where device_id = $1 and received_at >= $2";
    SUM_UNFINISHED = "select cast(coalesce(sum(size_bytes), 0) as bigint) from photo_upload where device_id = $1";
    FIND_UPLOAD = "select size_bytes, received_bytes from photo_upload where device_id = $1 and hash = $2";
    INSERT_UPLOAD = "insert into photo_upload (device_id, hash, size_bytes, received_bytes, touched_at) \
        values ($1, $2, $3, 0, $4) on conflict do nothing";
    ADVANCE_UPLOAD = "update photo_upload set received_bytes = received_bytes + $1, touched_at = $2 \
        where device_id = $3 and hash = $4 and received_bytes = $5";
    INSERT_PART = "insert into photo_part (device_id, hash, offset_bytes, bytes) values ($1, $2, $3, $4)";
    LIST_PARTS = "select bytes from photo_part where device_id = $1 and hash = $2 order by offset_bytes";
    DELETE_PARTS = "delete from photo_part where device_id = $1 and hash = $2";
    DELETE_UPLOAD = "delete from photo_upload where device_id = $1 and hash = $2";
    DELETE_OLD_PARTS = "delete from photo_part where exists (select 1 from photo_upload u \
        where u.device_id = photo_part.device_id and u.hash = photo_part.hash and u.touched_at < $1)";
    DELETE_OLD_UPLOADS = "delete from photo_upload where touched_at < $1";
    COUNT_GRANTS = "select count(*) from job_grant where job_id = $1 and user_id = $2 and hall_id = $3";
    COUNT_VIEWS = "select (select count(*) from job_grant where job_id = $1 and user_id = $2 \
        and withdrawn_position is null) + (select count(*) from visit where job_id = $1 and technician_id = $2)";
    LIST_NAMED = "select f.job_id, f.visit_id, f.fact_id, f.kind, f.earliest, f.withdrawn, v.technician_id, v.device_id, \
        lower(coalesce(f.body ->> 'hash', f.body ->> 'photo')) as hash, f.body ->> 'subject' as subject, \
        p.media_type, p.size_bytes, p.received_at, p.erased_at \
        from fact f join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id \
        left join photo p on p.hall_id = f.hall_id and p.hash = lower(coalesce(f.body ->> 'hash', f.body ->> 'photo')) \
        where f.job_id = $1 and f.hall_id = $2 and f.kind in ('photo_taken', 'signed', 'road_blocked') \
        and coalesce(f.body ->> 'hash', f.body ->> 'photo') is not null order by f.earliest, f.fact_id";
    LIST_MISSING = "select f.job_id, f.visit_id, f.fact_id, f.kind, f.earliest, f.withdrawn, v.technician_id, v.device_id, \
        lower(coalesce(f.body ->> 'hash', f.body ->> 'photo')) as hash, f.body ->> 'subject' as subject, \
        p.media_type, p.size_bytes, p.received_at, p.erased_at \
        from fact f join visit v on v.job_id = f.job_id and v.visit_id = f.visit_id \
        left join photo p on p.hall_id = f.hall_id and p.hash = lower(coalesce(f.body ->> 'hash', f.body ->> 'photo')) \
        where f.hall_id = $1 and f.kind in ('photo_taken', 'signed', 'road_blocked') \
        and coalesce(f.body ->> 'hash', f.body ->> 'photo') is not null and p.hash is null \
        order by f.earliest, f.fact_id limit $2";
}

/// A photo that the hall holds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PhotoRow {
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// The content type that the server found.
    pub media_type: String,
    /// Its length.
    pub size_bytes: i64,
    /// Pixels across.
    pub width: i64,
    /// Pixels down.
    pub height: i64,
    /// The phone that handed it in.
    pub device_id: Uuid,
    /// When it was complete, Unix ms.
    pub received_at: i64,
    /// When it was erased, Unix ms; its name stays taken.
    pub erased_at: Option<i64>,
}

/// What the store has to hold.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HeldRow {
    /// The hall.
    pub hall_id: Uuid,
    /// SHA-256 in hexadecimal.
    pub hash: String,
    /// Its length.
    pub size_bytes: i64,
}

/// An upload that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UploadRow {
    /// How long the photo is to be.
    pub size_bytes: i64,
    /// How much of it is here.
    pub received_bytes: i64,
}

/// A photo that a fact names, and what the hall holds of it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NamedRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// The fact.
    pub fact_id: Uuid,
    /// The fact's kind.
    pub kind: String,
    /// The earliest that it can have been taken, Unix ms.
    pub earliest: i64,
    /// Whether the fact was taken back.
    pub withdrawn: bool,
    /// Who took it.
    pub technician_id: Uuid,
    /// With which phone.
    pub device_id: Uuid,
    /// The name: SHA-256 in hexadecimal, as far as the phone kept to that.
    pub hash: String,
    /// What it shows, for a photo.
    pub subject: Option<String>,
    /// The content type, when the hall has it.
    pub media_type: Option<String>,
    /// The length, when the hall has it.
    pub size_bytes: Option<i64>,
    /// When it came, when the hall has it.
    pub received_at: Option<i64>,
    /// When it was erased, Unix ms.
    pub erased_at: Option<i64>,
}

/// Finds a photo that the hall holds.
pub async fn find_photo(c: C<'_>, hall: HallId, hash: &str) -> Result<Option<PhotoRow>> {
    c.q(FIND_PHOTO).bind(hall.0).bind(hash).opt().await
}

/// Lists the photos that the halls hold.
pub async fn list_held(c: C<'_>) -> Result<Vec<HeldRow>> {
    c.q(LIST_HELD).all().await
}

/// Writes down that the hall holds a photo; once is enough.
pub async fn insert_photo(c: C<'_>, hall: HallId, photo: &PhotoRow) -> Result<()> {
    let q = c.q(INSERT_PHOTO).bind(hall.0).bind(&photo.hash).bind(&photo.media_type);
    let q = q.bind(photo.size_bytes).bind(photo.width).bind(photo.height);
    q.bind(photo.device_id).bind(photo.received_at).execute().await.map(drop)
}

/// How many bytes a phone has handed in since, and means to hand in with what it has begun.
pub async fn sum_bytes(mut c: C<'_>, device: DeviceId, since_ms: i64) -> Result<i64> {
    let received: i64 = c.lend().q(SUM_RECEIVED).bind(device.0).bind(since_ms).scalar().await?;
    let unfinished: i64 = c.q(SUM_UNFINISHED).bind(device.0).scalar().await?;
    Ok(received.saturating_add(unfinished))
}

/// Finds what a phone has begun.
pub async fn find_upload(c: C<'_>, device: DeviceId, hash: &str) -> Result<Option<UploadRow>> {
    c.q(FIND_UPLOAD).bind(device.0).bind(hash).opt().await
}

/// Begins an upload; one that was begun stays as it is.
pub async fn insert_upload(
    c: C<'_>,
    (device, hash): (DeviceId, &str),
    size_bytes: i64,
    now_ms: i64,
) -> Result<()> {
    let q = c.q(INSERT_UPLOAD).bind(device.0).bind(hash).bind(size_bytes).bind(now_ms);
    q.execute().await.map(drop)
}

/// Adds a part at the end of what is here; `false` when the end is elsewhere.
pub async fn add_part(
    mut c: C<'_>,
    (device, hash): (DeviceId, &str),
    (offset_bytes, bytes): (i64, &[u8]),
    now_ms: i64,
) -> Result<bool> {
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let advance = c.lend().q(ADVANCE_UPLOAD).bind(length).bind(now_ms).bind(device.0).bind(hash);
    if advance.bind(offset_bytes).execute().await? == 0 {
        return Ok(false);
    }
    let part = c.q(INSERT_PART).bind(device.0).bind(hash).bind(offset_bytes);
    part.bind(bytes.to_vec()).execute().await?;
    Ok(true)
}

/// Reads what is here of an upload, in order.
pub async fn read_parts(c: C<'_>, device: DeviceId, hash: &str) -> Result<Vec<u8>> {
    let parts: Vec<(Vec<u8>,)> = c.q(LIST_PARTS).bind(device.0).bind(hash).all().await?;
    Ok(parts.into_iter().flat_map(|(bytes,)| bytes).collect())
}

/// Forgets an upload.
pub async fn delete_upload(mut c: C<'_>, device: DeviceId, hash: &str) -> Result<()> {
    c.lend().q(DELETE_PARTS).bind(device.0).bind(hash).execute().await?;
    c.q(DELETE_UPLOAD).bind(device.0).bind(hash).execute().await.map(drop)
}

/// Forgets uploads that nobody went on with since; tells how many.
pub async fn delete_old_uploads(mut c: C<'_>, before_ms: i64) -> Result<u64> {
    c.lend().q(DELETE_OLD_PARTS).bind(before_ms).execute().await?;
    c.q(DELETE_OLD_UPLOADS).bind(before_ms).execute().await
}

/// Whether a user holds a job or held it once.
pub async fn has_held(c: C<'_>, hall: HallId, job: JobId, user: UserId) -> Result<bool> {
    let count: i64 = c.q(COUNT_GRANTS).bind(job.0).bind(user.0).bind(hall.0).scalar().await?;
    Ok(count > 0)
}

/// Whether a user holds a job now or was at its door.
pub async fn may_view(c: C<'_>, job: JobId, user: UserId) -> Result<bool> {
    let count: i64 = c.q(COUNT_VIEWS).bind(job.0).bind(user.0).scalar().await?;
    Ok(count > 0)
}

/// Lists the photos that a job's facts name, oldest first.
pub async fn list_named(c: C<'_>, hall: HallId, job: JobId) -> Result<Vec<NamedRow>> {
    c.q(LIST_NAMED).bind(job.0).bind(hall.0).all().await
}

/// Lists photos that facts of the hall name and the hall does not hold, oldest first.
pub async fn list_missing(c: C<'_>, hall: HallId, limit: i64) -> Result<Vec<NamedRow>> {
    c.q(LIST_MISSING).bind(hall.0).bind(limit).all().await
}
