//! Every input of the corpus, and mutations of them by dice that always fall alike, keep every target's promises.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz::mutate::{Dice, mutate};
use fuzz::{TARGETS, corpus, corpus_folder, target};

/// What all corpora together may take in the repository.
const MOST_BYTES: usize = 2 << 20;

macro_rules! replays {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            replay(stringify!($name));
        }
    )*

        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replays! { change fact exchange request reply record log damage phone rescue pack photo sheet workbook url push }

fn replay(name: &str) {
    // Without the server its targets are not built.
    let Some(target) = target(name) else { return };
    let corpus = corpus(name).expect("`cargo run -p fuzz --bin corpus` makes it");
    assert!(!corpus.is_empty());
    for (input, bytes) in &corpus {
        (try_one(target.run, bytes))
            .unwrap_or_else(|()| panic!("{name}: {input} breaks a promise"));
    }
    let mut dice = Dice::new(0xd005);
    for _ in 0..target.mutations {
        let (input, bytes) = &corpus[dice.below(corpus.len())];
        let (_, other) = &corpus[dice.below(corpus.len())];
        let bent = mutate(&mut dice, bytes, other);
        if try_one(target.run, &bent).is_err() {
            let kept = std::env::temp_dir().join(format!("doorstep-fuzz-{name}"));
            std::fs::write(&kept, &bent).expect("there is room for one input");
            panic!(
                "{name}: a mutation of {input} breaks a promise; it is kept as {}",
                kept.display()
            );
        }
    }
    claim(corpus.len(), target.mutations);
}

/// Prints the figures for the page of claims.
#[expect(clippy::print_stdout, reason = "the page of claims is made of such lines")]
fn claim(inputs: usize, mutations: usize) {
    println!("claim fuzz parsers=1 inputs={inputs} mutations={mutations}");
}

fn try_one(run: fn(&[u8]), bytes: &[u8]) -> Result<(), ()> {
    catch_unwind(AssertUnwindSafe(|| run(bytes))).map_err(drop)
}

#[test]
fn every_target_is_replayed_and_the_corpus_stays_small() {
    let size = |name| corpus(name).expect("a corpus").iter().map(|(_, it)| it.len()).sum::<usize>();
    assert!(TARGETS.iter().all(|target| REPLAYED.contains(&target.name)));
    assert!(TARGETS.iter().map(|target| size(target.name)).sum::<usize>() < MOST_BYTES);
}

#[test]
fn the_corpus_holds_what_the_encoders_of_today_write() {
    for target in TARGETS {
        for (name, bytes) in (target.seeds)() {
            let kept = std::fs::read(corpus_folder(target.name).join(format!("seed-{name}")));
            let is_kept = kept.is_ok_and(|kept| kept == bytes);
            assert!(is_kept, "run `cargo run -p fuzz --bin corpus`: {} {name}", target.name);
        }
    }
}
