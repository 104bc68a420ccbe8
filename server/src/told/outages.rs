//! Writes down what the households of an outage are told, a part at a time, so that thousands hold nobody up (B13).
//!
//! A telling is a row with a cursor. A part and the cursor commit together, so whoever goes on after a crash, on
//! whatever node, leaves nobody out and tells nobody twice.

use std::collections::BTreeMap;

use domain::catalogue::Language;
use domain::id::HallId;
use domain::job::Window;
use domain::ledger::{Written, language};
use domain::notice::{Occasion, fill, send_at};
use domain::pack::{NoticeTemplate, Pack, PackId};
use domain::stamp::Timestamp;
use uuid::Uuid;

use super::{Facts, rules};
use crate::db::outage_told;
use crate::db::outages::{self, OutageRow, TellingRow};
use crate::db::told::{self, EndRow, NoticeRow};
use crate::db::{C, Result, halls};
use crate::http::error::ApiError;
use crate::ids::fresh_uuid;
use crate::ledger::written;
use crate::state::AppState;

/// Households for which a telling is written down in one transaction.
const PART: i64 = 500;

/// Tellings that are looked at in a row.
const AT_ONCE: i64 = 20;

/// That the gas is, or will be, off.
pub const OFF: &str = "off";

/// That it is on again, or stays on.
pub const ON: &str = "on";

/// What an occasion tells of: `off` or `on`; none for what is no outage's.
pub fn phase(occasion: &str) -> Option<&'static str> {
    match Occasion::from_key(occasion)? {
        Occasion::OutagePlanned | Occasion::OutageUnforeseen | Occasion::OutageProlonged => {
            Some(OFF)
        }
        Occasion::OutageEnded | Occasion::OutageCancelled => Some(ON),
        Occasion::WindowAgreed
        | Occasion::WindowAnnounced
        | Occasion::OnTheWay
        | Occasion::Late
        | Occasion::Done
        | Occasion::NoOneHome => None,
    }
}

/// The cause of a telling's notices: a household is told each once.
pub fn cause(telling: Uuid) -> String {
    format!("outage:{telling}")
}

/// What a pack says on an occasion; one from before prolonging and calling off were told says it in the program's words.
pub fn template(pack: &Pack, occasion: Occasion) -> Option<NoticeTemplate> {
    let own = rules(pack).template(occasion).cloned();
    let is_newer = matches!(occasion, Occasion::OutageProlonged | Occasion::OutageCancelled);
    own.or_else(|| is_newer.then(|| rules(&Pack::builtin()).template(occasion).cloned()).flatten())
}

/// Writes down one part of each telling that is not whole; whether anything is left.
pub async fn write_parts(state: &AppState) -> Result<bool, ApiError> {
    let open = outages::list_open_tellings(state.db.read().await?.c(), AT_ONCE).await?;
    let mut is_left = false;
    for telling in open {
        is_left |= write_part(state, &telling).await?;
    }
    Ok(is_left)
}

/// Writes one part down; whether there are more.
async fn write_part(state: &AppState, telling: &TellingRow) -> Result<bool, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    let hall = HallId(telling.hall_id);
    let Some(outage) = outages::find_outage(tx.c(), hall, telling.outage_id).await? else {
        return Ok(false);
    };
    let occasion = Occasion::from_key(&telling.occasion);
    // Whoever never heard of it needs not hear that it does not come.
    let only_told = occasion == Some(Occasion::OutageCancelled);
    let next = outages::list_next(tx.c(), telling, (only_told, PART)).await?;
    let is_last = i64::try_from(next.len()).is_ok_and(|count| count < PART);
    let to = next.last().copied().or(telling.written_to).unwrap_or_default();
    let count = i64::try_from(next.len()).unwrap_or(0);
    let done_at = is_last.then(|| now.timestamp_millis());
    if !outages::advance(tx.c(), telling, (to, count, done_at)).await? {
        return Ok(false);
    }
    let pack = state.packs.find(tx.c(), &PackId(outage.pack_id.clone())).await?;
    let template = occasion.and_then(|it| template(&pack, it));
    if let Some(template) = template {
        let after = telling.written_to.unwrap_or_default();
        let languages = languages(tx.c(), telling.outage_id, (after, to)).await?;
        let name = halls::find_hall(tx.c(), hall).await?.map(|it| it.name).unwrap_or_default();
        let said = words((&pack, &template), &name, &facts(&outage, telling));
        let notice = Notice { telling, template: &template, pack: &pack, now };
        let rows: Vec<_> = next
            .into_iter()
            .map(|household| {
                let language = languages.get(&household).copied().unwrap_or(Language::Chinese);
                notice.row(household, (language, said[&language].clone()))
            })
            .collect();
        told::insert_notices(tx.c(), &rows).await?;
    }
    tx.commit().await?;
    Ok(!is_last)
}

/// What households of a hall are told, in each language.
pub fn words(
    (pack, template): (&Pack, &NoticeTemplate),
    hall: &str,
    facts: &Facts,
) -> BTreeMap<Language, String> {
    let said = [Language::Chinese, Language::English].map(|language| {
        let places = facts.places(pack.time.utc_offset_minutes, language);
        let mut values: BTreeMap<&str, String> = places.into_iter().collect();
        values.insert("hall", hall.to_owned());
        (language, fill(template.in_language(language), &values))
    });
    said.into()
}

/// What a telling's facts are.
fn facts(outage: &OutageRow, telling: &TellingRow) -> Facts {
    let instant = |ms: i64| Timestamp::from_timestamp_millis(ms).unwrap_or_default();
    Facts::Outage {
        area: outage.area.clone(),
        reason: telling.reason.clone(),
        span: Window { start: instant(telling.from_at), end: instant(telling.until_at) },
        ended: telling.ended_at.map(instant),
    }
}

/// The language that each household of a part chose, where it chose one.
async fn languages(c: C<'_>, outage: Uuid, part: (Uuid, Uuid)) -> Result<BTreeMap<Uuid, Language>> {
    let mut entries: BTreeMap<Uuid, Vec<Written>> = BTreeMap::new();
    for row in outage_told::list_languages(c, outage, part).await? {
        entries.entry(row.household_id).or_default().push(written(row.entry)?);
    }
    Ok(entries.into_iter().map(|(household, of)| (household, language(&of))).collect())
}

/// What the notices of a telling share.
struct Notice<'a> {
    telling: &'a TellingRow,
    template: &'a NoticeTemplate,
    pack: &'a Pack,
    now: Timestamp,
}

impl Notice<'_> {
    fn row(&self, household: Uuid, (language, words): (Language, String)) -> NoticeRow {
        let Self { telling, template, pack, now } = self;
        let quiet = rules(pack).quiet_hours;
        let send_at =
            if template.urgent { *now } else { send_at(*now, quiet, pack.time.utc_offset_minutes) };
        // That the gas is on again stays true.
        let is_end = telling.occasion == Occasion::OutageEnded.key();
        NoticeRow {
            notice_id: fresh_uuid(*now),
            hall_id: telling.hall_id,
            household_id: household,
            job_id: None,
            outage_id: Some(telling.outage_id),
            occasion: telling.occasion.clone(),
            cause: cause(telling.telling_id),
            language: language.tag().to_owned(),
            words,
            pack_id: pack.id.0.clone(),
            made_at: now.timestamp_millis(),
            send_at: send_at.timestamp_millis(),
            fresh_until: (!is_end).then_some(telling.until_at),
            always: template.always,
            state: "waiting".to_owned(),
            handed_at: None,
            ended_at: None,
            error: None,
        }
    }
}

/// Notes that a household was told when its message was taken.
pub(super) async fn note_sent(c: C<'_>, end: &EndRow, at_ms: i64) -> Result<()> {
    let Some((outage, phase)) = end.outage_id.zip(phase(&end.occasion)) else { return Ok(()) };
    outage_told::tell_by_message(c, (outage, phase, end.household_id), at_ms).await
}
