//! Which tests there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The names of the tests of a file: functions under `#[test]` or a kin of it.
pub(crate) fn tests_of(file: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let text = fs::read_to_string(file).expect("a readable file");
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = name_of(line) {
            // Inside `proptest!` the attribute stands there as well.
            if is_test {
                found.insert(name);
            }
            is_test = false;
        }
    }
    found
}

fn name_of(line: &str) -> Option<String> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    name.split(['(', '<']).next().map(str::to_owned)
}

/// Rust files of a folder and all below.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    files(folder, &["rs"])
}

/// Our own files of these kinds, of a folder and all below.
pub(crate) fn files(folder: &Path, kinds: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let is_skipped =
            name.to_string_lossy().starts_with('.') || name == "target" || name == "node_modules";
        if path.is_dir() && !is_skipped {
            found.extend(files(&path, kinds));
        } else if path.extension().is_some_and(|it| kinds.iter().any(|kind| it == *kind)) {
            found.push(path);
        }
    }
    found
}

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
