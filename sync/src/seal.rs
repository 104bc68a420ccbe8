//! Seals: the hall's proof, kept by phones, that it once held a change.
//!
//! After a restore from a backup the hall has forgotten what came after the backup: facts, but
//! also its own plan, on which facts build. Phones still hold those changes. A technician may not
//! write a plan, so the hall takes one back from a phone only with the seal that it set itself.

use automerge::ChangeHash;
use domain::id::{DeviceId, JobId};
use minicbor::{Decode, Encode};

use crate::message::codec;

/// The hall's secret for seals, and those of which it believes seals as well: random, part of every backup.
#[derive(Clone)]
pub struct SealKey {
    own: [u8; 32],
    known: Vec<[u8; 32]>,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(..)")
    }
}

/// The hall's mark on one change of one job by one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Seal(#[cbor(with = "minicbor::bytes")] pub [u8; 16]);

/// A seal with what it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Voucher {
    /// The device that made the change; `None` when the hall did.
    #[cbor(n(0), with = "codec", skip_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The hall's mark.
    #[n(1)]
    pub seal: Seal,
}

impl SealKey {
    /// Takes 32 random bytes, drawn by the caller, as the key.
    pub fn new(random: [u8; 32]) -> Self {
        Self { own: random, known: Vec::new() }
    }

    /// Believes seals of another key as well: one from before, or one that is not sealed with yet.
    #[must_use]
    pub fn knowing(mut self, other: [u8; 32]) -> Self {
        self.known.push(other);
        self
    }

    /// Seals a change that the hall holds.
    pub fn seal(&self, job: JobId, hash: ChangeHash, device: Option<DeviceId>) -> Seal {
        seal_with(&self.own, job, hash, device)
    }

    /// Whether the hall itself wrote this voucher for this change.
    pub fn verify(&self, job: JobId, hash: ChangeHash, voucher: &Voucher) -> bool {
        let is_of = |key: &[u8; 32]| {
            let right = seal_with(key, job, hash, voucher.device);
            // All bytes are compared, so that the time taken tells nothing about the right ones.
            let differences = right.0.iter().zip(voucher.seal.0).map(|(a, b)| a ^ b);
            differences.fold(0, |all, one| all | one) == 0
        };
        // Every key is tried, for the same reason.
        let tried = std::iter::once(&self.own).chain(&self.known).map(is_of);
        tried.fold(false, |any, one| any | one)
    }
}

fn seal_with(key: &[u8; 32], job: JobId, hash: ChangeHash, device: Option<DeviceId>) -> Seal {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(job.0.as_bytes());
    hasher.update(&hash.0);
    if let Some(device) = device {
        hasher.update(device.0.as_bytes());
    }
    let mut seal = [0; 16];
    hasher.finalize_xof().fill(&mut seal);
    Seal(seal)
}

#[cfg(test)]
mod tests {
    use domain::id::uuid_v7;

    use super::*;

    #[test]
    fn s11_a_seal_holds_for_one_change_of_one_job_by_one_device() {
        let key = SealKey::new([7; 32]);
        let (job, other) = (JobId(uuid_v7(1, [1; 10])), JobId(uuid_v7(1, [2; 10])));
        let (hash, device) = (ChangeHash([3; 32]), Some(DeviceId(uuid_v7(1, [4; 10]))));
        let voucher = Voucher { device, seal: key.seal(job, hash, device) };

        assert!(key.verify(job, hash, &voucher));
        assert!(!key.verify(other, hash, &voucher));
        assert!(!key.verify(job, ChangeHash([4; 32]), &voucher));
        assert!(!key.verify(job, hash, &Voucher { device: None, ..voucher }));
        assert!(!SealKey::new([8; 32]).verify(job, hash, &voucher));
        assert!(
            SealKey::new([8; 32]).knowing([6; 32]).knowing([7; 32]).verify(job, hash, &voucher)
        );
        assert_ne!(SealKey::new([8; 32]).knowing([7; 32]).seal(job, hash, device), voucher.seal);
        let mut bent = voucher;
        bent.seal.0[15] ^= 1;
        assert!(!key.verify(job, hash, &bent));
    }
}
