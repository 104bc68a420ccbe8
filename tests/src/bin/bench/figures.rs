//! How figures are taken and printed.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// The clock of the benchmarks.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Prints one figure.
#[expect(clippy::print_stdout, reason = "people read figures in their terminal")]
pub(crate) fn print(what: &str, figure: impl fmt::Display, unit: &str) {
    println!("{what:<56} {figure:>16} {unit}");
}

/// What a process holds in memory.
pub(crate) fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let line = line.context("the system does not tell VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Durations, told by their median and their 95th percentile.
#[derive(Default)]
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    /// Takes one in.
    pub(crate) fn add(&mut self, one: Duration) {
        self.0.push(one);
    }

    /// The median and the 99th percentile in words.
    pub(crate) fn with_p99(&self) -> String {
        self.told(99)
    }

    /// The median, in seconds.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default().as_secs_f64()
    }

    fn told(&self, tail: usize) -> String {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = |percent: usize| sorted.get(sorted.len() * percent / 100).copied();
        let ms = |one: Option<Duration>| one.unwrap_or_default().as_secs_f64() * 1000.0;
        format!("{:.1} / {:.1} ms", ms(at(50)), ms(at(tail)))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.told(95))
    }
}
