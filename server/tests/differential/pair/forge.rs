//! What a hostile phone would offer.

use automerge::{ActorId, Change};
use domain::id::{EntryId, FactId, JobId, VisitId};
use domain::job::{Author, Cancellation, PlanEntry};
use domain::visit::{Fact, Recorded};
use server::jobs::plan::load;
use sync::document::{self, NewFact, Pen};
use sync::hub::hall_actor;
use sync::message::Offered;
use uuid::Uuid;

use super::{DISPATCHER, Pair};
use crate::Forgery;

impl Pair {
    /// What a phone has not handed in yet, without the hall's word for any of it.
    pub(crate) fn unsent(&self, phone: usize) -> Vec<Offered> {
        let [request, _] = self.phones[phone].requests();
        let changes = request.changes.into_iter();
        changes.map(|it| Offered { voucher: None, ..it }).collect()
    }

    /// A cancellation that no dispatcher made.
    pub(crate) async fn forged_plan(
        &mut self,
        phone: usize,
        job: JobId,
        forgery: Forgery,
    ) -> Vec<Offered> {
        let (at, number) = (self.tick(), self.next());
        let mut random = [7; 12];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let actor = match forgery {
            Forgery::AsHall => hall_actor(random),
            Forgery::Plain | Forgery::OnUnsent => ActorId::from(random),
        };
        let author = Author { by: DISPATCHER, at };
        let reason = "不想去".to_owned();
        let entry = PlanEntry::Cancellation(Cancellation { reason, author });
        let id = EntryId(Uuid::from_u128(0xf000 + u128::from(number)));
        let Some(mut doc) = self.document(job).await else { return Vec::new() };
        if let Forgery::OnUnsent = forgery {
            let unsent = self.unsent(phone).into_iter().filter(|it| it.job == job);
            let unsent = unsent.map(|it| Change::from_bytes(it.bytes).unwrap());
            // Where the hall holds another change in its place, nothing can be built on it.
            let Ok(()) = doc.apply_changes(unsent) else { return Vec::new() };
        }
        let bytes = document::plan_change(&mut doc, &Pen { actor, at }, id, &entry).unwrap();
        vec![Offered { job, bytes, voucher: None }]
    }

    /// A visit under another phone's actor.
    pub(crate) async fn forged_visit(
        &mut self,
        phone: usize,
        victim: usize,
        job: JobId,
    ) -> Vec<Offered> {
        let (at, number) = (self.tick(), self.next());
        let writer = self.phones[phone].writer;
        let pen = self.phones[victim].pen(at);
        let recorded = Recorded { stamp: self.phones[phone].stamp(at), fact: Fact::SetOut };
        let fact = NewFact {
            visit: VisitId(Uuid::from_u128(0xe000 + u128::from(number))),
            opens: Some((writer.user, writer.device)),
            id: FactId(Uuid::from_u128(0xe100 + u128::from(number))),
            recorded: &recorded,
        };
        // The victim's own copy would take it; the hall's knows what the victim has written there.
        let Some(mut doc) = self.document(job).await else { return Vec::new() };
        let bytes = document::fact_change(&mut doc, &pen, &fact).unwrap();
        vec![Offered { job, bytes, voucher: None }]
    }

    async fn document(&self, job: JobId) -> Option<automerge::Automerge> {
        let doc = load(self.server().db.read().await.unwrap().c(), job).await.unwrap();
        // A restored hall may have forgotten the job.
        (!doc.get_heads().is_empty()).then_some(doc)
    }
}
