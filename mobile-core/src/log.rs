//! The phone's durable log: append-only records, and honest words about what opening it found.

pub mod disk;
pub mod file;
pub mod frame;
pub mod memory;
mod recovery;

pub use recovery::{Beginning, CutTail, Damage, Recovery};

use frame::{Chain, Frame, HEADER_LEN, Kind};
use recovery::Repair;

/// What a store holds when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, and nothing was ever there.
    Nothing,
    /// Nothing, though a log was made here: it was evicted or deleted.
    Gone,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// Bytes that were taken out of the log because they were no whole record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// What the store calls them; the reason is part of it.
    pub name: String,
    /// The bytes as they were found.
    pub bytes: Vec<u8>,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Make room and try again; the store is as it was.
    #[error("no space left on this phone")]
    Full,
    /// A flush failed, so nobody knows what is on the disk until it is read again.
    #[error("the store could not be flushed and must be opened again")]
    Stuck,
    /// Somebody emptied the store under the open log: what is in memory is all that there is.
    #[error("the store was emptied while it was open")]
    Emptied,
    /// Another process or tab is the writer.
    #[error("the store is open somewhere else on this phone")]
    InUse,
    /// Anything else the platform said; the store is as it was.
    #[error("the store broke: {0}")]
    Broken(String),
}

/// Where the log's bytes live: a file, IndexedDB, memory.
///
/// Futures carry no `Send` bound, because a browser's never have it.
#[expect(async_fn_in_trait, reason = "IndexedDB futures are not Send, and callers are generic")]
pub trait LogStore {
    /// Reads the whole log.
    async fn read(&mut self) -> Result<Found, StoreError>;

    /// Adds bytes at the end; they are durable when this returns `Ok`, and absent after `Err`
    /// (except [`StoreError::Stuck`], where only reopening can tell).
    async fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Keeps damaged bytes beside the log, durably; the same bytes twice are kept once.
    async fn set_aside(&mut self, bytes: &[u8], why: &str) -> Result<(), StoreError>;

    /// Reads what was set aside.
    async fn asides(&mut self) -> Result<Vec<Aside>, StoreError>;

    /// Shortens the log durably.
    async fn truncate(&mut self, size_bytes: u64) -> Result<(), StoreError>;

    /// Exchanges the whole log for these bytes, durably and at once: a crash leaves old or new.
    async fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Deletes the log and everything beside it.
    async fn erase(&mut self) -> Result<(), StoreError>;

    /// How long the log is.
    fn size_bytes(&self) -> u64;
}

/// Why a log cannot be opened at all; its bytes are left as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenLogError {
    /// The store itself refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A newer version of the app wrote it.
    #[error("the log has format {0}, which is newer than this app")]
    TooNew(u16),
    /// The header is not a log's and no whole record was found after it.
    #[error("the store holds {size_bytes} bytes that are not a log")]
    NotALog {
        /// How many bytes are there.
        size_bytes: usize,
    },
}

/// An open log.
#[derive(Debug)]
pub struct Log<S> {
    store: S,
    next_seq: u64,
    chain: Chain,
    repair: Option<Repair>,
    /// A write was begun and nobody waited for its end: what is on the disk is not known.
    in_flight: bool,
}

/// A log just opened, with its records in order.
#[derive(Debug)]
pub struct Opened<S> {
    /// The log, ready for more.
    pub log: Log<S>,
    /// The payloads of all whole records.
    pub payloads: Vec<Vec<u8>>,
    /// What was found.
    pub recovery: Recovery,
}

impl<S: LogStore> Log<S> {
    /// Opens a log, keeping every whole record and setting the rest aside.
    ///
    /// What cannot be repaired now (the disk is full) is repaired before the next append.
    pub async fn open(mut store: S) -> Result<Opened<S>, OpenLogError> {
        let (bytes, beginning) = match store.read().await? {
            Found::Nothing => (Vec::new(), Beginning::New),
            Found::Gone => (Vec::new(), Beginning::Gone),
            Found::Bytes(bytes) => (bytes, Beginning::Resumed),
        };
        let examined = recovery::examine(&bytes, beginning)?;
        let payloads =
            examined.payloads.iter().map(|range| bytes[range.clone()].to_vec()).collect();
        let mut log = Self {
            store,
            next_seq: examined.next_seq,
            chain: examined.chain,
            repair: examined.repair,
            in_flight: false,
        };
        let mut recovery = examined.recovery;
        recovery.repair_failed = log.mend().await.err();
        Ok(Opened { log, payloads, recovery })
    }

    /// Adds one record; it is durable when this returns `Ok` and absent otherwise.
    pub async fn append(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        self.append_all([payload]).await
    }

    /// Adds several records with one flush; a crash keeps the first so many of them.
    pub async fn append_all<'a>(
        &mut self,
        payloads: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), StoreError> {
        self.mend().await?;
        let mut bytes = Vec::new();
        let (mut seq, mut chain) = (self.next_seq, self.chain);
        for payload in payloads {
            chain = Frame { kind: Kind::Record, seq, payload }.write(chain, &mut bytes);
            seq += 1;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.in_flight = true;
        let appended = self.store.append(&bytes).await;
        self.in_flight = false;
        appended?;
        (self.next_seq, self.chain) = (seq, chain);
        Ok(())
    }

    /// Exchanges all records for these; a crash leaves the old log or the new one.
    pub async fn replace_all<'a>(
        &mut self,
        payloads: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), StoreError> {
        self.mend().await?;
        let (mut bytes, mut chain) = frame::header(self.next_seq - 1);
        let mut seq = self.next_seq;
        for payload in payloads {
            chain = Frame { kind: Kind::Record, seq, payload }.write(chain, &mut bytes);
            seq += 1;
        }
        self.in_flight = true;
        let replaced = self.store.replace(&bytes).await;
        self.in_flight = false;
        replaced?;
        (self.next_seq, self.chain) = (seq, chain);
        Ok(())
    }

    /// How long the log is on the disk.
    pub fn size_bytes(&self) -> u64 {
        self.store.size_bytes()
    }

    /// How many records were ever appended here, those that compaction folded included.
    pub fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// Reads the damaged bytes that were set aside since the log was made.
    pub async fn asides(&mut self) -> Result<Vec<Aside>, StoreError> {
        let mut asides = self.store.asides().await?;
        if let Some(repair) = &self.repair {
            asides.extend(repair.not_yet_aside());
        }
        Ok(asides)
    }

    /// The store, for what lies beside the log.
    pub(crate) fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// Deletes the log and everything beside it.
    pub async fn erase(&mut self) -> Result<(), StoreError> {
        self.store.erase().await?;
        let (_, chain) = frame::header(0);
        (self.next_seq, self.chain, self.repair) = (1, chain, Some(Repair::create()));
        Ok(())
    }

    /// Gives the store back, so that it can be opened again.
    pub fn into_store(self) -> S {
        self.store
    }

    async fn mend(&mut self) -> Result<(), StoreError> {
        if self.in_flight {
            return Err(StoreError::Stuck);
        }
        let Some(repair) = self.repair.take() else { return Ok(()) };
        let done = self.carry_out(&repair).await;
        if done.is_err() {
            self.repair = Some(repair);
        }
        done
    }

    async fn carry_out(&mut self, repair: &Repair) -> Result<(), StoreError> {
        for aside in &repair.asides {
            self.store.set_aside(&aside.bytes, aside.why).await?;
        }
        match &repair.rewrite {
            Some(bytes) => self.store.replace(bytes).await,
            None => self.store.truncate(repair.keep_bytes).await,
        }
    }
}

const _: () = assert!(HEADER_LEN == 24, "the header's length is part of the format");
