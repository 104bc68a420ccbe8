//! Telling households that whoever comes will be late: worked out from the rounds once a minute, told once a window (A2).

use chrono::TimeDelta;
use domain::appointment::{self, Source};
use domain::calendar::city_day;
use domain::id::{HallId, UserId};
use domain::job::{Job, JobKind};
use domain::notice::Occasion;
use domain::pack::NoticeRules;
use domain::round::Leg;
use domain::stamp::{Timestamp, shifted};

use super::{Facts, News, listens, rules, stepped, tell};
use crate::db::halls::{self, HallRow};
use crate::http::board::{load as load_day, travel_rules};
use crate::http::error::ApiError;
use crate::jobs::plan::{load, read};
use crate::state::AppState;

/// Tells every household that waits for somebody who will be late; returns how many are looked at.
///
/// # Errors
/// When the database cannot be read or written; what was not told is told the next time.
pub async fn keep(state: &AppState) -> Result<usize, ApiError> {
    let mut looked = 0;
    let halls = halls::list_halls(state.db.read().await?.c()).await?;
    for hall in halls {
        looked += keep_hall(state, &hall).await?;
    }
    Ok(looked)
}

async fn keep_hall(state: &AppState, row: &HallRow) -> Result<usize, ApiError> {
    let (hall, now) = (HallId(row.hall_id), state.clock.now());
    let today = city_day(now, i32::try_from(row.utc_offset_minutes).unwrap_or(0));
    let mut conn = state.db.read().await?;
    if !listens(conn.c(), hall).await? {
        return Ok(0);
    }
    let known = rules(&*state.packs.in_force(conn.c(), now).await?);
    let day = load_day(conn.c(), row, today, state).await?;
    let ways = travel_rules(state, conn.c()).await?;
    drop(conn);
    let mut late = Vec::new();
    for technician in day.technicians() {
        let calls = day.calls(technician);
        let waits = |leg: &Leg| {
            calls.iter().find(|call| call.job == leg.job).is_some_and(|call| {
                let is_asked = !call.is_there && call.kind != JobKind::Emergency;
                let end = call.window.map(|window| window.end);
                is_asked && end.is_some_and(|end| is_told(&known, (leg.late, end), now))
            })
        };
        late.extend(
            day.round(technician, &ways).into_iter().filter(waits).map(|leg| (technician, leg)),
        );
    }
    for (technician, leg) in &late {
        tell_late(state, *technician, leg, now).await?;
    }
    Ok(late.len())
}

/// Whether it is late enough, and neither too early to say nor too long over.
fn is_told(rules: &NoticeRules, (late, end): (TimeDelta, Timestamp), now: Timestamp) -> bool {
    let minutes = TimeDelta::minutes;
    // A phone may have agreed on any window.
    let at = |minutes: i64| shifted(end, minutes.saturating_mul(60_000));
    let (from, until) = (at(rules.late_ahead_minutes.saturating_neg()), at(rules.stale_minutes));
    late >= minutes(rules.late_minutes) && late > TimeDelta::zero() && from <= now && now <= until
}

async fn tell_late(
    state: &AppState,
    technician: UserId,
    leg: &Leg,
    now: Timestamp,
) -> Result<(), ApiError> {
    let mut tx = state.db.begin().await?;
    let job = read(&load(tx.c(), leg.job).await?)?;
    let Some(news) = news(&job, technician, leg) else { return Ok(()) };
    let pack = state.packs.find(tx.c(), &job.pack).await?;
    tell(tx.c(), &job, &news, (&pack, now)).await?;
    Ok(tx.commit().await?)
}

/// One for each window that was agreed; a time that moves again is behind the link.
fn news(job: &Job, technician: UserId, leg: &Leg) -> Option<News> {
    let agreed = appointment::current(job)?;
    let source = match agreed.source {
        Source::Plan(entry) => entry.0,
        Source::Visit(_, fact) => fact.0,
    };
    Some(News {
        occasion: Occasion::Late,
        cause: format!("late:{source}"),
        technician: Some(technician),
        fresh_until: Some(leg.reached_at),
        facts: Facts::Job {
            kind: job.kind.key(),
            window: Some(agreed.window),
            at: Some(stepped(leg.reached_at)),
        },
    })
}
