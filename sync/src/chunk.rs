//! The name of a change chunk, also of one that Automerge would not parse.

use automerge::ChangeHash;
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// Names a chunk: its Automerge hash when its checksum is right, else the SHA-256 of all of it.
///
/// Both ends name chunks by this alone, so a refusal reaches the change it is about even when
/// the bytes are no change, and no chunk can be sent under the name of another.
pub fn chunk_hash(bytes: &[u8]) -> ChangeHash {
    if let (Some(head), Some(body)) = (bytes.get(..8), bytes.get(8..)) {
        let hash: [u8; 32] = Sha256::digest(body).into();
        if head[..4] == MAGIC && head[4..] == hash[..4] {
            return ChangeHash(hash);
        }
    }
    ChangeHash(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use automerge::{ActorId, AutoCommit, ROOT, transaction::Transactable};

    use super::*;

    #[test]
    fn a_change_is_named_as_automerge_names_it() {
        let mut doc = AutoCommit::new().with_actor(ActorId::from(b"one"));
        doc.put(ROOT, "key", 1).unwrap();
        let change = doc.get_last_local_change().unwrap();

        assert_eq!(chunk_hash(change.raw_bytes()), change.hash());
    }

    #[test]
    fn s11_a_chunk_with_a_wrong_checksum_does_not_take_the_name_of_the_right_one() {
        let mut doc = AutoCommit::new().with_actor(ActorId::from(b"one"));
        doc.put(ROOT, "key", 1).unwrap();
        let change = doc.get_last_local_change().unwrap();
        for at in 0..8 {
            let mut bytes = change.raw_bytes().to_vec();
            bytes[at] ^= 1;
            assert_ne!(chunk_hash(&bytes), change.hash(), "byte {at}");
        }
    }

    #[test]
    fn whatever_has_bytes_has_a_name() {
        assert_ne!(chunk_hash(b""), chunk_hash(b"\x85\x6f\x4a\x83"));
    }
}
