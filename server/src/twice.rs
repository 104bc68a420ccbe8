//! Work that crews who knew nothing of each other did twice, in jobs apart, becomes a case with an owner (B14).

use domain::hose::HoseChange;
use domain::id::{FactId, HallId, HouseholdId, JobId, VisitId};
use domain::job::Job;
use domain::pack::Pack;
use domain::stamp::Timestamp;
use domain::twice::{Done, Twice, Work, contradicting};

use crate::db::{C, Tx, ledger, meter_changes, twice as rows};
use crate::doubts::{self, Doubted};
use crate::http::error::ApiError;

/// The facts that put something in or take it out.
pub const FACTS: [&str; 2] = ["hose_replaced", "meter_changed"];

/// Looks at a job's work after it changed; what was done in another job too becomes a case, once.
///
/// The hall's row has to be held.
pub async fn look(
    tx: &mut Tx,
    (hall, job): (HallId, &Job),
    (pack, now): (&Pack, Timestamp),
) -> Result<(), ApiError> {
    let household = job.briefing.household.id;
    let all = work_at(tx.c(), household).await?;
    for one in all.iter().filter(|it| it.fact.0 == job.id) {
        for why in Twice::ALL {
            let others = contradicting(one, &all, why, pack);
            let found = Found { household, why, one, others };
            found.look(tx, hall, (pack, now)).await?;
        }
    }
    Ok(())
}

/// Everything that visits put in and took out at a household.
async fn work_at(mut c: C<'_>, household: HouseholdId) -> Result<Vec<Work>, ApiError> {
    let hoses = ledger::list_hose_changes(c.lend(), household).await?.into_iter().map(|it| {
        let change: HoseChange = it.change;
        let fact = (change.job, VisitId(it.visit_id), FactId(it.fact_id));
        Work { fact, done: Done::Hose(change) }
    });
    let meters = meter_changes::list_changes(c, household).await?.into_iter();
    let meters = meters.filter_map(|change| {
        let (meter, _) = change.removed?;
        Some(Work { fact: (change.job, change.visit, change.fact), done: Done::Meter(meter) })
    });
    Ok(hoses.chain(meters).collect())
}

/// Work that contradicts other work.
struct Found<'a> {
    household: HouseholdId,
    why: Twice,
    one: &'a Work,
    others: Vec<&'a Work>,
}

impl Found<'_> {
    async fn look(
        &self,
        tx: &mut Tx,
        hall: HallId,
        (pack, now): (&Pack, Timestamp),
    ) -> Result<(), ApiError> {
        if self.others.is_empty()
            || rows::find_twice(tx.c(), self.one.fact, self.why).await?.is_some()
        {
            return Ok(());
        }
        let (mut known, mut fresh) = (None, vec![self.one.fact]);
        for other in &self.others {
            match rows::find_twice(tx.c(), other.fact, self.why).await? {
                Some(case) => known = Some(case),
                None => fresh.push(other.fact),
            }
        }
        let words = self.words(tx.c(), &fresh).await?;
        let doubted = Doubted { hall, known, household: Some(self.household.0), words };
        let raised = doubts::raise(tx, doubted, (pack, now)).await?;
        let Some((case, _)) = raised else { return Ok(()) };
        for fact in fresh {
            rows::insert_twice(tx.c(), fact, (self.why, case)).await?;
        }
        Ok(())
    }

    /// What is wrong, in both languages, and who was there.
    async fn words(
        &self,
        c: C<'_>,
        facts: &[(JobId, VisitId, FactId)],
    ) -> Result<String, ApiError> {
        let crews = rows::list_crews(c, self.household).await?;
        let names = facts.iter().filter_map(|(_, visit, _)| crews.get(visit).cloned());
        let names = names.collect::<Vec<_>>().join("; ");
        Ok(doubts::words(&format!("twice.{}", self.why.key()), &names))
    }
}
