//! A store in memory without faults: what a log left is looked at byte for byte.

use mobile_core::log::{Aside, Found, LogStore, StoreError};

/// A log's bytes and what lies beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Store {
    pub(crate) bytes: Vec<u8>,
    pub(crate) asides: Vec<Aside>,
}

impl Store {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), asides: Vec::new() }
    }
}

impl LogStore for Store {
    async fn read(&mut self) -> Result<Found, StoreError> {
        Ok(Found::Bytes(self.bytes.clone()))
    }

    async fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn set_aside(&mut self, bytes: &[u8], why: &str) -> Result<(), StoreError> {
        let aside = Aside { name: why.to_owned(), bytes: bytes.to_vec() };
        if !self.asides.contains(&aside) {
            self.asides.push(aside);
        }
        Ok(())
    }

    async fn asides(&mut self) -> Result<Vec<Aside>, StoreError> {
        Ok(self.asides.clone())
    }

    async fn truncate(&mut self, size_bytes: u64) -> Result<(), StoreError> {
        self.bytes.truncate(usize::try_from(size_bytes).unwrap_or(usize::MAX));
        Ok(())
    }

    async fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes = bytes.to_vec();
        Ok(())
    }

    async fn erase(&mut self) -> Result<(), StoreError> {
        *self = Self::default();
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}
