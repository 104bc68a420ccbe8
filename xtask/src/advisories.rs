//! Known weaknesses of what is built, by `RustSec`'s database: a gate wherever that can be had.
//!
//! `DOORSTEP_ADVISORY_DB` names a folder that holds it; without, it is fetched once a day. deny.toml says with a
//! reason what is let pass, in the words of `cargo deny`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use semver::{Version, VersionReq};
use serde::Deserialize;

/// Where the database is fetched from.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// A copy that is older is fetched anew where that works.
const FRESH_MINUTES: &str = "1440";

/// An advisory as its file's head says.
#[derive(Deserialize)]
struct File {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    date: String,
    /// Set for what is no weakness: nobody looks after it any more, or it is worth a word.
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Default, Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

/// A package of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Locked {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Rules {
    advisories: Option<Let>,
}

#[derive(Deserialize)]
struct Let {
    #[serde(default)]
    ignore: Vec<LetPass>,
}

/// An advisory that is let pass.
#[derive(Deserialize)]
struct LetPass {
    id: String,
    reason: String,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Weaknesses that are not let pass, as `id package version`.
    weak: Vec<String>,
    /// What is worth a word: unmaintained, unsound.
    noted: Vec<String>,
    /// What deny.toml lets pass and nothing has any more.
    idle: Vec<String>,
    /// The day of the newest advisory.
    newest: String,
    /// How many were read.
    read: usize,
}

/// Looks the lock file up; fails on a weakness that deny.toml does not let pass.
#[expect(clippy::print_stdout, reason = "people follow the steps in their terminal")]
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let given = std::env::var_os("DOORSTEP_ADVISORY_DB").map(PathBuf::from);
    let Some(folder) = given.or_else(|| fetched(root)) else {
        println!(
            "known weaknesses were NOT looked at: no database is given and none can be fetched"
        );
        return Ok(());
    };
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let rules = fs::read_to_string(root.join("deny.toml"))?;
    let found = look(&folder, &lock, &rules)?;
    println!(
        "known weaknesses: {} advisories read, the newest of {}; {} worth a word",
        found.read,
        found.newest,
        found.noted.len()
    );
    for said in &found.noted {
        println!("  {said}");
    }
    ensure!(
        found.idle.is_empty(),
        "deny.toml lets pass what nothing has: {}",
        found.idle.join(", ")
    );
    ensure!(found.weak.is_empty(), "known weaknesses:\n{}", found.weak.join("\n"));
    Ok(())
}

/// A copy of the database in the target folder, a day old at most where the network allows it.
fn fetched(root: &Path) -> Option<PathBuf> {
    let folder = root.join("target/advisory-db");
    let mark = folder.join(".git/FETCH_HEAD");
    let recent =
        Command::new("find").arg(&mark).args(["-mmin", &format!("-{FRESH_MINUTES}")]).output();
    if recent.is_ok_and(|it| !it.stdout.is_empty()) {
        return Some(folder);
    }
    let mut git = Command::new("git");
    git.env("GIT_TERMINAL_PROMPT", "0").stdout(Stdio::null()).stderr(Stdio::null());
    if folder.join(".git").exists() {
        git.arg("-C").arg(&folder).args(["pull", "--quiet", "--depth", "1"]);
    } else {
        git.args(["clone", "--quiet", "--depth", "1", DATABASE]).arg(&folder);
    }
    let is_fetched = git.status().is_ok_and(|status| status.success());
    if is_fetched && !mark.exists() {
        drop(fs::write(&mark, ""));
    }
    // One from an earlier day tells more than none.
    (is_fetched || folder.join("crates").exists()).then_some(folder)
}

/// Compares a lock file with a database.
fn look(folder: &Path, lock: &str, rules: &str) -> anyhow::Result<Found> {
    let lock: Lock = toml::from_str(lock).context("Cargo.lock")?;
    let rules: Rules = toml::from_str(rules).context("deny.toml")?;
    let passed = rules.advisories.map(|it| it.ignore).unwrap_or_default();
    for it in &passed {
        ensure!(it.reason.len() >= 20, "deny.toml lets {} pass and does not say why", it.id);
    }
    let mut known: BTreeMap<&str, Vec<&Locked>> = BTreeMap::new();
    for package in &lock.package {
        known.entry(&package.name).or_default().push(package);
    }
    let mut found = Found::default();
    let mut used = Vec::new();
    for path in files(&folder.join("crates"))? {
        let text = fs::read_to_string(&path)?;
        let file = head(&text).with_context(|| path.display().to_string())?;
        found.read += 1;
        if file.advisory.date > found.newest {
            found.newest.clone_from(&file.advisory.date);
        }
        if file.advisory.withdrawn.is_some() {
            continue;
        }
        for package in known.get(file.advisory.package.as_str()).into_iter().flatten() {
            if !concerns(&file.versions, &package.version)? {
                continue;
            }
            let said = format!("{} {} {}", file.advisory.id, package.name, package.version);
            if let Some(it) = passed.iter().find(|it| it.id == file.advisory.id) {
                used.push(&it.id);
            } else if let Some(kind) = &file.advisory.informational {
                found.noted.push(format!("{said}: {kind}"));
            } else {
                found.weak.push(said);
            }
        }
    }
    ensure!(found.read > 0, "{} holds no advisory below `crates`", folder.display());
    let idle = passed.iter().filter(|it| !used.contains(&&it.id));
    found.idle = idle.map(|it| it.id.clone()).collect();
    Ok(found)
}

/// Whether a version is neither patched nor was ever affected.
fn concerns(versions: &Versions, version: &str) -> anyhow::Result<bool> {
    let version: Version = version.parse()?;
    for range in versions.patched.iter().chain(&versions.unaffected) {
        let range: VersionReq = range.parse().with_context(|| range.clone())?;
        if range.matches(&version) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The head of an advisory's file, which stands in a fence.
fn head(text: &str) -> anyhow::Result<File> {
    let inside = text.split("```toml").nth(1).and_then(|it| it.split("```").next());
    let Some(inside) = inside else { bail!("the file has no head") };
    Ok(toml::from_str(inside)?)
}

/// Every advisory of a folder with one folder a package, in the order of their names.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let packages = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for package in packages {
        let package = package?.path();
        if !package.is_dir() {
            continue;
        }
        for file in fs::read_dir(package)? {
            let file = file?.path();
            if file.extension().is_some_and(|it| it == "md") {
                found.push(file);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"leaky\"\nversion = \"1.2.3\"\n\
        [[package]]\nname = \"leaky\"\nversion = \"2.0.0\"\n\
        [[package]]\nname = \"tired\"\nversion = \"0.1.0\"\n";

    #[test]
    fn check_67_a_known_weakness_stops_the_build_until_a_reason_lets_it_pass() {
        let database = database();
        let look = |rules: &str| look(database.path(), LOCK, rules);

        let found = look("").unwrap();
        assert_eq!(found.weak, ["RUSTSEC-2026-0001 leaky 1.2.3"]);
        assert_eq!(found.noted, ["RUSTSEC-2026-0002 tired 0.1.0: unmaintained"]);
        assert_eq!((found.read, found.newest.as_str()), (4, "2026-05-04"));

        let passed = "[advisories]\nignore = [{ id = \"RUSTSEC-2026-0001\", reason = \"the leak is in a function that nothing calls\" }]";
        assert_eq!(look(passed).unwrap().weak, Vec::<String>::new());
        assert!(look(&passed.replace("the leak is in a function that nothing calls", "")).is_err());
        let idle = look(&passed.replace("0001", "9999")).unwrap();
        assert_eq!(idle.idle, ["RUSTSEC-2026-9999"]);
        assert!(super::look(&database.path().join("crates"), LOCK, "").is_err(), "an empty one");
    }

    #[test]
    fn check_67_the_rules_of_this_workspace_can_be_read() {
        let rules: Rules = toml::from_str(include_str!("../../deny.toml")).unwrap();
        let lock: Lock = toml::from_str(include_str!("../../Cargo.lock")).unwrap();

        assert!(lock.package.len() > 300);
        assert!(rules.advisories.unwrap().ignore.iter().all(|it| it.reason.len() >= 20));
    }

    fn database() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |id: &str, package: &str, more: &str| {
            let place = folder.path().join("crates").join(package);
            fs::create_dir_all(&place).unwrap();
            let text = format!(
                "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2026-05-04\"\n{more}\n```\n\n# It leaks\n"
            );
            fs::write(place.join(format!("{id}.md")), text).unwrap();
        };
        write(
            "RUSTSEC-2026-0001",
            "leaky",
            "[versions]\npatched = [\">= 1.2.4, < 1.3\", \">= 2.0.0\"]",
        );
        write(
            "RUSTSEC-2026-0002",
            "tired",
            "informational = \"unmaintained\"\n[versions]\npatched = []",
        );
        write("RUSTSEC-2026-0003", "leaky", "withdrawn = \"2026-05-05\"\n[versions]\npatched = []");
        write("RUSTSEC-2026-0004", "absent", "[versions]\npatched = []");
        folder
    }
}
