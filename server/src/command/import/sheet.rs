//! The tables of a hall's folder: which columns each has, and the rows found in them.

use std::collections::BTreeSet;
use std::path::Path;

use super::problem::{Problem, Reason};

/// A table by its file name and its columns, in Chinese and as the English key.
pub(crate) struct Sheet {
    /// The file's name.
    pub(crate) file: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

/// 登录名 and so on.
pub(crate) const STAFF: Sheet = Sheet {
    file: "staff.csv",
    columns: &[("登录名", "login"), ("姓名", "name"), ("岗位", "role"), ("初始密码", "password")],
};

/// The accounts.
pub(crate) const HOUSEHOLDS: Sheet = Sheet {
    file: "households.csv",
    columns: &[
        ("户号", "account"),
        ("户名", "holder"),
        ("地址", "address"),
        ("电话", "phone"),
        ("纬度", "latitude"),
        ("经度", "longitude"),
        ("群体", "groups"),
        ("上门须知", "access"),
    ],
};

/// The gas meters.
pub(crate) const METERS: Sheet = Sheet {
    file: "meters.csv",
    columns: &[("户号", "account"), ("表号", "serial"), ("规格", "size"), ("位数", "digits")],
};

/// What was read before the day.
pub(crate) const READINGS: Sheet = Sheet {
    file: "readings.csv",
    columns: &[("表号", "serial"), ("日期", "on"), ("读数", "register"), ("备注", "note")],
};

/// The hoses in use.
pub(crate) const HOSES: Sheet = Sheet {
    file: "hoses.csv",
    columns: &[
        ("软管编号", "hose"),
        ("户号", "account"),
        ("材质", "kind"),
        ("长度毫米", "length_mm"),
        ("安装日期", "installed_on"),
    ],
};

/// The hoses replaced earlier.
pub(crate) const REPLACEMENTS: Sheet = Sheet {
    file: "replacements.csv",
    columns: &[("户号", "account"), ("日期", "on"), ("软管编号", "hose"), ("免费", "free")],
};

/// What is to be done on the day.
pub(crate) const JOBS: Sheet = Sheet {
    file: "jobs.csv",
    columns: &[
        ("工单号", "job"),
        ("类型", "kind"),
        ("户号", "account"),
        ("要求", "request"),
        ("登记时间", "created_at"),
        ("登记人", "created_by"),
        ("预约开始", "window_start"),
        ("预约结束", "window_end"),
        ("约定方式", "channel"),
        ("技术员", "technician"),
    ],
};

/// One row with its cells in the order of the sheet's columns.
pub(crate) struct Row {
    /// The table.
    pub(crate) sheet: &'static Sheet,
    /// The line in its file.
    pub(crate) line: u64,
    cells: Vec<String>,
}

impl Row {
    /// What stands in a column, without blanks around it.
    pub(crate) fn cell(&self, column: &str) -> &str {
        let at = self.sheet.columns.iter().position(|(name, _)| *name == column);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// Names a cell of this row as the one that is wrong.
    pub(crate) fn problem(&self, column: &'static str, reason: Reason) -> Problem {
        Problem {
            file: self.sheet.file,
            line: self.line,
            column: Some(column),
            // A password is nobody's business, not even a wrong one.
            value: if column == "初始密码" {
                String::new()
            } else {
                self.cell(column).to_owned()
            },
            reason,
        }
    }
}

impl Sheet {
    /// Reads the table's file; what cannot be read is added to the problems.
    pub(crate) fn read(&'static self, folder: &Path, problems: &mut Vec<Problem>) -> Vec<Row> {
        match text(folder, self.file) {
            Ok(text) => self.rows(&text, problems),
            Err(reason) => {
                problems.push(self.problem(1, None, reason));
                Vec::new()
            }
        }
    }

    fn rows(&'static self, text: &str, problems: &mut Vec<Problem>) -> Vec<Row> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let header: Vec<String> = match records.next() {
            Some(Ok(header)) => header.iter().map(str::to_owned).collect(),
            Some(Err(_)) | None => Vec::new(),
        };
        let found_before = problems.len();
        let order = self.order(&header, problems);
        if problems.len() > found_before {
            return Vec::new();
        }
        let mut rows = Vec::new();
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    problems.push(self.problem(line, None, Reason::Unreadable(error.to_string())));
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            // A spreadsheet may leave lines of nothing but commas behind.
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() != header.len() {
                let reason = Reason::CellCount { expected: header.len(), found: record.len() };
                problems.push(self.problem(line, None, reason));
                continue;
            }
            let cells = order.iter().map(|&at| record[at].to_owned()).collect();
            rows.push(Row { sheet: self, line, cells });
        }
        rows
    }

    /// Where in the file each of the sheet's columns stands.
    fn order(&self, header: &[String], problems: &mut Vec<Problem>) -> Vec<usize> {
        let mut order = Vec::new();
        for &(name, key) in self.columns {
            match header.iter().position(|found| found == name || found == key) {
                Some(at) => order.push(at),
                None => problems.push(self.problem(1, Some(name), Reason::ColumnMissing)),
            }
        }
        let used: BTreeSet<usize> = order.iter().copied().collect();
        for (at, found) in header.iter().enumerate() {
            if !used.contains(&at) {
                let value = found.clone();
                let unknown = self.problem(1, None, Reason::ColumnUnknown);
                problems.push(Problem { value, ..unknown });
            }
        }
        order
    }

    fn problem(&self, line: u64, column: Option<&'static str>, reason: Reason) -> Problem {
        Problem { file: self.file, line, column, value: String::new(), reason }
    }
}

/// Reads a file as UTF-8, with or without a byte order mark.
pub(crate) fn text(folder: &Path, file: &str) -> Result<String, Reason> {
    let bytes = std::fs::read(folder.join(file))
        .map_err(|error| Reason::Unreadable(error.kind().to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_not_utf8| Reason::NotUtf8)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}
