//! Facts that cannot all be right become a case with an owner, once; what is found later is noted in it (B4).

use domain::case::{Actor, CaseEvent, CaseKind};
use domain::catalogue::{Language, text};
use domain::id::{CaseId, HallId, UserId};
use domain::job::Channel;
use domain::pack::Pack;
use domain::stamp::Timestamp;
use uuid::Uuid;

use crate::cases::{self, NewCase};
use crate::db::{Tx, cases as rows, halls};
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;

/// What contradicts each other, and what is said of it.
#[derive(Debug)]
pub struct Doubted {
    /// Where.
    pub hall: HallId,
    /// The case that looks at some of it already.
    pub known: Option<CaseId>,
    /// Whose home it is about, where it is one.
    pub household: Option<Uuid>,
    /// What a new case says, or the known one is told.
    pub words: String,
}

/// Opens a case about it, or notes it in the one that is there; tells which, and the hall's position.
///
/// None when nobody is there to own it. The hall's row has to be held.
pub async fn raise(
    tx: &mut Tx,
    doubted: Doubted,
    (pack, now): (&Pack, Timestamp),
) -> Result<Option<(CaseId, i64)>, ApiError> {
    let hall = doubted.hall;
    let position = halls::take_positions(tx.c(), hall, 1).await?;
    let case = if let Some(case) = doubted.known {
        note(tx, (hall, case), doubted.words, (now, position)).await?
    } else if let Some(owner) = rows::find_first_owner(tx.c(), hall).await? {
        open(tx, (doubted, owner), (pack, now, position)).await?
    } else {
        tracing::warn!(hall.id = %hall, "facts contradict each other, and nobody is there to own the case");
        return Ok(None);
    };
    Ok(Some((case, position)))
}

async fn open(
    tx: &mut Tx,
    (doubted, owner): (Doubted, UserId),
    (pack, now, position): (&Pack, Timestamp, i64),
) -> Result<CaseId, ApiError> {
    let id = CaseId(fresh_uuid(now));
    let new = NewCase {
        id,
        hall: doubted.hall,
        kind: CaseKind::Request,
        channel: Channel::Other,
        household: doubted.household,
        caller: (text(Language::Chinese, "doubt.caller", &[]), String::new()),
        words: doubted.words,
        call_back: false,
        asked: None,
        by: owner,
    };
    cases::open(tx.c(), &new, (pack, now, position)).await?;
    Ok(id)
}

/// Nothing is noted in a case that is closed.
async fn note(
    tx: &mut Tx,
    (hall, id): (HallId, CaseId),
    words: String,
    (now, position): (Timestamp, i64),
) -> Result<CaseId, ApiError> {
    let whole = cases::find(tx.c(), hall, id).await?;
    let actor: Actor = whole.actor(whole.standing.owner, false);
    if whole.standing.closed_at.is_none() {
        let noted = CaseEvent::Noted { text: words };
        cases::add(tx.c(), &whole, (noted, actor), (now, position)).await?;
    }
    Ok(id)
}

/// What the catalogue says under a key in both languages, with what is doubted.
pub fn words(key: &str, doubted: &str) -> String {
    let say = |language| text(language, key, &[("what", doubted.to_owned())]);
    format!("{}\n{}", say(Language::Chinese), say(Language::English))
}
