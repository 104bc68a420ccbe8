//! Judging although a change makes the judge panic: it is found, kept apart, and the others are judged without it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::offer::Entry;
use super::{Ground, Judgement, Offer, Outcome, Refused, judge, reason};

/// Judges as [`judge`] does; a change at which that panics is refused as [`reason::DOCUMENT`].
///
/// Automerge can panic on changes that it took as well-formed. Without this one such change would come again with every
/// request of its phone, and nothing else of that phone could be handed in.
pub fn judge_apart(offer: Offer, ground: &Ground) -> Judgement {
    isolate(offer, ground, judge)
}

fn isolate(
    offer: Offer,
    ground: &Ground,
    judge: impl Fn(&Offer, &Ground) -> Judgement,
) -> Judgement {
    // Unwind safety: a judge only reads offer and ground, and what it made is dropped with the panic.
    let attempt = |offer: &Offer| catch_unwind(AssertUnwindSafe(|| judge(offer, ground))).ok();
    if let Some(judgement) = attempt(&offer) {
        return judgement;
    }
    let order: BTreeMap<_, _> = offer.offered().zip(0..).collect();
    let mut sound = Offer { entries: Vec::new(), is_released: offer.is_released };
    let mut refused = Vec::new();
    sift(&mut sound, offer.entries, &mut refused, &|offer| attempt(offer).is_some());
    let mut judgement = attempt(&sound).unwrap_or_default();
    for entry in refused {
        let outcome = Outcome::Quarantined(reason::DOCUMENT.to_owned());
        judgement.outcomes.push((entry.hash, entry.job, outcome));
        judgement.quarantined.push(Refused {
            job: entry.job,
            hash: entry.hash,
            bytes: entry.bytes,
            writer: ground.writer,
            reason: reason::DOCUMENT.to_owned(),
            detail: "judging it does not end".to_owned(),
            has_waited: false,
        });
    }
    judgement.outcomes.sort_by_key(|(hash, _, _)| order.get(hash).copied());
    judgement
}

/// Adds to the sound what can be judged with it, by halves: a few bad ones among many cost a few more judgements each.
fn sift(
    sound: &mut Offer,
    mut entries: Vec<Entry>,
    refused: &mut Vec<Entry>,
    ends: &dyn Fn(&Offer) -> bool,
) {
    let before = sound.entries.len();
    let count = entries.len();
    sound.entries.append(&mut entries);
    if ends(sound) {
        return;
    }
    let mut entries = sound.entries.split_off(before);
    if count == 1 {
        refused.append(&mut entries);
        return;
    }
    let second = entries.split_off(count / 2);
    sift(sound, entries, refused, ends);
    sift(sound, second, refused, ends);
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use automerge::ChangeHash;
    use domain::id::{DeviceId, JobId, UserId};
    use domain::stamp::BootId;

    use super::*;
    use crate::authority::Writer;
    use crate::limits::Limits;
    use crate::message::{Cursor, Epoch, Offered, Request, VERSION};
    use crate::seal::SealKey;

    #[test]
    fn a_change_that_makes_the_judge_panic_is_kept_apart_and_the_others_are_judged() {
        let offer = offer(40);
        let order: Vec<ChangeHash> = offer.offered().collect();
        let poison = BTreeSet::from([order[3], order[4], order[39]]);
        let tries = Cell::new(0);

        let judgement = isolate(offer, &ground(), |offer, ground| {
            tries.set(tries.get() + 1);
            assert!(!offer.offered().any(|hash| poison.contains(&hash)), "a bug in the library");
            judge(offer, ground)
        });

        let judged: Vec<_> = judgement.outcomes.iter().map(|(hash, _, _)| *hash).collect();
        assert_eq!(judged, order, "each has an outcome, in the order of the offer");
        for (hash, _, outcome) in &judgement.outcomes {
            let is_poison = *outcome == Outcome::Quarantined(reason::DOCUMENT.to_owned());
            assert_eq!(is_poison, poison.contains(hash));
        }
        let apart = judgement.quarantined.iter().filter(|it| it.reason == reason::DOCUMENT);
        assert_eq!(apart.map(|it| it.hash).collect::<BTreeSet<_>>(), poison);
        assert!(judgement.quarantined.iter().all(|it| !it.bytes.is_empty()), "kept whole");
        assert!(tries.get() < 40, "{} judgements for three of forty", tries.get());
    }

    #[test]
    fn without_a_panic_nothing_is_judged_twice() {
        let tries = Cell::new(0);

        let judgement = isolate(offer(5), &ground(), |offer, ground| {
            tries.set(tries.get() + 1);
            judge(offer, ground)
        });

        assert_eq!((tries.get(), judgement.outcomes.len()), (1, 5));
    }

    /// Changes that are none; the judge refuses each as malformed.
    fn offer(count: u8) -> Offer {
        let job = JobId(uuid::Uuid::from_u128(1));
        let changes = (0..count).map(|it| Offered { job, bytes: vec![it; 20], voucher: None });
        let epoch = Epoch([7; 16]);
        let request = Request {
            version: VERSION,
            cursor: Some(Cursor { epoch, position: 0 }),
            boot: BootId(1),
            mono_ms: 0,
            anchors: Vec::new(),
            recorded: 0,
            pending: 0,
            packs: Vec::new(),
            changes: changes.collect(),
            limit_bytes: 0,
            receipts: None,
        };
        Offer::inspect(&request, epoch, &Limits::default())
    }

    fn ground() -> Ground {
        let nobody = uuid::Uuid::nil();
        Ground {
            writer: Writer { user: UserId(nobody), device: DeviceId(nobody) },
            is_revoked: false,
            jobs: BTreeMap::new(),
            known: BTreeMap::new(),
            actors: BTreeMap::new(),
            key: SealKey::new([1; 32]),
        }
    }
}
