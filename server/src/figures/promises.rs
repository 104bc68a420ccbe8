//! Promises: which run, and how those of some days turned out (B2, B5, B6, B7, B13).

use chrono::TimeDelta;
use domain::catalogue::Language;
use domain::outage::{Clock, RULE};
use domain::pack::PromiseRule;
use domain::stamp::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Count, Counted, Figure, Named, Rate};
use crate::db::outages::CountedRow;
use crate::outage::outage;

/// Every state of a promise, in the order in which lists show them.
const STATES: [&str; 6] = ["kept", "excused", "broken", "not_heard", "cannot_tell", "running"];

/// A promise as it is stored with its job.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredPromise {
    /// The job.
    pub job_id: Uuid,
    /// The key of its kind.
    pub kind: String,
    /// The pack that it is judged by.
    pub pack_id: String,
    /// Its address.
    pub address: String,
    /// Who has the job.
    pub technician_id: Option<Uuid>,
    /// Their name.
    pub technician_name: Option<String>,
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix ms.
    pub due_at: i64,
    /// Who is answerable for it.
    pub answerable: Option<Uuid>,
    /// The key of its state, as far as facts decide.
    pub state: String,
}

/// A promise as it is stored with its case (B5).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CasePromise {
    /// The case.
    pub case_id: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// The key of its kind.
    pub kind: String,
    /// The pack that it is judged by.
    pub pack_id: String,
    /// Who has it.
    pub owner_id: Uuid,
    /// Their name.
    pub owner_name: String,
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix ms.
    pub due_at: i64,
    /// When the caller was told.
    pub told_at: Option<i64>,
}

impl CasePromise {
    /// The key of its state at a time.
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.told_at {
            Some(told_at) if told_at <= self.due_at => "kept",
            None if now.timestamp_millis() <= self.due_at => "running",
            Some(_) | None => "broken",
        }
    }
}

/// A case whose promise nobody has kept yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WatchedCase {
    /// The case.
    pub case: Uuid,
    /// What people say on the phone.
    pub number: i64,
    /// What its kind is called.
    pub kind_name: String,
    /// Who has it.
    pub owner: Uuid,
    /// Their name.
    pub owner_name: String,
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix milliseconds.
    pub due_at: i64,
    /// How it stands now.
    pub state: String,
    /// Whether so little is left that somebody should look; none where its pack does not say how little.
    pub is_at_risk: Option<bool>,
}

/// Shows a case's open promise as it stands; `warn_minutes` are its pack's.
pub fn open_case(
    stored: CasePromise,
    warn_minutes: Option<i64>,
    now: Timestamp,
    language: Language,
) -> WatchedCase {
    let state = stored.state(now);
    WatchedCase {
        case: stored.case_id,
        number: stored.number,
        kind_name: Named::word(language, "case.kind", &stored.kind).name,
        owner: stored.owner_id,
        owner_name: stored.owner_name,
        rule: stored.rule,
        due_at: stored.due_at,
        state: state.to_owned(),
        is_at_risk: warns(warn_minutes, state, stored.due_at, now),
    }
}

/// An outage of which somebody is still to be told (B13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WatchedOutage {
    /// The outage.
    pub outage: Uuid,
    /// The key of its kind.
    pub kind: String,
    /// What its kind is called.
    pub kind_name: String,
    /// Where, in words.
    pub area: String,
    /// Whether it was announced.
    pub is_announced: bool,
    /// Households whose gas is off.
    pub households: i64,
    /// How many of them were told.
    pub told: i64,
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix milliseconds.
    pub due_at: i64,
    /// How it stands now.
    pub state: String,
    /// Whether so little is left that somebody should look; none where its pack does not say how little.
    pub is_at_risk: Option<bool>,
}

/// Shows an outage's open promise as it stands.
pub fn open_outage(row: CountedRow, clock: &Clock, language: Language) -> WatchedOutage {
    let kind = outage(&row.outage).kind.key();
    WatchedOutage {
        outage: row.outage.outage_id,
        kind: kind.to_owned(),
        kind_name: Named::word(language, "outage.kind", kind).name,
        area: row.outage.area,
        is_announced: row.outage.announced_at.is_some(),
        households: row.households,
        told: row.told,
        rule: RULE.to_owned(),
        due_at: clock.due_at.timestamp_millis(),
        state: clock.state.key().to_owned(),
        is_at_risk: clock.is_at_risk,
    }
}

/// A supply that was stopped because of hazards that are gone, and is still to be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WatchedSupply {
    /// Whose.
    pub household: Uuid,
    /// Its address.
    pub address: String,
    /// Who is sent, by name.
    pub technician_name: Option<String>,
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix milliseconds.
    pub due_at: i64,
    /// How it stands now.
    pub state: String,
    /// Whether so little is left that somebody should look; none where its pack does not say how little.
    pub is_at_risk: Option<bool>,
}

/// Whether so little is left of what still runs that somebody should look.
pub fn warns(warn_minutes: Option<i64>, state: &str, due_at: i64, now: Timestamp) -> Option<bool> {
    let due_at = Timestamp::from_timestamp_millis(due_at).unwrap_or(Timestamp::MAX_UTC);
    warn_minutes.map(|minutes| state == "running" && due_at - now <= TimeDelta::minutes(minutes))
}

/// A promise whose clock nobody has stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpenPromise {
    /// The job.
    pub job: Uuid,
    /// The key of its kind.
    pub kind: String,
    /// What its kind is called.
    pub kind_name: String,
    /// Its address.
    pub address: String,
    /// Who has the job.
    pub technician: Option<Uuid>,
    /// Their name.
    pub technician_name: Option<String>,
    /// The rule of the rulebook.
    pub rule: String,
    /// When it is broken, Unix milliseconds.
    pub due_at: i64,
    /// How it stands now.
    pub state: String,
    /// Whether so little is left that somebody should look; none where its pack does not say how little.
    pub is_at_risk: Option<bool>,
}

/// Shows an open promise as it stands.
pub fn open(
    stored: StoredPromise,
    rule: Option<&PromiseRule>,
    (state, now): (String, Timestamp),
    language: Language,
) -> OpenPromise {
    let warn_minutes = rule.and_then(|rule| rule.warn_minutes);
    let is_at_risk = warns(warn_minutes, &state, stored.due_at, now);
    OpenPromise {
        job: stored.job_id,
        kind_name: Named::word(language, "kind", &stored.kind).name,
        kind: stored.kind,
        address: stored.address,
        technician: stored.technician_id,
        technician_name: stored.technician_name,
        rule: stored.rule,
        due_at: stored.due_at,
        state,
        is_at_risk,
    }
}

/// Counts promises by rule and state (B2, B5, B6, B7, B13); each comes with its state as it reads now.
pub fn by_rule<'a>(
    read: impl Iterator<Item = (&'a str, &'a str, Counted)>,
    language: Language,
) -> Figure {
    let columns = STATES.map(|state| Named::word(language, "promise", state));
    let rate = Rate {
        named: Named::word(language, "figures", "kept_rate"),
        of: &["kept", "excused"],
        out_of: &["kept", "excused", "broken"],
    };
    let mut count = Count::of(columns.to_vec()).with_rates(vec![rate]);
    for (rule, state, what) in read {
        count.add(&Named::plain(rule), state, what);
    }
    count.finish(language)
}
