//! How long a session lives, and what a stored one still allows.

use super::Role;
use crate::db::sessions::SessionRow;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A use is written down at most this often.
pub const TOUCH_EVERY_MS: i64 = MINUTE_MS;

/// How long somebody stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Ends when not used for so long; `None` never.
    pub idle_ms: Option<i64>,
    /// Ends whatever happens.
    pub absolute_ms: i64,
}

/// How long a session of this role lives.
pub fn lifetime(role: Role) -> Lifetime {
    match role {
        // A phone lies in a basement for days and must still be able to hand its work in.
        Role::Technician => Lifetime { idle_ms: None, absolute_ms: 30 * DAY_MS },
        Role::Dispatcher | Role::Hall => {
            Lifetime { idle_ms: Some(30 * MINUTE_MS), absolute_ms: 12 * HOUR_MS }
        }
        Role::Manager | Role::Admin => {
            Lifetime { idle_ms: Some(15 * MINUTE_MS), absolute_ms: 8 * HOUR_MS }
        }
    }
}

/// What a stored session allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All that the role may do.
    Live,
    /// Only to hand work in, which then waits for a person's word: the phone or its user was shut out.
    ShutOut,
    /// Nothing.
    Over,
}

/// Judges a stored session.
pub fn standing(session: &SessionRow, role: Role, now_ms: i64) -> Standing {
    let idle_over = lifetime(role).idle_ms.is_some_and(|idle| now_ms - session.seen_at >= idle);
    if session.ended_at.is_some() || now_ms >= session.expires_at || idle_over {
        return Standing::Over;
    }
    let shut_out = session.disabled_at.is_some() || session.revoked_at.is_some();
    match (shut_out, session.device_id) {
        (false, _) => Standing::Live,
        (true, Some(_)) => Standing::ShutOut,
        (true, None) => Standing::Over,
    }
}
