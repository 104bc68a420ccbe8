//! A rescue file: JSON that somebody hands in years later.

use mobile_core::phone::Rescue;
use pollster::block_on;

use crate::Inputs;

/// A rescue file that reads is read again as it was written.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(rescue) = serde_json::from_slice::<Rescue>(bytes) else { return };
    let written = serde_json::to_vec(&rescue).expect("a rescue file has string keys only");
    let again: Rescue = serde_json::from_slice(&written).expect("what was written reads");
    assert_eq!(again, rescue);
}

/// What a rescue file holds, in an order that does not depend on when it was written.
pub(crate) fn sorted(bytes: &[u8]) -> Vec<String> {
    let rescue: Rescue = serde_json::from_slice(bytes).expect("a phone writes rescue files");
    let changes = rescue.changes.into_iter().map(|change| change.chunk);
    let mut held: Vec<String> = changes.chain(rescue.unreadable).collect();
    held.sort();
    held
}

/// The rescue file of the scene's phone.
pub(crate) fn seeds() -> Inputs {
    let payloads: Vec<Vec<u8>> = crate::phone::story().iter().map(crate::phone::entry).collect();
    let mut phone = crate::phone::opened(&payloads);
    vec![("scene".to_owned(), block_on(phone.rescue()))]
}
