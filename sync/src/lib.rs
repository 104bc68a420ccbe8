//! The job document, who may change what in it, and the two halves of the protocol.
//!
//! # What this is
//!
//! A job lives in one Automerge document. A phone holds the documents of its technician's jobs
//! and writes in them without a network; the hall holds all of them and decides what is let in.
//! This crate is everything that both sides must agree on: how a job is written and read
//! ([`document`]), what foreign bytes have to pass before Automerge sees them ([`preflight`]), what
//! a technician may do ([`authority`]), what travels ([`message`]), and what each side does with
//! it ([`device`], [`hub`]).
//!
//! # What it is not
//!
//! There is no IO here, no clock and no chance: they come in as arguments, so a whole fleet runs
//! in one thread and the same input gives the same output everywhere. There are no rules of the
//! trade either; those are `domain`'s.
//!
//! It is not Automerge's own sync protocol. That one is a conversation for each document, assumes
//! that no message is lost, and shows the hall no single change that it could refuse. Here the
//! changes themselves travel, whole and named by their hashes, in an exchange that can be lost,
//! repeated and cut anywhere.
//!
//! # The exchange
//!
//! One round trip does everything, and doing it again does nothing.
//!
//! - A [`Request`](message::Request) says how far the phone has read and offers what the hall may
//!   not have.
//! - A [`Reply`](message::Reply) has a [`Verdict`](message::Verdict) for each change offered, what
//!   is new for this user, and the next cursor.
//!
//! Every commit of a hall has a *position*; a *cursor* is a position in an *epoch*. The epoch is
//! another one after the hall was restored from a backup. What was acknowledged in another epoch
//! may be forgotten, so the phone offers it again, with the hall's own [`seal`] on it; by that the
//! hall knows even its own plan again, on which facts build. A phone lets bytes go only below the
//! *safe* position, which a verified backup covers.
//!
//! # Three types to know
//!
//! [`Device`](device::Device) is the phone's half: a state made by replaying
//! [`Record`](device::Record)s. Making a fact and receiving a reply both return records; the
//! caller stores them durably and then replays them. Any first part of what a reply returns leaves
//! a phone that goes on well, so a crash in the middle needs no care.
//!
//! [`Judgement`](hub::Judgement) is the hall's half: what follows from an
//! [`Offer`](hub::Offer) on its [`Ground`](hub::Ground). The store loads the ground inside the
//! transaction that writes the judgement, gives positions in its order, and cuts the reply's
//! [`page`](hub::page) from its feed. A change is accepted, a duplicate, *waiting* for what it
//! builds on, or in *quarantine* with a reason; it is never dropped, and never holds up another.
//!
//! [`Hall`](hall::Hall) is a hall in memory on the same functions: the model that a stored hall is
//! compared with.
//!
//! # An example
//!
//! ```
//! use domain::id::{DeviceId, FactId, HallId, UserId, VisitId, uuid_v7};
//! use domain::stamp::{BootId, Stamp, Timestamp};
//! use domain::visit::{Fact, Recorded};
//! use sync::authority::Writer;
//! use sync::device::{Device, Enrolment, Moment, Record, Round};
//! use sync::document::{NewFact, Pen};
//! use sync::hall::Hall;
//! use sync::hub::hall_actor;
//! use sync::message::Epoch;
//! use sync::seal::SealKey;
//!
//! # let job: domain::job::Job = serde_json::from_str(include_str!("../tests/hostile/job.json"))?;
//! # let now = job.created_at;
//! # let (user, device) = (UserId(uuid_v7(1, [1; 10])), DeviceId(uuid_v7(1, [2; 10])));
//! // A hall gives a job to a technician.
//! let mut hall = Hall::new(Epoch([1; 16]), SealKey::new([2; 32]), hall_actor([3; 12]));
//! hall.create_job(&job, now)?;
//! hall.grant(job.id, user);
//!
//! // The phone knows who it is, and asks.
//! let boot = BootId(1);
//! let mut phone = Device::new();
//! phone.replay(&Record::Enrolled(Enrolment { device, user, hall: job.hall }));
//! let mut exchange = |phone: &mut Device, mono_ms: i64| -> Result<_, Box<dyn std::error::Error>> {
//!     let request = phone.request(Moment { boot, mono_ms }).encode();
//!     let reply = hall.exchange(Writer { user, device }, &request, now)?;
//!     let round = Round { boot, sent_ms: mono_ms, received_ms: mono_ms + 80, wall_at: now };
//!     for record in phone.receive(&reply, round)?.records {
//!         phone.replay(&record); // A real phone stores the record first.
//!     }
//!     Ok(())
//! };
//! exchange(&mut phone, 1_000)?;
//!
//! // At the door, without a network.
//! let pen = Pen { actor: b"drawn at random!".into(), at: now };
//! let stamp = Stamp { wall_at: now, boot, mono_ms: 9_000, anchor: phone.anchor() };
//! let fact = NewFact {
//!     visit: VisitId(uuid_v7(1, [4; 10])),
//!     opens: Some((user, device)),
//!     id: FactId(uuid_v7(1, [5; 10])),
//!     recorded: &Recorded { stamp, fact: Fact::SetOut },
//! };
//! let record = phone.make_fact(&pen, boot, job.id, &fact)?;
//! phone.replay(&record);
//! assert_eq!(phone.only_here(), 1);
//!
//! // At the next contact the hall takes it.
//! exchange(&mut phone, 20_000)?;
//! assert_eq!(phone.only_here(), 0);
//! assert_eq!(phone.job(job.id), Some(&hall.job(job.id)?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod authority;
pub mod chunk;
pub mod device;
pub mod document;
pub mod hall;
pub mod hub;
pub mod limits;
pub mod message;
pub mod preflight;
pub mod seal;
