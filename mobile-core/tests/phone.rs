//! The phone as a technician, a bad network and a dying battery use it.

#[path = "phone/compaction.rs"]
mod compaction;
#[path = "phone/crash.rs"]
mod crash;
#[path = "phone/damage.rs"]
mod damage;
#[path = "phone/day.rs"]
mod day;
#[path = "phone/kill_sweep.rs"]
mod kill_sweep;
#[path = "phone/link.rs"]
mod link;
#[path = "phone/world.rs"]
mod world;
