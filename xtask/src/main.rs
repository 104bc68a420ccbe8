//! The tasks of the workspace: `cargo xtask <task>`.

use std::path::Path;

use clap::{Parser, Subcommand};

mod demo;

/// The tasks of the workspace.
#[derive(Parser)]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the demo hall from its source; with `--check` only says whether it is up to date.
    Demo {
        /// Writes nothing; fails when a file differs.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match Xtask::parse().task {
        Task::Demo { check } => demo::run(&root, check),
    }
}
