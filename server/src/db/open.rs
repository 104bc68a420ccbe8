//! Opening a database: pools with the options that durability needs, then its migrations.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use sqlx::Connection as _;
use sqlx::migrate::MigrateError;

use super::lone::sqlite_file;
use super::{C, Db, Router, is_damaged, is_full, is_refused_by_disk, schema};

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenDbError {
    /// A server is not named as it has to be.
    #[error("{0:?} names no database server: write `host:port`, such as `10.0.0.5:5432`")]
    WrongHost(String),
    /// The URL names neither engine.
    #[error("database URL must begin with `sqlite:` or `postgres:`")]
    UnknownEngine,
    /// A commit would not wait for the disk.
    #[error("SQLite reports synchronous = {0}, and less than FULL (2) may lose what was confirmed")]
    NotDurable(i64),
    /// There is nothing to read.
    #[error("there is no database at {0}: name another with --database or in the configuration")]
    NoFile(String),
    /// A newer program was here before.
    #[error(
        "the database has schema version {found} and this doorstep knows versions up to {known}: \
         install the newer doorstep again, or restore a backup from before it"
    )]
    NewerSchema {
        /// What the database has.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// The file is there and is no whole database.
    #[error(
        "{0} is damaged or no SQLite database: stop every server, keep a copy of it, \
         and restore the newest backup with `doorstep restore --replace`"
    )]
    Damaged(String),
    /// The file cannot be opened or written.
    #[error(
        "{0} cannot be opened for writing: see that its folder is there, is not mounted read-only, has room, and belongs to the server's user"
    )]
    Unwritable(String),
    /// What follows `postgres:` names no server; the URL itself may hold a password.
    #[error("database URL: {0}; write postgres://<user>:<password>@<host>:<port>/<database>")]
    BadUrl(#[source] sqlx::Error),
    /// What TLS is proven by is not there.
    #[error("{0} is named in the database URL for TLS and cannot be read: {1}")]
    NoCertificate(String, #[source] std::io::Error),
    /// A file has no hosts.
    #[error("database_hosts is for a database URL that begins with `postgres:`")]
    HostsOfFile,
    /// No server takes writes.
    #[error(
        "no PostgreSQL server takes writes: {0}; start it, or name each server that may be the primary in database_hosts"
    )]
    NoPrimary(String),
    /// The engine said no.
    #[error(transparent)]
    Engine(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
}

impl Db {
    /// Opens the database that the URL names and brings its schema up to date.
    ///
    /// `sqlite:<path>` is a file, made when it is missing; `postgres://…` is a server.
    pub async fn open(url: &str) -> Result<Self, OpenDbError> {
        Self::open_at(url, &[]).await
    }

    /// Opens an SQLite file as a server does, but leaves its schema as it is.
    pub(crate) async fn open_as_it_is(url: &str) -> Result<Self, OpenDbError> {
        let file = sqlite_file(url).ok_or(OpenDbError::UnknownEngine)?;
        open_sqlite(&file.display().to_string(), Schema::Leave).await
    }

    /// Opens a database that is on one of several PostgreSQL servers, named as `host:port`.
    ///
    /// They take the place of the URL's host. Without any this is [`Db::open`].
    pub async fn open_at(url: &str, hosts: &[String]) -> Result<Self, OpenDbError> {
        let hosts = hosts.iter().map(|it| host_and_port(it)).collect::<Result<Vec<_>, _>>()?;
        if let Some(path) = url.strip_prefix("sqlite:") {
            if !hosts.is_empty() {
                return Err(OpenDbError::HostsOfFile);
            }
            let path = path.strip_prefix("//").unwrap_or(path);
            open_sqlite(path, Schema::Migrate).await.map_err(|error| in_words(error, path))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            open_postgres(url, &hosts).await
        } else {
            Err(OpenDbError::UnknownEngine)
        }
    }
}

/// Says what a person can do about a file.
fn in_words(error: OpenDbError, path: &str) -> OpenDbError {
    let (OpenDbError::Engine(engine)
    | OpenDbError::Migrate(
        MigrateError::Execute(engine) | MigrateError::ExecuteMigration(engine, _),
    )) = &error
    else {
        return error;
    };
    if is_damaged(engine) {
        OpenDbError::Damaged(path.to_owned())
    } else if is_refused_by_disk(engine) || is_full(engine) {
        OpenDbError::Unwritable(path.to_owned())
    } else {
        error
    }
}

/// Whether the schema is brought up to date.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Schema {
    Migrate,
    Leave,
}

async fn open_sqlite(path: &str, schema: Schema) -> Result<Db, OpenDbError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "10000")
        // What was erased is overwritten, not only given free.
        .pragma("secure_delete", "ON");
    // One writer is the fair choice: several starve each other under `begin immediate`.
    let writer = SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // On a full disk SQLite itself ends a transaction, and the driver believes for ever that it goes on.
        .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }))
        .connect_with(options.clone())
        .await?;
    let mut conn = writer.acquire().await?;
    let synchronous = C::Sqlite(&mut conn).q("pragma synchronous").scalar::<i64>().await?;
    if synchronous < 2 {
        return Err(OpenDbError::NotDurable(synchronous));
    }
    drop(conn);
    // The driver locks nothing here, and two processes may open a new file at the same time.
    let mut tx = writer.begin_with("begin immediate").await?;
    schema::refuse_newer(C::Sqlite(&mut tx)).await?;
    if schema == Schema::Migrate {
        schema::SQLITE.run_direct(None, &mut *tx, false).await?;
    }
    tx.commit().await?;
    let reader = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options.create_if_missing(false).pragma("query_only", "ON"))
        .await?;
    Ok(Db::Sqlite { writer, reader })
}

pub(super) fn host_and_port(text: &str) -> Result<(String, u16), OpenDbError> {
    let wrong = || OpenDbError::WrongHost(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let is_name = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
    let is_host = !host.is_empty() && host.chars().all(is_name);
    if is_host { Ok((host.to_owned(), port)) } else { Err(wrong()) }
}

/// How a PostgreSQL server is reached.
pub(super) fn options(url: &str) -> Result<PgConnectOptions, OpenDbError> {
    url.parse().map_err(OpenDbError::BadUrl)
}

async fn open_postgres(url: &str, hosts: &[(String, u16)]) -> Result<Db, OpenDbError> {
    // From the sixth use on PostgreSQL may take a generic plan that sorts a whole hall.
    check_certificates(url)?;
    let options = options(url)?.options([("plan_cache_mode", "force_custom_plan")]);
    let router = Router::start(options, hosts).await.map_err(OpenDbError::NoPrimary)?;
    let pool = router.pool().await?;
    schema::refuse_newer(C::Pg(&mut *pool.acquire().await?, None)).await?;
    schema::POSTGRES.run(&pool).await?;
    Ok(Db::Pg(router))
}

/// The driver does not say which of the files that a URL names for TLS is missing.
fn check_certificates(url: &str) -> Result<(), OpenDbError> {
    let url = reqwest::Url::parse(url).ok();
    for (key, path) in url.iter().flat_map(reqwest::Url::query_pairs) {
        if matches!(&*key, "sslrootcert" | "sslcert" | "sslkey") {
            std::fs::File::open(&*path)
                .map_err(|error| OpenDbError::NoCertificate(path.into_owned(), error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::is_retryable;

    #[tokio::test]
    async fn a_committed_write_waits_for_the_disk_and_readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("hall.db").display());
        let db = Db::open(&url).await.unwrap();

        let mut tx = db.begin().await.unwrap();
        let mode = tx.c().q("pragma journal_mode").scalar::<String>().await.unwrap();
        let synchronous = tx.c().q("pragma synchronous").scalar::<i64>().await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = db.read().await.unwrap();
        let refused = conn.c().q("delete from hall").execute().await.unwrap_err();

        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
        assert!(refused.to_string().contains("readonly"), "{refused}");
        assert!(!is_retryable(&refused));
    }

    #[tokio::test]
    async fn a_url_of_another_engine_is_refused() {
        assert!(matches!(Db::open("mysql://x").await, Err(OpenDbError::UnknownEngine)));
    }

    #[tokio::test]
    async fn many_who_open_a_new_file_at_once_all_find_it_ready() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("hall.db").display());
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let url = url.clone();
            opening.spawn(async move { Db::open(&url).await });
        }

        for opened in opening.join_all().await {
            let db = opened.unwrap();
            let mut conn = db.read().await.unwrap();
            conn.c().q("select hall_id from hall").execute().await.unwrap();
        }
    }

    #[tokio::test]
    async fn hosts_and_urls_that_name_no_server_are_refused_in_words() {
        let url = "postgres://doorstep:canary@127.0.0.1/hall";
        for (url, hosts, why) in [
            (url, &["db1:5432", "db2:many"][..], "\"db2:many\" names no database server"),
            (url, &["db1:1,db2:2"], "names no database server"),
            (url, &["db1"], "write `host:port`"),
            ("postgres://canary@h1:1,h2:2/hall", &[], "write postgres://"),
            ("sqlite:hall.db", &["db1:5432"], "begins with `postgres:`"),
        ] {
            let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
            let refused = Db::open_at(url, &hosts).await.unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
