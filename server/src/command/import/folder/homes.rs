//! Reads households and what hangs on their walls.

use std::collections::BTreeMap;
use std::path::Path;

use domain::hose::Replacement;
use domain::household::{Group, Hose, HoseKind, Household, Meter, PastReading};
use domain::id::HoseId;
use domain::measure::Volume;

use super::super::cell::{Cells, Word};
use super::super::content::{Hall, Home, hose_id, household_id, meter_id};
use super::super::problem::{Problem, Reason};
use super::super::sheet::{self, HOUSEHOLDS, METERS, Row};
use super::Seen;

const GROUPS: [Word<Group>; 4] = [
    ("老年人", "elderly", Group::Elderly),
    ("残疾人", "disabled", Group::Disabled),
    ("烈属", "martyr_family", Group::MartyrFamily),
    ("军属", "soldier_family", Group::SoldierFamily),
];

const HOSE_KINDS: [Word<HoseKind>; 2] = [
    ("橡胶软管", "rubber", HoseKind::Rubber),
    ("不锈钢波纹管", "corrugated", HoseKind::Corrugated),
];

const FREE: [Word<bool>; 2] = [("是", "yes", true), ("否", "no", false)];

/// Reads `households.csv`, then what names an account or a meter of it; the accounts are those of
/// rows that are wrong otherwise, too.
pub(super) fn read(folder: &Path, hall: &Hall, problems: &mut Vec<Problem>) -> (Vec<Home>, Seen) {
    let rows = HOUSEHOLDS.read(folder, problems);
    let (by_account, accounts) = (BTreeMap::new(), Seen::default());
    let mut reader = Reader { hall, by_account, accounts, homes: Vec::new(), problems };
    reader.households(&rows);
    let rows = METERS.read(folder, reader.problems);
    let meters = reader.meters(&rows);
    let rows = sheet::READINGS.read(folder, reader.problems);
    reader.readings(&rows, &meters);
    let rows = sheet::HOSES.read(folder, reader.problems);
    let hoses = reader.hoses(&rows);
    let rows = sheet::REPLACEMENTS.read(folder, reader.problems);
    reader.replacements(&rows, &hoses);
    (reader.homes, reader.accounts)
}

struct Reader<'a> {
    hall: &'a Hall,
    /// Where in `homes` an account stands.
    by_account: BTreeMap<String, usize>,
    accounts: Seen,
    homes: Vec<Home>,
    problems: &'a mut Vec<Problem>,
}

/// A reading with the row that it stands in.
struct Read<'a> {
    row: &'a Row,
    reading: PastReading,
    has_note: bool,
}

impl Reader<'_> {
    fn households(&mut self, rows: &[Row]) {
        for row in rows {
            let household = self.household(row);
            self.accounts.note(row, "户号", row.cell("户号"), self.problems);
            let Some(household) = household else { continue };
            self.by_account.insert(household.account.clone(), self.homes.len());
            let (meters, hoses, replacements) = (vec![], vec![], vec![]);
            self.homes.push(Home { household, meters, hoses, replacements });
        }
    }

    fn household(&mut self, row: &Row) -> Option<Household> {
        let mut cells = Cells { row, problems: self.problems };
        let account = cells.text("户号");
        let holder = cells.text("户名");
        let address = cells.text("地址");
        let phone = cells.phone("电话");
        let place = cells.place("纬度", "经度");
        let faults = cells.problems.len();
        let groups = cells.words("群体", &GROUPS);
        let are_groups_known = cells.problems.len() == faults;
        let access = cells.text_or_nothing("上门须知");
        let account = account?;
        Some(Household {
            id: household_id(self.hall.id, &account),
            account,
            holder: holder?,
            address: address?,
            phone: phone?,
            place: place.ok()?,
            groups: are_groups_known.then(|| groups.into_iter().collect())?,
            access,
        })
    }

    /// Finds the home that a row names; an account that is nowhere is a problem.
    fn home(&mut self, row: &Row) -> Option<usize> {
        let mut cells = Cells { row, problems: self.problems };
        let account = cells.text("户号")?;
        if !self.accounts.has(&account) {
            return cells.refuse("户号", Reason::Unknown { file: HOUSEHOLDS.file });
        }
        self.by_account.get(&account).copied()
    }

    /// Returns where each serial's meter hangs: its home and its number there.
    fn meters(&mut self, rows: &[Row]) -> BTreeMap<String, Option<(usize, usize)>> {
        let mut seen = Seen::default();
        let mut found = BTreeMap::new();
        for row in rows {
            let home = self.home(row);
            let mut cells = Cells { row, problems: self.problems };
            let serial = cells.text("表号");
            let size = cells.text("规格");
            let digits = cells.whole("位数", 4, 8);
            let Some(serial) = serial else { continue };
            seen.note(row, "表号", &serial, self.problems);
            found.entry(serial.clone()).or_insert(None);
            let digits = digits.and_then(|digits| u8::try_from(digits).ok());
            let (Some(home), Some(size), Some(digits)) = (home, size, digits) else { continue };
            let at = &mut self.homes[home];
            found.insert(serial.clone(), Some((home, at.meters.len())));
            let id = meter_id(self.hall.id, &serial);
            at.meters.push(Meter { id, serial, size, digits, readings: vec![] });
        }
        found
    }

    fn readings(&mut self, rows: &[Row], meters: &BTreeMap<String, Option<(usize, usize)>>) {
        let mut seen = Seen::default();
        let mut by_meter: BTreeMap<(usize, usize), Vec<Read<'_>>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { row, problems: self.problems };
            let serial = cells.text("表号");
            let on = cells.past_day("日期", self.hall.day);
            let register = cells.register("读数");
            let has_note = !cells.is_empty("备注");
            let Some(serial) = serial else { continue };
            if !meters.contains_key(&serial) {
                cells.refuse::<()>("表号", Reason::Unknown { file: METERS.file });
            }
            let (Some(on), Some(register)) = (on, register) else { continue };
            seen.note(row, "日期", &format!("{serial}/{on}"), self.problems);
            if let Some(&Some(meter)) = meters.get(&serial) {
                let reading = PastReading { on, register };
                by_meter.entry(meter).or_default().push(Read { row, reading, has_note });
            }
        }
        for ((home, number), mut reads) in by_meter {
            reads.sort_by_key(|read| read.reading.on);
            let meter = &mut self.homes[home].meters[number];
            check_registers(meter.digits, &reads, self.problems);
            meter.readings = reads.into_iter().map(|read| read.reading).collect();
        }
    }

    /// Returns the account of each hose in use.
    fn hoses(&mut self, rows: &[Row]) -> BTreeMap<HoseId, String> {
        let mut seen = Seen::default();
        let mut found = BTreeMap::new();
        for row in rows {
            let home = self.home(row);
            let mut cells = Cells { row, problems: self.problems };
            let number = cells.text("软管编号");
            let kind = cells.word("材质", &HOSE_KINDS);
            let length_mm = cells.whole("长度毫米", 200, 10_000);
            let installed_on = cells.past_day("安装日期", self.hall.day);
            let Some(number) = number else { continue };
            seen.note(row, "软管编号", &number, self.problems);
            let id = hose_id(self.hall.id, &number);
            found.insert(id, row.cell("户号").to_owned());
            let (Some(kind), Some(length_mm), Some(installed_on)) = (kind, length_mm, installed_on)
            else {
                continue;
            };
            if let Some(home) = home {
                self.homes[home].hoses.push(Hose { id, kind, length_mm, installed_on });
            }
        }
        found
    }

    fn replacements(&mut self, rows: &[Row], hoses: &BTreeMap<HoseId, String>) {
        let mut seen = Seen::default();
        for row in rows {
            let home = self.home(row);
            let mut cells = Cells { row, problems: self.problems };
            let on = cells.past_day("日期", self.hall.day);
            let number = cells.text("软管编号");
            let free = cells.word("免费", &FREE);
            let Some(number) = number else { continue };
            let installed = hose_id(self.hall.id, &number);
            // A hose that has been taken out since is in no list; one that is in use has its home.
            let account = hoses.get(&installed).filter(|it| *it != row.cell("户号"));
            if let Some(account) = account.filter(|_| home.is_some()) {
                cells.refuse::<()>("软管编号", Reason::HoseElsewhere { account: account.clone() });
            }
            seen.note(row, "软管编号", &number, self.problems);
            let (Some(on), Some(free)) = (on, free) else { continue };
            if let Some(home) = home {
                self.homes[home].replacements.push(Replacement { job: None, installed, on, free });
            }
        }
    }
}

/// A register fits its meter and goes back only where a note says why.
fn check_registers(digits: u8, reads: &[Read<'_>], problems: &mut Vec<Problem>) {
    let mut before: Option<PastReading> = None;
    for read in reads {
        let register = read.reading.register;
        if register >= Volume(10_i64.pow(u32::from(digits)) * 1_000) {
            problems.push(read.row.problem("读数", Reason::RegisterTooLong { digits }));
        }
        let lower_than = before.filter(|before| register < before.register);
        if let (Some(before), false) = (lower_than, read.has_note) {
            let before = format!("{} ({})", before.register, before.on);
            problems.push(read.row.problem("读数", Reason::RegisterWentBack { before }));
        }
        before = Some(read.reading);
    }
}
