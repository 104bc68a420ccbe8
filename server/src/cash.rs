//! Cash at home (B15): what a day comes to for each technician, and receipts that contradict each other become a case.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::cash::{Balance, Doubt, Taking, balances, contradicting};
use domain::id::{HallId, UserId};
use domain::job::Job;
use domain::measure::Fen;
use domain::pack::{CashRules, Pack};
use domain::stamp::Timestamp;

use crate::db::cash::{self as rows, DoubtRow, HandInRow, PhoneRow, TakenRow};
use crate::db::{C, Tx};
use crate::doubts::{self, Doubted};
use crate::http::error::ApiError;

/// What the live stream calls news of counted cash.
pub const LIVE_KIND: &str = "cash";

/// Rows of one kind that a day shows.
const MOST_ROWS: i64 = 5_000;

/// Cash of a span of days as the hall knows it now; what phones have not handed in is not in it.
#[derive(Debug)]
pub struct Book {
    /// Receipts, oldest first.
    pub taken: Vec<TakenRow>,
    /// Counts, oldest first.
    pub hand_ins: Vec<HandInRow>,
    /// Cases that look at receipts.
    pub doubts: Vec<DoubtRow>,
    /// What each day of each technician comes to.
    pub balances: BTreeMap<(NaiveDate, UserId), Balance>,
}

/// Reads the cash of days, of everybody or of one technician.
pub async fn book(
    mut c: C<'_>,
    hall: HallId,
    (from, to): (NaiveDate, NaiveDate),
    technician: Option<UserId>,
) -> Result<Book, ApiError> {
    let (first, last) = (from.to_string(), to.to_string());
    let days = (first.as_str(), last.as_str());
    let which = (technician, MOST_ROWS);
    let taken = rows::list_taken(c.lend(), hall, days, which).await?;
    let hand_ins = rows::list_hand_ins(c.lend(), hall, days, which).await?;
    let doubts = rows::list_doubts(c, hall, days).await?;
    let takings = taken.iter().map(TakenRow::taking).collect::<Result<Vec<_>, _>>()?;
    let counts = hand_ins.iter().map(HandInRow::hand_in).collect::<Result<Vec<_>, _>>()?;
    let balances = balances(&takings, &counts);
    Ok(Book { taken, hand_ins, doubts, balances })
}

/// What each technician still carries at the end of a day by all that the hall knows, in fen: taken less counted.
pub async fn carried(
    mut c: C<'_>,
    hall: HallId,
    until: NaiveDate,
) -> Result<BTreeMap<UserId, Fen>, ApiError> {
    let until = until.to_string();
    let mut carried: BTreeMap<UserId, Fen> = BTreeMap::new();
    for (user, sum) in rows::sum_taken(c.lend(), hall, &until).await? {
        carried.entry(UserId(user)).or_default().0 += sum;
    }
    for (user, sum) in rows::sum_counted(c, hall, &until).await? {
        carried.entry(UserId(user)).or_default().0 -= sum;
    }
    Ok(carried)
}

/// Whether more of a day may still arrive from a phone: it holds something, or was not heard since the day ended.
pub fn may_bring_more(phone: &PhoneRow, day_ends_ms: i64) -> bool {
    phone.pending > 0 || phone.heard_at.is_none_or(|heard| heard < day_ends_ms)
}

/// Looks at a job's receipts after it changed; what contradicts others becomes a case with an owner, once.
///
/// Returns the hall's position when a case was opened. The hall's row has to be held.
pub async fn look(
    tx: &mut Tx,
    (hall, job): (HallId, &Job),
    (pack, now): (&Pack, Timestamp),
) -> Result<Option<i64>, ApiError> {
    let Some(rules) = &pack.cash else { return Ok(None) };
    let mut reached = None;
    for row in rows::list_of_job(tx.c(), job.id).await? {
        let taking = row.taking()?;
        for doubt in Doubt::ALL {
            let opened = doubted(tx, hall, (&taking, doubt), (pack, rules, now)).await?;
            reached = opened.or(reached);
        }
    }
    Ok(reached)
}

async fn doubted(
    tx: &mut Tx,
    hall: HallId,
    (taking, doubt): (&Taking, Doubt),
    (pack, rules, now): (&Pack, &CashRules, Timestamp),
) -> Result<Option<i64>, ApiError> {
    if rows::find_doubt(tx.c(), taking.fact, doubt).await?.is_some() {
        return Ok(None);
    }
    let related = rows::list_related(tx.c(), hall, (taking, doubt)).await?;
    let related = related.iter().map(TakenRow::taking).collect::<Result<Vec<_>, _>>()?;
    let against = contradicting(taking, &related, doubt, rules);
    if against.is_empty() {
        return Ok(None);
    }
    let mut known = None;
    let mut fresh = vec![taking];
    for other in against {
        match rows::find_doubt(tx.c(), other.fact, doubt).await? {
            Some(case) => known = Some(case),
            None => fresh.push(other),
        }
    }
    let homes: BTreeSet<_> = fresh.iter().map(|it| it.household.0).collect();
    let doubted = Doubted {
        hall,
        known,
        household: homes.first().filter(|_| homes.len() == 1).copied(),
        words: if known.is_some() { words(&[taking], doubt) } else { words(&fresh, doubt) },
    };
    let Some((case, position)) = doubts::raise(tx, doubted, (pack, now)).await? else {
        return Ok(None);
    };
    for taking in fresh {
        rows::insert_doubt(tx.c(), taking.fact, (doubt, case)).await?;
    }
    Ok(Some(position))
}

/// What is wrong, in both languages, with the receipts in the order in which they were written.
fn words(takings: &[&Taking], doubt: Doubt) -> String {
    let mut sorted = takings.to_vec();
    sorted.sort_by_key(|it| (it.day, &it.receipt));
    let said = |it: &&Taking| format!("{} {} ¥{}", it.receipt, it.day, it.amount);
    let receipts = sorted.iter().map(said).collect::<Vec<_>>().join("; ");
    doubts::words(&format!("cash.doubt.{}", doubt.key()), &receipts)
}
