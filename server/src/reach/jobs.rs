//! News of jobs: given, moved, cancelled, and what the hall wrote; for phones that hold them and never for one's own doing.

use chrono::Duration;
use domain::callout;
use domain::id::UserId;
use domain::job::{Job, JobKind, Window};
use domain::stamp::Timestamp;
use domain::status::{Status, standing};
use serde_json::{Value, json};

use super::{News, NewsKind, tell};
use crate::db::{C, Result};
use crate::jobs::NewJob;

/// How long news of a job without a window to come is worth hearing.
const WORTH_HOURS: i64 = 12;

/// Tells who is given a new job.
pub async fn tell_given(
    c: C<'_>,
    new: &NewJob,
    (near_until, now): (Timestamp, Timestamp),
) -> Result<()> {
    let window = new.appointment.map(|(window, _)| window);
    let to = new.technician.filter(|to| *to != new.author.by);
    let Some(to) = to.filter(|_| is_near((new.kind, window), near_until)) else { return Ok(()) };
    let news = News {
        hall: new.hall,
        to,
        job: Some(new.id),
        kind: NewsKind::Assigned,
        expires_at: worth_until(window, now),
        data: json!({"kind": new.kind, "window": window}),
    };
    tell(c, &[news], now).await.map(drop)
}

/// Tells whom a change of the hall's concerns.
pub async fn tell_changed(
    c: C<'_>,
    (before, after): (&Job, &Job),
    by: UserId,
    (near_until, now): (Timestamp, Timestamp),
) -> Result<()> {
    let (was, is) = (standing(before), standing(after));
    let mut told: Vec<(UserId, NewsKind, Value)> = Vec::new();
    if let Some(old) = was.technician.filter(|old| is.technician != Some(*old))
        && is_near((before.kind, was.appointment), near_until)
    {
        told.push((old, NewsKind::Cancelled, json!({"given_away": true})));
    }
    if let Some(to) = is.technician.filter(|_| is_near((after.kind, is.appointment), near_until)) {
        let data = json!({"kind": after.kind, "window": is.appointment, "was": was.appointment});
        let kind = if was.technician != Some(to) {
            Some(NewsKind::Assigned)
        } else if is.status == Status::Cancelled && was.status != Status::Cancelled {
            Some(NewsKind::Cancelled)
        } else if is.appointment != was.appointment {
            Some(NewsKind::Moved)
        } else if after.messages.len() > before.messages.len()
            || after.plan.instructions.len() > before.plan.instructions.len()
        {
            Some(NewsKind::Message)
        } else {
            None
        };
        told.extend(kind.map(|kind| (to, kind, data)));
    }
    let expires_at = worth_until(is.appointment, now);
    let others = told.into_iter().filter(|(to, ..)| *to != by);
    let news: Vec<News> = others
        .map(|(to, kind, data)| News {
            hall: after.hall,
            to,
            job: Some(after.id),
            kind,
            expires_at,
            data,
        })
        .collect();
    tell(c, &news, now).await.map(drop)
}

/// Tells everybody who goes to a job that it is known by now whose door it is.
pub async fn tell_placed(c: C<'_>, job: &Job, by: UserId, now: Timestamp) -> Result<()> {
    let stands = standing(job);
    if !stands.status.is_open() {
        return Ok(());
    }
    let mut team = callout::accepted_by(job);
    team.extend(stands.technician);
    team.remove(&by);
    let news = team.into_iter().map(|to| News {
        hall: job.hall,
        to,
        job: Some(job.id),
        kind: NewsKind::Placed,
        expires_at: worth_until(stands.appointment, now),
        data: json!({"kind": job.kind}),
    });
    let news: Vec<News> = news.collect();
    tell(c, &news, now).await.map(drop)
}

/// Whether phones hold such a job already.
fn is_near((kind, window): (JobKind, Option<Window>), near_until: Timestamp) -> bool {
    kind == JobKind::Emergency || window.is_none_or(|window| window.start < near_until)
}

/// The end of the window, or half a day when there is none to come.
fn worth_until(window: Option<Window>, now: Timestamp) -> Timestamp {
    let ends = window.map(|window| window.end).filter(|end| *end > now);
    ends.unwrap_or(now + Duration::hours(WORTH_HOURS))
}
