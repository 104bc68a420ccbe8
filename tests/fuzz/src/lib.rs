//! What foreign bytes may never do: one function for each parser, fed by a corpus, by dice and by libFuzzer.
//!
//! A [`Target`] panics when its bytes break a promise. `corpus/<target>` keeps real encodings and every input that once
//! broke one; the test `replay` runs them and mutations of them, and `cargo xtask fuzz` explores from them.

mod change;
mod damage;
mod exchange;
mod fact;
mod log;
mod message;
pub mod mutate;
mod pack;
mod phone;
mod photo;
mod reply;
mod rescue;
mod scene;
#[cfg(feature = "server")]
mod sheet;
mod store;
#[cfg(feature = "server")]
mod url;

#[expect(clippy::unwrap_used, reason = "a fixture of the tests of `sync`")]
#[path = "../../../sync/tests/hostile/bytes.rs"]
mod bytes;
#[expect(clippy::unwrap_used, reason = "a fixture of the tests of `sync`")]
#[path = "../../../sync/tests/hostile/door.rs"]
mod door;

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Inputs by name.
pub type Inputs = Vec<(String, Vec<u8>)>;

/// One parser of foreign bytes with what it promises.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// What it is called in the corpus and on the command line.
    pub name: &'static str,
    /// Tries bytes; panics when they break a promise.
    pub run: fn(&[u8]),
    /// Makes real encodings to begin from, the same each time.
    pub seeds: fn() -> Inputs,
    /// How many mutations the replay tries: some seconds' worth.
    pub mutations: usize,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "change", run: change::run, seeds: change::seeds, mutations: 6_000 },
    Target { name: "fact", run: fact::run, seeds: fact::seeds, mutations: 1_500 },
    Target { name: "exchange", run: exchange::run, seeds: exchange::seeds, mutations: 600 },
    Target { name: "request", run: message::request, seeds: message::requests, mutations: 20_000 },
    Target { name: "reply", run: reply::run, seeds: reply::seeds, mutations: 1_500 },
    Target { name: "record", run: message::record, seeds: message::records, mutations: 20_000 },
    Target { name: "log", run: log::run, seeds: log::seeds, mutations: 6_000 },
    Target { name: "damage", run: damage::run, seeds: damage::seeds, mutations: 6_000 },
    Target { name: "phone", run: phone::run, seeds: phone::seeds, mutations: 600 },
    Target { name: "rescue", run: rescue::run, seeds: rescue::seeds, mutations: 6_000 },
    Target { name: "pack", run: pack::run, seeds: pack::seeds, mutations: 200 },
    Target { name: "photo", run: photo::run, seeds: photo::seeds, mutations: 6_000 },
    #[cfg(feature = "server")]
    Target { name: "sheet", run: sheet::text, seeds: sheet::texts, mutations: 6_000 },
    #[cfg(feature = "server")]
    Target { name: "workbook", run: sheet::workbook, seeds: sheet::workbooks, mutations: 500 },
    #[cfg(feature = "server")]
    Target { name: "url", run: url::run, seeds: url::seeds, mutations: 6_000 },
    #[cfg(feature = "server")]
    Target { name: "push", run: url::push, seeds: url::pushes, mutations: 3_000 },
];

/// Finds a target by its name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// The folder of a target's corpus.
pub fn corpus_folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// Reads a target's corpus, sorted by name.
pub fn corpus(target: &str) -> io::Result<Inputs> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(corpus_folder(target))? {
        let entry = entry?;
        inputs.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    inputs.sort();
    Ok(inputs)
}
