//! One run of a script: events, healing, and the account of both.

use chrono::TimeDelta;
use mobile_core::log::memory::Stop;
use sync::chunk::chunk_hash;
use sync::message::Request;

use crate::bug::Bug;
use crate::check;
use crate::dice::Dice;
use crate::event::{Event, Fate, Trick};
use crate::script::Script;
use crate::twin;
use crate::world::{Broken, Done, World, broken};

/// The most rounds in which a healed fleet comes to rest (L1).
const PEACE: usize = 4;

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The promise that broke, and at which event; healing counts as the one after the last.
    pub broken: Option<(usize, Broken)>,
    /// The same seed gives the same hash.
    pub trace: String,
    /// What happened, a line an event.
    pub story: Vec<String>,
    /// How many facts and messages were saved.
    pub saved: usize,
    /// How many events were faults.
    pub faults: usize,
    /// How much time passed in the fleet, in milliseconds, for each of its phones.
    pub lived_ms: i64,
}

/// Runs a script, with a bug planted or none.
pub fn run(script: &Script, bug: Option<Bug>) -> Ran {
    let mut story = Vec::new();
    let mut hasher = blake3::Hasher::new();
    let mut ran = Ran {
        broken: None,
        trace: String::new(),
        story: Vec::new(),
        saved: 0,
        faults: 0,
        lived_ms: 0,
    };
    let mut world = match World::new(script, bug) {
        Ok(world) => world,
        Err(broken) => return Ran { broken: Some((0, broken)), ..ran },
    };
    let began = world.now();
    for (at, event) in script.events.iter().enumerate() {
        let done = world.happen(*event);
        let line = tell(&world, *event, &done);
        hasher.update(line.as_bytes());
        story.push(line);
        ran.faults += usize::from(is_fault(*event));
        if let Err(broken) = done {
            ran.broken = Some((at, broken));
            break;
        }
    }
    if ran.broken.is_none() {
        let healed =
            heal(&mut world).and_then(|()| check::at_rest(&world, &mut Dice::new(script.seed)));
        let agreed = healed
            .and_then(|()| if twin::has_twin(script) { twin::agree(script, bug) } else { Ok(()) });
        ran.broken = agreed.err().map(|broken| (script.events.len(), broken));
    }
    for job in world.hall.jobs() {
        hasher.update(format!("{job} {:?}", world.hall.heads(job)).as_bytes());
    }
    hasher.finalize().to_hex()[..16].clone_into(&mut ran.trace);
    ran.story = story;
    ran.saved = world.oracle.recorded.len();
    ran.lived_ms = (world.now() - began).num_milliseconds() * i64::from(script.phones);
    ran
}

/// A fleet once a script was over and all met in peace.
pub fn live(script: &Script, bug: Option<Bug>) -> Result<World, Broken> {
    let mut world = World::new(script, bug)?;
    for event in &script.events {
        world.happen(*event)?;
    }
    heal(&mut world)?;
    Ok(world)
}

/// Lets every fault end and everybody meet the hall, until nothing is left to say (L1, L2).
fn heal(world: &mut World) -> Result<(), Broken> {
    for at in 0..world.phones.len() {
        world.phones[at].skew = world.off(at);
        world.restart(at, Stop::Kill)?;
    }
    for _ in 0..PEACE {
        for at in 0..world.phones.len() {
            world.pass(TimeDelta::minutes(1));
            world.sync(at, Fate::Good)?;
        }
    }
    for at in 0..world.phones.len() {
        world.sync(at, Fate::Good)?;
        let rounds = world.last_rounds;
        if rounds > 1 {
            let what = format!("phone {at} still talks when all is said: {rounds} rounds");
            return Err(broken("L2", what));
        }
    }
    Ok(())
}

/// Sends the hall something made up; whatever it is, nothing else may change (S15, S17).
///
/// Who is hostile sees what the hall gave out; nobody sees what a phone has not sent, or changes it on its way.
pub fn hostile(world: &mut World, at: usize, trick: Trick, place: u32) -> Done {
    let Some(phone) = world.phones[at].running.as_ref() else {
        return Ok("there is no request to see".to_owned());
    };
    let session = mobile_core::phone::Session::default();
    let place = place as usize;
    let Some((forged, offered)) = world.seen_change(trick, place) else {
        return Ok("there is nothing to forge".to_owned());
    };
    let Ok(mut request) = Request::decode(&phone.offer(&session).bytes) else {
        return Err(broken("S17", "a phone's own request cannot be read"));
    };
    request.changes = vec![offered];
    let mut bytes = request.encode();
    match trick {
        Trick::FlipBit => {
            let length = bytes.len();
            bytes[place % length] ^= 1 << (place % 8);
        }
        Trick::Cut => bytes.truncate(place % bytes.len()),
        Trick::ForgeChange | Trick::OtherJob | Trick::Steal => {}
    }
    world.note_forged(forged);
    let before = world.hall.position();
    let (writer, now) = (world.phones[at].writer, world.now());
    let answered = world.hall.exchange(writer, &bytes, now);
    if answered.is_err() && world.hall.position() != before {
        return Err(broken("S17", "a refused request changed the hall"));
    }
    check::acks(world)?;
    Ok(if answered.is_ok() { "answered" } else { "refused" }.to_owned())
}

/// Flips a bit of a change's body and makes its checksum right again.
pub fn forge(change: &mut [u8], place: usize) {
    const HEADER: usize = 9;
    if change.len() <= HEADER + 2 {
        return;
    }
    let at = HEADER + 1 + place % (change.len() - HEADER - 1);
    change[at] ^= 1 << (place % 8);
    let hash = chunk_hash(change);
    change[4..8].copy_from_slice(&hash.0[..4]);
}

fn is_fault(event: Event) -> bool {
    match event {
        Event::Act { .. }
        | Event::Pass { .. }
        | Event::NewJob { .. }
        | Event::Assign { .. }
        | Event::Instruct { .. }
        | Event::Cancel { .. }
        | Event::BackUp
        | Event::Snapshots
        | Event::CopyStore { .. }
        | Event::Release
        | Event::Clear { .. }
        | Event::Sync { fate: Fate::Good | Fate::OneRound, .. } => false,
        Event::Sync { .. }
        | Event::Stop { .. }
        | Event::StopSoon { .. }
        | Event::Full { .. }
        | Event::FlushFails { .. }
        | Event::Evict { .. }
        | Event::FallBack { .. }
        | Event::Clone { .. }
        | Event::Flip { .. }
        | Event::SecondTab { .. }
        | Event::SetClock { .. }
        | Event::Restore
        | Event::Upgrade { .. }
        | Event::Wipe { .. }
        | Event::ShutOut { .. }
        | Event::Hostile { .. } => true,
    }
}

fn tell(world: &World, event: Event, done: &Done) -> String {
    let at = world.now().format("%m-%d %H:%M:%S");
    match done {
        Ok(what) => format!("{at}  {event:?}: {what}"),
        Err(broken) => format!("{at}  {event:?}: {} IS BROKEN: {}", broken.rule, broken.what),
    }
}
