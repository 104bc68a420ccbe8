//! Bytes to a document and back, with nothing believed unchecked.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, AutomergeError, Change, ChangeHash, LoadChangeError, ReadDoc};

use super::value::json;

/// Why stored bytes are no document.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The snapshot does not load.
    #[error("snapshot: {0}")]
    Snapshot(#[source] Box<AutomergeError>),
    /// A change chunk does not parse.
    #[error("change {index}: {cause}")]
    Change {
        /// Its place in the list.
        index: usize,
        /// What Automerge says.
        #[source]
        cause: LoadChangeError,
    },
    /// A change chunk's checksum is not that of its content.
    #[error("change {0} does not match its checksum")]
    Checksum(usize),
    /// A change does not apply.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Why changes were not applied; the document they were meant for is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// They build on changes that are not there.
    #[error("{} dependencies are missing", .0.len())]
    Missing(Vec<ChangeHash>),
    /// Automerge refused.
    #[error(transparent)]
    Automerge(Box<AutomergeError>),
    /// Automerge panicked.
    #[error("automerge panicked")]
    Panicked,
}

/// Why a snapshot was not made: what it would load is not what the changes say.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The changes themselves do not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A different set of changes.
    #[error("snapshot holds other changes than the log")]
    OtherChanges,
    /// The same changes, but another content.
    #[error("snapshot reads differently from the log")]
    OtherContent,
}

/// Loads a document from a snapshot, raw changes in any order, or both.
///
/// For bytes that this side stored or that the server sent; a device's bytes go through
/// [`crate::preflight::inspect`] first.
pub fn load<B: AsRef<[u8]>>(
    snapshot: Option<&[u8]>,
    changes: &[B],
) -> Result<Automerge, LoadError> {
    let doc = match snapshot {
        Some(bytes) => match catch_unwind(|| Automerge::load(bytes)) {
            Ok(loaded) => loaded.map_err(|error| LoadError::Snapshot(Box::new(error)))?,
            Err(_) => return Err(ApplyError::Panicked.into()),
        },
        None => Automerge::new(),
    };
    if changes.is_empty() {
        return Ok(doc);
    }
    let changes = parse_all(changes)?;
    Ok(apply_to(doc, changes)?)
}

/// Applies changes to a copy of `doc`; all of them or none.
///
/// Automerge 0.12 can panic on changes it accepted as well-formed. The copy is thrown away when
/// it does, so nothing half-done is ever seen. On targets that abort on panic (WebAssembly) there
/// is nothing to catch; only the server's own changes are applied there.
pub fn apply(doc: &Automerge, changes: &[Change]) -> Result<Automerge, ApplyError> {
    apply_to(doc.clone(), changes.to_vec())
}

fn apply_to(mut doc: Automerge, changes: Vec<Change>) -> Result<Automerge, ApplyError> {
    // Unwind safety: `doc` is owned here and dropped with everything else after a panic.
    let applied = catch_unwind(AssertUnwindSafe(move || {
        doc.apply_changes(changes)?;
        Ok(doc)
    }));
    let doc = match applied {
        Ok(done) => done.map_err(|error: AutomergeError| ApplyError::Automerge(Box::new(error)))?,
        Err(_) => return Err(ApplyError::Panicked),
    };
    let missing = doc.get_missing_deps(&[]);
    if missing.is_empty() { Ok(doc) } else { Err(ApplyError::Missing(missing)) }
}

/// Saves `doc`, whose raw changes are `changes`, when loading the result agrees with replaying them.
///
/// Raw changes are the truth and a snapshot only a cache, so a snapshot that reads differently
/// in any way is refused.
pub fn snapshot<B: AsRef<[u8]>>(doc: &Automerge, changes: &[B]) -> Result<Vec<u8>, SnapshotError> {
    let bytes = doc.save();
    let loaded = load::<B>(Some(&bytes), &[])?;
    let replayed = load(None, changes)?;
    if hashes(&loaded) != hashes(&replayed) || loaded.get_heads() != replayed.get_heads() {
        return Err(SnapshotError::OtherChanges);
    }
    if json(&loaded) != json(&replayed) {
        return Err(SnapshotError::OtherContent);
    }
    Ok(bytes)
}

/// Automerge computed these from the operations when it loaded them.
fn hashes(doc: &Automerge) -> BTreeSet<ChangeHash> {
    doc.get_changes_meta(&[]).iter().map(|change| change.hash).collect()
}

fn parse_all<B: AsRef<[u8]>>(changes: &[B]) -> Result<Vec<Change>, LoadError> {
    changes.iter().enumerate().map(|(index, bytes)| parse(index, bytes.as_ref())).collect()
}

fn parse(index: usize, bytes: &[u8]) -> Result<Change, LoadError> {
    let change =
        Change::from_bytes(bytes.to_vec()).map_err(|cause| LoadError::Change { index, cause })?;
    // Automerge computes the hash but does not compare it with the chunk's own checksum.
    if bytes.get(4..8) == Some(&change.hash().0[..4]) {
        Ok(change)
    } else {
        Err(LoadError::Checksum(index))
    }
}
