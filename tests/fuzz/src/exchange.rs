//! A request as the hall takes it: whoever wrote it, only what its writer may add is added (S11, S15, S17).

use sync::chunk::chunk_hash;
use sync::hall::Hall;
use sync::limits::OFFERS;
use sync::message::{Reply, Request, Verdict};

use crate::Inputs;
use crate::message;
use crate::scene::{Scene, neighbour, now, reseal, scene};

/// Shows the hall the bytes as they are, and once more with right checksums in the changes they offer.
pub(crate) fn run(bytes: &[u8]) {
    message::request(bytes);
    let scene = scene();
    if scene.hall.clone().exchange(scene.writer, bytes, now()).is_err() {
        return;
    }
    let mut request = Request::decode(bytes).expect("the hall read it");
    request.changes.iter_mut().for_each(|offered| reseal(&mut offered.bytes));
    exchanged(scene, &request);
}

fn exchanged(scene: &Scene, request: &Request) {
    let [mine, others] = scene.jobs;
    let bytes = request.encode();
    let mut hall = scene.hall.clone();
    let reply = exchange(&mut hall, scene, &bytes);

    for judged in &reply.verdicts {
        match &judged.verdict {
            Verdict::Acked { .. } | Verdict::Duplicate { .. } => {
                assert!(hall.position_of(judged.hash).is_some(), "what is acked is held (S2)");
            }
            Verdict::Waiting => assert!(hall.is_waiting(judged.hash), "what waits is kept"),
            Verdict::Quarantined { .. } => {
                assert!(hall.quarantined(judged.hash).is_some(), "what is refused is kept");
            }
        }
    }
    // Of a phone that has not heard of a restore nothing is looked at.
    let is_of_today = request.cursor.is_none_or(|cursor| cursor.epoch == hall.epoch());
    for offered in request.changes.iter().take(OFFERS).filter(|_| is_of_today) {
        let hash = chunk_hash(&offered.bytes);
        let is_answered = reply.verdicts.iter().any(|judged| judged.hash == hash);
        assert!(is_answered, "each offer is answered");
    }
    assert_eq!(hall.changes(others), scene.hall.changes(others), "another's job is untouched");
    assert_eq!(hall.jobs().collect::<Vec<_>>(), scene.jobs, "no job appears");
    let (before, after) = (scene.hall.job(mine), hall.job(mine));
    let (before, after) = (before.expect("it was read"), after.expect("it still reads"));
    assert_eq!((&after.plan, &after.briefing), (&before.plan, &before.briefing), "the hall's own");
    for (id, visit) in &before.visits {
        let kept =
            visit.facts.iter().all(|(fact, it)| after.visits[id].facts.get(fact) == Some(it));
        assert!(kept, "what was recorded stays as it is (S14)");
    }

    let position = hall.position();
    let again = exchange(&mut hall, scene, &bytes);
    assert_eq!(hall.position(), position, "the same again changes nothing (S5)");
    assert_eq!(again.verdicts.len(), reply.verdicts.len());
    assert!(neighbour(&mut hall), "the other technician goes on (L3)");
}

fn exchange(hall: &mut Hall, scene: &Scene, bytes: &[u8]) -> Reply {
    let reply = hall.exchange(scene.writer, bytes, now()).expect("it was read before");
    message::reply(&reply).expect("the hall writes replies")
}

/// Every request of the scene.
pub(crate) fn seeds() -> Inputs {
    let requests = scene().requests.iter().cloned().enumerate();
    requests.map(|(number, bytes)| (format!("request-{number:02}"), bytes)).collect()
}
