//! Writes what a hall's folder says into the database, in one transaction.

use std::collections::BTreeMap;

use automerge::ActorId;
use domain::id::HouseholdId;
use domain::job::{Due, JobKind};
use domain::qualification::Qualification;
use domain::stamp::Timestamp;
use serde_json::json;

use crate::audit::{self, By, Entry, Subject, What};
use crate::db::contacts::ContactRow;
use crate::db::users::UserRow;
use crate::db::{C, Db, contacts, documents, halls, qualifications, users};
use crate::identity::password::Passwords;
use crate::ids;
use crate::jobs::{NewJob, Scribe, create_job};
use crate::near;
use crate::packs::Packs;

use super::content::{Booking, Content, Hall, Person, Skills};
use super::problem::{Problem, Reason};
use super::summary::{Fate, Summary, Thing};
use super::{ImportError, Mode, Teller, registers};

/// Jobs are told of in steps of so many.
const TELL_EVERY: usize = 50;

/// Writes everything, or nothing when anything goes wrong; a trial writes it all and takes it back.
pub(crate) async fn store(
    db: &Db,
    content: &Content,
    now: Timestamp,
    (mode, teller): (Mode, &mut Teller<'_>),
) -> Result<Summary, ImportError> {
    let staff = staff_rows(db, content, (now, mode), teller).await?;
    let mut summary = Summary::default();
    let mut tx = db.begin().await?;
    let Hall { id, name, offset, .. } = &content.hall;
    halls::upsert_hall(tx.c(), *id, name, i64::from(offset.local_minus_utc() / 60)).await?;
    for (_, row) in staff.iter().filter(|(fate, _)| *fate != Fate::Unchanged) {
        users::upsert_user(tx.c(), row).await?;
    }
    for ((fate, _), person) in staff.iter().zip(&content.staff) {
        let is_other = store_qualification(tx.c(), person, now).await?
            | store_contact(tx.c(), person, now).await?;
        let fate = if is_other && *fate == Fate::Unchanged { Fate::Changed } else { *fate };
        summary.count(Thing::Staff, fate);
    }
    registers::store(tx.c(), *id, &content.homes, &mut summary, teller).await?;
    store_jobs(tx.c(), content, now, &mut summary, teller).await?;
    match mode {
        Mode::Write { by, import } => {
            let subject = import.map_or(Subject::Nothing, |import| Subject::Id("import", import));
            let entry = Entry::new(By { hall: Some(*id), ..by }, What::ImportApplied, subject);
            audit::keep(tx.c(), now, entry.with(json!({"counts": summary.counts()}))).await?;
            tx.commit().await?;
        }
        // Dropped without a commit it never happened.
        Mode::Try => drop(tx),
    }
    Ok(summary)
}

/// Everybody as they will be stored; only who is new gets the password of the file.
async fn staff_rows(
    db: &Db,
    content: &Content,
    (now, mode): (Timestamp, Mode),
    teller: &mut Teller<'_>,
) -> Result<Vec<(Fate, UserRow)>, ImportError> {
    let mut conn = db.read().await?;
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for person in &content.staff {
        let found = users::find_user_by_login(conn.c(), &person.login).await?;
        if found.as_ref().is_some_and(|found| found.user_id != person.id.0) {
            problems.push(login_elsewhere(person));
        }
        let row = match &found {
            Some(found) => UserRow {
                name: person.name.clone(),
                role: person.role.key().to_owned(),
                ..found.clone()
            },
            None => new_user(&content.hall, person, now),
        };
        rows.push((Fate::of(found.as_ref(), &row), row));
    }
    drop(conn);
    if !problems.is_empty() {
        return Err(ImportError::Problems(problems));
    }
    let new = rows.iter().filter(|(fate, _)| *fate == Fate::New).count();
    // Hashing is slow on purpose, and a trial keeps nothing.
    if new > 0 && mode != Mode::Try {
        teller.tell("import.hashing_passwords", &[("count", new.to_string())])?;
        let passwords = Passwords::new()?;
        for ((fate, row), person) in rows.iter_mut().zip(&content.staff) {
            if let (Fate::New, Some(password)) = (*fate, &person.password) {
                row.password_hash = Some(passwords.hash(password).await?);
            }
        }
    }
    Ok(rows)
}

/// Records what the file says of somebody's skills and area; returns whether that is something else than before.
async fn store_qualification(
    mut c: C<'_>,
    person: &Person,
    now: Timestamp,
) -> Result<bool, ImportError> {
    let found = qualifications::find_qualification(c.lend(), person.id).await?.unwrap_or_default();
    let wanted = Qualification {
        skills: match &person.skills {
            Skills::Silent => found.skills.clone(),
            Skills::Unrecorded => None,
            Skills::Listed(skills) => Some(skills.clone()),
        },
        area: person.area.clone().unwrap_or_else(|| found.area.clone()),
    };
    let is_other = wanted != found;
    if is_other {
        let now_ms = now.timestamp_millis();
        qualifications::upsert_qualification(c, person.id, &wanted, now_ms).await?;
    }
    Ok(is_other)
}

/// Records what the file says of somebody's telephone and leader; returns whether that is something else than before.
async fn store_contact(mut c: C<'_>, person: &Person, now: Timestamp) -> Result<bool, ImportError> {
    let found = contacts::find_contact(c.lend(), person.id).await?;
    let (phone, leader_id) = found.map_or((None, None), |it| (it.phone, it.leader_id));
    let leader = match person.leader.as_deref() {
        None => leader_id,
        Some("") => None,
        Some(login) => users::find_user_by_login(c.lend(), login).await?.map(|it| it.user_id),
    };
    let wanted = ContactRow {
        user_id: person.id.0,
        phone: match &person.phone {
            None => phone.clone(),
            Some(number) => Some(number.clone()).filter(|it| !it.is_empty()),
        },
        leader_id: leader,
    };
    let is_other = (&wanted.phone, wanted.leader_id) != (&phone, leader_id);
    if is_other {
        contacts::upsert_contact(c, &wanted, now.timestamp_millis()).await?;
    }
    Ok(is_other)
}

fn new_user(hall: &Hall, person: &Person, now: Timestamp) -> UserRow {
    UserRow {
        user_id: person.id.0,
        hall_id: hall.id.0,
        login: person.login.clone(),
        name: person.name.clone(),
        role: person.role.key().to_owned(),
        password_hash: None,
        created_at: now.timestamp_millis(),
        disabled_at: None,
    }
}

fn login_elsewhere(person: &Person) -> Problem {
    person.row.problem("登录名", Reason::LoginElsewhere)
}

/// Takes on the jobs that are not there yet; the hall may have moved the others, so they stay.
async fn store_jobs(
    mut c: C<'_>,
    content: &Content,
    now: Timestamp,
    summary: &mut Summary,
    teller: &mut Teller<'_>,
) -> Result<(), ImportError> {
    let actor = ActorId::from(ids::random_bytes::<16>());
    crate::packs::ensure_builtin(c.lend(), now.timestamp_millis()).await?;
    let packs = Packs::default();
    let pack = packs.in_force(c.lend(), now).await?;
    // What lies further ahead comes to phones as its day comes near.
    let near_until = near::until(now, pack.time.utc_offset_minutes, 0);
    let scribe = Scribe { actor: &actor, packs: &packs, pack: &pack, now, near_until };
    let due = due_by_household(content);
    for (number, booking) in content.bookings.iter().enumerate() {
        let is_there = documents::was_document(c.lend(), booking.id).await?;
        if !is_there {
            create_job(c.lend(), &scribe, &new_job(content, booking, &due)).await?;
        }
        summary.count(Thing::Job, if is_there { Fate::Unchanged } else { Fate::New });
        if (number + 1) % TELL_EVERY == 0 {
            let of = content.bookings.len().to_string();
            teller
                .tell("import.jobs_stored", &[("count", (number + 1).to_string()), ("of", of)])?;
        }
    }
    Ok(())
}

fn due_by_household(content: &Content) -> BTreeMap<HouseholdId, Vec<JobKind>> {
    let mut due: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for booking in &content.bookings {
        due.entry(booking.household).or_default().push(booking.kind);
    }
    due
}

fn new_job(
    content: &Content,
    booking: &Booking,
    due: &BTreeMap<HouseholdId, Vec<JobKind>>,
) -> NewJob {
    let at_this_door = due.get(&booking.household).map_or(&[][..], Vec::as_slice);
    let also_due = at_this_door
        .iter()
        .filter(|kind| **kind != booking.kind)
        .map(|&kind| Due { kind, on: content.day })
        .collect();
    NewJob {
        id: booking.id,
        hall: content.hall.id,
        kind: booking.kind,
        household: booking.household,
        request: booking.request.clone(),
        caller_phone: String::new(),
        author: booking.author,
        appointment: booking.appointment,
        technician: booking.technician,
        also_due,
        hazards: Vec::new(),
        attempts: Vec::new(),
    }
}
