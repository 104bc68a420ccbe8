//! Reads who works in the hall.

use std::collections::BTreeSet;

use domain::pack::{SkillId, SkillRule};

use crate::identity::password::check_choice;
use crate::identity::{Role, is_login, normal_login};

use super::cell::{Cells, Noted, Word, parts};
use super::content::{Hall, Known, Person, Skills, user_id};
use super::problem::{Problem, Reason};
use super::reader::Seen;
use super::sheet::{Row, STAFF};

/// The column of crew leaders.
const LEADER: &str = "班组长";

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
pub(super) fn read(
    rows: &[Row],
    hall: &Hall,
    known: &Known,
    problems: &mut Vec<Problem>,
) -> (Vec<Person>, Seen) {
    let mut seen = Seen::default();
    let mut staff = Vec::new();
    for row in rows {
        let mut cells = Cells { row, problems };
        let login = login(&mut cells);
        let name = cells.text("姓名");
        let role = cells.word("岗位", &ROLES);
        let password = password(&mut cells, login.as_deref());
        let skills = skills(&mut cells, &known.skills);
        let area = row.has("片区").then(|| parts(row.cell("片区")).map(str::to_owned).collect());
        let phone = phone(&mut cells);
        if !seen.note(row, "登录名", login.as_deref().unwrap_or_default(), problems) {
            continue;
        }
        let (Ok(skills), Ok(phone)) = (skills, phone) else { continue };
        if let (Some(login), Some(name), Some(role), Ok(password)) = (login, name, role, password) {
            let leader = leader(row, &login);
            let (id, row) = (user_id(hall.id, &login), row.clone());
            staff.push(Person {
                id,
                row,
                login,
                name,
                role,
                password,
                skills,
                area,
                phone,
                leader,
            });
        }
    }
    let is_known = |login: &str| seen.has(login) || known.people.contains_key(login);
    for person in &staff {
        if person.leader.as_ref().is_some_and(|it| !it.is_empty() && !is_known(it)) {
            problems.push(person.row.problem(LEADER, Reason::Unknown { file: STAFF.file }));
        }
    }
    (staff, seen)
}

fn login(cells: &mut Cells<'_>) -> Option<String> {
    let login = normal_login(&cells.text("登录名")?);
    if is_login(&login) { Some(login) } else { cells.refuse("登录名", Reason::NotALogin) }
}

/// Reads a telephone number that need not be there.
fn phone(cells: &mut Cells<'_>) -> Result<Option<String>, Noted> {
    const COLUMN: &str = "电话";
    if !cells.row.has(COLUMN) {
        return Ok(None);
    }
    if cells.is_empty(COLUMN) {
        return Ok(Some(String::new()));
    }
    cells.phone(COLUMN).map(Some).ok_or(Noted)
}

/// Reads whom somebody answers to; who leads a crew stands as the leader in their own row, too.
fn leader(row: &Row, own: &str) -> Option<String> {
    let leader = row.has(LEADER).then(|| normal_login(row.cell(LEADER)))?;
    Some(if leader == own { String::new() } else { leader })
}

/// The word for somebody who has learnt nothing that the rules ask for; an empty cell only says that nobody wrote it down.
const NO_SKILLS: [&str; 2] = ["无", "none"];

/// Reads skills by their names or keys.
fn skills(cells: &mut Cells<'_>, known: &[SkillRule]) -> Result<Skills, Noted> {
    const COLUMN: &str = "技能";
    if !cells.row.has(COLUMN) {
        return Ok(Skills::Silent);
    }
    let text = cells.row.plain(COLUMN);
    if text.is_empty() {
        return Ok(Skills::Unrecorded);
    }
    if NO_SKILLS.contains(&text.as_str()) {
        return Ok(Skills::Listed(BTreeSet::new()));
    }
    let named = |word: &str| {
        let mut skills = known.iter();
        skills.find(|skill| [&skill.zh, &skill.en, &skill.id.0].into_iter().any(|it| it == word))
    };
    let found: Option<BTreeSet<SkillId>> =
        parts(&text).map(|word| named(word).map(|skill| skill.id.clone())).collect();
    let Some(found) = found else {
        let words = known.iter().map(|skill| format!("{} {}", skill.zh, skill.id.0));
        let words = words.collect::<Vec<_>>().join(", ");
        return cells.refuse(COLUMN, Reason::NotAWord { words }).ok_or(Noted);
    };
    Ok(Skills::Listed(found))
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
