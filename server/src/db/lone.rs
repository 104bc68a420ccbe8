//! One connection of its own, beside the pools: for backups, restores and looking without changing.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::open::{host_and_port, options};
use super::{C, OpenDbError, Result};

/// A connection that nobody shares; the schema stays as it is.
#[derive(Debug)]
pub enum Lone {
    /// To an SQLite file.
    Sqlite(SqliteConnection),
    /// To a PostgreSQL server.
    Pg(PgConnection),
}

/// The file of an SQLite URL; `None` for a server's.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    Some(Path::new(path.strip_prefix("//").unwrap_or(path)))
}

impl Lone {
    /// Connects to a database that is there, to read it.
    pub async fn read(url: &str, hosts: &[String]) -> Result<Self, OpenDbError> {
        if let Some(file) = sqlite_file(url) {
            if !file.exists() {
                return Err(OpenDbError::NoFile(file.display().to_string()));
            }
            let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
            let options = options.pragma("query_only", "ON");
            return Ok(Self::Sqlite(options.connect().await?));
        }
        Self::server(url, hosts).await
    }

    /// Makes a new SQLite file; what is loaded into it is checked afterwards, so keys are not looked up row by row.
    pub(crate) async fn make_file(file: &Path) -> Result<Self, OpenDbError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false);
        Ok(Self::Sqlite(options.connect().await?))
    }

    /// Connects to a PostgreSQL server, or to the one of several that takes writes.
    pub(crate) async fn server(url: &str, hosts: &[String]) -> Result<Self, OpenDbError> {
        if !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
            return Err(OpenDbError::UnknownEngine);
        }
        let options = options(url)?;
        if hosts.is_empty() {
            return Ok(Self::Pg(options.connect().await?));
        }
        let mut failed = sqlx::Error::PoolTimedOut;
        for host in hosts {
            let (host, port) = host_and_port(host)?;
            match options.clone().host(&host).port(port).connect().await {
                Ok(mut conn) => {
                    let follows = C::Pg(&mut conn, None).q("select pg_is_in_recovery()");
                    if !follows.scalar::<bool>().await? {
                        return Ok(Self::Pg(conn));
                    }
                }
                Err(error) => failed = error,
            }
        }
        Err(failed.into())
    }

    /// Borrows the connection for one query function.
    pub fn c(&mut self) -> C<'_> {
        match self {
            Self::Sqlite(conn) => C::Sqlite(conn),
            Self::Pg(conn) => C::Pg(conn, None),
        }
    }

    /// Begins to read as the database is at this moment, whatever others write meanwhile.
    pub async fn begin_snapshot(&mut self) -> Result<()> {
        let begin = match self {
            Self::Sqlite(_) => "begin",
            Self::Pg(_) => "begin isolation level repeatable read, read only",
        };
        self.c().q(begin).execute().await.map(drop)
    }

    /// Begins to write.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.c().q("begin").execute().await.map(drop)
    }

    /// Makes everything since the beginning durable.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.c().q("commit").execute().await.map(drop)
    }

    /// Closes the connection.
    pub async fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Pg(conn) => conn.close().await,
        }
    }
}
