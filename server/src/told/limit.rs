//! How often strangers may ask: counted in memory, for nothing that guesses may write to the database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys remembered at most; the table begins anew when it is full of running spans.
const MOST_KEYS: usize = 20_000;

/// Counts by key and span.
#[derive(Clone, Debug, Default)]
pub struct Limiter(Arc<Mutex<BTreeMap<String, Span>>>);

#[derive(Clone, Copy, Debug)]
struct Span {
    count: u32,
    ends_at: i64,
}

impl Limiter {
    /// Counts one; after how many seconds to come back when it was one too many.
    pub fn count(&self, key: String, (most, span_ms): (u32, i64), now_ms: i64) -> Result<(), i64> {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spans.len() >= MOST_KEYS {
            spans.retain(|_, span| span.ends_at > now_ms);
        }
        if spans.len() >= MOST_KEYS {
            spans.clear();
        }
        let fresh = Span { count: 0, ends_at: now_ms + span_ms };
        let span = spans.entry(key).or_insert(fresh);
        if span.ends_at <= now_ms {
            *span = fresh;
        }
        span.count += 1;
        if span.count > most { Err((span.ends_at - now_ms) / 1000 + 1) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_span_and_then_none_until_it_is_over() {
        let limiter = Limiter::default();
        let ask = |at| limiter.count("a".to_owned(), (2, 1000), at);

        assert_eq!([ask(0), ask(1), ask(2), ask(1000)], [Ok(()), Ok(()), Err(1), Ok(())]);
        assert_eq!(limiter.count("b".to_owned(), (2, 1000), 2), Ok(()));
    }
}
