//! `cargo xtask claims`: runs what Doorstep claims under faults, and writes the page of claims from what was printed.
//!
//! Whatever shows a claim prints lines like `claim kills.server kills=50 acknowledged=50`; nothing else enters the page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use cluster::Cluster;

use crate::fleet::{BUGS, LONG, SMALL};
use crate::run::{followed, output};

/// The page, from the workspace's folder.
const PAGE: &str = "docs/claims.md";

/// What the page ends with, before its checksum.
const SEAL: &str = "Checksum of the lines above: ";

/// A claim's figures, by name.
type Figures = BTreeMap<String, u64>;

/// Each claim: its name in the printed lines, and its sentence with the figures' names in braces.
const CLAIMS: &[(&str, &str)] = &[
    (
        "fleet.small",
        "{seeds} fleets over hours, each under a seed of its own: {records} records saved, {faults} faults injected, {device_days} device-days, {violations} promises broken",
    ),
    (
        "fleet.long",
        "{seeds} fleets over weeks: {records} records saved, {faults} faults injected, {device_days} device-days, {violations} promises broken",
    ),
    ("fleet.known", "{seeds} seeds that once broke a promise run again: {violations} broken"),
    (
        "fleet.bugs",
        "{planted} bugs planted to try the checker: all found, the last of them by seed {latest_seed}",
    ),
    (
        "kills.phone",
        "A phone's process killed {kills} times, at every write of a day: nothing that it called saved was missing",
    ),
    (
        "kills.server",
        "The server killed {kills} times right after it acknowledged or in the middle: {acknowledged} acknowledged facts, each there once",
    ),
    (
        "kills.migration",
        "Bringing the schema up to date killed {kills} times in its middle: the next start ends it, and nothing is missing",
    ),
    (
        "upgrades",
        "The databases and phones of older releases go on with this one ({releases}): nothing that either held is missing",
    ),
    (
        "fuzz",
        "{parsers} parsers of foreign bytes given {inputs} kept inputs and {mutations} mutations of them: each keeps its promises",
    ),
    (
        "storm",
        "{bodies} malformed bodies sent to {routes} routes while neighbours work: {refused} refused in words, {failed} failures of the server, and nothing of another hall changed",
    ),
];

/// Malformed bodies that are sent.
const BODIES: &str = "10000";

/// Runs everything and writes the page.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    let mut claims: BTreeMap<String, Figures> = BTreeMap::new();
    for mut command in commands(root) {
        for line in followed(&mut command)? {
            enter(&mut claims, &line);
        }
    }
    let databases = Cluster::start(&["fsync = off"])?;
    databases.sql("postgres", "create database statements")?;
    let mut on_postgres = test(root, "processes", &["s2_killed", "s18_f19"]);
    on_postgres.env("DOORSTEP_TEST_POSTGRES", databases.url("statements"));
    for line in followed(&mut on_postgres)? {
        enter(&mut claims, &line);
    }
    let page = page(root, &claims)?;
    fs::write(root.join(PAGE), page).with_context(|| format!("{PAGE} cannot be written"))
}

fn commands(root: &Path) -> Vec<Command> {
    let fleet = |options: &[&str]| {
        let all = ["run", "--quiet", "--profile", "fleet", "-p", "fleet", "--"];
        cargo(root, &[&all[..], options].concat())
    };
    let mut storm = test(root, "api", &["hostile::storm"]);
    storm.env("DOORSTEP_STORM", BODIES);
    vec![
        fleet(&["--known"]),
        fleet(&["--seeds", SMALL]),
        fleet(&["--long", "--seeds", LONG]),
        fleet(&["--bugs", "--seeds", BUGS]),
        test(root, "phone", &["kill_sweep::s1"]),
        test(root, "processes", &["s2_killed", "s18_"]),
        test(root, "replay", &[]),
        storm,
    ]
}

/// A file of tests, or those of it that a filter names.
fn test(root: &Path, file: &str, filters: &[&str]) -> Command {
    let all = ["test", "--quiet", "--workspace", "--test", file, "--", "--nocapture"];
    cargo(root, &[&all[..], filters].concat())
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(arguments);
    command
}

/// Adds the figures of a line that makes a claim: counts add up, whoever printed them.
fn enter(claims: &mut BTreeMap<String, Figures>, line: &str) {
    let Some((_, claim)) = line.split_once("claim ") else { return };
    let mut words = claim.split_whitespace();
    let Some(name) = words.next().filter(|name| CLAIMS.iter().any(|(known, _)| known == name))
    else {
        return;
    };
    let figures = claims.entry(name.to_owned()).or_default();
    for (name, value) in words.filter_map(|word| word.split_once('=')) {
        let value: u64 = value.parse().unwrap_or(0);
        *figures.entry(name.to_owned()).or_default() += value;
    }
}

fn page(root: &Path, claims: &BTreeMap<String, Figures>) -> anyhow::Result<String> {
    let folder = root.display().to_string();
    let commit = output("git", &["-C", &folder, "log", "-1", "--format=%h of %cs"])?;
    let rustc = output("rustc", &["--version"])?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut page = format!(
        "# What Doorstep claims under faults\n\n\
         Printed by `cargo xtask claims` at commit {commit}, on {cores} processors, {rustc}. \
         Nobody edits this page: its last line is a checksum, and a test compares it.\n\n"
    );
    for (name, sentence) in CLAIMS {
        let figures = claims.get(*name).with_context(|| format!("nothing showed {name}"))?;
        let mut said = (*sentence).to_owned();
        for (figure, value) in figures {
            said = said.replace(&format!("{{{figure}}}"), &grouped(*value));
        }
        anyhow::ensure!(!said.contains('{'), "{name} lacks a figure: {said}");
        writeln!(page, "- {said}.")?;
    }
    let days: u64 = claims.values().filter_map(|it| it.get("device_days")).sum();
    writeln!(page, "\nThe fleets lived {} device-years together.\n", grouped(days / 365))?;
    let seal = blake3::hash(page.as_bytes()).to_hex();
    writeln!(page, "{SEAL}{}", &seal[..16])?;
    Ok(page)
}

/// A number as people read it, in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|it| std::str::from_utf8(it).unwrap_or(""))
        .collect();
    parts.join(",")
}
