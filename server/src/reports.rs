//! Stored verdicts as they read now.
//!
//! What is stored changes only when its job does. What time alone decides, an open window or a running promise, is
//! decided when somebody looks: there is no tick that could come late or be forgotten.

use std::collections::BTreeMap;

use anyhow::Context as _;
use domain::id::UserId;
use domain::promise::PromiseState;
use domain::punctuality::Punctuality;
use domain::stamp::{Heard, Timestamp};
use uuid::Uuid;

use crate::db::verdicts::StoredVerdict;

/// Reads the verdict on an appointment.
///
/// `heard_until` tells up to when the hall has all that each technician's phone recorded.
pub fn punctuality(
    stored: &StoredVerdict,
    now: Timestamp,
    heard_until: &BTreeMap<UserId, i64>,
) -> anyhow::Result<Punctuality> {
    let verdict = match stored.punctuality.as_str() {
        "pending" => Punctuality::Pending,
        "early" => Punctuality::Early,
        "on_time" => Punctuality::OnTime,
        "late" => Punctuality::Late,
        "missed" => Punctuality::Missed,
        "cannot_tell" => Punctuality::CannotTell { width_ms: stored.width_ms.unwrap_or(0) },
        "not_heard" => Punctuality::NotHeard,
        "released" => Punctuality::Released,
        other => anyhow::bail!("{other} is no verdict on an appointment"),
    };
    let heard = heard(stored.technician_id, heard_until);
    Ok(verdict.read_at(instant(stored.window_end)?, now, heard))
}

/// Reads the state of a promise by its key.
pub fn promise_state(
    state: String,
    (due_at_ms, answerable): (i64, Option<Uuid>),
    now: Timestamp,
    heard_until: &BTreeMap<UserId, i64>,
) -> String {
    let due_at = Timestamp::from_timestamp_millis(due_at_ms).unwrap_or(Timestamp::MAX_UTC);
    if state == PromiseState::Running.key() {
        let heard = heard(answerable, heard_until);
        return PromiseState::Running.read_at(due_at, now, heard).key().to_owned();
    }
    state
}

/// Up to when the hall has the word of all of these people.
pub fn heard_of_all(
    technicians: impl IntoIterator<Item = Uuid>,
    heard_until: &BTreeMap<UserId, i64>,
) -> Heard {
    let each = technicians.into_iter().map(|user| heard(Some(user), heard_until));
    each.fold(Heard::Nobody, |all, one| match (all, one) {
        (Heard::Never, _) | (_, Heard::Never) => Heard::Never,
        (Heard::Until(all), Heard::Until(one)) => Heard::Until(all.min(one)),
        (Heard::Nobody, only) | (only, Heard::Nobody) => only,
    })
}

fn heard(technician: Option<Uuid>, heard_until: &BTreeMap<UserId, i64>) -> Heard {
    let technician = technician.map(UserId);
    let until = technician.and_then(|user| heard_until.get(&user).copied());
    Heard::of(technician, until.and_then(Timestamp::from_timestamp_millis))
}

fn instant(ms: i64) -> anyhow::Result<Timestamp> {
    Timestamp::from_timestamp_millis(ms).with_context(|| format!("{ms} is no instant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_reads_back_by_its_key() {
        for verdict in [
            Punctuality::Pending,
            Punctuality::Early,
            Punctuality::OnTime,
            Punctuality::Late,
            Punctuality::Missed,
            Punctuality::CannotTell { width_ms: 9 },
            Punctuality::Released,
        ] {
            let read = punctuality(&stored(verdict.key()), at(1_000), &BTreeMap::new()).unwrap();
            assert_eq!(read, verdict);
        }
        assert!(punctuality(&stored("splendid"), at(0), &BTreeMap::new()).is_err());
    }

    #[test]
    fn a2_who_was_not_heard_since_has_not_missed_the_window() {
        let heard = |ms| BTreeMap::from([(UserId(Uuid::nil()), ms)]);
        let read = |heard| punctuality(&stored("pending"), at(2_000), &heard).unwrap();

        assert_eq!(read(BTreeMap::new()), Punctuality::NotHeard);
        assert_eq!(read(heard(999)), Punctuality::NotHeard);
        assert_eq!(read(heard(1_000)), Punctuality::Missed);
    }

    #[test]
    fn b2_a_running_promise_is_broken_after_its_time() {
        let nobody = BTreeMap::new();
        let read =
            |state: &str, now| promise_state(state.to_owned(), (1_000, None), at(now), &nobody);

        assert_eq!(
            (read("running", 1_000), read("running", 1_001)),
            ("running".into(), "broken".into())
        );
        assert_eq!(read("kept", 9_000), "kept");
    }

    fn stored(key: &str) -> StoredVerdict {
        StoredVerdict {
            job_id: Uuid::nil(),
            agreed_id: Uuid::nil(),
            technician_id: Some(Uuid::nil()),
            technician_name: None,
            kind: "repair".to_owned(),
            day: "2026-03-02".to_owned(),
            window_start: 0,
            window_end: 1_000,
            punctuality: key.to_owned(),
            width_ms: Some(9),
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_timestamp_millis(ms).unwrap()
    }
}
