//! The photo store: whether it can be reached and written, and what is missing in it.

use std::collections::BTreeMap;

use domain::id::HallId;

use super::{Finding, bad, ok};
use crate::config::Config;
use crate::db::lone::Lone;
use crate::db::photos::{HeldRow, list_held};
use crate::db::schema;
use crate::photos::key;
use crate::photos::store::{Store, StoreError};

/// Missing photos that are named.
const NAMED: usize = 5;

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    // What is wrong with the settings was told by the look at the configuration.
    let Ok(store) = Store::open(config) else { return Vec::new() };
    if let Err(error) = store.probe().await {
        return vec![bad(error.to_string(), advice(&error))];
    }
    let mut findings = vec![ok(format!("the photo store {} takes photos", store.shown()))];
    let Some(held) = held(config).await else { return findings };
    findings.push(match store.list().await {
        Ok(keys) => compare(&held, &keys),
        Err(error) => bad(error.to_string(), advice(&error)),
    });
    findings
}

fn advice(error: &StoreError) -> &'static str {
    match error {
        StoreError::Folder(_) => "make the folder writable for the server's user, or name another",
        StoreError::Away { .. } => {
            "see that the store runs and its endpoint is right; phones keep their photos until then"
        }
        StoreError::Denied { .. } | StoreError::NoBucket { .. } => {
            "phones keep their photos until then"
        }
        StoreError::Settings(_) | StoreError::Damaged(_) => "see the store's own log",
    }
}

/// What the database says is held; `None` when it cannot be asked, which others tell.
async fn held(config: &Config) -> Option<Vec<HeldRow>> {
    let mut lone = Lone::read(&config.database.0, &config.database_hosts).await.ok()?;
    if schema::find_version(lone.c()).await.ok()? != schema::known_version() {
        return None;
    }
    list_held(lone.c()).await.ok()
}

fn compare(held: &[HeldRow], keys: &BTreeMap<String, u64>) -> Finding {
    let lacks = |row: &&HeldRow| {
        let length = keys.get(&key(HallId(row.hall_id), &row.hash));
        length.is_none_or(|length| i64::try_from(*length) != Ok(row.size_bytes))
    };
    let missing: Vec<&HeldRow> = held.iter().filter(lacks).collect();
    if missing.is_empty() {
        return ok(format!("the photo store holds all {} photos that were taken in", held.len()));
    }
    let named: Vec<&str> = missing.iter().take(NAMED).map(|row| row.hash.as_str()).collect();
    let more = if missing.len() > NAMED { ", …" } else { "" };
    let says = format!(
        "{} of {} photos are not in the store as they were taken in: {}{more}",
        missing.len(),
        held.len(),
        named.join(", "),
    );
    bad(says, "bring them back with `doorstep restore --only-photos --from <backup>`")
}
