//! Hands notices to the webhooks' outbox when they are due, once each, and notes how they ended.

use std::time::Duration;

use domain::catalogue::Language;
use domain::id::{HallId, HouseholdId, JobId};
use domain::ledger::{Consent, Purpose, consent};
use domain::notice::Occasion;
use domain::pack::{NoticeRules, PackId};
use domain::stamp::Timestamp;
use serde_json::json;

use super::{link, outages, rules};
use crate::db::told::{self, EndRow, NoticeRow};
use crate::db::{Tx, households};
use crate::http::error::ApiError;
use crate::ledger::entries;
use crate::state::AppState;
use crate::webhooks::{HOUSEHOLD_NOTICE, outbox};

/// How often notices are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Notices handed over in a row.
const AT_ONCE: i64 = 100;

/// Notices of one transaction: few enough that nobody waits for the database, and many enough that a street is told soon.
const IN_ONE: usize = 25;

/// Works until it is stopped.
pub async fn run(state: AppState) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        loop {
            match turn(&state).await {
                // Whole streets are told at once: nobody waits for the next look.
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "notices to households wait; they are looked at again");
                    break;
                }
            }
        }
    }
}

/// Does what is due; whether there may be more.
async fn turn(state: &AppState) -> Result<bool, ApiError> {
    let now = state.clock.now();
    while outages::write_parts(state).await? {}
    let mut conn = state.db.read().await?;
    let due = told::list_due(conn.c(), now.timestamp_millis(), AT_ONCE).await?;
    let ended = told::list_ended(conn.c(), AT_ONCE).await?;
    drop(conn);
    let is_full = |count: usize| i64::try_from(count).is_ok_and(|count| count >= AT_ONCE);
    let is_more = is_full(due.len()) || is_full(ended.len());
    for part in due.chunks(IN_ONE) {
        hand_over(state, part, now).await?;
    }
    for part in ended.chunks(IN_ONE) {
        note_ends(state, part).await?;
    }
    Ok(is_more)
}

/// Hands notices over, unless another node was faster.
async fn hand_over(
    state: &AppState,
    notices: &[NoticeRow],
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut tx = state.db.begin().await?;
    let now_ms = now.timestamp_millis();
    for notice in notices {
        if !told::claim(tx.c(), notice.notice_id, now_ms).await? {
            continue;
        }
        if let Some(state) = hand(state, &mut tx, notice, now).await? {
            told::end_notice(tx.c(), notice.notice_id, (state, now_ms, None)).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Puts a notice into the outbox; or says why it is not sent.
async fn hand(
    state: &AppState,
    tx: &mut Tx,
    notice: &NoticeRow,
    now: Timestamp,
) -> Result<Option<&'static str>, ApiError> {
    let (hall, household) = (HallId(notice.hall_id), HouseholdId(notice.household_id));
    if notice.fresh_until.is_some_and(|until| until < now.timestamp_millis()) {
        return Ok(Some("too_late"));
    }
    let written = entries(tx.c(), household).await?;
    if !notice.always && consent(&written, Purpose::Messages) == Some(Consent::Withdrawn) {
        return Ok(Some("opted_out"));
    }
    let home = households::find_household(tx.c(), hall, household).await?;
    let phone = home.map(|it| it.phone).filter(|it| !it.is_empty());
    let Some(phone) = phone else { return Ok(Some("no_phone")) };
    let pack = state.packs.find(tx.c(), &PackId(notice.pack_id.clone())).await?;
    let rules = rules(&pack);
    let (link, link_until) = match carried(state, tx, notice, (&rules, now)).await? {
        Some((link, until)) => (Some(link), Some(until)),
        None => (None, None),
    };
    let language = if notice.language == "en" { Language::English } else { Language::Chinese };
    let behind = link.as_ref().map(|link| rules.link.in_language(language).replace("{link}", link));
    let words = match behind {
        Some(behind) if language == Language::English => format!("{} {behind}", notice.words),
        Some(behind) => format!("{}{behind}", notice.words),
        None => notice.words.clone(),
    };
    let data = json!({
        "notice": notice.notice_id, "hall": notice.hall_id, "household": notice.household_id,
        "job": notice.job_id, "outage": notice.outage_id, "occasion": notice.occasion,
        "language": notice.language, "phone": phone, "text": words, "link": link,
        "link_until": link_until, "always": notice.always,
    });
    let event = (HOUSEHOLD_NOTICE, data, Some(notice.notice_id));
    let listening = outbox::write_noticed(tx.c(), hall, event, now).await?;
    Ok((listening == 0).then_some("no_gateway"))
}

/// The link that goes along, where the template asks for one and the hall has an address.
async fn carried(
    state: &AppState,
    tx: &mut Tx,
    notice: &NoticeRow,
    (rules, now): (&NoticeRules, Timestamp),
) -> Result<Option<(String, i64)>, ApiError> {
    let occasion = Occasion::from_key(&notice.occasion);
    let wants = occasion.and_then(|it| rules.template(it)).is_some_and(|it| it.with_link);
    let (Some(job), false) = (notice.job_id.filter(|_| wants), state.config.public_url.is_empty())
    else {
        return Ok(None);
    };
    let of = (HallId(notice.hall_id), JobId(job));
    let made = link::make(tx.c(), of, None, (rules, now)).await?;
    Ok(made.map(|(token, until)| (link::address(&state.config.public_url, &token), until)))
}

async fn note_ends(state: &AppState, ends: &[EndRow]) -> Result<(), ApiError> {
    let mut tx = state.db.begin().await?;
    for end in ends {
        note_end(state, &mut tx, end).await?;
    }
    Ok(tx.commit().await?)
}

/// Notes how a notice's messages ended, and forgets the link that they carried.
async fn note_end(state: &AppState, tx: &mut Tx, end: &EndRow) -> Result<(), ApiError> {
    let ended = match end.state.as_deref() {
        Some("sent") => ("sent", end.sent_at.unwrap_or_else(|| state.clock.now_ms()), None),
        Some(_) => ("failed", state.clock.now_ms(), end.last_error.as_deref()),
        // The webhook was removed with everything that waited for it.
        None => ("failed", state.clock.now_ms(), Some("the gateway was removed")),
    };
    told::end_notice(tx.c(), end.notice_id, ended).await?;
    if ended.0 == "sent" {
        outages::note_sent(tx.c(), end, ended.1).await?;
    }
    for (delivery, payload) in told::list_payloads(tx.c(), end.notice_id).await? {
        let veiled = link::veiled(&payload);
        if veiled != payload {
            told::veil_payload(tx.c(), delivery, &veiled).await?;
        }
    }
    Ok(())
}
