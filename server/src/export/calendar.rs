//! A technician's jobs as a calendar (iCalendar, RFC 5545).

use chrono::DateTime;
use domain::catalogue::{self, Language};
use domain::stamp::Timestamp;
use icalendar::{Calendar, Component as _, Event, EventLike as _};

use crate::db::exports::JobRow;

/// Writes the jobs that have a window; nothing personal but the door stands in it.
pub fn calendar(jobs: &[JobRow], language: Language, now: Timestamp) -> String {
    let mut calendar = Calendar::empty();
    for property in
        [("VERSION", "2.0"), ("PRODID", "-//Doorstep//Doorstep//ZH"), ("CALSCALE", "GREGORIAN")]
    {
        calendar.append_property(property);
    }
    calendar.name(&catalogue::text(language, "export.calendar", &[]));
    for job in jobs {
        let instant = |ms: Option<i64>| ms.and_then(DateTime::from_timestamp_millis);
        let Some((start, end)) = instant(job.window_start).zip(instant(job.window_end)) else {
            continue;
        };
        let kind = catalogue::text(language, &format!("kind.{}", job.kind), &[]);
        let status = catalogue::text(language, &format!("status.{}", job.status), &[]);
        let mut event = Event::new();
        event
            .uid(&format!("{}@doorstep", job.job_id))
            .timestamp(now)
            .starts(start)
            .ends(end)
            .summary(&format!("{kind} {}", job.address))
            .location(&job.address)
            .description(&format!("{} · {status}", job.account));
        if let Some((latitude, longitude)) = job.latitude.zip(job.longitude) {
            event.add_property("GEO", format!("{latitude};{longitude}"));
        }
        calendar.push(event.done());
    }
    calendar.to_string()
}
