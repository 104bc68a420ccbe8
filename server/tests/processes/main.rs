//! Servers as processes of their own, killed under work.
mod failover;
mod fsync;
mod kill;
mod live;
mod migration;
mod outage;
mod outbox;
mod peers;
mod upgrade;
mod world;
