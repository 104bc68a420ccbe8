//! The table of rules: every row of the rulebook's sections A, B and C lives somewhere and is shown by a test that runs.

#[path = "named/tests.rs"]
mod named;

use std::collections::BTreeSet;
use std::fs;

use named::{root, rust_files, tests_of};

/// The rows of the rulebook; there is no B9.
fn rows() -> Vec<String> {
    let a = (1..=10).map(|number| format!("A{number}"));
    let b = (1..=16).filter(|number| *number != 9).map(|number| format!("B{number}"));
    let c = (1..=7).map(|number| format!("C{number}"));
    a.chain(b).chain(c).collect()
}

/// A row of `docs/rules.md`: its id, the files and the tests that it names.
struct Row {
    id: String,
    files: Vec<String>,
    tests: Vec<String>,
}

#[test]
fn each_rule_of_the_rulebook_lives_somewhere_and_is_shown_by_a_test() {
    let table = table();
    let tests: BTreeSet<_> = rust_files(root()).iter().flat_map(|it| tests_of(it)).collect();
    let mut wrong = Vec::new();
    for id in rows() {
        let Some(row) = table.iter().find(|row| row.id == id) else {
            wrong.push(format!("{id} has no row"));
            continue;
        };
        if row.files.is_empty() || row.tests.is_empty() {
            wrong.push(format!("{id} names no file or no test"));
        }
        let gone = row.files.iter().filter(|file| !root().join(file).exists());
        wrong.extend(gone.map(|file| format!("{id}: there is no {file}")));
        let unknown = row.tests.iter().filter(|test| !tests.contains(*test));
        wrong.extend(unknown.map(|test| format!("{id}: no test is called {test}")));
        let own = format!("{}_", id.to_lowercase());
        if !row.tests.iter().any(|test| test.starts_with(&own) || test.contains(&format!("_{own}")))
        {
            wrong.push(format!("{id}: no test is named after it"));
        }
    }
    assert!(wrong.is_empty(), "docs/rules.md:\n{}", wrong.join("\n"));
}

fn table() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/rules.md")).expect("the table is there");
    let lines = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells = lines.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let named = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let rows = cells.filter(|cells| cells.len() > 4);
    rows.map(|cells| Row {
        id: cells[1].to_owned(),
        files: named(cells[3]),
        tests: named(cells[4]),
    })
    .collect()
}
