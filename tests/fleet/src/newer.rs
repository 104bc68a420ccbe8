//! Nodes of a newer release among phones of this one: what they wrote stays, and hides nothing (S18).

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, ObjType, ROOT, ReadDoc};
use domain::id::JobId;
use domain::job::Job;
use sync::chunk::chunk_hash;
use sync::document::{self, Pen};
use sync::hub::hall_actor;

use crate::bug::Bug;
use crate::world::{Broken, Done, World, broken};

/// The list of the plan that a newer release invented.
const LIST: &str = "foretold";

/// Whether a document has a shape that this release may only read.
pub fn is_newer(job: &Job) -> bool {
    job.schema > document::SCHEMA
}

/// A node of a newer release writes an entry that this one does not know; with `raises` it changes the shape as well.
pub fn upgrade(world: &mut World, id: JobId, raises: bool) -> Done {
    let Ok(before) = world.hall.job(id) else {
        return Ok("the hall does not know the job now".to_owned());
    };
    let number = world.next_number();
    let text = format!("what comes later, number {number}");
    let bytes = written(world, id, (&text, raises)).map_err(|what| broken("S18", what))?;
    let hash = chunk_hash(&bytes);
    world.hall.take_in(id, bytes).map_err(|error| broken("S18", error.to_string()))?;
    world.oracle.newer.push((id, hash, text));
    let after = world.hall.job(id).map_err(|error| {
        broken("S18", format!("{id} cannot be read beside what is newer: {error}"))
    })?;
    if (Job { schema: before.schema, ..after }) != before {
        return Err(broken("S18", format!("what is newer hides something of {id}")));
    }
    Ok(if raises { "it has a newer shape" } else { "it has a newer entry" }.to_owned())
}

/// The change as the newer node makes it.
fn written(world: &mut World, id: JobId, (text, raises): (&str, bool)) -> Result<Vec<u8>, String> {
    let mut random = [0xff; 12];
    random[..8].copy_from_slice(&world.next_number().to_be_bytes());
    let changes: Vec<_> = world.hall.changes(id).iter().map(|it| &it.bytes).collect();
    let doc = document::load(None, &changes).map_err(|error| error.to_string())?;
    let mut doc = doc.with_actor(hall_actor(random));
    let mut tx = doc.transaction();
    let mut write = || {
        let (_, plan) = tx.get(ROOT, "plan")?.unwrap_or((ObjType::Map.into(), ROOT));
        let list = match tx.get(&plan, LIST)? {
            Some((_, list)) => list,
            None => tx.put_object(&plan, LIST, ObjType::Map)?,
        };
        tx.put(&list, text, text)?;
        if raises {
            tx.put(ROOT, "schema", i64::from(document::SCHEMA) + 1)?;
        }
        Ok::<(), automerge::AutomergeError>(())
    };
    write().map_err(|error| error.to_string())?;
    tx.commit_with(CommitOptions::default().with_time(world.now().timestamp()));
    let made = doc.get_last_local_change().ok_or("nothing was written")?;
    Ok(made.raw_bytes().to_vec())
}

/// S18: nobody writes into a document of a newer shape.
pub fn act_is_allowed(
    world: &World,
    (at, id): (usize, JobId),
    is_saved: bool,
) -> Result<(), Broken> {
    let running = world.phones[at].running.as_ref();
    let job = running.and_then(|phone| phone.device().job(id));
    if is_saved && job.is_some_and(is_newer) {
        return Err(broken("S18", format!("phone {at} wrote into {id}, which is newer than it")));
    }
    Ok(())
}

/// S18: what a newer node wrote stands in the document and in a snapshot of it, word for word.
pub fn survives(world: &World, id: JobId) -> Result<(), Broken> {
    let newer = world.oracle.newer.iter();
    let there: Vec<&String> = newer
        .filter(|(job, hash, _)| *job == id && world.hall.position_of(*hash).is_some())
        .map(|(.., text)| text)
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    let changes: Vec<_> = world.hall.changes(id).iter().map(|it| it.bytes.clone()).collect();
    let loaded = document::load(None, &changes).map_err(|it| broken("S18", it.to_string()))?;
    let bytes = snapshot(world, id, (&loaded, &changes))?;
    let kept = Automerge::load(&bytes).map_err(|error| broken("S18", error.to_string()))?;
    for doc in [loaded, kept] {
        let json = document::json(&doc);
        if let Some(text) = there.iter().find(|text| json["plan"][LIST][text] != text.as_str()) {
            return Err(broken("S18", format!("{id} has lost \"{text}\" of a newer release")));
        }
    }
    Ok(())
}

fn snapshot(
    world: &World,
    id: JobId,
    (doc, changes): (&Automerge, &[Vec<u8>]),
) -> Result<Vec<u8>, Broken> {
    if world.bug == Some(Bug::SnapshotOfWhatIsKnown) {
        let job = world.hall.job(id).map_err(|error| broken("S18", error.to_string()))?;
        let pen = Pen { actor: hall_actor([0xee; 12]), at: world.now() };
        return document::create(&job, &pen).map_err(|error| broken("S18", error.to_string()));
    }
    document::snapshot(doc, changes).map_err(|error| broken("S18", error.to_string()))
}
