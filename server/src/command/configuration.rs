//! `doorstep config check`: what is set, where it comes from, and what is wrong with it.

use std::io::Write;

use crate::config::{Effective, variable_of};

/// Looks at the configuration.
#[derive(Debug, clap::Args)]
pub struct Configuration {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Prints every setting with its origin; fails when a server would not start with them.
    Check,
}

/// Variables of the product that set no key.
const OTHERS: [&str; 4] =
    ["DOORSTEP_CONFIG", "DOORSTEP_PASSWORD", "DOORSTEP_TEST_POSTGRES", "DOORSTEP_ADVISORY_DB"];

impl Configuration {
    /// Runs the command.
    pub fn run(
        self,
        effective: &Effective,
        variables: impl Iterator<Item = String>,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let What::Check = self.what;
        let lines = effective.lines();
        let width = lines.iter().map(|(key, value, _)| key.len() + value.len()).max().unwrap_or(0);
        for (key, value, origin) in &lines {
            let gap = width - key.len() - value.len();
            writeln!(out, "{key} = {value}{:gap$}  # {origin}", "")?;
        }
        for variable in variables.filter(|it| it.starts_with("DOORSTEP_")) {
            let is_key = lines.iter().any(|(key, ..)| variable_of(key) == variable);
            if !is_key && !OTHERS.contains(&variable.as_str()) {
                writeln!(out, "warning: {variable} sets nothing: no key is called that")?;
            }
        }
        effective.config.check()?;
        writeln!(out, "a server would start with these")?;
        Ok(())
    }
}
