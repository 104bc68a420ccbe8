//! `cargo xtask bench`: what the system costs, each figure beside what it is compared with.

use std::path::Path;

use crate::run::cargo;
use crate::web;

/// Measures the system, or a part of it.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// What to measure; everything when nothing is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Server, exchange and the phone's core.
    Core,
    /// A plan for a large hall's morning alone; it is a part of the core, too.
    Plan,
    /// What the judgement of readings finds on real registers, beside rules of thumb; it is a part of the core, too.
    Readings,
    /// A push until its service has it and an outbox that is drained; a message until a phone shows it.
    Reach,
    /// Two thousand phones that come back after an outage; it is a part of the core, too.
    Crowd,
    /// The technician's app in a real browser.
    App,
}

impl Bench {
    /// Measures on optimised builds.
    pub(crate) fn run(&self, root: &Path) -> anyhow::Result<()> {
        let measures = |part| self.parts.is_empty() || self.parts.contains(&part);
        if measures(Part::Core) {
            cargo(root, &["run", "--release", "-p", "doorstep-tests", "--bin", "bench"])?;
        }
        let alone = [
            (Part::Plan, "plan"),
            (Part::Readings, "readings"),
            (Part::Reach, "reach"),
            (Part::Crowd, "crowd"),
        ];
        for (part, name) in alone {
            if self.parts.contains(&part) {
                let run =
                    ["run", "--release", "-p", "doorstep-tests", "--bin", "bench", "--", name];
                cargo(root, &run)?;
            }
        }
        if measures(Part::App) {
            web::bench(root, "bench")?;
        } else if measures(Part::Reach) {
            web::bench(root, "bench:reach")?;
        }
        Ok(())
    }
}
