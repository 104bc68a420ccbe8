//! The phone's way to the hall: one request, one reply, and every way in which that fails.

/// Why there is no reply. Nothing on the phone changes for any of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// No network, or it broke in the middle.
    #[error("no connection: {0}")]
    Offline(String),
    /// The hall does not know this phone any more (401, 403): sign in again.
    #[error("the hall does not accept this phone")]
    NotAccepted,
    /// The hall is busy or being updated (429, 503).
    #[error("the hall is busy")]
    Busy {
        /// When it asked to be tried again.
        retry_after_ms: Option<u64>,
    },
    /// The hall speaks only later versions: update the app.
    #[error("the hall needs a newer app")]
    TooOld,
    /// It refused with another status.
    #[error("the hall answered with status {0}")]
    Refused(u16),
    /// Something else answered in the hall's place: a captive portal, a proxy.
    #[error("something that is not the hall answered")]
    NotTheHall,
}

/// The way to the hall.
#[expect(async_fn_in_trait, reason = "a browser's futures are not Send, and callers are generic")]
pub trait Link {
    /// Sends a request and waits for the reply's bytes.
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError>;
}
