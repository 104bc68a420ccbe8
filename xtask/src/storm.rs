//! `cargo xtask storm`: malformed bodies against a server that works meanwhile.

use std::path::Path;
use std::process::Command;

use crate::run::run;

/// Sends malformed bodies, the same for the same seed.
#[derive(clap::Args)]
pub(crate) struct Storm {
    /// How many bodies.
    #[arg(default_value_t = 100_000)]
    bodies: usize,
    /// What they are made from.
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

impl Storm {
    /// Runs the test that holds a share of it, with all of it.
    pub(crate) fn run(&self, root: &Path) -> anyhow::Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.current_dir(root).args(["test", "--workspace", "--test", "api"]);
        cargo.args(["--", "--nocapture", "hostile::storm"]);
        cargo.env("DOORSTEP_STORM", self.bodies.to_string());
        cargo.env("DOORSTEP_STORM_SEED", self.seed.to_string());
        run(&mut cargo)
    }
}
