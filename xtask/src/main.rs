//! The tasks of the workspace: `cargo xtask <task>`.

mod advisories;
mod bench;
mod check;
mod claims;
mod contract;
mod deb;
mod demo;
mod fleet;
mod fuzz;
mod hall;
mod javascript;
mod run;
mod sbom;
mod serve;
mod storm;
mod wasm;
mod web;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

/// The tasks of the workspace.
#[derive(Parser)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds what is missing, starts Doorstep on SQLite with the demo hall, prints addresses and log-ins.
    Serve(serve::Serve),
    /// Runs every check, or those named.
    Test(check::Check),
    /// Measures what the system costs, each figure beside what it is compared with.
    Bench(bench::Bench),
    /// Runs a fleet of phones and a hall under a seed, with everything that fails: `--seed 7 --story`, `--seeds 20000`.
    Sim {
        /// What to run; `--help` names all of it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Runs fleets under new seeds for as long as asked.
    Soak {
        /// For how many minutes.
        #[arg(default_value = "60")]
        minutes: String,
        /// The first seed.
        #[arg(long, default_value = "1000000")]
        seed: String,
    },
    /// Runs what Doorstep claims under faults, and writes docs/claims.md from what it printed.
    Claims,
    /// Sends malformed bodies to every route of a server that works meanwhile, and prints what became of them.
    Storm(storm::Storm),
    /// Explores parsers of foreign bytes with libFuzzer: `cargo xtask fuzz change log --minutes 10`.
    Fuzz(fuzz::Fuzz),
    /// Looks Cargo.lock up among known weaknesses: in the database at `DOORSTEP_ADVISORY_DB`, or fetched.
    Advisories,
    /// Writes the bill of materials of what is shipped, as `CycloneDX`, into `target/doorstep.cdx.json`.
    Sbom,
    /// Builds the Debian package; with `--install` also tries it on this machine.
    Deb(deb::Deb),
    /// Builds the technician's app into `target/web`.
    Web,
    /// Writes the demo hall from its source; with `--check` only says whether it is up to date.
    Demo {
        /// Writes nothing; fails when a file differs.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let root = root();
    match Xtask::parse().task {
        Task::Serve(serve) => serve.run(&root),
        Task::Test(check) => check.run(&root),
        Task::Web => web::build(&root),
        Task::Advisories => advisories::check(&root),
        Task::Sbom => sbom::write(&root).map(drop),
        Task::Deb(deb) => deb.run(&root),
        Task::Sim { options } => fleet::sail(&root, &options),
        Task::Soak { minutes, seed } => {
            fleet::sail(&root, &["--minutes", &minutes, "--seed", &seed])
        }
        Task::Claims => claims::write(&root),
        Task::Storm(storm) => storm.run(&root),
        Task::Fuzz(fuzz) => fuzz.run(&root),
        Task::Bench(bench) => bench.run(&root),
        Task::Demo { check } => demo::run(&root, check),
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
