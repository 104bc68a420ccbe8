//! Slowing down guessers: tries are counted in the database before a password is looked at.

use std::net::IpAddr;

use crate::config::Config;
use crate::db::{Db, Tx, login_attempts};

/// How often somebody may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tries of one log-in, from anywhere.
    pub account: i64,
    /// Tries from one address; a whole hall may share it.
    pub address: i64,
    /// The span in which they are counted.
    pub window_ms: i64,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        Self {
            account: i64::from(config.login_tries_per_account),
            address: i64::from(config.login_tries_per_address),
            window_ms: i64::from(config.login_window_s) * 1000,
        }
    }
}

/// A try that was counted; who gets in takes it back.
#[derive(Debug)]
pub struct Try {
    account: String,
    address: String,
}

/// What counting a try gave.
#[derive(Debug)]
pub enum Counted {
    /// The password may be looked at.
    Go(Try),
    /// Too often: not before so many seconds.
    Wait(i64),
}

/// Counts a try, durably, so that a restart or another node forgets nothing.
pub async fn count(
    db: &Db,
    limits: Limits,
    login: &str,
    address: IpAddr,
    now_ms: i64,
) -> sqlx::Result<Counted> {
    let this = Try {
        // Nobody's log-in is longer; the rest of a longer one must not fill the table.
        account: format!("account:{}", login.chars().take(64).collect::<String>()),
        address: format!("ip:{address}"),
    };
    let over = now_ms - limits.window_ms;
    let mut tx = db.begin().await?;
    let account = login_attempts::count_try(tx.c(), &this.account, now_ms, over).await?;
    let from_there = login_attempts::count_try(tx.c(), &this.address, now_ms, over).await?;
    tx.commit().await?;
    let wait = [(account, limits.account), (from_there, limits.address)]
        .into_iter()
        .filter(|(counted, limit)| counted.tries > *limit)
        .map(|(counted, _)| counted.window_started_at + limits.window_ms - now_ms)
        .max();
    Ok(match wait {
        Some(wait_ms) => Counted::Wait(wait_ms.max(0) / 1000 + 1),
        None => Counted::Go(this),
    })
}

impl Try {
    /// Takes the try back in the transaction that lets somebody in, and tidies up.
    pub async fn succeed(&self, tx: &mut Tx, limits: Limits, now_ms: i64) -> sqlx::Result<()> {
        login_attempts::forget_tries(tx.c(), &self.account).await?;
        login_attempts::forgive_try(tx.c(), &self.address).await?;
        login_attempts::delete_old_tries(tx.c(), now_ms - limits.window_ms).await
    }
}
