//! Which layers carry a notice, and when: by the rule pack, once, by one node.

use chrono::{Duration, NaiveTime, Timelike as _};
use domain::id::UserId;
use domain::pack::{Pack, ReachRules};
use domain::stamp::Timestamp;

use crate::db::notice_deliveries::{self, CarriedRow, NewDelivery};
use crate::db::{C, push};
use crate::ids::fresh_uuid;
use crate::state::AppState;

/// Notices planned in one transaction.
const AT_ONCE: i64 = 64;

/// For how long a stream counts as open without a sign of it: three of its signs.
pub const STREAM_COUNTS_MS: i64 = 90_000;

/// The rules that hold now; a pack from before them leaves it to the program's own.
pub async fn rules(state: &AppState, c: C<'_>) -> anyhow::Result<(ReachRules, i32)> {
    let pack = state.packs.in_force(c, state.clock.now()).await?;
    let own = || Pack::builtin().reach;
    let rules = pack.reach.clone().or_else(own);
    let rules = rules.ok_or_else(|| anyhow::anyhow!("the program's own pack has [reach]"))?;
    Ok((rules, pack.time.utc_offset_minutes))
}

/// Sets the layers of new notices to work; tells the halls that have some.
pub async fn plan(state: &AppState) -> anyhow::Result<usize> {
    let now = state.clock.now();
    let now_ms = now.timestamp_millis();
    let mut tx = state.db.begin().await?;
    let claimed = notice_deliveries::claim_unplanned(tx.c(), now_ms, AT_ONCE).await?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let (rules, offset) = rules(state, tx.c()).await?;
    let night = morning(now, offset, rules.night_hours);
    let mut rows = Vec::new();
    for notice in claimed.iter().filter(|it| it.replaced_at.is_none() && it.shown_at.is_none()) {
        let kind = rules.kind(&notice.kind);
        let held = night.filter(|_| !kind.at_night).map(|it| it.timestamp_millis());
        if let Some(until) = held {
            notice_deliveries::hold_notice(tx.c(), notice.notice_id, until).await?;
        }
        let from = held.unwrap_or(now_ms);
        let user = UserId(notice.user_id);
        let since = now_ms - STREAM_COUNTS_MS;
        let is_open = push::has_open_stream(tx.c(), user, since).await?;
        let wait_ms = if is_open { kind.push_after_seconds * 1000 } else { 0 };
        for subscription in push::list_live(tx.c(), user).await? {
            rows.push(NewDelivery {
                subscription_id: Some(subscription.subscription_id),
                ..delivery(notice, "push", from + wait_ms, now)
            });
        }
        if let Some(seconds) = kind.gateway_after_seconds {
            rows.push(delivery(notice, "gateway", from + seconds * 1000, now));
        }
    }
    notice_deliveries::insert_deliveries(tx.c(), &rows).await?;
    tx.commit().await?;
    let halls: std::collections::BTreeSet<_> = claimed.iter().map(|it| it.hall_id).collect();
    for hall in halls {
        state.bell.nudge(domain::id::HallId(hall));
    }
    Ok(claimed.len())
}

fn delivery(notice: &CarriedRow, layer: &'static str, next_at: i64, now: Timestamp) -> NewDelivery {
    NewDelivery {
        delivery_id: fresh_uuid(now),
        notice_id: notice.notice_id,
        layer,
        subscription_id: None,
        next_at,
        sent_at: None,
    }
}

/// When the night ends that it is now in the city; nothing by day.
fn morning(now: Timestamp, offset_minutes: i32, (from, to): (u8, u8)) -> Option<Timestamp> {
    let offset = Duration::minutes(i64::from(offset_minutes));
    let local = (now + offset).naive_utc();
    let (hour, from, to) = (local.hour(), u32::from(from), u32::from(to));
    let is_night = if from <= to { (from..to).contains(&hour) } else { hour >= from || hour < to };
    if !is_night {
        return None;
    }
    let day = if hour < to { local.date() } else { local.date().succ_opt()? };
    let ends = day.and_time(NaiveTime::from_hms_opt(to, 0, 0)?);
    Some(ends.and_utc() - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_wait_is_told_in_the_citys_morning() {
        let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let ends = |text: &str| morning(at(text), 480, (22, 6));

        assert_eq!(ends("2026-11-24T21:59:00+08:00"), None);
        let six = at("2026-11-25T06:00:00+08:00");
        assert_eq!(ends("2026-11-24T22:00:00+08:00"), Some(six));
        assert_eq!(ends("2026-11-25T05:59:00+08:00"), Some(six));
        assert_eq!(ends("2026-11-25T06:00:00+08:00"), None);
        assert_eq!(morning(at("2026-11-25T03:00:00+08:00"), 480, (1, 6)), Some(six));
    }
}
