//! Tells open streams that their hall moved on; the rows themselves are read by each stream.

mod nodes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::HallId;
use tokio::sync::{mpsc, watch};

pub use self::nodes::join_nodes;

/// Rings when a hall reached a position. A lost ring loses nothing: streams look for themselves as well.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Inner>);

/// Rung for what has none: positions begin at one.
const NO_POSITION: i64 = 0;

#[derive(Debug, Default)]
struct Inner {
    /// Rings with every hall.
    any: watch::Sender<()>,
    ropes: Mutex<BTreeMap<HallId, watch::Sender<i64>>>,
    /// Takes what other nodes have to hear, where there are any.
    nodes: Option<mpsc::UnboundedSender<(HallId, i64)>>,
}

impl Bell {
    /// A bell that other nodes hear too.
    fn among_nodes(nodes: mpsc::UnboundedSender<(HallId, i64)>) -> Self {
        Self(Arc::new(Inner { nodes: Some(nodes), ..Inner::default() }))
    }

    /// Says, after a commit, how far a hall has come.
    pub fn ring(&self, hall: HallId, position: i64) {
        self.ring_here(hall, position);
        if let Some(nodes) = &self.0.nodes {
            let _nobody_left = nodes.send((hall, position));
        }
    }

    /// Says that something of a hall is to be read that has no position of its own.
    pub fn nudge(&self, hall: HallId) {
        self.ring(hall, NO_POSITION);
    }

    /// Listens to all halls at once.
    pub fn listen_to_all(&self) -> watch::Receiver<()> {
        self.0.any.subscribe()
    }

    /// Listens to one hall.
    pub fn listen(&self, hall: HallId) -> watch::Receiver<i64> {
        self.rope(hall).subscribe()
    }

    fn ring_here(&self, hall: HallId, position: i64) {
        self.0.any.send_modify(|()| {});
        self.rope(hall).send_if_modified(|known| {
            let is_news = *known < position || position == NO_POSITION;
            *known = (*known).max(position);
            is_news
        });
    }

    /// Wakes everybody, because nobody knows what was missed.
    fn ring_all(&self) {
        let ropes = self.0.ropes.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.any.send_modify(|()| {});
        for rope in ropes.values() {
            rope.send_modify(|_| {});
        }
    }

    fn rope(&self, hall: HallId) -> watch::Sender<i64> {
        let mut ropes = self.0.ropes.lock().unwrap_or_else(PoisonError::into_inner);
        ropes.entry(hall).or_insert_with(|| watch::channel(0).0).clone()
    }
}
