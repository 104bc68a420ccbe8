//! Who did what: entries and the head of their chain.

use domain::id::HallId;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_ENTRY = "insert into audit_entry (entry_id, at, hall_id, user_id, device_id, via, what, subject_kind, \
        subject_id, subject_name, detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIST_UNSEALED = "select entry_id, at, hall_id, user_id, device_id, via, what, subject_kind, subject_id, \
        subject_name, detail, number, hash from audit_entry where number is null order by at, entry_id limit $1";
    COUNT_UNSEALED = "select count(*) from audit_entry where number is null";
    SEAL_ENTRY = "update audit_entry set number = $1, hash = $2 where entry_id = $3";
    LIST_SEALED = "select entry_id, at, hall_id, user_id, device_id, via, what, subject_kind, subject_id, \
        subject_name, detail, number, hash from audit_entry where number < $1 order by number";
    INSERT_CHAIN = "insert into audit_chain (chain_id, next_number, last_hash, first_number, first_hash) \
        values (1, 1, $1, 1, $1) on conflict do nothing";
    LOCK_CHAIN = "update audit_chain set next_number = next_number where chain_id = 1 \
        returning next_number, last_hash, first_number, first_hash";
    FIND_CHAIN = "select next_number, last_hash, first_number, first_hash from audit_chain";
    SET_HEAD = "update audit_chain set next_number = $1, last_hash = $2 where chain_id = 1";
    SET_FLOOR = "update audit_chain set first_number = $1, first_hash = $2 where chain_id = 1";
    FIND_FIRST_KEPT = "select min(number) from audit_entry where at >= $1";
    FIND_HASH = "select hash from audit_entry where number = $1";
    DELETE_BEFORE = "delete from audit_entry where number < $1";
    LIST_ENTRIES = "select e.entry_id, e.at, e.user_id, u.name as who, u.role, e.device_id, d.name as phone, e.via, \
        e.what, e.subject_kind, e.subject_id, e.subject_name, coalesce(su.name, sdu.name, sh.name, h.address) as said, \
        j.kind as job_kind, e.detail, e.number from audit_entry e \
        left join user_account u on u.user_id = e.user_id left join device d on d.device_id = e.device_id \
        left join user_account su on e.subject_kind = 'person' and su.user_id = e.subject_id \
        left join device sd on e.subject_kind = 'phone' and sd.device_id = e.subject_id \
        left join user_account sdu on sdu.user_id = sd.user_id \
        left join hall sh on e.subject_kind = 'hall' and sh.hall_id = e.subject_id \
        left join job j on e.subject_kind = 'job' and j.job_id = e.subject_id \
        left join household h on h.household_id = coalesce(j.household_id, e.subject_id) \
        where e.hall_id = $1 and (e.at < $2 or (e.at = $2 and e.entry_id < $3)) and e.at >= $4 \
        and (e.user_id = $5 or $5 is null) and (e.what = $6 or $6 is null) \
        and (e.subject_id = $7 or $7 is null) and (e.subject_name = $8 or $8 is null) \
        order by e.at desc, e.entry_id desc limit $9";
}

/// An entry as stored; ids only.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EntryRow {
    /// The entry.
    pub entry_id: Uuid,
    /// When.
    pub at: i64,
    /// The hall whose managers see it; nil for nobody's.
    pub hall_id: Uuid,
    /// Who.
    pub user_id: Option<Uuid>,
    /// With which phone.
    pub device_id: Option<Uuid>,
    /// `desk`, `phone`, `program` or `server`.
    pub via: String,
    /// The key of what was done.
    pub what: String,
    /// What it was done to, by kind.
    pub subject_kind: Option<String>,
    /// Its id.
    pub subject_id: Option<Uuid>,
    /// Or its name.
    pub subject_name: Option<String>,
    /// JSON as it was hashed; empty for nothing.
    pub detail: String,
    /// Its place in the chain, once it is sealed.
    pub number: Option<i64>,
    /// Its hash, which covers the one before.
    pub hash: Option<Vec<u8>>,
}

/// The head and the floor of the chain.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ChainRow {
    /// The place of the next entry.
    pub next_number: i64,
    /// The hash of the last one.
    pub last_hash: Vec<u8>,
    /// The place of the first entry kept.
    pub first_number: i64,
    /// The hash of the one before it.
    pub first_hash: Vec<u8>,
}

impl ChainRow {
    /// The chain before its first entry.
    pub fn beginning() -> Self {
        Self { next_number: 1, last_hash: Vec::new(), first_number: 1, first_hash: Vec::new() }
    }
}

/// An entry with the names of what it names, as they are now.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedEntryRow {
    /// The entry.
    pub entry_id: Uuid,
    /// When.
    pub at: i64,
    /// Who.
    pub user_id: Option<Uuid>,
    /// What they are called.
    pub who: Option<String>,
    /// Their role.
    pub role: Option<String>,
    /// With which phone.
    pub device_id: Option<Uuid>,
    /// What it is called.
    pub phone: Option<String>,
    /// How they came.
    pub via: String,
    /// The key of what was done.
    pub what: String,
    /// What it was done to, by kind.
    pub subject_kind: Option<String>,
    /// Its id.
    pub subject_id: Option<Uuid>,
    /// Or its name.
    pub subject_name: Option<String>,
    /// What its id is called by now.
    pub said: Option<String>,
    /// The kind of the job that it is.
    pub job_kind: Option<String>,
    /// JSON; empty for nothing.
    pub detail: String,
    /// Its place in the chain, once it is sealed.
    pub number: Option<i64>,
}

/// Which entries to list; `None` lists all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this instant on.
    pub from: i64,
    /// Who.
    pub user: Option<Uuid>,
    /// The key of what was done.
    pub what: Option<String>,
    /// The id of what it was done to.
    pub subject_id: Option<Uuid>,
    /// Or its name.
    pub subject_name: Option<String>,
}

/// Inserts entries that are not sealed yet.
pub async fn insert_entries(c: C<'_>, rows: &[EntryRow]) -> Result<()> {
    insert_rows(c, INSERT_ENTRY, rows, |query, row| {
        query
            .bind(row.entry_id)
            .bind(row.at)
            .bind(row.hall_id)
            .bind(row.user_id)
            .bind(row.device_id)
            .bind(&row.via)
            .bind(&row.what)
            .bind(&row.subject_kind)
            .bind(row.subject_id)
            .bind(&row.subject_name)
            .bind(&row.detail)
    })
    .await
    .map(drop)
}

/// Lists entries that are not sealed yet, oldest first.
pub async fn list_unsealed(c: C<'_>, limit: i64) -> Result<Vec<EntryRow>> {
    c.q(LIST_UNSEALED).bind(limit).all().await
}

/// Counts entries that are not sealed yet.
pub async fn count_unsealed(c: C<'_>) -> Result<i64> {
    c.q(COUNT_UNSEALED).scalar().await
}

/// Gives an entry its place and hash.
pub async fn seal_entry(c: C<'_>, entry: Uuid, number: i64, hash: &[u8]) -> Result<()> {
    c.q(SEAL_ENTRY).bind(number).bind(hash).bind(entry).execute().await.map(drop)
}

/// Hands on each sealed entry before a place, in order.
pub async fn each_sealed(
    c: C<'_>,
    before: i64,
    take: impl FnMut(EntryRow) -> Result<()>,
) -> Result<()> {
    c.q(LIST_SEALED).bind(before).each(take).await
}

/// Finds the head of the chain; others who want to seal wait until the transaction ends.
pub async fn lock_chain(mut c: C<'_>) -> Result<ChainRow> {
    c.lend().q(INSERT_CHAIN).bind(Vec::<u8>::new()).execute().await?;
    c.q(LOCK_CHAIN).one().await
}

/// Finds the head of the chain; `None` before its first entry.
pub async fn find_chain(c: C<'_>) -> Result<Option<ChainRow>> {
    c.q(FIND_CHAIN).opt().await
}

/// Moves the head on.
pub async fn set_head(c: C<'_>, next_number: i64, last_hash: &[u8]) -> Result<()> {
    c.q(SET_HEAD).bind(next_number).bind(last_hash).execute().await.map(drop)
}

/// Deletes sealed entries from before an instant, from the beginning of the chain on; tells how many.
pub async fn prune_entries(mut c: C<'_>, before_ms: i64) -> Result<u64> {
    let head = lock_chain(c.lend()).await?;
    let kept: Option<i64> = c.lend().q(FIND_FIRST_KEPT).bind(before_ms).scalar().await?;
    let first = kept.unwrap_or(head.next_number);
    if first <= head.first_number {
        return Ok(0);
    }
    let hash: Vec<u8> = c.lend().q(FIND_HASH).bind(first - 1).scalar().await?;
    c.lend().q(SET_FLOOR).bind(first).bind(&hash).execute().await?;
    c.q(DELETE_BEFORE).bind(first).execute().await
}

/// Lists entries of a hall before an instant and an id, newest first.
pub async fn list_entries(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    ((at, entry), limit): ((i64, Uuid), i64),
) -> Result<Vec<ListedEntryRow>> {
    c.q(LIST_ENTRIES)
        .bind(hall.0)
        .bind(at)
        .bind(entry)
        .bind(filter.from)
        .bind(filter.user)
        .bind(&filter.what)
        .bind(filter.subject_id)
        .bind(&filter.subject_name)
        .bind(limit)
        .all()
        .await
}
