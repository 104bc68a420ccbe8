//! Outages of the gas supply: written down, announced, prolonged, ended, called off, with everybody told of each (B13).

pub mod preview;

use std::collections::BTreeSet;

use domain::id::HallId;
use domain::job::Window;
use domain::notice::Occasion;
use domain::outage::{Area, Clock, Outage, OutageError, OutageKind, Told, check, due_at};
use domain::pack::{Pack, PackId};
use domain::stamp::Timestamp;
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::audit::{self, Entry, Subject, What};
use crate::db::outages::{self as rows, CountedRow, DoorRow, OutageRow, TellingRow};
use crate::db::{C, Result, Tx, halls, live_events, outage_told};
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;
use crate::state::AppState;
use crate::told::{outages as telling, rules};

/// What the live stream calls news of an outage.
pub const LIVE_KIND: &str = "outage";

/// An outage as somebody writes it down.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whether anybody could know of it before.
    pub kind: OutageKind,
    /// Where, in the words that households read.
    pub area: String,
    /// Why, in the words that households read.
    pub reason: String,
    /// From when until when.
    pub span: Window,
    /// Where, as it was picked.
    pub picks: Area,
}

/// An outage as the rules see it.
pub fn outage(row: &OutageRow) -> Outage {
    let at = |ms: Option<i64>| ms.map(instant);
    Outage {
        kind: if row.planned { OutageKind::Planned } else { OutageKind::Unforeseen },
        span: Window { start: instant(row.from_at), end: instant(row.until_at) },
        announced_at: at(row.announced_at),
        ended_at: at(row.ended_at),
        cancelled_at: at(row.cancelled_at),
    }
}

/// How its promise stands; `pack` is its own.
pub fn clock(row: &CountedRow, pack: &Pack, now: Timestamp) -> Option<Clock> {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let told = Told {
        households: count(row.households),
        told: count(row.told),
        last_at: row.last_told_at.map(instant),
    };
    outage(&row.outage).clock(&told, &rules(pack), now)
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(ms).unwrap_or_default()
}

/// The doors of a hall that lie in an area.
pub async fn doors(c: C<'_>, hall: HallId, area: &Area) -> Result<Vec<DoorRow>> {
    let mut doors = rows::list_doors(c, hall).await?;
    doors.retain(|it| area.covers(&it.account, &it.address));
    Ok(doors)
}

/// The accounts of an area that no door has.
pub fn unknown_accounts(area: &Area, doors: &[DoorRow]) -> Vec<String> {
    let known: BTreeSet<&str> = doors.iter().map(|it| it.account.as_str()).collect();
    area.accounts.iter().filter(|it| !known.contains(it.as_str())).cloned().collect()
}

/// Somebody does something with an outage, in one transaction under the hall's row.
pub struct Deed<'a> {
    state: &'a AppState,
    caller: &'a Caller,
    /// The transaction, for what else belongs into it.
    pub tx: Tx,
    position: i64,
    now: Timestamp,
}

impl<'a> Deed<'a> {
    /// Begins.
    pub async fn begin(state: &'a AppState, caller: &'a Caller) -> Result<Self, ApiError> {
        let mut tx = state.db.begin().await?;
        let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
        Ok(Self { state, caller, tx, position, now: state.clock.now() })
    }

    /// Now, of the server's clock.
    pub fn now_ms(&self) -> i64 {
        self.now.timestamp_millis()
    }

    /// Commits, enters it in the audit, and tells consoles.
    pub async fn commit(mut self, id: Uuid, (what, detail): (What, Value)) -> Result<(), ApiError> {
        let entry = Entry::new(self.caller, what, Subject::Id("outage", id)).with(detail);
        audit::keep(self.tx.c(), self.now, entry).await?;
        let hint = (LIVE_KIND, id);
        live_events::insert_hint(self.tx.c(), self.caller.hall, hint, (self.now, self.position))
            .await?;
        self.tx.commit().await?;
        self.state.bell.ring(self.caller.hall, self.position);
        Ok(())
    }

    async fn find(&mut self, id: Uuid) -> Result<(OutageRow, Pack), ApiError> {
        let found = rows::find_outage(self.tx.c(), self.caller.hall, id).await?;
        let row = found.ok_or(ApiError::NotFound("outage"))?;
        let pack = self.state.packs.find(self.tx.c(), &PackId(row.pack_id.clone())).await?;
        Ok((row, Pack::clone(&pack)))
    }

    /// Writes an outage down, in the place of a draft where one is named; nobody is told. Gives its id.
    pub async fn write(&mut self, wanted: Wanted, draft: Option<Uuid>) -> Result<Uuid, ApiError> {
        let pack = self.state.packs.in_force(self.tx.c(), self.now).await?;
        let rules = rules(&pack);
        let of = (wanted.kind, wanted.span);
        check(of, self.now, (&rules, pack.time.utc_offset_minutes))?;
        let doors = doors(self.tx.c(), self.caller.hall, &wanted.picks).await?;
        if let Some(account) = unknown_accounts(&wanted.picks, &doors).first() {
            let what = format!("no household of the hall has the account {account}");
            return Err(ApiError::Unprocessable(what));
        }
        if doors.is_empty() {
            let what = "no household lies there: pick a road, a building or an account";
            return Err(ApiError::Unprocessable(what.to_owned()));
        }
        if let Some(id) = draft {
            outage(&self.find(id).await?.0).revise()?;
        }
        let row = OutageRow {
            outage_id: draft.unwrap_or_else(|| fresh_uuid(self.now)),
            hall_id: self.caller.hall.0,
            planned: wanted.kind == OutageKind::Planned,
            area: wanted.area,
            reason: wanted.reason,
            from_at: wanted.span.start.timestamp_millis(),
            until_at: wanted.span.end.timestamp_millis(),
            picks: Json(wanted.picks),
            due_at: due_at(wanted.kind, wanted.span.start, &rules).timestamp_millis(),
            pack_id: pack.id.0.clone(),
            made_by: self.caller.user.0,
            made_at: self.now_ms(),
            announced_at: None,
            announced_by: None,
            why: String::new(),
            ended_at: None,
            ended_by: None,
            cancelled_at: None,
            cancelled_by: None,
            cancelled_why: String::new(),
        };
        match draft {
            Some(_) => rows::revise_outage(self.tx.c(), &row).await?,
            None => rows::insert_outage(self.tx.c(), &row).await?,
        }
        self.set_households(row.outage_id, &doors).await?;
        Ok(row.outage_id)
    }

    async fn set_households(&mut self, outage: Uuid, doors: &[DoorRow]) -> Result<()> {
        let ids: Vec<Uuid> = doors.iter().map(|it| it.household_id).collect();
        rows::set_households(self.tx.c(), outage, &ids).await
    }

    /// Announces a draft: everybody who lives there by now is told.
    pub async fn announce(&mut self, id: Uuid, why: &str) -> Result<Value, ApiError> {
        let (row, pack) = self.find(id).await?;
        let of = (&rules(&pack), pack.time.utc_offset_minutes);
        let check = outage(&row).announce(why, self.now, of)?;
        let doors = doors(self.tx.c(), self.caller.hall, &row.picks.0).await?;
        self.set_households(id, &doors).await?;
        // A reason says that the promise was broken knowingly; nobody needs one to keep it.
        let why = if check.is_in_time() { "" } else { why };
        let by = (self.caller.user, self.now_ms(), why);
        rows::announce_outage(self.tx.c(), id, by).await?;
        let occasion = outage(&row).kind.occasion();
        self.tell(&row, occasion).await?;
        Ok(json!({"households": doors.len(), "in_time": check.is_in_time()}))
    }

    /// Lets an outage end later; everybody is told the new end.
    pub async fn prolong(
        &mut self,
        id: Uuid,
        (until, reason): (Timestamp, &str),
    ) -> Result<Value, ApiError> {
        let (row, _) = self.find(id).await?;
        outage(&row).prolong(until, self.now)?;
        let reason = if reason.is_empty() { row.reason.clone() } else { reason.to_owned() };
        let until_at = until.timestamp_millis();
        rows::prolong_outage(self.tx.c(), id, (until_at, &reason)).await?;
        let row = OutageRow { reason, until_at, ..row };
        self.tell(&row, Occasion::OutageProlonged).await?;
        Ok(json!({"until": until_at}))
    }

    /// Ends an outage; everybody is told that the gas is on again.
    pub async fn end(&mut self, id: Uuid, at: Timestamp) -> Result<Value, ApiError> {
        let (row, _) = self.find(id).await?;
        outage(&row).end(at, self.now)?;
        let ended_at = at.timestamp_millis();
        rows::end_outage(self.tx.c(), id, (ended_at, self.caller.user)).await?;
        let row = OutageRow { ended_at: Some(ended_at), ..row };
        self.tell(&row, Occasion::OutageEnded).await?;
        Ok(json!({"at": ended_at}))
    }

    /// Calls an outage off; whoever was told of it is told that.
    pub async fn cancel(&mut self, id: Uuid, why: &str) -> Result<Value, ApiError> {
        let (row, _) = self.find(id).await?;
        outage(&row).cancel()?;
        let by = (self.caller.user, self.now_ms(), why);
        rows::cancel_outage(self.tx.c(), id, by).await?;
        if row.announced_at.is_some() {
            self.tell(&row, Occasion::OutageCancelled).await?;
        }
        Ok(json!({"was_announced": row.announced_at.is_some()}))
    }

    async fn tell(&mut self, row: &OutageRow, occasion: Occasion) -> Result<()> {
        let now_ms = self.now_ms();
        outage_told::overtake_of_outage(self.tx.c(), row.outage_id, now_ms).await?;
        let telling = TellingRow {
            telling_id: fresh_uuid(self.now),
            outage_id: row.outage_id,
            hall_id: row.hall_id,
            occasion: occasion.key().to_owned(),
            from_at: row.from_at,
            until_at: row.until_at,
            ended_at: row.ended_at,
            reason: row.reason.clone(),
            made_by: self.caller.user.0,
            made_at: now_ms,
            written_to: None,
            written: 0,
            done_at: None,
        };
        rows::insert_telling(self.tx.c(), &telling).await
    }

    /// Notes that notices are on doors; with no households on those of everybody who was not told. Tells how many.
    pub async fn note_doors(
        &mut self,
        id: Uuid,
        (phase, at): (&str, Timestamp),
        households: Option<&BTreeSet<Uuid>>,
    ) -> Result<u64, ApiError> {
        let (row, _) = self.find(id).await?;
        let known = outage(&row);
        known.announced_at.ok_or(OutageError::NotAnnounced)?;
        let since = if phase == telling::OFF {
            // A crew may have put them up before the hall wrote the outage down.
            instant(row.made_at.min(row.from_at))
        } else {
            known.ended_at.or(known.cancelled_at).ok_or(OutageError::NotOver)?
        };
        if at > self.now || at < since {
            return Err(ApiError::Outage(OutageError::NoDoors));
        }
        let mut open = outage_told::list_not_told(self.tx.c(), id, phase).await?;
        if let Some(wanted) = households {
            open.retain(|it| wanted.contains(it));
        }
        let by = (self.caller.user, at.timestamp_millis());
        Ok(outage_told::tell_at_doors(self.tx.c(), (id, phase, &open), by).await?)
    }
}

/// The part of a record that a phase is: the cause of its newest telling, empty while there is none.
pub fn newest_cause(tellings: &[TellingRow], phase: &str) -> String {
    let of_phase = |it: &&TellingRow| telling::phase(&it.occasion) == Some(phase);
    let newest = tellings.iter().rev().find(of_phase);
    newest.map(|it| telling::cause(it.telling_id)).unwrap_or_default()
}
