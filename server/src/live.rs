//! Tells open streams that their hall moved on; the rows themselves are read by each stream.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::HallId;
use tokio::sync::watch;

/// Rings when a hall reached a position. A lost ring loses nothing: streams look for themselves as well.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Mutex<BTreeMap<HallId, watch::Sender<i64>>>>);

impl Bell {
    /// Says, after a commit, how far a hall has come.
    pub fn ring(&self, hall: HallId, position: i64) {
        self.rope(hall).send_if_modified(|known| {
            let is_news = *known < position;
            *known = (*known).max(position);
            is_news
        });
    }

    /// Listens to one hall.
    pub fn listen(&self, hall: HallId) -> watch::Receiver<i64> {
        self.rope(hall).subscribe()
    }

    fn rope(&self, hall: HallId) -> watch::Sender<i64> {
        let mut ropes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ropes.entry(hall).or_insert_with(|| watch::channel(0).0).clone()
    }
}
