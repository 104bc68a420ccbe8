//! Which household was told of an outage, when and how, and who is still to be told (B13).

use domain::id::UserId;
use uuid::Uuid;

use super::{C, Result, insert_rows, statements};

statements! {
    INSERT_TOLD = "insert into outage_told (outage_id, phase, household_id, told_at, how, told_by) \
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
    LIST_RECORD = "select h.household_id, f.account, f.holder, f.address, f.phone, t.told_at, t.how, t.told_by, \
        u.name as told_by_name, n.state, n.made_at, n.ended_at, coalesce(n.error, (select max(d.last_error) \
        from webhook_delivery d where d.notice_id = n.notice_id)) as error from outage_household h \
        join household f on f.household_id = h.household_id \
        left join outage_told t on t.outage_id = h.outage_id and t.phase = $2 and t.household_id = h.household_id \
        left join user_account u on u.user_id = t.told_by \
        left join household_notice n on n.household_id = h.household_id and n.cause = $3 \
        where h.outage_id = $1 and (f.address > $4 or (f.address = $4 and h.household_id > $5)) \
        and ($6 = 'all' or (t.told_at is null and ($6 = 'not_told' \
        or n.state in ('failed', 'opted_out', 'no_phone', 'no_gateway', 'too_late')))) \
        order by f.address, h.household_id limit $7";
    COUNT_RECORD = "select t.how, n.state, count(*) as households, \
        sum(case when n.state = 'handed' and exists (select 1 from webhook_delivery d where d.notice_id = n.notice_id \
        and d.last_error is not null) then 1 else 0 end) as failing from outage_household h \
        left join outage_told t on t.outage_id = h.outage_id and t.phase = $2 and t.household_id = h.household_id \
        left join household_notice n on n.household_id = h.household_id and n.cause = $3 \
        where h.outage_id = $1 group by t.how, n.state order by t.how, n.state";
    LIST_NOT_TOLD = "select h.household_id from outage_household h where h.outage_id = $1 \
        and not exists (select 1 from outage_told t where t.outage_id = h.outage_id and t.phase = $2 \
        and t.household_id = h.household_id)";
    OVERTAKE_OF_OUTAGE = "update household_notice set state = 'overtaken', ended_at = $1 \
        where outage_id = $2 and state = 'waiting'";
    LIST_MESSAGE_CONSENTS = "select e.household_id, e.entry_id, e.author_id, e.at, e.body from ledger_entry e \
        join household h on h.household_id = e.household_id where h.hall_id = $1 \
        and cast(e.body as text) like '%\"consent\\_%' escape '\\' order by e.household_id, e.at, e.entry_id";
    LIST_LANGUAGES = "select e.household_id, e.entry_id, e.author_id, e.at, e.body from outage_household h \
        join ledger_entry e on e.household_id = h.household_id where h.outage_id = $1 and h.household_id > $2 \
        and h.household_id <= $3 and cast(e.body as text) like '%\"language\\_chosen\"%' escape '\\' \
        order by e.household_id, e.at, e.entry_id";
}

/// An entry of a ledger with its household.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct HouseholdEntryRow {
    /// The household.
    pub household_id: Uuid,
    /// The entry.
    #[sqlx(flatten)]
    pub entry: super::ledger::EntryRow,
}

/// How one household was told, or was not.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RecordRow {
    /// The household.
    pub household_id: Uuid,
    /// Its account number.
    pub account: String,
    /// Its holder.
    pub holder: String,
    /// Its address.
    pub address: String,
    /// Its telephone number; empty where none is known.
    pub phone: String,
    /// When it was told first.
    pub told_at: Option<i64>,
    /// `message` or `door`.
    pub how: Option<String>,
    /// Who says that a notice is on the door.
    pub told_by: Option<Uuid>,
    /// What they are called.
    pub told_by_name: Option<String>,
    /// How the newest message stands; none where nothing was written down.
    pub state: Option<String>,
    /// When that was written down.
    pub made_at: Option<i64>,
    /// When that was settled.
    pub ended_at: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
}

impl std::fmt::Debug for RecordRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordRow")
            .field("household_id", &self.household_id)
            .finish_non_exhaustive()
    }
}

/// Households that were told in the same way.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountRow {
    /// `message`, `door`, or not at all.
    pub how: Option<String>,
    /// How their newest message stands.
    pub state: Option<String>,
    /// How many.
    pub households: i64,
    /// How many of them could not be sent when it was tried last, and are tried again.
    pub failing: i64,
}

/// Which part of a record: of an outage, a phase (`off` or `on`), and the cause of the phase's newest message.
pub type Part<'a> = (Uuid, &'a str, &'a str);

/// Notes that a household was told by message; what it was told before stands.
pub async fn tell_by_message(
    c: C<'_>,
    (outage, phase, household): (Uuid, &str, Uuid),
    at_ms: i64,
) -> Result<()> {
    let q = c.q(INSERT_TOLD).bind(outage).bind(phase).bind(household);
    q.bind(at_ms).bind("message").bind(None::<Uuid>).execute().await.map(drop)
}

/// Notes that notices are on doors since an instant; tells for how many nobody had told before.
pub async fn tell_at_doors(
    c: C<'_>,
    (outage, phase, households): (Uuid, &str, &[Uuid]),
    (by, at_ms): (UserId, i64),
) -> Result<u64> {
    insert_rows(c, INSERT_TOLD, households, |q, household| {
        let q = q.bind(outage).bind(phase).bind(*household);
        q.bind(at_ms).bind("door").bind(Some(by.0))
    })
    .await
}

/// Lists households of an outage behind a place of the list, by address; `which` is `all`, `not_told` or `doors`.
pub async fn list_record(
    c: C<'_>,
    (outage, phase, cause): Part<'_>,
    (which, (address, household)): (&str, (&str, Uuid)),
    limit: i64,
) -> Result<Vec<RecordRow>> {
    let q = c.q(LIST_RECORD).bind(outage).bind(phase).bind(cause);
    q.bind(address).bind(household).bind(which).bind(limit).all().await
}

/// Counts the households of an outage by how they were told.
pub async fn count_record(c: C<'_>, (outage, phase, cause): Part<'_>) -> Result<Vec<CountRow>> {
    c.q(COUNT_RECORD).bind(outage).bind(phase).bind(cause).all().await
}

/// Lists the households that nobody told.
pub async fn list_not_told(c: C<'_>, outage: Uuid, phase: &str) -> Result<Vec<Uuid>> {
    let rows: Vec<(Uuid,)> = c.q(LIST_NOT_TOLD).bind(outage).bind(phase).all().await?;
    Ok(rows.into_iter().map(|(household,)| household).collect())
}

/// Lets what still waits go: newer news of the outage follow.
pub async fn overtake_of_outage(c: C<'_>, outage: Uuid, now_ms: i64) -> Result<()> {
    c.q(OVERTAKE_OF_OUTAGE).bind(now_ms).bind(outage).execute().await.map(drop)
}

/// Lists what the households of a hall consented to, and took back; the oldest of each first.
pub async fn list_consents(c: C<'_>, hall: Uuid) -> Result<Vec<HouseholdEntryRow>> {
    c.q(LIST_MESSAGE_CONSENTS).bind(hall).all().await
}

/// Lists the languages that some households of an outage chose: behind one up to another.
pub async fn list_languages(
    c: C<'_>,
    outage: Uuid,
    (after, to): (Uuid, Uuid),
) -> Result<Vec<HouseholdEntryRow>> {
    c.q(LIST_LANGUAGES).bind(outage).bind(after).bind(to).all().await
}
