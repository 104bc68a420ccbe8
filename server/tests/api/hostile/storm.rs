//! Malformed bodies against a server that works meanwhile: some thousands in each test run, as many as one likes with
//! `cargo xtask storm`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use reqwest::Method;

use super::asking::asking;
use super::bodies::{self, Sent};
use super::description::{Operation, operations};
use super::mutations::{Dice, Malformed, bombs, malformed};
use super::pair::{PEOPLE, Pair, Side};
use super::sweep::{differing, may, seen};

/// Bodies in an ordinary test run.
const SHARE: usize = 2_000;

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// What the server may take of memory beside what it had, with its clients in the same process.
const MOST_MEMORY_KB: u64 = 600 << 10;

/// How many times longer the slowest hundredth of neighbours may wait in a storm that somebody asked for; an ordinary
/// test run looks at no clock.
const MOST_RATIO: f64 = 30.0;

/// How often neighbours ask when nothing else happens.
const CALM: usize = 100;

/// Stands where an id is replaced.
const PLACE: &str = "PLACE";

/// Routes that are left out, with why.
const SPARED: &[(&str, &str)] = &[(
    "POST /api/clock",
    "it sets the clock that everything here stands on, and only tests have it",
)];

/// What became of the bodies.
#[derive(Default)]
struct Told {
    /// How many of each kind of malformation ended with which status.
    counts: BTreeMap<(&'static str, u16), usize>,
    wrong: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_28_check_48_malformed_bodies_are_refused_and_neighbours_go_on() {
    let asked = number_of("DOORSTEP_STORM");
    let wanted = asked.unwrap_or(SHARE);
    let seed = number_of("DOORSTEP_STORM_SEED").unwrap_or(1);
    let pair = Pair::open().await;
    let panics = count_panics();
    let targets = targets(&pair.east).await;
    bombs();
    assert!(targets.len() > 60, "{}", targets.len());
    let calm = neighbours(&pair.west, &Rounds::new(CALM)).await;
    let before = seen(&pair.west).await;
    let memory = peak_memory_kb();

    let rounds = Rounds::endless();
    let storm = async {
        let all = stream::iter(0..wanted).map(|number| blow(&pair.east, &targets, seed, number));
        let told = all.buffer_unordered(AT_ONCE).fold(Told::default(), note).await;
        rounds.stop();
        told
    };
    let (told, stormy) = tokio::join!(storm, neighbours(&pair.west, &rounds));

    print(wanted, &told, (&calm, &stormy), (memory, peak_memory_kb()));
    assert!(told.wrong.is_empty(), "{} of {wanted}:\n{}", told.wrong.len(), told.wrong.join("\n"));
    assert_eq!(panics.load(Ordering::SeqCst), 0, "nothing panicked");
    let grown = peak_memory_kb().saturating_sub(memory);
    assert!(grown < MOST_MEMORY_KB, "{grown} KiB more");
    assert!(!stormy.is_empty(), "the neighbours were served");
    assert!(
        asked.is_none() || ratio(&calm, &stormy) < MOST_RATIO,
        "the neighbours waited too long"
    );
    let mut changed = differing(&before, &seen(&pair.west).await);
    // Halls and rules are kept by whoever is an admin of any hall.
    changed.retain(|it| !it.contains("GET /api/halls") && !it.contains("GET /api/packs"));
    assert_eq!(changed, Vec::<String>::new(), "the other hall is as it was");
    claim(&told, targets.len());
}

/// Prints the figures for the page of claims.
#[expect(clippy::print_stdout, reason = "the page of claims is made of such lines")]
fn claim(told: &Told, routes: usize) {
    let sum = |is: fn(u16) -> bool| {
        let counts = told.counts.iter().filter(|((_, status), _)| is(*status));
        counts.map(|(_, count)| count).sum::<usize>()
    };
    let (all, refused) = (sum(|_| true), sum(|status| (400..500).contains(&status)));
    let failed = sum(|status| status >= 500);
    println!("claim storm bodies={all} refused={refused} failed={failed} routes={routes}");
}

fn number_of(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().map(|it| it.parse().expect("a number"))
}

/// A route that takes a body.
struct Target {
    name: String,
    method: Method,
    path: String,
    /// The first place of its path that names something.
    place: Option<String>,
    valid: Vec<Sent>,
    /// Tokens of those who may use it.
    tokens: Vec<String>,
}

async fn targets(side: &Side) -> Vec<Target> {
    let all = operations(&side.counter.node).await.into_iter().filter(|it| it.has_body);
    let all = all.filter(|it| !SPARED.iter().any(|(name, _)| *name == it.name()));
    let target = |it: Operation| {
        let people = PEOPLE.iter().filter(|(_, role)| may(&it, *role));
        Target {
            name: it.name(),
            method: it.method.clone(),
            path: asking(&it, side, &[]).path,
            place: it.in_path().next().map(|at| asking(&it, side, &[(&at.name, PLACE)]).path),
            valid: bodies::of(&it.name(), side).unwrap_or_default(),
            tokens: people.map(|(who, _)| side.tokens[who].clone()).collect(),
        }
    };
    all.map(target).collect()
}

/// Sends one malformed body, the same for the same seed and number; says what came of it.
async fn blow(
    side: &Side,
    targets: &[Target],
    seed: usize,
    number: usize,
) -> (&'static str, Result<u16, String>) {
    let mut dice = Dice(u64::try_from(seed << 32 | number).unwrap_or(0));
    let target = dice.pick(targets);
    let valid = dice.pick(&target.valid);
    let made = malformed(valid, &mut dice);
    let token = (!target.tokens.is_empty()).then(|| dice.pick(&target.tokens));
    let said = format!("seed {seed} number {number}: {} {}", target.name, made.how);
    (made.how, send(side, target, made, token).await.map_err(|why| format!("{said}: {why}")))
}

async fn send(
    side: &Side,
    target: &Target,
    made: Malformed,
    token: Option<&String>,
) -> Result<u16, String> {
    let path = match (made.id, &target.place) {
        (Some(id), Some(place)) => place.replace(PLACE, id),
        _ => target.path.clone(),
    };
    let url = format!("{}{path}", side.counter.node.base);
    let mut request = side.http.request(target.method.clone(), url).body(made.bytes);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    for (name, value) in [("content-type", made.kind), ("content-encoding", made.encoding)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    // A refusal of what is too long may come, and the connection end, before all of it was sent.
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Err(format!("{error:?}")),
        Err(_) => return Ok(0),
    };
    let status = response.status().as_u16();
    let kind = format!("{:?}", response.headers().get("content-type"));
    let body = response.text().await.map_err(|error| format!("{status}: {error:?}"))?;
    let is_told = (200..400).contains(&status) || kind.contains("application/problem+json");
    if status >= 500 || !is_told || body.contains("panicked") {
        return Err(format!("{status} {kind} {}", body.chars().take(300).collect::<String>()));
    }
    Ok(status)
}

async fn note(mut told: Told, (how, came): (&'static str, Result<u16, String>)) -> Told {
    match came {
        Ok(status) => *told.counts.entry((how, status)).or_default() += 1,
        Err(wrong) => told.wrong.push(wrong),
    }
    told
}

/// How often neighbours ask.
struct Rounds {
    left: AtomicUsize,
    is_over: AtomicBool,
}

impl Rounds {
    fn new(rounds: usize) -> Self {
        Self { left: AtomicUsize::new(rounds), is_over: AtomicBool::new(false) }
    }

    fn endless() -> Self {
        Self::new(usize::MAX)
    }

    fn stop(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn goes_on(&self) -> bool {
        let counted = self.left.fetch_sub(1, Ordering::SeqCst) > 0;
        counted && !self.is_over.load(Ordering::SeqCst)
    }
}

/// A phone that exchanges and a dispatcher who reads the board, one after the other; how long each took.
#[expect(clippy::disallowed_methods, reason = "how long somebody waited is told to people only")]
async fn neighbours(side: &Side, rounds: &Rounds) -> Vec<Duration> {
    let mut took = Vec::new();
    while rounds.goes_on() {
        let begun = Instant::now();
        side.ben.exchange(side.ben.request().encode()).await.expect("the phone is answered");
        took.push(begun.elapsed());
        for path in ["/api/jobs", "/api/board/rounds?day=2026-03-02"] {
            let begun = Instant::now();
            let seen = side.counter.node.get(path, &side.tokens["dora"]).await;
            assert_eq!(seen.status, 200, "{path} for a neighbour: {seen:?}");
            took.push(begun.elapsed());
        }
    }
    took.sort();
    took
}

/// Counts panics anywhere in this process from now on.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        counting.fetch_add(1, Ordering::SeqCst);
        shown(panic);
    }));
    count
}

/// The most memory that this process ever had, where the system tells.
fn peak_memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|it| it.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// How long all but so many of a hundred waited at most.
fn percentile(took: &[Duration], of_hundred: usize) -> Duration {
    let at = (took.len() * of_hundred / 100).min(took.len().saturating_sub(1));
    took.get(at).copied().unwrap_or_default()
}

fn ratio(calm: &[Duration], stormy: &[Duration]) -> f64 {
    percentile(stormy, 99).as_secs_f64() / percentile(calm, 99).as_secs_f64().max(1e-9)
}

#[expect(clippy::print_stdout, reason = "whoever asks for a storm reads its counts")]
fn print(
    wanted: usize,
    told: &Told,
    (calm, stormy): (&[Duration], &[Duration]),
    (before, after): (u64, u64),
) {
    let mut lines = format!("{wanted} malformed bodies\n");
    let mut by_status: BTreeMap<u16, usize> = BTreeMap::new();
    let mut by_how: BTreeMap<&str, usize> = BTreeMap::new();
    for ((how, status), count) in &told.counts {
        *by_status.entry(*status).or_default() += count;
        *by_how.entry(how).or_default() += count;
    }
    let _infallible = writeln!(lines, "by status (0: the connection ended first): {by_status:?}");
    let _infallible = writeln!(lines, "by malformation: {by_how:?}");
    for (name, took) in [("calm", calm), ("stormy", stormy)] {
        let (half, most) = (percentile(took, 50), percentile(took, 99));
        let _infallible = writeln!(
            lines,
            "neighbours, {name}: {} requests, median {half:?}, p99 {most:?}",
            took.len()
        );
    }
    let _infallible = writeln!(lines, "ratio of p99: {:.1}", ratio(calm, stormy));
    let _infallible = writeln!(lines, "most memory: {before} KiB before, {after} KiB after");
    println!("{lines}");
}
