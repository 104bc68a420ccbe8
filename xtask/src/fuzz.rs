//! `cargo xtask fuzz`: libFuzzer explores what foreign bytes reach.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, bail};

use crate::run::{output, run, succeeds};

/// What makes the compiler tell libFuzzer which branches ran; all of it is stable.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// The targets that need nothing of the server, which takes minutes to build.
const MIDDLE: [&str; 12] = [
    "change", "fact", "exchange", "request", "reply", "record", "log", "damage", "phone", "rescue",
    "pack", "photo",
];

/// The targets of the server's own parsers.
const SERVER: [&str; 4] = ["sheet", "workbook", "url", "push"];

/// Explores parsers of foreign bytes with libFuzzer; what breaks a promise is kept in the corpus.
#[derive(clap::Args)]
pub(crate) struct Fuzz {
    /// Which to explore; all that need nothing of the server when none is named.
    targets: Vec<String>,
    /// For how many minutes each.
    #[arg(long, default_value_t = 5)]
    minutes: u32,
}

impl Fuzz {
    pub(crate) fn run(&self, root: &Path) -> anyhow::Result<()> {
        if !succeeds("c++", &["--version"]) {
            bail!("libFuzzer is C++: `apt-get install g++` brings a compiler for it");
        }
        let all = MIDDLE.map(str::to_owned);
        let targets = if self.targets.is_empty() { &all[..] } else { &self.targets };
        let known = |name: &&String| MIDDLE.contains(&&***name) || SERVER.contains(&&***name);
        if let Some(unknown) = targets.iter().find(|name| !known(name)) {
            bail!("{unknown} is none of {}", [&MIDDLE[..], &SERVER].concat().join(", "));
        }
        let needs_server = targets.iter().any(|name| SERVER.contains(&name.as_str()));
        let explorer = build(root, needs_server)?;
        for target in targets {
            self.explore(root, &explorer, target)?;
        }
        Ok(())
    }

    /// What was found new lies beside the build; only what breaks a promise goes into the repository's corpus.
    fn explore(&self, root: &Path, explorer: &Path, target: &str) -> anyhow::Result<()> {
        let corpus = root.join("tests/fuzz/corpus").join(target);
        let grown = root.join("target/fuzz/corpus").join(target);
        fs::create_dir_all(&grown).context("the folder for what is found")?;
        let mut command = Command::new(explorer);
        command.env("DOORSTEP_FUZZ", target).arg(&grown).arg(&corpus);
        command.arg(format!("-max_total_time={}", self.minutes * 60));
        command.arg(format!("-artifact_prefix={}/", corpus.display()));
        command.args([
            "-max_len=65536",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-malloc_limit_mb=256",
        ]);
        command.args(["-print_final_stats=1", "-use_value_profile=1", "-verbosity=1"]);
        run(&mut command)
    }
}

/// Builds everything anew with coverage, in a folder of its own.
fn build(root: &Path, has_server: bool) -> anyhow::Result<PathBuf> {
    let host = output("rustc", &["--print", "host-tuple"])?;
    let folder = root.join("target/fuzz").join(if has_server { "server" } else { "middle" });
    let features = if has_server { "explore,server" } else { "explore" };
    let folder_name = folder.to_str().context("a folder with a name in UTF-8")?;
    // For a target that is named, the compiler leaves build scripts without coverage.
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    run(Command::new("cargo")
        .current_dir(root)
        .env("RUSTFLAGS", format!("{flags} {COVERAGE}"))
        .args([
            "build",
            "--profile",
            "fleet",
            "-p",
            "fuzz",
            "--bin",
            "explore",
            "--no-default-features",
            "--features",
            features,
            "--target",
            &host,
            "--target-dir",
            folder_name,
        ]))?;
    Ok(folder.join(host).join("fleet/explore"))
}
