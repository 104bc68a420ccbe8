//! The tables that a hall's files may hold: which columns each has, and the rows found in them.

use std::sync::Arc;

use super::file::half_width;
use super::problem::{Problem, Reason};

/// A column by its name in Chinese and its English key, and whether a table without it means nothing.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) is_needed: bool,
    /// Whether a hall's own folder may do without, too.
    pub(crate) is_optional: bool,
}

/// A table by the name of its file in a hall's folder and its columns.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// The word for it in JSON and the catalogue.
    pub(crate) key: &'static str,
    /// The file's name in a hall's folder.
    pub(crate) file: &'static str,
    /// Whether a hall's folder may do without.
    pub(crate) is_optional: bool,
    /// Its columns.
    pub(crate) columns: &'static [Column],
}

const fn needed(name: &'static str, key: &'static str) -> Column {
    Column { name, key, is_needed: true, is_optional: false }
}

const fn known(name: &'static str, key: &'static str) -> Column {
    Column { name, key, is_needed: false, is_optional: false }
}

/// A column that came later: folders from before it are still whole.
const fn later(name: &'static str, key: &'static str) -> Column {
    Column { name, key, is_needed: false, is_optional: true }
}

/// Who works there.
pub(crate) const STAFF: Sheet = Sheet {
    key: "staff",
    file: "staff.csv",
    is_optional: false,
    columns: &[
        needed("登录名", "login"),
        needed("姓名", "name"),
        needed("岗位", "role"),
        known("初始密码", "password"),
        later("技能", "skills"),
        later("片区", "area"),
        later("电话", "phone"),
        later("班组长", "leader"),
    ],
};

/// The accounts.
pub(crate) const HOUSEHOLDS: Sheet = Sheet {
    key: "household",
    file: "households.csv",
    is_optional: false,
    columns: &[
        needed("户号", "account"),
        needed("户名", "holder"),
        needed("地址", "address"),
        known("电话", "phone"),
        known("纬度", "latitude"),
        known("经度", "longitude"),
        known("群体", "groups"),
        known("上门须知", "access"),
        later("用气性质", "used_for"),
        later("通气日期", "gas_since"),
        later("上次安检", "inspected_on"),
    ],
};

/// Who belongs to which group, one a row, for households that are known.
pub(crate) const GROUPS: Sheet = Sheet {
    key: "group",
    file: "groups.csv",
    is_optional: true,
    columns: &[needed("户号", "account"), needed("群体", "groups")],
};

/// The gas meters.
pub(crate) const METERS: Sheet = Sheet {
    key: "meter",
    file: "meters.csv",
    is_optional: false,
    columns: &[
        needed("户号", "account"),
        needed("表号", "serial"),
        needed("规格", "size"),
        known("位数", "digits"),
    ],
};

/// What was read before the day.
pub(crate) const READINGS: Sheet = Sheet {
    key: "reading",
    file: "readings.csv",
    is_optional: false,
    columns: &[
        needed("表号", "serial"),
        needed("日期", "on"),
        needed("读数", "register"),
        known("备注", "note"),
    ],
};

/// The hoses in use.
pub(crate) const HOSES: Sheet = Sheet {
    key: "hose",
    file: "hoses.csv",
    is_optional: false,
    columns: &[
        known("软管编号", "hose"),
        needed("户号", "account"),
        needed("材质", "kind"),
        needed("长度毫米", "length_mm"),
        needed("安装日期", "installed_on"),
    ],
};

/// The hoses replaced earlier.
pub(crate) const REPLACEMENTS: Sheet = Sheet {
    key: "replacement",
    file: "replacements.csv",
    is_optional: false,
    columns: &[
        needed("户号", "account"),
        needed("日期", "on"),
        needed("软管编号", "hose"),
        needed("免费", "free"),
    ],
};

/// What burns gas.
pub(crate) const APPLIANCES: Sheet = Sheet {
    key: "appliance",
    file: "appliances.csv",
    is_optional: true,
    columns: &[
        needed("户号", "account"),
        needed("燃具", "kind"),
        needed("品牌", "brand"),
        known("型号", "model"),
        known("安装日期", "installed_on"),
        known("熄火保护", "flame_out"),
        later("购买日期", "sold_on"),
    ],
};

/// What is to be done on the day.
pub(crate) const JOBS: Sheet = Sheet {
    key: "job",
    file: "jobs.csv",
    is_optional: false,
    columns: &[
        needed("工单号", "job"),
        needed("类型", "kind"),
        needed("户号", "account"),
        known("要求", "request"),
        needed("登记时间", "created_at"),
        needed("登记人", "created_by"),
        known("预约开始", "window_start"),
        known("预约结束", "window_end"),
        known("约定方式", "channel"),
        known("技术员", "technician"),
    ],
};

/// Every table, in the order in which they are read.
pub(crate) const ALL: [&Sheet; 9] =
    [&STAFF, &HOUSEHOLDS, &GROUPS, &METERS, &READINGS, &HOSES, &REPLACEMENTS, &APPLIANCES, &JOBS];

/// Where rows stand: the file, and what its own header calls each of the sheet's columns.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file's name.
    pub(crate) file: String,
    /// For each column of the sheet, the header in the file.
    pub(crate) headers: Vec<Option<String>>,
}

/// One row with its cells in the order of the sheet's columns.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The table.
    pub(crate) sheet: &'static Sheet,
    /// Where it stands.
    pub(crate) source: Arc<Source>,
    /// The line in its file.
    pub(crate) line: u64,
    /// The cells.
    pub(crate) cells: Vec<String>,
}

impl Row {
    /// What stands in a column, as it was written, without blanks around it.
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.at(column).and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// The same with full-width letters and digits made plain, for numbers, days and names of things.
    pub(crate) fn plain(&self, column: &str) -> String {
        half_width(self.cell(column)).into_owned()
    }

    /// Names a cell of this row as the one that is wrong.
    pub(crate) fn problem(&self, column: &'static str, reason: Reason) -> Problem {
        let header = self.at(column).and_then(|at| self.source.headers.get(at)).cloned().flatten();
        Problem {
            file: self.source.file.clone(),
            line: self.line,
            column: Some(header.unwrap_or_else(|| column.to_owned())),
            // A password is nobody's business, not even a wrong one.
            value: if column == "初始密码" {
                String::new()
            } else {
                self.cell(column).to_owned()
            },
            reason,
        }
    }

    /// What the file's own header calls a column, in plain letters.
    pub(crate) fn header(&self, column: &str) -> String {
        let header = self.at(column).and_then(|at| self.source.headers.get(at)?.as_deref());
        half_width(header.unwrap_or_default()).into_owned()
    }

    /// Whether the file has this column at all.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.at(column).and_then(|at| self.source.headers.get(at)).is_some_and(Option::is_some)
    }

    fn at(&self, column: &str) -> Option<usize> {
        self.sheet.columns.iter().position(|known| known.name == column)
    }
}
