//! Reaching people: what somebody has to hear is a row, written in the transaction in which it happened.
//!
//! The layers carry it afterwards: the open stream, Web Push, a gateway by webhook. Each may fail; whether a person was
//! shown it is noted on the row itself.

pub mod jobs;
pub mod keys;
pub mod message;
pub mod plan;
pub mod sender;

use domain::id::{HallId, JobId, UserId};
use domain::stamp::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::notices::{self, NoticeRow};
use crate::db::{C, Result};
use crate::ids::fresh_uuid;

/// What kind of news it is. How urgent a kind is, and whether it waits for the morning, stands in the rule pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewsKind {
    /// A job was given to them.
    Assigned,
    /// A job of theirs has another window.
    Moved,
    /// A job of theirs was cancelled, or given to somebody else.
    Cancelled,
    /// Where a job of theirs is was found out.
    Placed,
    /// The hall wrote a line.
    Message,
    /// A leak: acknowledge or decline.
    LeakCall,
    /// Of several who went to a leak, another one leads.
    LeadChanged,
    /// Something of theirs is due; its key says what.
    Reminder(String),
    /// Something that no one answered.
    Alarm,
    /// Somebody tries whether they are reached.
    Test,
}

/// What begins the key of every reminder.
const REMINDER: &str = "reminder.";

impl NewsKind {
    /// The word for it in rows, rule packs and the catalogue.
    pub fn key(&self) -> String {
        match self {
            Self::Assigned => "assigned".to_owned(),
            Self::Moved => "moved".to_owned(),
            Self::Cancelled => "cancelled".to_owned(),
            Self::Placed => "placed".to_owned(),
            Self::Message => "message".to_owned(),
            Self::LeakCall => "leak_call".to_owned(),
            Self::LeadChanged => "lead_changed".to_owned(),
            Self::Reminder(key) => format!("{REMINDER}{key}"),
            Self::Alarm => "alarm".to_owned(),
            Self::Test => "test".to_owned(),
        }
    }

    /// Whether it takes the place of a leak call that was not answered: what is less must not silence one.
    fn replaces_leak_calls(&self) -> bool {
        matches!(self, Self::LeakCall | Self::LeadChanged | Self::Cancelled)
    }
}

/// Something that one person has to hear.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// The hall where it happened.
    pub hall: HallId,
    /// Who has to hear it.
    pub to: UserId,
    /// The job it is about; newer news of the same job replaces what was not shown yet.
    pub job: Option<JobId>,
    /// What kind it is.
    pub kind: NewsKind,
    /// From when on nobody needs to hear it.
    pub expires_at: Timestamp,
    /// For the open app: ids and times. A lock screen shows nothing of it.
    pub data: Value,
}

/// Writes news in the transaction in which they happened; they are carried when it is committed.
///
/// Ring the hall's bell after the commit ([`crate::live::Bell::nudge`] where no position moved), or they wait for the
/// next look, half a second at most.
///
/// Returns the ids of the notices, in the order of the news.
pub async fn tell(mut c: C<'_>, news: &[News], now: Timestamp) -> Result<Vec<Uuid>> {
    let now_ms = now.timestamp_millis();
    let rows: Vec<NoticeRow> = news.iter().map(|it| row(it, now)).collect();
    notices::insert_notices(c.lend(), &rows).await?;
    for (it, row) in news.iter().zip(&rows) {
        if let Some(job) = it.job {
            let by = (row.notice_id, it.kind.replaces_leak_calls());
            notices::replace_notices(c.lend(), (it.to, job), by, now_ms).await?;
        }
    }
    Ok(rows.iter().map(|row| row.notice_id).collect())
}

fn row(news: &News, now: Timestamp) -> NoticeRow {
    NoticeRow {
        notice_id: fresh_uuid(now),
        hall_id: news.hall.0,
        user_id: news.to.0,
        job_id: news.job.map(|job| job.0),
        kind: news.kind.key(),
        data: Json(news.data.clone()),
        created_at: now.timestamp_millis(),
        expires_at: news.expires_at.timestamp_millis(),
        not_before: None,
        replaced_at: None,
        shown_at: None,
        shown_by: None,
    }
}
