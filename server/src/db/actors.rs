//! Which Automerge actor belongs to which device.

use domain::id::DeviceId;
use uuid::Uuid;

use super::{C, Result, insert_rows, select_in, statements};

statements! {
    INSERT_ACTOR = "insert into actor (actor, device_id, bound_at) values ($1, $2, $3) on conflict do nothing";
    FIND_ACTORS = "select actor, device_id from actor where actor in ($1)";
}

/// An actor with its device.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ActorRow {
    /// The actor.
    pub actor: Vec<u8>,
    /// The device that used it first.
    pub device_id: Uuid,
}

/// Binds actors to their devices; a bound one stays as it is.
pub async fn insert_actors(c: C<'_>, actors: &[(Vec<u8>, DeviceId)], now_ms: i64) -> Result<()> {
    insert_rows(c, INSERT_ACTOR, actors, |q, (actor, device)| {
        q.bind(actor).bind(device.0).bind(now_ms)
    })
    .await
    .map(drop)
}

/// Finds the devices of those actors that are bound.
pub async fn find_actors(c: C<'_>, actors: &[Vec<u8>]) -> Result<Vec<ActorRow>> {
    select_in(c, FIND_ACTORS, actors).await
}
