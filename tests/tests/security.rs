//! The table of security: each item of the checklist is met where it says, or says why not; and what source code alone shows.

#[path = "named/tests.rs"]
mod named;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use named::{root, rust_files, tests_of};

/// Items of the checklist.
const ITEMS: u32 = 68;

/// How an item can stand.
const STATES: [&str; 4] = ["met", "partly", "not yet", "does not apply"];

/// A row of `docs/security.md`.
struct Row {
    state: String,
    files: Vec<String>,
    /// Each as `file::name`.
    tests: Vec<String>,
    why: String,
}

#[test]
fn each_item_of_the_security_checklist_is_met_by_a_file_and_shown_by_a_test_or_says_why_not() {
    let table = table();
    let mut wrong = Vec::new();
    for item in 1..=ITEMS {
        let Some(row) = table.get(&item) else {
            wrong.push(format!("{item} has no row"));
            continue;
        };
        if !STATES.contains(&row.state.as_str()) {
            wrong.push(format!("{item}: `{}` is none of {STATES:?}", row.state));
        }
        let is_shown = !row.files.is_empty() && !row.tests.is_empty();
        if matches!(row.state.as_str(), "met" | "partly") && !is_shown {
            wrong.push(format!("{item} names no file or no test"));
        }
        if row.state != "met" && row.why.len() < 20 {
            wrong.push(format!("{item} does not say why"));
        }
        let gone = row.files.iter().filter(|file| !root().join(file).exists());
        wrong.extend(gone.map(|file| format!("{item}: there is no {file}")));
        let unknown = row.tests.iter().filter(|test| !is_test(test));
        wrong.extend(unknown.map(|test| format!("{item}: there is no test {test}")));
    }
    let further = table.keys().filter(|item| !(1..=ITEMS).contains(*item));
    wrong.extend(further.map(|item| format!("{item} is no item")));
    assert!(wrong.is_empty(), "docs/security.md:\n{}", wrong.join("\n"));
}

/// Whether a file has a test of this name, or in JavaScript one whose title begins so.
fn is_test(named: &str) -> bool {
    let Some((file, name)) = named.split_once("::") else { return false };
    let path = root().join(file);
    if !path.exists() {
        return false;
    }
    if Path::new(file).extension().is_some_and(|it| it == "rs") {
        return tests_of(&path).contains(name);
    }
    let text = fs::read_to_string(&path).expect("a readable file");
    ["test('", "test(`"].iter().any(|begin| text.contains(&format!("{begin}{name}")))
}

fn table() -> BTreeMap<u32, Row> {
    let text = fs::read_to_string(root().join("docs/security.md")).expect("the table is there");
    let cells = text.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let named = |cell: &str| {
        let names = cell.split('`').skip(1).step_by(2);
        // What has a space in it is a command.
        names.filter(|it| !it.contains(' ') || it.contains("::")).map(str::to_owned).collect()
    };
    let rows = cells.filter(|cells| cells.len() > 5);
    rows.filter_map(|cells| {
        let row = Row {
            state: cells[3].to_owned(),
            files: named(cells[4]),
            tests: named(cells[5]),
            why: cells[4].to_owned(),
        };
        Some((cells[1].parse().ok()?, row))
    })
    .collect()
}

/// Values go into statements by their places, so no statement is put together from text.
#[test]
fn check_30_no_statement_is_put_together_from_text() {
    let verbs = ["select ", "insert into ", "update ", "delete from "];
    let mut wrong = Vec::new();
    // Backups read and write every table of our own schema, whose names they ask the database for and quote.
    let files = rust_files(&root().join("server/src"));
    for file in
        files.into_iter().filter(|it| !it.ends_with("db/tables.rs") && !it.ends_with("tests.rs"))
    {
        let text = fs::read_to_string(&file).expect("a readable file").to_lowercase();
        for at in ["format!(\"", "push_str(\"", "concat!(\""]
            .iter()
            .flat_map(|it| text.match_indices(*it))
        {
            let begun = &text[at.0 + at.1.len()..];
            if verbs.iter().any(|verb| begun.starts_with(verb)) {
                wrong.push(format!("{}: {}", file.display(), begun.lines().next().unwrap_or("")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is built comes from one registry, in the versions that were looked at.
#[test]
fn check_67_versions_are_pinned_and_sources_are_closed() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock file is there");
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let registry = "\"registry+https://github.com/rust-lang/crates.io-index\"";
    let others: Vec<_> = sources.filter(|it| *it != registry).collect();
    assert_eq!(others, Vec::<&str>::new(), "sources beside the registry");
    for package in ["web", "tests/javascript"] {
        assert!(root().join(package).join("package-lock.json").exists(), "{package} is pinned");
    }
    let rules = fs::read_to_string(root().join("deny.toml")).expect("the rules are there");
    for closed in ["unknown-registry = \"deny\"", "unknown-git = \"deny\""] {
        assert!(rules.contains(closed), "{closed}");
    }
}

/// Text of others becomes text of a page, never markup or code.
#[test]
fn check_32_no_page_makes_markup_or_code_of_text() {
    let ways = [
        "v-html",
        ".innerHTML =",
        ".outerHTML =",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function(",
    ];
    let mut wrong = Vec::new();
    let mut seen = 0;
    for face in ["web/field/src", "web/console/src", "web/track", "web/face"] {
        for file in named::files(&root().join(face), &["ts", "vue", "js", "html"]) {
            seen += 1;
            let text = fs::read_to_string(&file).expect("a readable file");
            let found = ways.iter().filter(|way| text.contains(**way));
            wrong.extend(found.map(|way| format!("{}: {way}", file.display())));
        }
    }
    assert!(seen > 100, "{seen} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The record of processing names every table, and each number of days as the program has it.
#[test]
fn check_66_the_record_of_processing_is_what_the_program_does() {
    let record = fs::read_to_string(root().join("docs/privacy.md")).expect("the record is there");
    for part in ["## Record of processing", "## Impact assessment", "## After a breach"] {
        assert!(record.contains(part), "{part}");
    }
    let table = record.lines().filter(|line| line.starts_with('|')).collect::<String>();
    let mut missing = Vec::new();
    let mut seen = 0;
    for file in named::files(&root().join("migrations/sqlite"), &["sql"]) {
        let text = fs::read_to_string(&file).expect("a readable file");
        for made in text.lines().filter_map(|line| line.strip_prefix("create table ")) {
            let name = made.split([' ', '(']).next().unwrap_or_default();
            seen += 1;
            if !table.contains(&format!("`{name}`")) {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(seen > 80, "{seen} tables");
    assert_eq!(missing, Vec::<String>::new(), "tables that docs/privacy.md does not speak of");

    let config = fs::read_to_string(root().join("server/src/config.rs")).expect("the settings");
    let mut numbers = 0;
    for (key, rest) in
        record.split('`').skip(1).step_by(2).zip(record.split('`').skip(2).step_by(2))
    {
        if !key.contains("_days") || key.contains(' ') {
            continue;
        }
        assert!(config.contains(&format!("pub {key}: u32")), "there is no setting {key}");
        let said = rest.strip_prefix(" (").and_then(|it| it.split(')').next());
        if let Some(days) = said.filter(|it| it.parse::<u32>().is_ok()) {
            numbers += 1;
            assert!(config.contains(&format!("{key}: {days},")), "{key} is not {days}");
        }
    }
    assert!(numbers >= 8, "{numbers} numbers");
}
