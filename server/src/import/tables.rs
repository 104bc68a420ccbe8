//! Grids understood as tables: by the file's name in a hall's own folder, by the headers in anybody's export.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::file::{self, FileError, Grid, half_width};
use super::problem::{Problem, Reason};
use super::sheet::{self, Row, Sheet, Source};

/// A header stands among the first rows; above it there are titles.
const HEADER_WITHIN: usize = 30;

/// So many rows of a table are shown as they were understood.
const SHOWN: usize = 5;

/// Rows by the table that they belong to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    rows: BTreeMap<&'static str, Vec<Row>>,
    /// How each grid was understood.
    pub(crate) understood: Vec<Understood>,
}

/// How a grid was understood.
#[derive(Clone, Debug, Serialize)]
pub struct Understood {
    /// The file, with the sheet where it has several.
    pub file: String,
    /// The key of the table that it is.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: usize,
    /// Each header with the name of the column that it became; none when it means nothing here.
    pub columns: Vec<(String, Option<&'static str>)>,
    /// The first rows, each a value by column.
    pub first: Vec<BTreeMap<&'static str, String>>,
}

impl Tables {
    /// The rows of a table.
    pub(crate) fn of(&self, sheet: &Sheet) -> &[Row] {
        self.rows.get(sheet.key).map_or(&[], Vec::as_slice)
    }

    /// Leaves out the rows that are named, by file and line.
    pub(crate) fn leave_out(&mut self, bad: &BTreeSet<(String, u64)>) {
        for rows in self.rows.values_mut() {
            rows.retain(|row| !bad.contains(&(row.source.file.clone(), row.line)));
        }
    }

    /// Reads a hall's own folder, where each file is what its name says and has every column.
    pub(crate) fn of_folder(folder: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut tables = Self::default();
        for sheet in sheet::ALL {
            let path = folder.join(sheet.file);
            if sheet.is_optional && !path.exists() {
                continue;
            }
            match read_file(&path, sheet.file) {
                Ok(grid) => tables.take_own(sheet, grid, problems),
                Err(reason) => problems.push(whole_file(sheet.file, reason)),
            }
        }
        tables
    }

    /// Reads exports of any name; which table each grid is, is told by its headers.
    pub(crate) fn of_exports(files: &[(String, Vec<u8>)], problems: &mut Vec<Problem>) -> Self {
        let mut tables = Self::default();
        for (name, bytes) in files {
            match file::read(name, bytes) {
                Ok(grids) => {
                    for grid in grids.into_iter().filter(|grid| !grid.rows.is_empty()) {
                        tables.take_export(grid, problems);
                    }
                }
                Err(error) => problems.push(whole_file(name, error.into())),
            }
        }
        tables
    }

    fn take_own(&mut self, sheet: &'static Sheet, grid: Grid, problems: &mut Vec<Problem>) {
        let mut rows = grid.rows.into_iter();
        let (line, header) = rows.next().unwrap_or((1, Vec::new()));
        let found_before = problems.len();
        let mut order = Vec::new();
        for column in sheet.columns {
            let at = header.iter().position(|found| found == column.name || found == column.key);
            if at.is_none() && !column.is_optional {
                let missing = whole_file(sheet.file, Reason::ColumnMissing);
                problems.push(Problem { line, column: Some(column.name.to_owned()), ..missing });
            }
            order.push(at);
        }
        for (at, found) in header.iter().enumerate() {
            if !order.contains(&Some(at)) {
                let unknown = whole_file(sheet.file, Reason::ColumnUnknown);
                problems.push(Problem { line, value: found.clone(), ..unknown });
            }
        }
        if problems.len() > found_before {
            return;
        }
        let mut good = Vec::new();
        for (line, cells) in rows {
            if cells.len() == header.len() {
                good.push((line, cells));
            } else {
                let reason = Reason::CellCount { expected: header.len(), found: cells.len() };
                problems.push(Problem { line, ..whole_file(sheet.file, reason) });
            }
        }
        self.take(sheet, sheet.file.to_owned(), (&header, &order), good);
    }

    fn take_export(&mut self, grid: Grid, problems: &mut Vec<Problem>) {
        let Some((at, sheet)) = recognise(&grid) else {
            problems.push(whole_file(&grid.name, unrecognised(&grid)));
            return;
        };
        let mut rows = grid.rows;
        let below = rows.split_off(at + 1);
        let (_, header) = rows.pop().unwrap_or_default();
        let order = order(sheet, &header);
        // Exports repeat their header on each page and end with sums.
        let rows = below.into_iter().filter(|(_, cells)| *cells != header && !is_sum(cells));
        self.take(sheet, grid.name, (&header, &order), rows.collect());
    }

    fn take(
        &mut self,
        sheet: &'static Sheet,
        file: String,
        (header, order): (&[String], &[Option<usize>]),
        rows: Vec<(u64, Vec<String>)>,
    ) {
        let headers = order.iter().map(|at| at.map(|at| header[at].clone())).collect();
        let source = Arc::new(Source { file: file.clone(), headers });
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|(line, mut cells)| {
                let mut take = |at: Option<usize>| {
                    at.and_then(|at| cells.get_mut(at)).map(std::mem::take).unwrap_or_default()
                };
                let cells = order.iter().map(|at| take(*at)).collect();
                Row { sheet, source: Arc::clone(&source), line, cells }
            })
            .collect();
        let named = |at: usize| {
            let column = order.iter().position(|found| *found == Some(at));
            column.map(|column| sheet.columns[column].name)
        };
        let columns = header.iter().enumerate().map(|(at, text)| (text.clone(), named(at)));
        let first = rows.iter().take(SHOWN).map(shown).collect();
        let (table, count) = (sheet.key, rows.len());
        let columns = columns.filter(|(text, _)| !text.is_empty()).collect();
        self.understood.push(Understood { file, table, rows: count, columns, first });
        self.rows.entry(sheet.key).or_default().extend(rows);
    }
}

fn shown(row: &Row) -> BTreeMap<&'static str, String> {
    let columns = row.sheet.columns.iter().zip(&row.cells);
    let public = columns.filter(|(column, cell)| column.key != "password" && !cell.is_empty());
    public.map(|(column, cell)| (column.name, cell.clone())).collect()
}

fn read_file(path: &Path, name: &str) -> Result<Grid, Reason> {
    let bytes =
        std::fs::read(path).map_err(|error| Reason::Unreadable(error.kind().to_string()))?;
    let mut grids = file::read(name, &bytes)?;
    // A hall's own file has one table.
    Ok(grids.drain(..).next().unwrap_or(Grid { name: name.to_owned(), rows: Vec::new() }))
}

pub(crate) fn whole_file(file: &str, reason: Reason) -> Problem {
    Problem { file: file.to_owned(), line: 1, column: None, value: String::new(), reason }
}

/// The row that is a header, and the table of which it has every needed column and the most of all.
fn recognise(grid: &Grid) -> Option<(usize, &'static Sheet)> {
    let mut rows = grid.rows.iter().take(HEADER_WITHIN).enumerate();
    rows.find_map(|(at, (_, cells))| {
        let fitting = sheet::ALL.into_iter().filter_map(|sheet| {
            let order = order(sheet, cells);
            let has_all = sheet
                .columns
                .iter()
                .zip(&order)
                .all(|(column, at)| !column.is_needed || at.is_some());
            has_all.then(|| (order.iter().flatten().count(), sheet))
        });
        fitting.max_by_key(|(found, _)| *found).map(|(_, sheet)| (at, sheet))
    })
}

/// The table that a grid comes nearest to, and what it lacks.
fn unrecognised(grid: &Grid) -> Reason {
    let rows = grid.rows.iter().take(HEADER_WITHIN);
    let candidates = rows.flat_map(|(_, cells)| {
        sheet::ALL.into_iter().map(move |sheet| {
            let order = order(sheet, cells);
            let missing: Vec<&str> = (sheet.columns.iter().zip(&order))
                .filter(|(column, at)| column.is_needed && at.is_none())
                .map(|(column, _)| column.name)
                .collect();
            (order.iter().flatten().count(), sheet, missing.join("、"))
        })
    });
    match candidates.max_by_key(|(found, ..)| *found).filter(|(found, ..)| *found > 0) {
        Some((_, sheet, missing)) => Reason::TableUnclear { table: sheet.key, missing },
        None => Reason::TableUnknown,
    }
}

/// Where in a row of headers each of the sheet's columns stands.
fn order(sheet: &Sheet, header: &[String]) -> Vec<Option<usize>> {
    let spelled: Vec<[String; 2]> = header.iter().map(|text| spellings(text)).collect();
    let mut used = BTreeSet::new();
    let columns = sheet.columns.iter().map(|column| {
        let known = known_spellings(column.name, column.key);
        let at = (0..spelled.len()).find(|at| {
            !used.contains(at) && spelled[*at].iter().any(|spelling| known.contains(spelling))
        });
        at.inspect(|at| {
            used.insert(*at);
        })
    });
    columns.collect()
}

/// A header as it is compared: plain, small, without blanks; and the same without what stands in brackets at its end.
fn spellings(text: &str) -> [String; 2] {
    let plain: String = half_width(text)
        .to_lowercase()
        .chars()
        .filter(|letter| !letter.is_whitespace() && !matches!(letter, '*' | ':' | '_'))
        .collect();
    let bare = plain.split(['(', '[']).next().unwrap_or_default().to_owned();
    [plain, bare]
}

/// Everything that a column may be called.
fn known_spellings(name: &str, key: &str) -> BTreeSet<String> {
    static FILE: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    let all = FILE.get_or_init(|| {
        toml::from_str(include_str!("headers.toml")).expect("a test reads the headers")
    });
    let others = all.get(key).into_iter().flatten().map(String::as_str);
    others.chain([name, key]).map(|text| spellings(text)[0].clone()).collect()
}

/// A line of sums, or of who made the list.
fn is_sum(cells: &[String]) -> bool {
    let words = ["合计", "总计", "小计", "制表", "审核", "打印", "共计", "total"];
    let first = cells.iter().find(|cell| !cell.is_empty());
    let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
    let said = first.map(|cell| half_width(cell).to_lowercase()).unwrap_or_default();
    words.iter().any(|word| said.starts_with(word)) && filled * 2 <= cells.len().max(2)
}

impl From<FileError> for Reason {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NotATable => Self::NotATable,
            FileError::OldWorkbook => Self::OldWorkbook,
            FileError::UnknownEncoding => Self::UnknownEncoding,
            FileError::Damaged(cause) => Self::Damaged(cause),
            FileError::TooMuch => Self::TooMuch,
        }
    }
}
