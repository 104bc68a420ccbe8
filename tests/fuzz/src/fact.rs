//! Facts as a phone may claim them, with any number in them: what the gate lets in can be folded, judged and counted.

use std::sync::OnceLock;

use domain::callout::callout;
use domain::cash::{HandIn, Taking, balances, contradicting};
use domain::conduct;
use domain::here;
use domain::hose;
use domain::id::FactId;
use domain::job::Job;
use domain::ladder;
use domain::meter;
use domain::pack::Pack;
use domain::promise;
use domain::punctuality::{Circumstances, verdicts};
use domain::stamp::{Heard, Interval, Stamp, clock_stepped};
use domain::status::{since, standing};
use domain::visit::check::{check, missing_to_close};
use domain::visit::{Fact, Outcome, Recorded, live_facts};
use sync::authority::Authority;
use sync::document::{NewFact, apply, fact_change, read};
use sync::limits::Limits;
use sync::preflight::inspect;

use crate::Inputs;
use crate::door::{Door, recorded, uuid};
use crate::scene::now;

/// Facts of one visit at most; more make nothing new.
const MOST: usize = 6;

/// Reads a list of facts, writes them as a phone does, lets them through the gate, and folds the job that they make.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(facts) = serde_json::from_slice::<Vec<Recorded>>(bytes) else { return };
    let mut door = Door::new();
    let mut let_in = 0;
    for (number, fact) in (0x3000..).zip(facts.iter().take(MOST)) {
        let_in += usize::from(is_let_in(&mut door, number, fact));
    }
    if let_in > 0 {
        fold(&read(&door.doc).expect("what was let in reads"));
    }
}

/// Writes a fact; what the gate does not let in leaves no trace.
fn is_let_in(door: &mut Door, number: u128, fact: &Recorded) -> bool {
    let before = door.doc.clone();
    let new = NewFact { visit: door.visit, opens: None, id: FactId(uuid(number)), recorded: fact };
    let Ok(bytes) = fact_change(&mut door.doc, &door.pen, &new) else {
        door.doc = before;
        return false;
    };
    let admitted = inspect(&bytes, &Limits::default()).ok().and_then(|inspected| {
        let mut authority = Authority::new(&before).expect("the door reads");
        authority.admit(&inspected.change, &door.writer).ok()?;
        apply(&before, &[inspected.change]).ok()
    });
    let is_let_in = admitted.is_some();
    door.doc = admitted.unwrap_or(before);
    if is_let_in {
        let job = read(&door.doc).expect("what was let in reads");
        let kept = &job.visits[&door.visit].facts[&FactId(uuid(number))];
        assert_eq!(kept, fact, "it reads as it was written");
    }
    is_let_in
}

/// Everything that phone and hall work out of a job.
fn fold(job: &Job) {
    let pack = pack();
    let bounds = Interval { earliest: job.created_at, latest: now() };
    let times = |stamp: &Stamp| stamp.resolve(&[], bounds, pack.time.drift_ppm);
    let standing = standing(job);
    since(job, &standing, &times);
    callout(job, &times);
    promise::judge(job, &times, (now(), Heard::of(standing.technician, Some(now()))), pack);
    let known = Circumstances { times: &times, now: now(), heard_until: Some(now()), pack };
    verdicts(job, &known);
    ladder::of_job(job, pack);
    let _ =
        (hose::replacements(job), here::hoses(job), here::appliances(job), here::hose_changes(job));
    for meter in meter::of_job(job) {
        meter::ends_on(&meter, pack);
    }
    meter::changes(job);
    for visit in job.visits.values() {
        missing_to_close(job, visit, &Outcome::Done, pack);
        conduct::answers(visit);
        let live = live_facts(visit);
        for (_, recorded) in &live {
            let _ = check(job, Some(visit), &recorded.fact, pack);
            recorded.stamp.skew_ms(times(&recorded.stamp));
        }
        for pair in live.windows(2) {
            clock_stepped(&pair[0].1.stamp, &pair[1].1.stamp, 60_000);
        }
    }
    count(job, pack);
}

/// The till of the day.
fn count(job: &Job, pack: &Pack) {
    let visits = job.visits.iter();
    let facts =
        visits.flat_map(|(id, visit)| live_facts(visit).into_iter().map(move |it| (id, visit, it)));
    let takings: Vec<Taking> = facts
        .filter_map(|(id, visit, (fact, recorded))| {
            let Fact::CashTaken { amount, receipt, .. } = &recorded.fact else { return None };
            Some(Taking {
                fact: (job.id, *id, fact),
                technician: visit.technician,
                household: job.briefing.household.id,
                amount: *amount,
                receipt: receipt.clone(),
                day: now().date_naive(),
                is_void: false,
            })
        })
        .collect();
    let hand_in = |taking: &Taking| HandIn {
        technician: taking.technician,
        day: taking.day,
        counted: taking.amount,
    };
    let hand_ins: Vec<HandIn> = takings.iter().take(1).map(hand_in).collect();
    for balance in balances(&takings, &hand_ins).values() {
        balance.difference();
    }
    for (one, doubt) in takings.iter().flat_map(|one| domain::cash::Doubt::ALL.map(|it| (one, it)))
    {
        if let Some(rules) = &pack.cash {
            contradicting(one, &takings, doubt, rules);
        }
    }
}

fn pack() -> &'static Pack {
    static PACK: OnceLock<Pack> = OnceLock::new();
    PACK.get_or_init(Pack::builtin)
}

/// Each fact alone, and some together.
pub(crate) fn seeds() -> Inputs {
    let text = include_str!("../../../sync/tests/hostile/facts.json");
    let facts: Vec<Fact> = serde_json::from_str(text).expect("a fixture");
    let written = |facts: &[Fact]| {
        let facts: Vec<Recorded> = facts.iter().map(recorded).collect();
        serde_json::to_vec(&facts).expect("facts have string keys only")
    };
    let mut seeds: Inputs = (facts.iter().enumerate())
        .map(|(number, fact)| (format!("fact-{number:02}"), written(std::slice::from_ref(fact))))
        .collect();
    let together = facts.chunks(5).enumerate();
    seeds.extend(together.map(|(number, facts)| (format!("some-{number}"), written(facts))));
    let cash: Vec<Fact> =
        facts.iter().filter(|it| matches!(it, Fact::CashTaken { .. })).cloned().collect();
    seeds.push(("cash-twice".to_owned(), written(&[&cash[..], &cash].concat())));
    seeds
}
