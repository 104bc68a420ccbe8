//! The phone as a technician, a bad network and a dying battery use it.

#[cfg(test)]
#[path = "phone/compaction.rs"]
mod compaction;
#[cfg(test)]
#[path = "phone/crash.rs"]
mod crash;
#[cfg(test)]
#[path = "phone/damage.rs"]
mod damage;
#[cfg(test)]
#[path = "phone/day.rs"]
mod day;
#[cfg(test)]
#[path = "phone/jobs.rs"]
mod jobs;
#[cfg(test)]
#[path = "phone/kill_sweep.rs"]
mod kill_sweep;
#[cfg(test)]
#[path = "phone/link.rs"]
mod link;
#[cfg(test)]
#[path = "phone/photos.rs"]
mod photos;
#[cfg(test)]
#[path = "phone/receipts.rs"]
mod receipts;
#[cfg(test)]
#[path = "phone/reminders.rs"]
mod reminders;
#[cfg(test)]
#[path = "phone/script.rs"]
mod script;
#[cfg(test)]
#[path = "phone/world.rs"]
mod world;
