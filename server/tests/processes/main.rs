//! Servers as processes of their own, killed under work.
mod failover;
mod kill;
mod live;
mod outage;
mod outbox;
mod world;
