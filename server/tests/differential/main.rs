//! The server on SQL does what the hall in memory does, whatever is offered to both.
//!
//! The model is `sync::hall::Hall`. Each phone exists twice: one talks to the model, one to the server, and both make
//! the same changes. After each step verdicts, quarantine, waiting, bindings, grants and documents are compared, and at
//! the end what was projected on the way with what is projected from all changes at once (S8).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod pair;
mod twins;

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::pair::Pair;

/// Something that happens. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Note(usize, usize),
    Message(usize, usize),
    AddJob(usize),
    Assign(usize, usize),
    TakeBack(usize),
    Instruct(usize),
    Cancel(usize),
    Exchange(usize, Tamper),
    /// A phone offers what another one has not handed in yet.
    Steal(usize, usize),
    /// A phone offers a plan that it wrote itself.
    ForgePlan(usize, usize, Forgery),
    /// A phone offers a visit under the actor of another one.
    ForgeActor(usize, usize, usize),
    Restart(usize),
    Wait(i64),
    Revoke(usize),
    Release(usize),
    Safe,
    Reopen,
    Backup,
    Restore,
}

/// How a plan is forged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Forgery {
    /// Under an actor of the phone's own.
    Plain,
    /// Under an actor that looks like the hall's.
    AsHall,
    /// On top of what the phone has not handed in, so that it has to wait first.
    OnUnsent,
}

/// What becomes of an honest request on its way.
#[derive(Clone, Debug)]
pub(crate) enum Tamper {
    Nothing,
    ReplyLost,
    /// Only those changes arrive whose bit is set.
    Only(u8),
    Reversed,
    /// Every change is offered for another job.
    OtherJob(usize),
    /// Every change is offered for a job that nobody has.
    NoJob,
    /// The last byte of every change is another one.
    Bent,
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_server_and_the_hall_in_memory_agree(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&steps));
    }
}

/// What a backup kept apart was let out after it; a restored hall takes it by its own word, and keeps it apart no more.
#[tokio::test]
async fn s13_what_a_backup_kept_apart_comes_back_with_the_halls_own_word() {
    let good = |who| Step::Exchange(who, Tamper::Nothing);
    let steps = [
        Step::Backup,
        // Given, begun and forgotten.
        Step::Assign(0, 1),
        good(1),
        Step::Note(1, 0),
        Step::Restore,
        good(1),
        // The note arrives without the assignment that it builds on.
        Step::Exchange(1, Tamper::Only(0b100)),
        Step::Backup,
        Step::Release(0),
        good(1),
        good(1),
        Step::Restore,
        good(1),
    ];
    let mut pair = Pair::new(3, 3).await;
    for step in &steps {
        take(&mut pair, step).await;
        pair.assert_equal().await;
    }
    assert_eq!(pair.count_apart(), 1, "the restored hall keeps it apart");

    take(&mut pair, &good(1)).await;

    pair.assert_equal().await;
    assert_eq!(pair.count_apart(), 0);
    pair.assert_rebuilt().await;
}

/// What waits is looked at again when its causes come, and what comes of that is written down once.
#[tokio::test]
async fn s6_what_waited_leaves_the_waiting_whatever_becomes_of_it() {
    let good = |who| Step::Exchange(who, Tamper::Nothing);
    let second_only = Step::Exchange(0, Tamper::Only(0b100));
    let mut pair = Pair::new(3, 3).await;
    for (step, waiting) in [
        (good(0), 0),
        (Step::Note(0, 0), 0),
        (Step::Note(0, 0), 0),
        (second_only.clone(), 1),
        (Step::ForgePlan(0, 0, Forgery::OnUnsent), 2),
        // Both notes are let in, the forged plan is not.
        (good(0), 0),
        (Step::Note(0, 0), 0),
        (Step::Note(0, 0), 0),
        (second_only, 1),
        (Step::Revoke(0), 1),
        (good(0), 1),
    ] {
        take(&mut pair, &step).await;
        pair.assert_equal().await;
        assert_eq!(pair.count_waiting(), waiting, "after {step:?}");
    }
    assert_eq!(pair.count_apart(), 2, "the forged plan, and what the phone shut out brought anew");
}

/// A phone whose place the hall gave to another change builds no plan on its own.
#[tokio::test]
async fn s11_a_plan_forged_on_a_change_in_a_taken_place_is_none() {
    let steps =
        [Step::ForgeActor(0, 0, 0), Step::Note(0, 0), Step::ForgePlan(0, 0, Forgery::OnUnsent)];

    play(&steps).await;
}

/// A job with many changes is loaded, judged and handed over from a snapshot.
#[tokio::test]
async fn s10_a_long_job_goes_on_from_its_snapshot() {
    let good = |who| Step::Exchange(who, Tamper::Nothing);
    let mut steps = vec![good(0)];
    steps.extend((0..70).map(|_| Step::Note(0, 0)));
    steps.extend([good(0), Step::Note(0, 0), good(0), Step::Safe, Step::Assign(0, 1), good(1)]);
    steps.extend([Step::Note(1, 0), good(1), Step::Reopen, Step::Note(1, 0), good(1), good(0)]);

    play(&steps).await;
}

/// Fewer than proptest's own default, for each case opens databases; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

async fn play(steps: &[Step]) {
    let mut pair = Pair::new(3, 3).await;
    for step in steps {
        take(&mut pair, step).await;
        pair.assert_equal().await;
    }
    pair.heal().await;
    pair.assert_equal().await;
    pair.assert_projected().await;
    pair.assert_rebuilt().await;
}

async fn take(pair: &mut Pair, step: &Step) {
    let job = |pair: &Pair, index: usize| pair.jobs[index % pair.jobs.len()];
    let phone = |pair: &Pair, index: usize| index % pair.phones.len();
    match *step {
        Step::Note(who, what) => pair.note(phone(pair, who), job(pair, what)),
        Step::Message(who, what) => pair.message(phone(pair, who), job(pair, what)),
        Step::AddJob(who) => pair.add_job(phone(pair, who)).await,
        Step::Assign(what, who) => pair.assign(job(pair, what), Some(phone(pair, who))).await,
        Step::TakeBack(what) => pair.assign(job(pair, what), None).await,
        Step::Instruct(what) => pair.instruct(job(pair, what)).await,
        Step::Cancel(what) => pair.cancel(job(pair, what)).await,
        Step::Exchange(who, ref tamper) => pair.exchange(phone(pair, who), tamper, &[]).await,
        Step::Steal(thief, victim) => {
            let loot = pair.unsent(phone(pair, victim));
            pair.exchange(phone(pair, thief), &Tamper::Nothing, &loot).await;
        }
        Step::ForgePlan(who, what, forgery) => {
            let who = phone(pair, who);
            let forged = pair.forged_plan(who, job(pair, what), forgery).await;
            // What a forged plan waits for comes with a later request.
            pair.exchange(who, &Tamper::Only(0), &forged).await;
        }
        Step::ForgeActor(who, victim, what) => {
            let (who, victim) = (phone(pair, who), phone(pair, victim));
            let forged = pair.forged_visit(who, victim, job(pair, what)).await;
            pair.exchange(who, &Tamper::Nothing, &forged).await;
        }
        Step::Restart(who) => pair.restart(phone(pair, who)),
        Step::Wait(minutes) => pair.wait(TimeDelta::minutes(minutes)),
        Step::Revoke(who) => pair.revoke(phone(pair, who)).await,
        Step::Release(which) => pair.release(which).await,
        Step::Safe => pair.mark_safe().await,
        Step::Reopen => pair.reopen().await,
        Step::Backup => pair.backup().await,
        Step::Restore => pair.restore().await,
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || 0..64_usize;
    let tamper = prop_oneof![
        8 => Just(Tamper::Nothing),
        2 => Just(Tamper::ReplyLost),
        4 => any::<u8>().prop_map(Tamper::Only),
        1 => Just(Tamper::Reversed),
        1 => index().prop_map(Tamper::OtherJob),
        1 => Just(Tamper::NoJob),
        1 => Just(Tamper::Bent),
    ];
    let forgery = prop_oneof![Just(Forgery::Plain), Just(Forgery::AsHall), Just(Forgery::OnUnsent)];
    let step = prop_oneof![
        12 => (index(), index()).prop_map(|(who, what)| Step::Note(who, what)),
        2 => (index(), index()).prop_map(|(who, what)| Step::Message(who, what)),
        1 => index().prop_map(Step::AddJob),
        3 => (index(), index()).prop_map(|(what, who)| Step::Assign(what, who)),
        1 => index().prop_map(Step::TakeBack),
        2 => index().prop_map(Step::Instruct),
        1 => index().prop_map(Step::Cancel),
        14 => (index(), tamper).prop_map(|(who, tamper)| Step::Exchange(who, tamper)),
        2 => (index(), index()).prop_map(|(thief, victim)| Step::Steal(thief, victim)),
        2 => (index(), index(), forgery)
            .prop_map(|(who, what, forgery)| Step::ForgePlan(who, what, forgery)),
        1 => (index(), index(), index())
            .prop_map(|(who, victim, what)| Step::ForgeActor(who, victim, what)),
        2 => index().prop_map(Step::Restart),
        3 => (1..90_i64).prop_map(Step::Wait),
        1 => index().prop_map(Step::Revoke),
        4 => index().prop_map(Step::Release),
        1 => Just(Step::Safe),
        1 => Just(Step::Reopen),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
    ];
    proptest::collection::vec(step, 1..50)
}
