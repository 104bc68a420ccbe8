//! Reads households and what hangs on their walls.

use std::collections::{BTreeMap, BTreeSet};

use domain::due::Use;
use domain::hose::Replacement;
use domain::household::{
    Appliance, ApplianceKind, Group, Hose, HoseKind, Household, Meter, PastReading,
};
use domain::id::{HoseId, HouseholdId};
use domain::measure::Volume;
use domain::reading::ReadingState;

use super::cell::{Cells, Word};
use super::content::{
    Hall, Homes, Known, Silent, SupplyCells, appliance_id, hose_id, household_id, meter_id,
};
use super::problem::{Problem, Reason};
use super::reader::Seen;
use super::sheet::{self, HOUSEHOLDS, METERS, Row};
use super::tables::Tables;
use crate::places;

const GROUPS: [Word<Group>; 9] = [
    ("老年人", "elderly", Group::Elderly),
    ("残疾人", "disabled", Group::Disabled),
    ("烈属", "martyr_family", Group::MartyrFamily),
    ("军属", "soldier_family", Group::SoldierFamily),
    ("老人", "", Group::Elderly),
    ("孤寡老人", "", Group::Elderly),
    ("残疾", "", Group::Disabled),
    ("烈士家属", "", Group::MartyrFamily),
    ("军人家属", "", Group::SoldierFamily),
];

const HOSE_KINDS: [Word<HoseKind>; 7] = [
    ("橡胶软管", "rubber", HoseKind::Rubber),
    ("不锈钢波纹管", "corrugated", HoseKind::Corrugated),
    ("橡胶管", "", HoseKind::Rubber),
    ("胶管", "", HoseKind::Rubber),
    ("波纹管", "", HoseKind::Corrugated),
    ("金属软管", "", HoseKind::Corrugated),
    ("不锈钢软管", "", HoseKind::Corrugated),
];

const APPLIANCES: [Word<ApplianceKind>; 7] = [
    ("灶具", "stove", ApplianceKind::Stove),
    ("热水器", "water_heater", ApplianceKind::WaterHeater),
    ("壁挂炉", "boiler", ApplianceKind::Boiler),
    ("其他", "other", ApplianceKind::Other),
    ("燃气灶", "", ApplianceKind::Stove),
    ("燃气热水器", "", ApplianceKind::WaterHeater),
    ("采暖炉", "", ApplianceKind::Boiler),
];

const USES: [Word<Use>; 12] = [
    ("居民", "residential", Use::Residential),
    ("公建", "public", Use::Public),
    ("民用", "", Use::Residential),
    ("居民用户", "", Use::Residential),
    ("家庭", "", Use::Residential),
    ("公共建筑", "", Use::Public),
    ("公福", "", Use::Public),
    ("公建用户", "", Use::Public),
    ("学校", "", Use::Public),
    ("食堂", "", Use::Public),
    ("医院", "", Use::Public),
    ("餐饮", "", Use::Public),
];

const FREE: [Word<bool>; 6] = [
    ("是", "yes", true),
    ("否", "no", false),
    ("免费", "", true),
    ("收费", "", false),
    ("有", "", true),
    ("无", "", false),
];

/// Reads households, then what names an account or a meter of theirs or of the registers; the accounts are those of rows
/// that are wrong otherwise, too.
pub(super) fn read(
    tables: &Tables,
    hall: &Hall,
    known: &Known,
    problems: &mut Vec<Problem>,
) -> (Homes, Seen) {
    let (accounts, found) = (Seen::default(), BTreeSet::new());
    let mut reader = Reader { hall, known, accounts, found, homes: Homes::default(), problems };
    reader.households(tables.of(&HOUSEHOLDS));
    reader.groups(tables.of(&sheet::GROUPS));
    let meters = reader.meters(tables.of(&METERS));
    reader.readings(tables.of(&sheet::READINGS), &meters);
    let hoses = reader.hoses(tables.of(&sheet::HOSES));
    reader.replacements(tables.of(&sheet::REPLACEMENTS), &hoses);
    reader.appliances(tables.of(&sheet::APPLIANCES));
    (reader.homes, reader.accounts)
}

struct Reader<'a> {
    hall: &'a Hall,
    known: &'a Known,
    /// Every account of the files, also of a row that is wrong otherwise.
    accounts: Seen,
    /// The accounts whose rows are right.
    found: BTreeSet<String>,
    homes: Homes,
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
            self.accounts.note(row, "户号", &row.plain("户号"), self.problems);
            let supply = self.supply(row);
            let (Some(household), Some(supply)) = (household, supply) else { continue };
            if supply != SupplyCells::default() {
                self.homes.supplies.push((household.id, supply));
            }
            self.found.insert(household.account.clone());
            self.homes.households.push((household, silent(row)));
        }
    }

    fn household(&mut self, row: &Row) -> Option<Household> {
        let mut cells = Cells { row, problems: self.problems };
        let account = cells.name("户号");
        let holder = cells.text("户名");
        let address = cells.text("地址");
        let phone = cells.optional("电话", Cells::phone);
        let place = cells.place("纬度", "经度");
        let faults = cells.problems.len();
        let groups = cells.words("群体", &GROUPS);
        let are_groups_known = cells.problems.len() == faults;
        let access = cells.text_or_nothing("上门须知");
        let account = account?;
        if account.starts_with(places::ACCOUNT_PREFIX) {
            return cells.refuse("户号", Reason::AccountOfPlaces);
        }
        Some(Household {
            id: household_id(self.hall.id, &account),
            account,
            holder: holder?,
            address: address?,
            phone: phone.ok()?.unwrap_or_default(),
            place: place.ok()?,
            groups: are_groups_known.then(|| groups.into_iter().collect())?,
            access,
            unregistered: false,
        })
    }

    /// How a household gets its gas, as far as the row says.
    fn supply(&mut self, row: &Row) -> Option<SupplyCells> {
        let today = self.hall.day;
        let mut cells = Cells { row, problems: self.problems };
        let used_for = cells.optional("用气性质", |cells, it| cells.word(it, &USES));
        let gas_since = cells.optional("通气日期", |cells, it| cells.past_day(it, today));
        let inspected_on = cells.optional("上次安检", |cells, it| cells.past_day(it, today));
        Some(SupplyCells {
            used_for: used_for.ok()?,
            gas_since: gas_since.ok()?,
            inspected_on: inspected_on.ok()?,
        })
    }

    /// Finds the home that a row names; an account that is nowhere is a problem.
    fn home(&mut self, row: &Row) -> Option<HouseholdId> {
        let mut cells = Cells { row, problems: self.problems };
        let account = cells.name("户号")?;
        let is_known = self.known.accounts.contains(&account);
        if !self.accounts.has(&account) && !is_known {
            return cells.refuse("户号", Reason::Unknown { file: HOUSEHOLDS.file });
        }
        let is_right = self.found.contains(&account) || is_known;
        is_right.then(|| household_id(self.hall.id, &account))
    }

    fn groups(&mut self, rows: &[Row]) {
        for row in rows {
            let home = self.home(row);
            let mut cells = Cells { row, problems: self.problems };
            let groups = cells.words("群体", &GROUPS);
            if cells.is_empty("群体") {
                cells.refuse::<()>("群体", Reason::Empty);
            }
            let Some(home) = home else { continue };
            self.homes.groups.extend(groups.into_iter().map(|group| (home, group)));
        }
    }

    /// Returns the digits of each serial; none of one whose row is wrong.
    fn meters(&mut self, rows: &[Row]) -> BTreeMap<String, Option<u8>> {
        let known =
            self.known.meters.iter().map(|(serial, digits)| (serial.clone(), Some(*digits)));
        let mut found: BTreeMap<_, _> = known.collect();
        let mut seen = Seen::default();
        for row in rows {
            let home = self.home(row);
            let mut cells = Cells { row, problems: self.problems };
            let serial = cells.name("表号");
            let size = cells.name("规格");
            let digits = cells.optional("位数", |cells, column| cells.whole(column, 4, 8));
            let Some(serial) = serial else { continue };
            seen.note(row, "表号", &serial, self.problems);
            let before = found.entry(serial.clone()).or_insert(None);
            let (Some(home), Some(size), Ok(digits)) = (home, size, digits) else { continue };
            let digits = digits.and_then(|digits| u8::try_from(digits).ok());
            let holds = digits.or(*before).unwrap_or(USUAL_DIGITS);
            *before = Some(holds);
            let id = meter_id(self.hall.id, &serial);
            let meter = Meter::new(id, &serial, &size, holds);
            self.homes.meters.push((home, meter, digits));
        }
        found
    }

    fn readings(&mut self, rows: &[Row], meters: &BTreeMap<String, Option<u8>>) {
        let mut seen = Seen::default();
        let mut by_meter: BTreeMap<String, Vec<Read<'_>>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells { row, problems: self.problems };
            let serial = cells.name("表号");
            let on = cells.past_day("日期", self.hall.day);
            let register = cells.register("读数");
            let has_note = !cells.is_empty("备注");
            let Some(serial) = serial else { continue };
            if !meters.contains_key(&serial) {
                cells.refuse::<()>("表号", Reason::Unknown { file: METERS.file });
            }
            let (Some(on), Some(register)) = (on, register) else { continue };
            seen.note(row, "日期", &format!("{serial}/{on}"), self.problems);
            if let Some(Some(_)) = meters.get(&serial) {
                let reading = PastReading { on, register, state: ReadingState::Seen };
                by_meter.entry(serial).or_default().push(Read { row, reading, has_note });
            }
        }
        for (serial, mut reads) in by_meter {
            reads.sort_by_key(|read| read.reading.on);
            let digits = meters.get(&serial).copied().flatten().unwrap_or(USUAL_DIGITS);
            check_registers(digits, &reads, self.problems);
            let id = meter_id(self.hall.id, &serial);
            self.homes.readings.extend(reads.into_iter().map(|read| (id, read.reading)));
        }
    }

    /// Returns the account of each hose in use.
    fn hoses(&mut self, rows: &[Row]) -> BTreeMap<HoseId, String> {
        let mut seen = Seen::default();
        let mut found = BTreeMap::new();
        for row in rows {
            let home = self.home(row);
            let mut cells = Cells { row, problems: self.problems };
            let number = cells.optional("软管编号", Cells::name).ok().flatten();
            let kind = cells.word("材质", &HOSE_KINDS);
            let length_mm = length(&mut cells);
            let installed_on = cells.past_day("安装日期", self.hall.day);
            // Where hoses have no numbers, a home has one of a kind and a day.
            let unnumbered =
                || Some(format!("{}/{}/{}", row.plain("户号"), kind?.key(), installed_on?));
            let Some(number) = number.or_else(unnumbered) else { continue };
            seen.note(row, "软管编号", &number, self.problems);
            let id = hose_id(self.hall.id, &number);
            found.insert(id, row.plain("户号"));
            let (Some(kind), Some(length_mm), Some(installed_on)) = (kind, length_mm, installed_on)
            else {
                continue;
            };
            if let Some(home) = home {
                self.homes.hoses.push((
                    home,
                    Hose { id, kind, length_mm, installed_on, is_estimated: false, joints: None },
                ));
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
            let number = cells.name("软管编号");
            let free = cells.word("免费", &FREE);
            let Some(number) = number else { continue };
            let installed = hose_id(self.hall.id, &number);
            // A hose that has been taken out since is in no list; one that is in use has its home.
            let account = hoses.get(&installed).filter(|it| **it != row.plain("户号"));
            if let Some(account) = account.filter(|_| home.is_some()) {
                cells.refuse::<()>("软管编号", Reason::HoseElsewhere { account: account.clone() });
            }
            seen.note(row, "软管编号", &number, self.problems);
            let (Some(on), Some(free)) = (on, free) else { continue };
            if let Some(home) = home {
                let replacement = Replacement { job: None, installed, on, free };
                self.homes.replacements.push((home, replacement));
            }
        }
    }

    fn appliances(&mut self, rows: &[Row]) {
        let mut seen = Seen::default();
        for row in rows {
            let home = self.home(row);
            let today = self.hall.day;
            let mut cells = Cells { row, problems: self.problems };
            let kind = cells.word("燃具", &APPLIANCES);
            let brand = cells.text("品牌");
            let model = cells.text_or_nothing("型号");
            let installed_on =
                cells.optional("安装日期", |cells, it| cells.past_day(it, today));
            let sold_on = cells.optional("购买日期", |cells, it| cells.past_day(it, today));
            let flame_out = cells.optional("熄火保护", |cells, it| cells.word(it, &FREE));
            let (Some(kind), Some(brand)) = (kind, brand) else { continue };
            let account = row.plain("户号");
            let name = format!("{}/{brand}/{model}", kind.key());
            seen.note(row, "燃具", &format!("{account}/{name}"), self.problems);
            let (Some(home), Ok(installed_on), Ok(sold_on), Ok(flame_out)) =
                (home, installed_on, sold_on, flame_out)
            else {
                continue;
            };
            let id = appliance_id(self.hall.id, &account, &name);
            let is_estimated = false;
            let appliance = Appliance {
                id,
                kind,
                brand,
                model,
                installed_on,
                sold_on,
                is_estimated,
                flame_out,
            };
            self.homes.appliances.push((home, appliance));
        }
    }
}

/// A length in millimetres; a header that says metres is believed.
fn length(cells: &mut Cells<'_>) -> Option<u32> {
    let header = cells.row.header("长度毫米");
    let is_metres = (header.contains('米') && !header.contains("毫米")) || header.ends_with("(m)");
    if is_metres {
        let length = cells.register("长度毫米")?;
        let millimetres = u32::try_from(length.0).ok().filter(|it| (200..=10_000).contains(it));
        let range = Reason::OutOfRange { lowest: 200, highest: 10_000 };
        return millimetres.or_else(|| cells.refuse("长度毫米", range));
    }
    cells.whole("长度毫米", 200, 10_000)
}

/// What a household's meter has where nobody says it: the wheels of a G2.5 or G4.
const USUAL_DIGITS: u8 = 5;

fn silent(row: &Row) -> Silent {
    Silent {
        phone: !row.has("电话"),
        place: !row.has("纬度") || !row.has("经度"),
        groups: !row.has("群体"),
        access: !row.has("上门须知"),
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
