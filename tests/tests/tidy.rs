//! House rules as code: what a reviewer would otherwise have to say again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files of data that happen to be Rust, exempt from the limits on length.
const DATA: [&str; 0] = [];

/// Lines that a file may have without its tests.
const LONGEST: usize = 500;

/// Lines that a file may have with its tests.
const LONGEST_WITH_TESTS: usize = 800;

#[test]
fn each_file_says_its_job_in_its_first_line() {
    check(|file| {
        let first = file.text.lines().next().unwrap_or_default();
        if first.starts_with("//! ") || first.starts_with("#![doc") { None } else { Some(first) }
            .map(|first| format!("begins with {first:?}, not with `//! ` and a sentence"))
    });
}

#[test]
fn no_file_is_longer_than_a_reader_holds() {
    check(|file| {
        let all = file.text.lines().count();
        let own = file.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let own = own.lines().count();
        let is_long = own > LONGEST || all > LONGEST_WITH_TESTS;
        let is_data = DATA.iter().any(|data| file.path.ends_with(data));
        (is_long && !is_data).then(|| format!("has {own} lines, {all} with its tests"))
    });
}

#[test]
fn nobody_edits_the_page_of_claims() {
    let page = fs::read_to_string(root().join("docs/claims.md")).expect("the page of claims");
    let (above, seal) =
        page.rsplit_once("Checksum of the lines above: ").expect("the last line is a checksum");
    let hash = blake3::hash(above.as_bytes()).to_hex();
    assert_eq!(seal.trim_end(), &hash[..16], "run `cargo xtask claims`");
}

#[test]
fn no_test_is_switched_off_and_none_hopes_for_a_panic() {
    let markers = [["#[ig", "nore"].concat(), ["#[should", "_panic"].concat()];
    check(|file| {
        let found = markers.iter().find(|marker| file.text.contains(*marker));
        found.map(|marker| format!("has {marker}]"))
    });
}

#[test]
fn nothing_is_left_to_do_later() {
    let markers = [["to", "do!("].concat(), ["unimple", "mented!("].concat()];
    check(|file| {
        let found = markers.iter().find(|marker| file.text.contains(*marker));
        found.map(|marker| format!("has {marker})"))
    });
}

#[test]
fn the_middle_never_sleeps() {
    let sleep = ["sle", "ep("].concat();
    check(|file| {
        let is_middle =
            ["domain", "sync", "mobile-core"].iter().any(|room| file.path.starts_with(room));
        (is_middle && file.text.contains(&sleep)).then(|| "waits for time to pass".to_owned())
    });
}

#[test]
fn no_room_is_called_after_nothing() {
    check(|file| {
        let names = ["utils", "common", "helpers", "manager", "misc"];
        let stem = file.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        names.contains(&stem).then(|| "names no thing".to_owned())
    });
}

#[test]
fn imports_point_one_way() {
    let allowed = BTreeMap::from([
        ("domain", vec![]),
        ("sync", vec!["domain"]),
        ("mobile-core", vec!["domain", "sync"]),
        ("server", vec!["domain", "mobile-core", "sync"]),
    ]);
    for (room, may) in allowed {
        let manifest =
            fs::read_to_string(root().join(room).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("TOML");
        let dependencies = manifest["dependencies"].as_table().expect("a table");
        for other in ["domain", "sync", "mobile-core", "server"] {
            let uses = dependencies.contains_key(other);
            assert!(!uses || may.contains(&other), "{room} depends on {other}");
        }
    }
}

#[test]
fn in_the_server_only_commands_run_phones() {
    check(|file| {
        let is_server = file.path.starts_with("server/src");
        let is_command = file.path.starts_with("server/src/command");
        let uses = file.text.contains("mobile_core");
        (is_server && !is_command && uses).then(|| "uses mobile_core".to_owned())
    });
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = root().join("migrations").join(engine);
        let entries = fs::read_dir(folder).expect("migrations");
        entries.map(|it| it.expect("a file").file_name().to_string_lossy().into_owned()).collect()
    };

    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

/// The API's description knows a type by its bare name, and of two with one name it shows either.
#[test]
fn no_two_types_of_the_api_share_a_name() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in rust_files().into_iter().filter(|file| file.path.starts_with("server/src")) {
        let described = file.text.split("#[derive(").skip(1).filter(|it| {
            it.split_once(')').is_some_and(|(derived, _)| derived.contains("ToSchema"))
        });
        for name in described.filter_map(type_name) {
            places.entry(name).or_default().push(file.path.clone());
        }
    }
    assert!(places.len() > 50, "the types were not found");
    places.retain(|_, files| files.len() > 1);
    assert!(places.is_empty(), "{places:?}");
}

/// The name of the type that a derive stands on.
fn type_name(derived: &str) -> Option<String> {
    let words: Vec<&str> = derived.split([' ', '(', '<', '{', ';', '\n']).collect();
    let at = words.iter().position(|word| ["struct", "enum"].contains(word))?;
    words.get(at + 1).map(|name| (*name).to_owned())
}

#[test]
fn no_file_knows_a_developers_machine() {
    let marks = [["/ro", "ot/"].concat(), ["/wo", "rk/"].concat(), ["/ho", "me/"].concat()];
    check(|file| {
        let found = marks.iter().find(|mark| file.text.contains(*mark));
        found.map(|mark| format!("names {mark}"))
    });
}

struct File {
    path: PathBuf,
    text: String,
}

/// Looks at every Rust file of the workspace and names all that break the rule.
fn check(breaks: impl Fn(&File) -> Option<String>) {
    let files = rust_files();
    assert!(files.len() > 50, "the files were not found");
    let broken: Vec<String> = files
        .iter()
        .filter_map(|file| Some(format!("{}: {}", file.path.display(), breaks(file)?)))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn rust_files() -> Vec<File> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["domain", "sync", "mobile-core", "server", "tests", "xtask"].map(PathBuf::from).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder") {
            let path = folder.join(entry.expect("an entry").file_name());
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(root().join(&path)).expect("UTF-8");
                files.push(File { path, text });
            }
        }
    }
    files
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
