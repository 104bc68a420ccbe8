//! Phones and a hall, with everything between them that goes wrong.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "protocol/convergence.rs"]
mod convergence;
#[path = "protocol/device.rs"]
mod device;
#[path = "protocol/epoch.rs"]
mod epoch;
#[path = "protocol/feed.rs"]
mod feed;
#[path = "protocol/hall.rs"]
mod hall;
#[path = "protocol/impostor.rs"]
mod impostor;
#[path = "protocol/judged.rs"]
mod judged;
#[path = "protocol/order.rs"]
mod order;
#[path = "protocol/phone.rs"]
mod phone;
#[path = "protocol/receipts.rs"]
mod receipts;
#[path = "protocol/refusal.rs"]
mod refusal;
#[path = "protocol/rounds.rs"]
mod rounds;
#[path = "protocol/watermark.rs"]
mod watermark;
#[path = "protocol/world.rs"]
mod world;
