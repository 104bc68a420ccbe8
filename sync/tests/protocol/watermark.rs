//! What may leave a phone, and when.

use sync::device::{Notice, Record};

use crate::world::{Fate, World};

#[test]
fn s12_a_withdrawn_job_leaves_the_eyes_after_its_last_change_is_acked() {
    let mut world = World::new(1, 1);
    let job = world.jobs[0];
    world.sync(0);
    world.assign(job, None);
    world.exchange(0, Fate::ReplyLost);
    world.note(0, job).unwrap();
    // The hall's word on the withdrawal comes without a word on the fact.
    world.exchange(0, Fate::ReplyLate);
    world.note(0, job).unwrap();
    world.deliver_late(0);

    assert!(world.phones[0].device.is_withdrawn(job));
    assert!(world.phones[0].device.job(job).is_some(), "a fact of it is here only");

    world.sync(0);

    assert!(world.phones[0].device.job(job).is_none());
    world.assert_converged();
}

#[test]
fn s12_the_bytes_of_a_job_leave_when_a_backup_covers_them() {
    let mut world = World::new(1, 1);
    let job = world.jobs[0];
    world.sync(0);
    let hash = world.note(0, job).unwrap();
    world.assign(job, None);
    world.sync(0);
    world.sync(0);
    assert!(world.phones[0].device.heads(job).is_some(), "acked is not safe");

    assert_eq!(world.phones[0].device.leaving(), []);

    world.backup();
    world.sync(0);
    assert_eq!(world.phones[0].device.leaving(), [Record::Purged { job }]);
    world.sync(0);

    assert!(world.phones[0].device.heads(job).is_none());
    assert_eq!(world.phones[0].device.own().count(), 0);
    world.restore();
    assert!(world.hall.position_of(hash).is_some());
}

#[test]
fn s12_a_watermark_of_another_history_covers_nothing() {
    let mut world = World::new(1, 1);
    let job = world.jobs[0];
    world.sync(0);
    world.backup();
    for _ in 0..20 {
        world.instruct(job);
    }
    world.note(0, job).unwrap();
    world.sync(0);
    world.restore();
    // The new history has a high watermark of its own.
    for _ in 0..60 {
        world.instruct(job);
    }
    world.hall.mark_safe();
    world.exchange(0, Fate::Good);

    assert_eq!(world.phones[0].device.only_here(), 1, "it is offered again");
    world.heal();
    let instructions = world.hall.job(job).unwrap().plan.instructions.len();
    assert_eq!(instructions, 81, "and so is what the hall forgot, though positions are higher now");
    world.assign(job, None);
    world.heal();

    world.assert_converged();
}

#[test]
fn s15_a_late_reply_does_not_bring_a_withdrawn_job_back() {
    let mut world = World::new(1, 1);
    world.exchange(0, Fate::ReplyLate);
    world.assign(world.jobs[0], None);
    world.exchange(0, Fate::Good);
    let cursor = world.phones[0].device.cursor();

    world.deliver_late(0);

    assert!(world.phones[0].device.job(world.jobs[0]).is_none());
    assert_eq!(world.phones[0].device.cursor(), cursor, "nothing is read again for it");
    world.heal();
    world.assert_converged();
}

#[test]
fn s12_a_job_that_comes_back_is_not_let_go() {
    let mut world = World::new(1, 1);
    let job = world.jobs[0];
    world.sync(0);
    world.note(0, job).unwrap();
    world.assign(job, None);
    world.sync(0);
    world.backup();
    world.exchange(0, Fate::Good);
    world.assign(job, Some(0));

    world.sync(0);

    assert!(world.phones[0].device.job(job).is_some());
    world.assert_converged();
    assert!(world.notices.contains(&Notice::Withdrawn { job }));
}
