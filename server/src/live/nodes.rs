//! Rings that cross from one node to another, through PostgreSQL's notifications.
//!
//! They are hints and nothing more: what happened is read from the rows, and every stream looks for itself as well. So
//! they are sent after the commit, many at once and outside of any transaction: a notification inside of one would make
//! all commits of the cluster wait for each other.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::id::HallId;
use sqlx::postgres::PgListener;
use tokio::sync::{mpsc, watch};

use super::Bell;
use crate::db::{Db, Result, Router};

/// What nodes listen to.
const CHANNEL: &str = "doorstep_live";

/// How long a node waits before it listens again.
const PAUSE: Duration = Duration::from_millis(500);

/// The bell of this node; on PostgreSQL it is joined to those of the others until the server stops.
pub fn join_nodes(db: &Db, closing: &watch::Receiver<bool>) -> Bell {
    let Db::Pg(router) = db else { return Bell::default() };
    let (sender, receiver) = mpsc::unbounded_channel();
    let bell = Bell::among_nodes(sender);
    tokio::spawn(tell(router.clone(), receiver));
    tokio::spawn(hear(router.clone(), bell.clone(), closing.clone()));
    bell
}

/// Tells the other nodes; ends when the last bell is gone.
async fn tell(router: Router, mut rung: mpsc::UnboundedReceiver<(HallId, i64)>) {
    while let Some((hall, position)) = rung.recv().await {
        let mut halls = BTreeMap::from([(hall, position)]);
        while let Ok((hall, position)) = rung.try_recv() {
            let known = halls.entry(hall).or_insert(position);
            *known = position.max(*known);
        }
        if let Err(error) = send(&router, &halls).await {
            tracing::warn!(error = error.to_string(), "other nodes were not told; they look");
        }
    }
}

async fn send(router: &Router, halls: &BTreeMap<HallId, i64>) -> Result<()> {
    let mut conn = router.conn().await?;
    for (hall, position) in halls {
        let word = format!("{hall} {position}");
        let notify = "select pg_notify($1, $2)";
        conn.c().q(notify).bind(CHANNEL).bind(word).execute().await?;
    }
    Ok(())
}

/// Listens to the other nodes, on whichever server is in use.
async fn hear(router: Router, bell: Bell, mut closing: watch::Receiver<bool>) {
    loop {
        let mut moved = router.moved();
        let ended = tokio::select! {
            ended = listen(&router, &bell) => ended,
            _ = moved.changed() => Ok(()),
            () = until(&mut closing) => return,
        };
        if let Err(error) = ended {
            tracing::warn!(error = error.to_string(), "other nodes are not heard; streams look");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn until(closing: &mut watch::Receiver<bool>) {
    drop(closing.wait_for(|closing| *closing).await);
}

async fn listen(router: &Router, bell: &Bell) -> Result<()> {
    let mut listener = PgListener::connect_with(&router.pool().await?).await?;
    listener.listen(CHANNEL).await?;
    bell.ring_all();
    loop {
        // `None` tells of a connection that was lost and made anew.
        match listener.try_recv().await? {
            Some(said) => {
                if let Some((hall, position)) = read(said.payload()) {
                    bell.ring_here(hall, position);
                }
            }
            None => bell.ring_all(),
        }
    }
}

fn read(word: &str) -> Option<(HallId, i64)> {
    let (hall, position) = word.split_once(' ')?;
    Some((hall.parse().ok()?, position.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use domain::id::uuid_v7;

    use super::*;

    #[test]
    fn a_word_that_is_none_rings_nothing() {
        let hall = HallId(uuid_v7(1, [7; 10]));
        assert_eq!(read(&format!("{hall} 12")), Some((hall, 12)));
        for word in ["", "12", "x 12", &format!("{hall} twelve")] {
            assert_eq!(read(word), None, "{word:?}");
        }
    }
}
