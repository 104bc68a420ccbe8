//! Reads who works in the hall.

use crate::identity::password::check_choice;
use crate::identity::{Role, is_login, normal_login};

use super::cell::{Cells, Noted, Word};
use super::content::{Hall, Person, user_id};
use super::problem::{Problem, Reason};
use super::reader::Seen;
use super::sheet::Row;

const ROLES: [Word<Role>; 16] = [
    ("技术员", "technician", Role::Technician),
    ("调度员", "dispatcher", Role::Dispatcher),
    ("营业员", "hall", Role::Hall),
    ("经理", "manager", Role::Manager),
    ("管理员", "admin", Role::Admin),
    ("维修工", "", Role::Technician),
    ("维修员", "", Role::Technician),
    ("安检员", "", Role::Technician),
    ("抄表员", "", Role::Technician),
    ("抢修员", "", Role::Technician),
    ("班组长", "", Role::Technician),
    ("调度", "", Role::Dispatcher),
    ("客服", "", Role::Hall),
    ("收费员", "", Role::Hall),
    ("站长", "", Role::Manager),
    ("所长", "", Role::Manager),
];

/// Reads who works there; the log-ins are those of rows that are wrong otherwise, too.
pub(super) fn read(rows: &[Row], hall: &Hall, problems: &mut Vec<Problem>) -> (Vec<Person>, Seen) {
    let mut seen = Seen::default();
    let mut staff = Vec::new();
    for row in rows {
        let mut cells = Cells { row, problems };
        let login = login(&mut cells);
        let name = cells.text("姓名");
        let role = cells.word("岗位", &ROLES);
        let password = password(&mut cells, login.as_deref());
        if !seen.note(row, "登录名", login.as_deref().unwrap_or_default(), problems) {
            continue;
        }
        if let (Some(login), Some(name), Some(role), Ok(password)) = (login, name, role, password) {
            let (id, row) = (user_id(hall.id, &login), row.clone());
            staff.push(Person { id, row, login, name, role, password });
        }
    }
    (staff, seen)
}

fn login(cells: &mut Cells<'_>) -> Option<String> {
    let login = normal_login(&cells.text("登录名")?);
    if is_login(&login) { Some(login) } else { cells.refuse("登录名", Reason::NotALogin) }
}

/// Exports of other programs have none: whoever is new then signs in once somebody gave them a password.
fn password(cells: &mut Cells<'_>, login: Option<&str>) -> Result<Option<String>, Noted> {
    let password = cells.text_or_nothing("初始密码");
    if password.is_empty() {
        return Ok(None);
    }
    match check_choice(login.unwrap_or_default(), &password) {
        Ok(()) => Ok(Some(password)),
        Err(refused) => cells.refuse("初始密码", Reason::Password(refused)).ok_or(Noted),
    }
}
