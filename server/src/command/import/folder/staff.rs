//! Reads who works in the hall.

use std::path::Path;

use crate::identity::password::check_choice;
use crate::identity::{Role, is_login, normal_login};

use super::super::cell::{Cells, Word};
use super::super::content::{Hall, Person, user_id};
use super::super::problem::{Problem, Reason};
use super::super::sheet;
use super::Seen;

const ROLES: [Word<Role>; 5] = [
    ("技术员", "technician", Role::Technician),
    ("调度员", "dispatcher", Role::Dispatcher),
    ("营业员", "hall", Role::Hall),
    ("经理", "manager", Role::Manager),
    ("管理员", "admin", Role::Admin),
];

/// Reads `staff.csv`; the log-ins are those of rows that are wrong otherwise, too.
pub(super) fn read(folder: &Path, hall: &Hall, problems: &mut Vec<Problem>) -> (Vec<Person>, Seen) {
    let rows = sheet::STAFF.read(folder, problems);
    let mut seen = Seen::default();
    let mut staff = Vec::new();
    for row in &rows {
        let mut cells = Cells { row, problems };
        let login = login(&mut cells);
        let name = cells.text("姓名");
        let role = cells.word("岗位", &ROLES);
        let password = password(&mut cells, login.as_deref());
        if !seen.note(row, "登录名", login.as_deref().unwrap_or_default(), problems) {
            continue;
        }
        if let (Some(login), Some(name), Some(role), Some(password)) = (login, name, role, password)
        {
            let (id, line) = (user_id(hall.id, &login), row.line);
            staff.push(Person { id, line, login, name, role, password });
        }
    }
    (staff, seen)
}

fn login(cells: &mut Cells<'_>) -> Option<String> {
    let login = normal_login(&cells.text("登录名")?);
    if is_login(&login) { Some(login) } else { cells.refuse("登录名", Reason::NotALogin) }
}

fn password(cells: &mut Cells<'_>, login: Option<&str>) -> Option<String> {
    let password = cells.text("初始密码")?;
    match check_choice(login.unwrap_or_default(), &password) {
        Ok(()) => Some(password),
        Err(refused) => cells.refuse("初始密码", Reason::Password(refused)),
    }
}
