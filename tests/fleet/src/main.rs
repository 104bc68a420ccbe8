//! `fleet`: seeds in numbers, one seed as a story, and planted bugs.

#![expect(clippy::print_stdout, reason = "people read what the fleet says")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use fleet::{Bug, Ran, Script, Size, run, shrink};

/// A run is mostly making and dropping documents: a fifth of its time is the allocator's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs fleets of phones under seeds, with everything that fails.
#[derive(Clone, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
struct Options {
    /// The first seed, or the only one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after another.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Weeks in place of hours.
    #[arg(long)]
    long: bool,
    /// Tells what happened, event by event, in the shortest script that breaks the same promise.
    #[arg(long)]
    story: bool,
    /// A bug to plant.
    #[arg(long, value_enum)]
    bug: Option<Bug>,
    /// Goes on with new seeds for so many minutes.
    #[arg(long)]
    minutes: Option<u64>,
    /// Runs the seeds that once broke a promise.
    #[arg(long)]
    known: bool,
    /// Plants each bug in turn and looks for it; fails when one is not found within `seeds`.
    #[arg(long)]
    bugs: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let is_good = match (options.bugs, options.known, options.minutes) {
        (true, ..) => find_bugs(&options),
        (_, true, _) => sail_known(&options),
        (.., Some(minutes)) => soak(&options, minutes),
        (.., None) => sail(&options),
    };
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The seeds that once broke a promise.
const KNOWN: &str = include_str!("../seeds.txt");

/// Runs the seeds that once broke a promise.
fn sail_known(options: &Options) -> bool {
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    let known = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()? == "long", words.next()?.parse().ok()?))
    });
    let (is_good, count) = known.fold((true, 0), |(is_good, count), (long, seed)| {
        (sail(&Options { seed, long, seeds: 1, ..options.clone() }) && is_good, count + 1)
    });
    if is_good {
        println!("claim fleet.known seeds={count} violations=0");
    }
    is_good
}

/// Goes on with new seeds, some long ones among them, until the time is over.
#[expect(clippy::disallowed_methods, reason = "how long it goes on is said by who asks")]
fn soak(options: &Options, minutes: u64) -> bool {
    const SMALL: u64 = 1_000;
    const LONG: u64 = 20;
    let began = Instant::now();
    let mut seed = options.seed;
    while began.elapsed().as_secs() < minutes * 60 {
        let small = Options { seed, seeds: SMALL, long: false, ..options.clone() };
        let long = Options { seed, seeds: LONG, long: true, ..options.clone() };
        if !sail(&small) || !sail(&long) {
            return false;
        }
        seed += SMALL;
    }
    true
}

fn draw(options: &Options, seed: u64) -> Script {
    Script::draw(seed, if options.long { Size::Long } else { Size::Small })
}

/// What so many seeds came to.
#[derive(Default)]
struct Voyage {
    saved: usize,
    faults: usize,
    lived_ms: i64,
    broken: Option<(Script, Ran)>,
}

/// Runs the seeds, as many at once as there are processors; tells how to see the first that breaks a promise again.
#[expect(clippy::disallowed_methods, reason = "how long it took is told to people only")]
fn sail(options: &Options) -> bool {
    let began = Instant::now();
    if options.seeds == 1 {
        let script = draw(options, options.seed);
        let ran = run(&script, options.bug);
        return tell(options, &script, &ran);
    }
    let next = AtomicU64::new(options.seed);
    let workers = workers();
    let voyages = side_by_side(workers, || watch(options, &next));
    if voyages.len() < workers {
        println!(
            "a run panicked: its message names the place; run the seeds one by one to find its number"
        );
        return false;
    }
    let sum = |of: fn(&Voyage) -> usize| voyages.iter().map(of).sum::<usize>();
    let (saved, faults) = (sum(|it| it.saved), sum(|it| it.faults));
    let days = voyages.iter().map(|it| it.lived_ms).sum::<i64>() / 86_400_000;
    let first =
        voyages.into_iter().filter_map(|it| it.broken).min_by_key(|(script, _)| script.seed);
    if let Some((script, ran)) = first {
        return tell(options, &script, &ran);
    }
    println!(
        "{} {} seeds from {}: no promise broken; {saved} records saved, {faults} faults, {days} device-days, {} s",
        options.seeds,
        if options.long { "long" } else { "small" },
        options.seed,
        began.elapsed().as_secs(),
    );
    println!(
        "claim fleet.{} seeds={} records={saved} faults={faults} device_days={days} violations=0",
        if options.long { "long" } else { "small" },
        options.seeds,
    );
    true
}

/// Runs seeds until none is left or one breaks a promise.
fn watch(options: &Options, next: &AtomicU64) -> Voyage {
    let mut voyage = Voyage::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= options.seed + options.seeds {
            return voyage;
        }
        let script = draw(options, seed);
        let ran = run(&script, options.bug);
        voyage.saved += ran.saved;
        voyage.faults += ran.faults;
        voyage.lived_ms += ran.lived_ms;
        if ran.broken.is_some() {
            // The others come to rest as well: an earlier seed may still break one.
            next.fetch_max(options.seed + options.seeds, Ordering::Relaxed);
            voyage.broken = Some((script, ran));
            return voyage;
        }
    }
}

fn tell(options: &Options, script: &Script, ran: &Ran) -> bool {
    let Some((at, broken)) = &ran.broken else {
        if options.story {
            ran.story.iter().for_each(|line| println!("{line}"));
        }
        println!("seed {}: no promise broken; trace {}", script.seed, ran.trace);
        return true;
    };
    let long = if options.long { " --long" } else { "" };
    let bug = options.bug.map(|bug| format!(" --bug {}", name(bug))).unwrap_or_default();
    println!("seed {} breaks {} at event {at}: {}", script.seed, broken.rule, broken.what);
    println!("see it again: cargo xtask sim --seed {}{long}{bug} --story", script.seed);
    if options.story {
        let shortest = shrink::shrink(script, options.bug).unwrap_or_else(|| script.clone());
        let again = run(&shortest, options.bug);
        println!(
            "\n{} phones, {} jobs; {} of {} events are enough:",
            shortest.phones,
            shortest.jobs,
            shortest.events.len(),
            script.events.len()
        );
        again.story.iter().for_each(|line| println!("  {line}"));
        if let Some((_, broken)) = again.broken {
            println!("  healed, and then: {} IS BROKEN: {}", broken.rule, broken.what);
        }
    }
    false
}

/// Plants each bug and looks for it, as many at once as there are processors.
fn find_bugs(options: &Options) -> bool {
    let next = AtomicUsize::new(0);
    let look = || {
        let mut latest = Vec::new();
        while let Some(bug) = Bug::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            latest.push(find(options, *bug));
        }
        latest
    };
    let found: Vec<Option<u64>> = side_by_side(workers(), look).into_iter().flatten().collect();
    let latest: Option<Vec<u64>> = found.iter().copied().collect();
    let latest = latest.filter(|it| it.len() == Bug::ALL.len()).and_then(|it| it.into_iter().max());
    if let Some(latest) = latest {
        println!("claim fleet.bugs planted={} latest_seed={latest}", Bug::ALL.len());
    }
    latest.is_some()
}

/// The first seed that finds a bug.
fn find(options: &Options, bug: Bug) -> Option<u64> {
    let mut seeds = options.seed..options.seed + options.seeds;
    let found = seeds.find_map(|seed| {
        let ran = run(&draw(options, seed), Some(bug));
        ran.broken.map(|(_, broken)| (seed, broken))
    });
    match &found {
        Some((seed, broken)) => {
            println!("{:28} found by seed {seed}: {} {}", name(bug), broken.rule, broken.what);
        }
        None => println!("{:28} NOT FOUND in {} seeds", name(bug), options.seeds),
    }
    found.map(|(seed, _)| seed)
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Does the same in several threads; what one of them that panicked came to is missing.
fn side_by_side<What: Send>(workers: usize, task: impl Fn() -> What + Sync) -> Vec<What> {
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..workers).map(|_| scope.spawn(&task)).collect();
        hands.into_iter().filter_map(|hand| hand.join().ok()).collect()
    })
}

fn name(bug: Bug) -> String {
    use clap::ValueEnum as _;
    bug.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
}
