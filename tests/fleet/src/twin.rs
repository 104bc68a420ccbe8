//! The same script on phones whose clocks are set otherwise: whatever is judged is judged the same (S19).

use domain::hazard::{Finding, open};
use domain::id::{DeviceId, JobId};
use domain::job::Job;
use domain::pack::Pack;
use domain::punctuality::{Circumstances, verdicts};
use domain::stamp::{Anchor, Interval, Stamp};
use domain::status::standing;
use domain::visit::{Fact, Recorded};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bug::Bug;
use crate::check::hazards_found;
use crate::event::Event;
use crate::homes;
use crate::run::live;
use crate::script::Script;
use crate::world::{Broken, World, broken};

/// Of so many seeds one has a twin: it costs two more runs.
const EACH: u64 = 32;

/// How many hours off the clocks of a twin are: some hours, some days, a month, a year.
const OFF_HOURS: [i32; 4] = [-5, 49, -700, 9_000];

/// Whether a script has a twin.
pub fn has_twin(script: &Script) -> bool {
    script.seed % EACH == 5
}

/// Runs a script and its twin, and holds what they came to against each other.
///
/// Who forges bits, and what flips them, meets other bytes in a twin; those events are left out of both.
pub fn agree(script: &Script, bug: Option<Bug>) -> Result<(), Broken> {
    let meets_bytes = |it: &Event| matches!(it, Event::Hostile { .. } | Event::Flip { .. });
    let one = script.keeping(|at| !meets_bytes(&script.events[at]));
    let drawn = usize::try_from(script.seed / EACH).unwrap_or(0);
    let off_hours = OFF_HOURS[drawn % OFF_HOURS.len()];
    let other = Script { off_hours, ..one.clone() };
    let (one, other) = (outcome(&live(&one, bug)?), outcome(&live(&other, bug)?));
    let missing = "nothing".to_owned();
    let line = |lines: &[String], at: usize| lines.get(at).unwrap_or(&missing).clone();
    let mut lines = 0..one.len().max(other.len());
    match lines.find(|at| one.get(*at) != other.get(*at)) {
        Some(at) => {
            let (one, other) = (line(&one, at), line(&other, at));
            Err(broken("S19", format!("with clocks {off_hours} h off, {one} becomes {other}")))
        }
        None => Ok(()),
    }
}

/// What a fleet came to, in lines, without the names of things and what clocks claimed.
fn outcome(world: &World) -> Vec<String> {
    let pack = homes::pack();
    let mut lines = Vec::new();
    for id in &world.jobs {
        match world.hall.job(*id) {
            Ok(job) => lines.extend(came_to(world, &job, pack)),
            Err(_) => lines.push(format!("{id} is not known")),
        }
    }
    let mut apart: Vec<String> =
        world.hall.quarantine().map(|(_, it)| format!("{} apart: {}", it.job, it.reason)).collect();
    apart.sort();
    lines.extend(apart);
    for (at, phone) in world.phones.iter().enumerate() {
        let running = phone.running.as_ref();
        let held: Vec<JobId> =
            running.map(|it| it.device().jobs().map(|job| job.id).collect()).unwrap_or_default();
        let recorded = world.oracle.recorded.values().filter(|it| it.phone == at);
        lines.push(format!("phone {at} saved {} and holds {held:?}", recorded.count()));
    }
    lines
}

/// Where a job stands, how its promises turned out, and what was recorded when.
fn came_to(world: &World, job: &Job, pack: &Pack) -> Vec<String> {
    let placed = |device: DeviceId, stamp: &Stamp| place(world, job, pack, (device, stamp));
    let whenever = Interval { earliest: job.created_at, latest: world.now() };
    let times = |stamp: &Stamp| {
        let mut visits = job.visits.values();
        let made = visits.find(|it| it.facts.values().any(|fact| fact.stamp == *stamp));
        made.map_or(whenever, |visit| placed(visit.device, stamp))
    };
    let stands = standing(job);
    let clashes: Vec<Value> = stands.clashes.iter().map(|it| json!(it)["clash"].clone()).collect();
    let mut lines = vec![format!(
        "{} is {} with {:?}, clashes {clashes:?}, hazards open {}",
        job.id,
        stands.status.key(),
        stands.technician,
        hazards_open(world, job, pack),
    )];
    let known = Circumstances { times: &times, now: world.now(), heard_until: None, pack };
    let judged = verdicts(job, &known);
    lines.extend(judged.iter().map(|it| format!("{}: arrival {:?}", job.id, it.punctuality)));
    let facts = job.visits.values().flat_map(|visit| {
        let said =
            |it: &Recorded| format!("{:?} {}", placed(visit.device, &it.stamp), said(job, it));
        visit.facts.values().map(said).collect::<Vec<_>>()
    });
    let mut facts: Vec<String> = facts.collect();
    facts.sort();
    lines.extend(facts);
    lines
}

/// When something was recorded, as the hall can know it.
fn place(world: &World, job: &Job, pack: &Pack, (device, stamp): (DeviceId, &Stamp)) -> Interval {
    if world.bug == Some(Bug::JudgedByPhoneClock) {
        return Interval::at(stamp.wall_at);
    }
    let heard = world.hall.heard(device);
    let anchors: Vec<Anchor> = heard.into_iter().flat_map(|it| it.anchors.clone()).collect();
    let bounds = Interval { earliest: job.created_at, latest: world.now() };
    stamp.resolve(&anchors, bounds, pack.time.drift_ppm)
}

fn hazards_open(world: &World, job: &Job, pack: &Pack) -> usize {
    let found = hazards_found(job).into_iter().filter_map(|(visit, fact)| {
        let recorded = &job.visits[&visit].facts[&fact];
        let Fact::HazardFound { item, level, text } = &recorded.fact else { return None };
        let at = place(world, job, pack, (job.visits[&visit].device, &recorded.stamp));
        let (item, text) = (item.clone(), text.clone());
        Some(Finding { id: (job.id, visit, fact), item, level: *level, text, at, pack })
    });
    let found: Vec<Finding<'_>> = found.collect();
    open(&found, &[], &world.entries).len()
}

/// What a fact says; things that phones gave ids to, other facts among them, are not named.
fn said(job: &Job, recorded: &Recorded) -> String {
    let known = json!(job.briefing).to_string();
    let mut said = json!(recorded.fact);
    unname(&known, &mut said);
    said.to_string()
}

fn unname(known: &str, value: &mut Value) {
    match value {
        Value::String(text) if Uuid::parse_str(text).is_ok() && !known.contains(text.as_str()) => {
            "an id".clone_into(text);
        }
        Value::Array(values) => values.iter_mut().for_each(|it| unname(known, it)),
        Value::Object(fields) => fields.values_mut().for_each(|it| unname(known, it)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
