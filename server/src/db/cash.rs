//! Cash taken at doors, what of it was counted at the hall, and the receipts that contradict each other (B15).

use domain::cash::{Doubt, HandIn, Taking};
use domain::id::{CaseId, FactId, HallId, HouseholdId, JobId, UserId, VisitId};
use domain::measure::Fen;
use uuid::Uuid;

use super::{C, Result, decode, statements};

/// What is read of a receipt; `reserved` counts the phone's own numbers among which its number is.
macro_rules! taken {
    ($rest:literal) => {
        concat!(
            "select t.job_id, t.visit_id, t.fact_id, t.household_id, t.technician_id, t.amount, t.receipt, t.reason, \
             t.taken_on, t.taken_at, t.withdrawn, h.account, (select count(*) from receipt_block b \
             where b.hall_id = t.hall_id and b.device_id = t.device_id and b.first_number <= t.receipt_number \
             and b.last_number >= t.receipt_number) as reserved \
             from cash_taken t join household h on h.household_id = t.household_id ",
            $rest
        )
    };
}

statements! {
    LIST_TAKEN = taken!("where t.hall_id = $1 and t.taken_on >= $2 and t.taken_on <= $3 \
        and (t.technician_id = $4 or $4 is null) order by t.taken_at, t.fact_id limit $5");
    LIST_OF_HOUSEHOLD = taken!("where t.hall_id = $1 and t.household_id = $2 order by t.taken_at, t.fact_id limit $3");
    LIST_OF_RECEIPT = taken!("where t.hall_id = $1 and t.receipt = $2 order by t.taken_at, t.fact_id limit $3");
    LIST_OF_JOB = taken!("where t.job_id = $1 order by t.taken_at, t.fact_id");
    SUM_TAKEN = "select technician_id, cast(sum(amount) as bigint) as sum from cash_taken \
        where hall_id = $1 and taken_on <= $2 and not withdrawn group by technician_id";
    SUM_COUNTED = "select technician_id, cast(sum(counted) as bigint) as sum from cash_hand_in \
        where hall_id = $1 and for_day <= $2 group by technician_id";
    INSERT_HAND_IN = "insert into cash_hand_in (hand_in_id, hall_id, technician_id, for_day, counted, note, author_id, at) \
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_HAND_INS = "select i.hand_in_id, i.technician_id, i.for_day, i.counted, i.note, u.name as author_name, i.at \
        from cash_hand_in i join user_account u on u.user_id = i.author_id where i.hall_id = $1 and i.for_day >= $2 \
        and i.for_day <= $3 and (i.technician_id = $4 or $4 is null) order by i.at, i.hand_in_id limit $5";
    LIST_PHONES = "select d.user_id, u.name, d.heard_at, d.pending from device d \
        join user_account u on u.user_id = d.user_id \
        where d.hall_id = $1 and d.revoked_at is null order by u.name, d.device_id";
    FIND_DOUBT = "select case_id from cash_doubt where job_id = $1 and visit_id = $2 and fact_id = $3 and doubt = $4";
    LIST_DOUBTS = "select d.job_id, d.visit_id, d.fact_id, d.doubt, d.case_id, c.number as case_number \
        from cash_taken t join cash_doubt d on d.job_id = t.job_id and d.visit_id = t.visit_id and d.fact_id = t.fact_id \
        join hall_case c on c.case_id = d.case_id where t.hall_id = $1 and t.taken_on >= $2 and t.taken_on <= $3 \
        order by c.number, d.doubt";
    INSERT_DOUBT = "insert into cash_doubt (job_id, visit_id, fact_id, doubt, case_id) values ($1, $2, $3, $4, $5)";
}

/// Receipts of one household or number that are looked at together.
const TOGETHER: i64 = 200;

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TakenRow {
    /// The job.
    pub job_id: Uuid,
    /// The visit.
    pub visit_id: Uuid,
    /// The fact.
    pub fact_id: Uuid,
    /// Who paid.
    pub household_id: Uuid,
    /// Who took it.
    pub technician_id: Uuid,
    /// Fen.
    pub amount: i64,
    /// The receipt's number.
    pub receipt: String,
    /// Why somebody pays so who is in no entitled group.
    pub reason: String,
    /// The day in the hall's city.
    pub taken_on: String,
    /// When, Unix ms.
    pub taken_at: i64,
    /// Whether it was taken back.
    pub withdrawn: bool,
    /// The account of who paid.
    pub account: String,
    /// Zero when the hall never handed this number to the phone.
    pub reserved: i64,
}

/// A case that looks at a receipt.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DoubtRow {
    /// The receipt's job.
    pub job_id: Uuid,
    /// Its visit.
    pub visit_id: Uuid,
    /// Its fact.
    pub fact_id: Uuid,
    /// Why.
    pub doubt: String,
    /// The case.
    pub case_id: Uuid,
    /// Its number.
    pub case_number: i64,
}

impl TakenRow {
    /// The receipt as the rules see it.
    pub fn taking(&self) -> Result<Taking> {
        Ok(Taking {
            fact: (JobId(self.job_id), VisitId(self.visit_id), FactId(self.fact_id)),
            technician: UserId(self.technician_id),
            household: HouseholdId(self.household_id),
            amount: Fen(self.amount),
            receipt: self.receipt.clone(),
            day: self.taken_on.parse().map_err(decode)?,
            is_void: self.withdrawn,
        })
    }
}

/// Cash counted at the hall.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HandInRow {
    /// Its id.
    pub hand_in_id: Uuid,
    /// Who brought it.
    pub technician_id: Uuid,
    /// The day whose cash it is.
    pub for_day: String,
    /// Fen.
    pub counted: i64,
    /// What the counter noted.
    pub note: String,
    /// Who counted.
    pub author_name: String,
    /// When, Unix ms.
    pub at: i64,
}

impl HandInRow {
    /// The count as the rules see it.
    pub fn hand_in(&self) -> Result<HandIn> {
        let day = self.for_day.parse().map_err(decode)?;
        let technician = UserId(self.technician_id);
        Ok(HandIn { technician, day, counted: Fen(self.counted) })
    }
}

/// A technician's phone, and how far the hall has heard it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PhoneRow {
    /// Whose it is.
    pub user_id: Uuid,
    /// Their name.
    pub name: String,
    /// When it was last heard.
    pub heard_at: Option<i64>,
    /// How many changes it said it still holds alone.
    pub pending: i64,
}

/// Lists receipts of days, oldest first, of everybody or of one technician.
pub async fn list_taken(
    c: C<'_>,
    hall: HallId,
    (from, to): (&str, &str),
    (technician, limit): (Option<UserId>, i64),
) -> Result<Vec<TakenRow>> {
    let q = c.q(LIST_TAKEN).bind(hall.0).bind(from).bind(to);
    q.bind(technician.map(|it| it.0)).bind(limit).all().await
}

/// Lists the receipts of a job.
pub async fn list_of_job(c: C<'_>, job: JobId) -> Result<Vec<TakenRow>> {
    c.q(LIST_OF_JOB).bind(job.0).all().await
}

/// Lists the receipts that may contradict one.
pub async fn list_related(
    c: C<'_>,
    hall: HallId,
    (taking, doubt): (&Taking, Doubt),
) -> Result<Vec<TakenRow>> {
    match doubt {
        Doubt::PaidTwice => {
            let q = c.q(LIST_OF_HOUSEHOLD).bind(hall.0).bind(taking.household.0);
            q.bind(TOGETHER).all().await
        }
        Doubt::SameNumber => {
            c.q(LIST_OF_RECEIPT).bind(hall.0).bind(&taking.receipt).bind(TOGETHER).all().await
        }
    }
}

/// What each technician took up to a day, in fen.
pub async fn sum_taken(c: C<'_>, hall: HallId, until: &str) -> Result<Vec<(Uuid, i64)>> {
    c.q(SUM_TAKEN).bind(hall.0).bind(until).all().await
}

/// What of each technician was counted for days up to this, in fen.
pub async fn sum_counted(c: C<'_>, hall: HallId, until: &str) -> Result<Vec<(Uuid, i64)>> {
    c.q(SUM_COUNTED).bind(hall.0).bind(until).all().await
}

/// Adds a count.
pub async fn insert_hand_in(
    c: C<'_>,
    (hall, author): (HallId, UserId),
    (id, hand_in, note): (Uuid, &HandIn, &str),
    now_ms: i64,
) -> Result<()> {
    let q = c.q(INSERT_HAND_IN).bind(id).bind(hall.0).bind(hand_in.technician.0);
    let q = q.bind(hand_in.day.to_string()).bind(hand_in.counted.0).bind(note);
    q.bind(author.0).bind(now_ms).execute().await.map(drop)
}

/// Lists counts for days, oldest first.
pub async fn list_hand_ins(
    c: C<'_>,
    hall: HallId,
    (from, to): (&str, &str),
    (technician, limit): (Option<UserId>, i64),
) -> Result<Vec<HandInRow>> {
    let q = c.q(LIST_HAND_INS).bind(hall.0).bind(from).bind(to);
    q.bind(technician.map(|it| it.0)).bind(limit).all().await
}

/// Lists the phones of a hall that were not shut out.
pub async fn list_phones(c: C<'_>, hall: HallId) -> Result<Vec<PhoneRow>> {
    c.q(LIST_PHONES).bind(hall.0).all().await
}

/// The case that looks at a receipt for this reason.
pub async fn find_doubt(
    c: C<'_>,
    (job, visit, fact): (JobId, VisitId, FactId),
    doubt: Doubt,
) -> Result<Option<CaseId>> {
    let q = c.q(FIND_DOUBT).bind(job.0).bind(visit.0).bind(fact.0).bind(doubt.key());
    Ok(q.opt::<(Uuid,)>().await?.map(|(case,)| CaseId(case)))
}

/// Lists the cases that look at receipts of days.
pub async fn list_doubts(
    c: C<'_>,
    hall: HallId,
    (from, to): (&str, &str),
) -> Result<Vec<DoubtRow>> {
    c.q(LIST_DOUBTS).bind(hall.0).bind(from).bind(to).all().await
}

/// Enters that a case looks at a receipt.
pub async fn insert_doubt(
    c: C<'_>,
    (job, visit, fact): (JobId, VisitId, FactId),
    (doubt, case): (Doubt, CaseId),
) -> Result<()> {
    let q = c.q(INSERT_DOUBT).bind(job.0).bind(visit.0).bind(fact.0).bind(doubt.key());
    q.bind(case.0).execute().await.map(drop)
}
