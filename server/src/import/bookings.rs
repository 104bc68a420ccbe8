//! Reads the day's jobs.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use domain::id::{HouseholdId, UserId};
use domain::job::{Author, Channel, JobKind, Window};

use crate::identity::Role;

use super::cell::{Cells, Noted, Word};
use super::content::{Booking, Hall, Homes, Known, Person, household_id, job_id};
use super::problem::{Problem, Reason};
use super::reader::Seen;
use super::sheet::{HOUSEHOLDS, Row, STAFF};

const KINDS: [Word<JobKind>; 10] = [
    ("抢修", "emergency", JobKind::Emergency),
    ("点火", "ignition", JobKind::Ignition),
    ("启封", "unsealing", JobKind::Unsealing),
    ("封表", "sealing", JobKind::Sealing),
    ("停气", "gas_stop", JobKind::GasStop),
    ("抄表", "meter_reading", JobKind::MeterReading),
    ("安检", "safety_inspection", JobKind::SafetyInspection),
    ("换软管", "hose_replacement", JobKind::HoseReplacement),
    ("上门收费", "cash_collection", JobKind::CashCollection),
    ("维修", "repair", JobKind::Repair),
];

const CHANNELS: [Word<Channel>; 5] = [
    ("电话", "phone", Channel::Phone),
    ("营业厅", "counter", Channel::Counter),
    ("微信", "we_chat", Channel::WeChat),
    ("门口当面", "at_the_door", Channel::AtTheDoor),
    ("其他", "other", Channel::Other),
];

/// What a job's row may name.
pub(super) struct Names<'a> {
    /// The hall.
    pub(super) hall: &'a Hall,
    /// Who works there.
    pub(super) staff: &'a [Person],
    /// Every log-in, also of a row that is wrong otherwise.
    pub(super) logins: Seen,
    /// The households.
    pub(super) homes: &'a Homes,
    /// Every account, also of a row that is wrong otherwise.
    pub(super) accounts: Seen,
    /// What the hall's registers know already.
    pub(super) known: &'a Known,
}

/// Reads the jobs and moves everything in it from the hall's day to `day`.
pub(super) fn read(
    rows: &[Row],
    names: &Names<'_>,
    day: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Vec<Booking> {
    let mut reader = Reader {
        names,
        households: households(names),
        staff: people(names),
        day,
        moved_by: day - names.hall.day,
        problems,
    };
    let mut seen = Seen::default();
    let mut bookings = Vec::new();
    for row in rows {
        seen.note(row, "工单号", row.cell("工单号"), reader.problems);
        bookings.extend(reader.booking(row));
    }
    bookings
}

fn households<'a>(names: &Names<'a>) -> BTreeMap<&'a str, HouseholdId> {
    let hall = names.hall.id;
    let known = names.known.accounts.iter().map(|it| (it.as_str(), household_id(hall, it)));
    let new = names.homes.households.iter().map(|(it, _)| (it.account.as_str(), it.id));
    known.chain(new).collect()
}

fn people<'a>(names: &Names<'a>) -> BTreeMap<&'a str, (UserId, Role)> {
    let known = names.known.people.iter().map(|(login, person)| (login.as_str(), *person));
    let new = names.staff.iter().map(|it| (it.login.as_str(), (it.id, it.role)));
    known.chain(new).collect()
}

struct Reader<'a> {
    names: &'a Names<'a>,
    households: BTreeMap<&'a str, HouseholdId>,
    staff: BTreeMap<&'a str, (UserId, Role)>,
    day: NaiveDate,
    moved_by: TimeDelta,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn booking(&mut self, row: &Row) -> Option<Booking> {
        let number = self.cells(row).text("工单号");
        let kind = self.cells(row).word("类型", &KINDS);
        let household = self.household(row);
        let offset = self.names.hall.offset;
        let created_at = self.cells(row).instant("登记时间", offset);
        let by = self.person(row, "登记人").map(|(id, _)| id);
        let technician = self.technician(row);
        let appointment = self.appointment(row);
        if let (Some(created_at), Ok(Some((window, _)))) = (created_at, appointment)
            && window.end <= created_at
        {
            self.cells(row).refuse::<()>("预约结束", Reason::WindowBeforeRequest);
        }
        let moved_by = self.moved_by;
        let moved =
            |window: Window| Window { start: window.start + moved_by, end: window.end + moved_by };
        Some(Booking {
            id: job_id(self.names.hall.id, self.day, &number?),
            kind: kind?,
            household: household?,
            request: row.cell("要求").to_owned(),
            author: Author { by: by?, at: created_at? + moved_by },
            appointment: appointment.ok()?.map(|(window, channel)| (moved(window), channel)),
            technician: technician.ok()?,
        })
    }

    fn cells<'b>(&'b mut self, row: &'b Row) -> Cells<'b> {
        Cells { row, problems: self.problems }
    }

    fn household(&mut self, row: &Row) -> Option<HouseholdId> {
        let account = self.cells(row).name("户号")?;
        if !self.names.accounts.has(&account) && !self.households.contains_key(account.as_str()) {
            let reason = Reason::Unknown { file: HOUSEHOLDS.file };
            return self.cells(row).refuse("户号", reason);
        }
        self.households.get(account.as_str()).copied()
    }

    fn person(&mut self, row: &Row, column: &'static str) -> Option<(UserId, Role)> {
        let login = self.cells(row).text(column)?;
        if !self.names.logins.has(&login) && !self.staff.contains_key(login.as_str()) {
            return self.cells(row).refuse(column, Reason::Unknown { file: STAFF.file });
        }
        self.staff.get(login.as_str()).copied()
    }

    /// `None` when the job is nobody's yet.
    fn technician(&mut self, row: &Row) -> Result<Option<UserId>, Noted> {
        if self.cells(row).is_empty("技术员") {
            return Ok(None);
        }
        let (id, role) = self.person(row, "技术员").ok_or(Noted)?;
        if role == Role::Technician {
            return Ok(Some(id));
        }
        self.cells(row).refuse("技术员", Reason::NotATechnician).ok_or(Noted)
    }

    /// `None` when no window is agreed.
    fn appointment(&mut self, row: &Row) -> Result<Option<(Window, Channel)>, Noted> {
        let offset = self.names.hall.offset;
        let columns = ["预约开始", "预约结束", "约定方式"];
        let mut cells = self.cells(row);
        if columns.into_iter().all(|column| cells.is_empty(column)) {
            return Ok(None);
        }
        if let Some(missing) = columns.into_iter().find(|column| cells.is_empty(column)) {
            return cells.refuse(missing, Reason::HalfAWindow).ok_or(Noted);
        }
        let start = cells.instant("预约开始", offset);
        let end = cells.instant("预约结束", offset);
        let channel = cells.word("约定方式", &CHANNELS);
        let (start, end) = start.zip(end).ok_or(Noted)?;
        if end <= start {
            return cells.refuse("预约结束", Reason::WindowEndsFirst).ok_or(Noted);
        }
        Ok(Some((Window { start, end }, channel.ok_or(Noted)?)))
    }
}
