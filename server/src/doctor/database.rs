//! The database: its schema, its durability, its clock, what waits in it, its backups.

use std::path::Path;

use super::{Finding, bad, ok, span, warn};
use crate::audit::chain::{self, ChainState};
use crate::config::{Config, without_password};
use crate::db::lone::Lone;
use crate::db::upkeep::{self, BackupRow, Queue};
use crate::db::{C, Db, OpenDbError, Result, halls, is_damaged, is_refused_by_disk, schema};
use crate::upkeep::CLOCK_SLACK_MS;

const HOUR_MS: i64 = 3_600_000;

/// What waits longer than this is told.
const LONG_MS: i64 = 24 * HOUR_MS;

const INSTALL: &str = "install the newer doorstep again, or restore a backup from before it";

pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let url = &config.database.0;
    let shown = without_password(url);
    let mut lone = match Lone::read(url, &config.database_hosts).await {
        Ok(lone) => lone,
        Err(OpenDbError::NoFile(file)) => {
            let advice = "run `doorstep init` or `doorstep import`, or name another database";
            return vec![bad(format!("there is no database at {file}"), advice)];
        }
        Err(error) => {
            let advice = "see whether it runs, and whether user and password are right";
            return vec![bad(format!("{shown} cannot be opened: {error}"), advice)];
        }
    };
    let mut findings = Vec::new();
    if let Err(error) = look(&mut lone, config, &mut findings).await {
        let advice = if is_damaged(&error) {
            "stop the server and restore the newest backup with `doorstep restore --replace`"
        } else if is_refused_by_disk(&error) {
            "it cannot be opened for writing: see that its disk is not read-only and belongs to the server's user"
        } else {
            "see the server's log and the disk"
        };
        findings.push(bad(format!("{shown} cannot be read: {error}"), advice));
    }
    findings
}

async fn look(lone: &mut Lone, config: &Config, findings: &mut Vec<Finding>) -> Result<()> {
    let (found, known) = (schema::find_version(lone.c()).await?, schema::known_version());
    findings.push(match found {
        _ if found > known => {
            bad(format!("the schema has version {found}, this doorstep knows {known}"), INSTALL)
        }
        _ if found < known => warn(
            format!("the schema has version {found}, this doorstep has {known}"),
            "run `doorstep migrate`, or start the server, which does it",
        ),
        _ => ok(format!("the schema has version {found}")),
    });
    findings.extend(durable(lone.c(), config).await?);
    if found != known {
        return Ok(());
    }
    let now_ms = config.clock.now_ms();
    findings.push(clock(upkeep::find_clock(lone.c()).await?, now_ms));
    let quarantine = upkeep::count_quarantine(lone.c()).await?;
    findings.push(queue(
        quarantine,
        "changes are kept apart",
        now_ms,
        "let a manager look at them",
    ));
    let waiting = upkeep::count_waiting(lone.c()).await?;
    let advice = "the phones that made what they build on have not been heard: let them sync";
    findings.push(queue(waiting, "changes wait for others", now_ms, advice));
    let phones = upkeep::count_pending_phones(lone.c()).await?;
    let advice = "find these phones and bring them to a network: what they hold is nowhere else";
    findings.push(queue(phones, "phones hold something alone", now_ms, advice));
    findings.push(audit(&chain::check(lone.c()).await?));
    let has_work = halls::list_halls(lone.c()).await?.iter().any(|it| it.next_position > 1);
    let latest = upkeep::find_latest_backup(lone.c()).await?;
    findings.push(backup(latest.as_ref(), has_work, config));
    Ok(())
}

/// Whether a commit waits for the disk, as the server's own connections are set.
async fn durable(mut c: C<'_>, config: &Config) -> Result<Vec<Finding>> {
    if let C::Sqlite(_) = c {
        let check: String = c.q("pragma quick_check(1)").scalar().await?;
        if check != "ok" {
            let advice = "stop the server and restore the newest backup";
            return Ok(vec![bad(format!("SQLite finds the file damaged: {check}"), advice)]);
        }
        return Ok(vec![ok("SQLite finds the file whole"), as_served(config).await]);
    }
    let mut findings = Vec::new();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let sql = "select setting from pg_settings where name = $1";
        let value: String = c.lend().q(sql).bind(setting).scalar().await?;
        findings.push(if value == "off" || (value == "local" && setting != "fsync") {
            let advice = format!("set {setting} = on: what was confirmed must be on disk");
            bad(format!("PostgreSQL has {setting} = {value}"), advice)
        } else {
            ok(format!("PostgreSQL has {setting} = {value}"))
        });
    }
    let differs: i64 =
        c.q("select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)").scalar().await?;
    let differs = differs - config.clock.now_ms();
    findings.push(if differs.abs() > 5_000 {
        let advice = "set both machines' clocks by NTP";
        bad(format!("the database's clock differs by {differs} ms"), advice)
    } else {
        ok("the database's clock agrees")
    });
    Ok(findings)
}

/// Opens the file as the server does and asks it how it would commit; an older schema is left as it is.
async fn as_served(config: &Config) -> Finding {
    let asked = async {
        let db = Db::open_as_it_is(&config.database.0).await?;
        let mut tx = db.begin().await?;
        let mode: String = tx.c().q("pragma journal_mode").scalar().await?;
        let synchronous: i64 = tx.c().q("pragma synchronous").scalar().await?;
        drop(tx);
        db.close().await;
        Ok::<_, OpenDbError>((mode, synchronous))
    };
    match asked.await {
        Ok((mode, 2..)) if mode == "wal" => ok("commits wait for the disk (WAL, synchronous FULL)"),
        Ok((mode, level)) => bad(
            format!("SQLite commits with journal {mode} and synchronous {level}"),
            "put the database on a local disk: WAL with synchronous FULL does not work here",
        ),
        Err(error) => bad(
            format!("the database cannot be opened for writing: {error}"),
            "make the file and its folder writable for the server's user",
        ),
    }
}

fn clock(known: Option<i64>, now_ms: i64) -> Finding {
    let Some(behind) = known.map(|known| known - now_ms) else {
        return warn("no server has noted the time yet", "start the server once");
    };
    if behind > CLOCK_SLACK_MS {
        bad(
            format!(
                "this machine's clock is {} behind the time that the database knows",
                span(behind)
            ),
            "set the clock by NTP before the server is started: facts would get wrong times",
        )
    } else {
        ok("the clock goes on from the time that the database knows")
    }
}

/// Whether what was entered is what was sealed (check 60).
fn audit(state: &ChainState) -> Finding {
    let (first, last) = (state.first_number, state.last_number);
    match &state.broken {
        None if last < first => ok("the audit trail has no entries yet"),
        None => {
            ok(format!("the audit trail is whole, entries {first} to {last}, head {}", state.head))
        }
        Some(it) => bad(
            format!("the audit trail does not hold: entry {} is {}", it.number, it.how),
            "somebody changed it past the server: keep this database aside, and compare it with the newest backups",
        ),
    }
}

fn queue(queue: Queue, what: &str, now_ms: i64, advice: &str) -> Finding {
    let age = queue.oldest_at.map_or(0, |oldest| now_ms - oldest);
    match queue.count {
        0 => ok(format!("0 {what}")),
        count if age > LONG_MS => {
            warn(format!("{count} {what}, the oldest for {}", span(age)), advice)
        }
        count => ok(format!("{count} {what}, the oldest for {}", span(age))),
    }
}

fn backup(latest: Option<&BackupRow>, has_work: bool, config: &Config) -> Finding {
    let advice = "run `doorstep backup --to <folder>`, and every day from now on";
    let Some(latest) = latest else {
        let says = "there is no verified backup";
        return if has_work { bad(says, advice) } else { ok(format!("{says}, and no work yet")) };
    };
    let age = config.clock.now_ms() - latest.made_at;
    if age > i64::from(config.backup_hours) * HOUR_MS {
        return bad(format!("the newest verified backup is {} old", span(age)), advice);
    }
    if !Path::new(&latest.folder).exists() {
        return warn(
            format!("the newest backup is not at {} on this machine", latest.folder),
            "see that it is kept elsewhere: phones forget what it covers",
        );
    }
    ok(format!("the newest verified backup is {} old", span(age)))
}
