//! What a phone may hold: the open jobs of the near days, and of what is over only the last days.

use chrono::{NaiveTime, TimeDelta};
use domain::calendar::city_day;
use domain::id::{HallId, JobId, UserId};
use domain::stamp::Timestamp;

use crate::db::grants::TurnRow;
use crate::db::halls::HallRow;
use crate::db::{Result, grants, halls};
use crate::state::AppState;

/// Jobs that are given or taken back in one transaction, so that nobody waits long for the hall's row.
const AT_ONCE: i64 = 200;

/// The first moment that is not near: the end of the last of so many days after today, in the hall's city.
pub fn until(now: Timestamp, utc_offset_minutes: i32, days_ahead: u32) -> Timestamp {
    let last = city_day(now, utc_offset_minutes) + TimeDelta::days(i64::from(days_ahead) + 1);
    last.and_time(NaiveTime::MIN).and_utc() - TimeDelta::minutes(i64::from(utc_offset_minutes))
}

/// Gives phones the jobs that have come near, and takes back what has been over for days; returns how many of each.
pub async fn keep(state: &AppState) -> Result<(usize, usize)> {
    let (mut given, mut taken) = (0, 0);
    for hall in halls::list_halls(state.db.read().await?.c()).await? {
        given += give_near(state, &hall).await?;
        taken += take_over(state, &hall).await?;
    }
    Ok((given, taken))
}

async fn give_near(state: &AppState, row: &HallRow) -> Result<usize> {
    let hall = HallId(row.hall_id);
    let offset = i32::try_from(row.utc_offset_minutes).unwrap_or(0);
    let until = until(state.clock.now(), offset, state.config.near_days_ahead).timestamp_millis();
    let due = grants::list_due_grants(state.db.read().await?.c(), hall, until, AT_ONCE).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut tx = state.db.begin().await?;
    // A position each: a page of the feed ends between positions.
    let first = halls::take_positions(tx.c(), hall, count(&due)).await?;
    for (turn, position) in due.iter().zip(first..) {
        grants::insert_near_grant(tx.c(), JobId(turn.job_id), position, until).await?;
    }
    tx.commit().await?;
    state.bell.ring(hall, first);
    Ok(due.len())
}

async fn take_over(state: &AppState, row: &HallRow) -> Result<usize> {
    let (hall, days) = (HallId(row.hall_id), state.config.closed_days_kept);
    if days == 0 {
        return Ok(0);
    }
    let before = (state.clock.now() - TimeDelta::days(i64::from(days))).timestamp_millis();
    let over = grants::list_over_grants(state.db.read().await?.c(), hall, before, AT_ONCE).await?;
    if over.is_empty() {
        return Ok(0);
    }
    let mut tx = state.db.begin().await?;
    let first = halls::take_positions(tx.c(), hall, count(&over)).await?;
    for (turn, position) in over.iter().zip(first..) {
        let (job, user) = (JobId(turn.job_id), UserId(turn.user_id));
        grants::withdraw_grant(tx.c(), job, user, position).await?;
    }
    tx.commit().await?;
    state.bell.ring(hall, first);
    Ok(over.len())
}

fn count(turns: &[TurnRow]) -> i64 {
    i64::try_from(turns.len()).unwrap_or(AT_ONCE)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn near_ends_with_the_citys_day_not_with_utcs() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();

        assert_eq!(until(at("2026-11-24T00:30:00+08:00"), 480, 2), at("2026-11-27T00:00:00+08:00"));
        assert_eq!(until(at("2026-11-24T23:30:00+08:00"), 480, 0), at("2026-11-25T00:00:00+08:00"));
    }
}
