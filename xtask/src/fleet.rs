//! `cargo xtask sim` and `soak`: the fleet under a seed.

use std::path::Path;

use crate::run::cargo;

/// Small seeds of each check.
pub(crate) const SMALL: &str = "20000";

/// Long seeds of each check.
pub(crate) const LONG: &str = "200";

/// Within how many seeds each planted bug is found.
pub(crate) const BUGS: &str = "2000";

/// Runs the fleet with these options.
pub(crate) fn sail(root: &Path, options: &[impl AsRef<str>]) -> anyhow::Result<()> {
    let mut all = vec!["run", "--quiet", "--profile", "fleet", "-p", "fleet", "--"];
    all.extend(options.iter().map(AsRef::as_ref));
    cargo(root, &all)
}

/// Seeds that once broke a promise, new ones, long ones, and bugs that are planted to be found.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    sail(root, &["--known"])?;
    sail(root, &["--seeds", SMALL])?;
    sail(root, &["--long", "--seeds", LONG])?;
    sail(root, &["--bugs", "--seeds", BUGS])
}
