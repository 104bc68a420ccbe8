//! One set of queries for SQLite and PostgreSQL: a thin facade over the two native drivers.
//!
//! A query function takes a [`C`], binds native Rust values to `$1, $2, …` and reads rows into
//! `#[derive(sqlx::FromRow)]` structs; the compiler checks every value against both drivers.
//!
//! ```no_run
//! # use domain::id::{HallId, UserId};
//! # use server::db::{Db, halls, users};
//! # async fn run(db: Db, hall: HallId, user: UserId) -> sqlx::Result<()> {
//! let mut tx = db.begin().await?;
//! let first = halls::take_positions(tx.c(), hall, 3).await?;
//! tx.commit().await?;
//! let user = users::find_user(db.read().await?.c(), user).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Each file `db/<resource>.rs` holds the statements of one resource inside `statements!`,
//! which is also what enters them into the test that prepares every statement on each engine.
//! What differs at run time and is not caught there: `sum` needs `cast(… as bigint)`, and a bare
//! `1` is no `i64` on PostgreSQL.

pub mod actors;
pub mod anchors;
pub mod appliances;
pub mod applications;
pub mod audit;
pub mod calls;
pub mod cases;
pub mod cash;
pub mod changes;
pub mod contacts;
pub mod device_keys;
pub mod devices;
pub mod documents;
pub mod due;
pub mod enrolments;
pub mod erasure;
pub mod exports;
pub mod feed;
pub mod figures;
pub mod grants;
pub mod halls;
pub mod hazards;
pub mod hoses;
pub mod households;
pub mod imports;
pub mod jobs;
pub mod leaks;
pub mod ledger;
pub mod live_events;
pub mod login_attempts;
pub mod lone;
pub mod meter_changes;
pub mod meters;
pub mod notice_deliveries;
pub mod notices;
mod open;
pub mod outage_told;
pub mod outages;
pub mod packs;
pub mod person_files;
pub mod photos;
pub mod places;
pub mod projections;
pub mod push;
pub mod qualifications;
pub mod quarantine;
pub mod receipt_blocks;
pub mod receipts;
pub mod reminders;
mod router;
mod rows;
pub mod schema;
pub mod seal_keys;
pub mod second_factors;
pub mod sessions;
mod statements;
pub mod tables;
pub mod told;
pub mod tracking;
mod trouble;
pub mod twice;
pub mod upkeep;
pub mod users;
pub mod verdicts;
pub mod waiting;
pub mod webhooks;
pub mod work_cards;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{
    Arguments, Encode, FromRow, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, Transaction, Type,
};
use sqlx::{SqlSafeStr, SqlStr};
use tokio_stream::StreamExt as _;

pub use self::open::OpenDbError;
pub use self::router::Router;
pub use self::rows::{insert_rows, select_in};
pub(crate) use self::statements::statements;
pub use self::trouble::{Trouble, is_retryable, trouble};

/// What a query gives.
pub type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// A value that both drivers can bind.
pub trait Param<'q>:
    Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres>
{
}

impl<'q, T> Param<'q> for T where
    T: Encode<'q, Sqlite> + Type<Sqlite> + Encode<'q, Postgres> + Type<Postgres>
{
}

/// A row that both drivers can read.
pub trait FromDb:
    for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
    + for<'r> FromRow<'r, sqlx::postgres::PgRow>
    + Send
    + Unpin
{
}

impl<T> FromDb for T where
    T: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin
{
}

/// The database of a server.
#[derive(Clone, Debug)]
pub enum Db {
    /// One file; one connection writes, others only read.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that cannot write.
        reader: SqlitePool,
    },
    /// A PostgreSQL server, or several of which one takes writes.
    Pg(Router),
}

/// A transaction that writes; dropped without [`Tx::commit`] it never happened.
#[derive(Debug)]
pub enum Tx {
    /// On the writing connection, begun `immediate`.
    Sqlite(Transaction<'static, Sqlite>),
    /// On any connection of the pool.
    Pg(Transaction<'static, Postgres>, PgPool),
}

/// A connection to read with.
#[derive(Debug)]
pub enum Conn {
    /// One that cannot write.
    Sqlite(PoolConnection<Sqlite>),
    /// Any of the pool.
    Pg(PoolConnection<Postgres>, PgPool),
}

/// A borrowed connection or transaction: what query functions take.
#[derive(Debug)]
pub enum C<'c> {
    /// To SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// To PostgreSQL. A statement is given up when its pool is left: a server that hangs never answers.
    Pg(&'c mut PgConnection, Option<&'c PgPool>),
}

impl Db {
    /// Takes a connection to read with.
    pub async fn read(&self) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite { reader, .. } => Conn::Sqlite(reader.acquire().await?),
            Self::Pg(router) => router.conn().await?,
        })
    }

    /// Begins a transaction that writes; on SQLite the others wait for it.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("begin immediate").await?),
            Self::Pg(router) => router.begin().await?,
        })
    }

    /// How many connections are open, and how many of them nobody uses just now.
    pub async fn connections(&self) -> Result<(i64, i64)> {
        let count = |size: u32, idle: usize| (i64::from(size), i64::try_from(idle).unwrap_or(0));
        Ok(match self {
            Self::Sqlite { writer, reader } => {
                count(writer.size() + reader.size(), writer.num_idle() + reader.num_idle())
            }
            Self::Pg(router) => {
                let pool = router.pool().await?;
                count(pool.size(), pool.num_idle())
            }
        })
    }

    /// Waits until the connections are closed; on SQLite this also folds the log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Pg(router) => router.close().await,
        }
    }
}

impl Tx {
    /// Borrows the transaction for one query function.
    pub fn c(&mut self) -> C<'_> {
        match self {
            Self::Sqlite(tx) => C::Sqlite(tx),
            Self::Pg(tx, pool) => C::Pg(tx, Some(pool)),
        }
    }

    /// Makes everything done in it durable; returns when it is.
    ///
    /// Fails with [`Trouble::Unconfirmed`] when the server went away meanwhile: it may have happened or not.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Pg(_, pool) if pool.is_closed() => Err(sqlx::Error::PoolClosed),
            Self::Pg(tx, pool) => {
                router::until_left(Some(&pool), tx.commit()).await.map_err(trouble::unconfirmed)
            }
        }
    }
}

impl Conn {
    /// Borrows the connection for one query function.
    pub fn c(&mut self) -> C<'_> {
        match self {
            Self::Sqlite(conn) => C::Sqlite(conn),
            Self::Pg(conn, pool) => C::Pg(conn, Some(pool)),
        }
    }
}

impl<'c> C<'c> {
    /// Lends it on, for a function that runs several statements.
    pub fn lend(&mut self) -> C<'_> {
        match self {
            Self::Sqlite(conn) => C::Sqlite(conn),
            Self::Pg(conn, pool) => C::Pg(conn, *pool),
        }
    }

    /// Begins a statement.
    pub fn q(self, sql: impl SqlSafeStr) -> Query<'c> {
        let args = match &self {
            Self::Sqlite(_) => Args::Sqlite(SqliteArguments::default()),
            Self::Pg(..) => Args::Pg(PgArguments::default()),
        };
        Query { c: self, sql: sql.into_sql_str(), args, failed: None }
    }
}

#[derive(Debug)]
enum Args {
    Sqlite(SqliteArguments),
    Pg(PgArguments),
}

/// A statement that is being given its values.
#[derive(Debug)]
#[must_use = "a statement runs when one of its last methods is awaited"]
pub struct Query<'c> {
    c: C<'c>,
    sql: SqlStr,
    args: Args,
    failed: Option<sqlx::Error>,
}

/// Runs `$run` with the driver's own query; `$conn` is the driver's own connection.
macro_rules! run {
    ($query:expr, $q:ident, $conn:ident => $run:expr) => {{
        let query = $query;
        if let Some(error) = query.failed {
            return Err(error);
        }
        match (query.c, query.args) {
            (C::Sqlite($conn), Args::Sqlite(args)) => {
                let $q = sqlx::query_with(query.sql, args);
                $run
            }
            (C::Pg($conn, pool), Args::Pg(args)) => {
                let $q = sqlx::query_with(query.sql, args);
                router::until_left(pool, async { $run }).await
            }
            _ => unreachable!("a statement keeps the engine it began on"),
        }
    }};
}

impl Query<'_> {
    /// Gives the next placeholder its value.
    pub fn bind<'q, T: Param<'q>>(mut self, value: T) -> Self {
        let added = match &mut self.args {
            Args::Sqlite(args) => args.add(value),
            Args::Pg(args) => args.add(value),
        };
        if let Err(error) = added {
            self.failed.get_or_insert(sqlx::Error::Encode(error));
        }
        self
    }

    /// Runs it; returns how many rows it wrote.
    pub async fn execute(self) -> Result<u64> {
        run!(self, q, conn => Ok(q.execute(conn).await?.rows_affected()))
    }

    /// Reads every row.
    pub async fn all<T: FromDb>(self) -> Result<Vec<T>> {
        run!(self, q, conn => q.fetch_all(conn).await?.iter().map(T::from_row).collect())
    }

    /// Reads every row and hands each on before the next is read.
    pub async fn each<T: FromDb>(self, mut take: impl FnMut(T) -> Result<()>) -> Result<()> {
        run!(self, q, conn => {
            let mut rows = q.fetch(conn);
            while let Some(row) = rows.next().await {
                take(T::from_row(&row?)?)?;
            }
            Ok(())
        })
    }

    /// Reads the row if there is one.
    pub async fn opt<T: FromDb>(self) -> Result<Option<T>> {
        run!(self, q, conn => q.fetch_optional(conn).await?.as_ref().map(T::from_row).transpose())
    }

    /// Reads the one row.
    pub async fn one<T: FromDb>(self) -> Result<T> {
        self.opt().await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Reads the one column of the one row.
    pub async fn scalar<T>(self) -> Result<T>
    where
        (T,): FromDb,
    {
        Ok(self.one::<(T,)>().await?.0)
    }
}

/// What a stored value that cannot be is reported as.
pub(crate) fn decode(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// Whether a row with this key is there already.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether there is no room left to write; nothing of the transaction was kept.
pub fn is_full(error: &sqlx::Error) -> bool {
    let is_io =
        matches!(error, sqlx::Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull);
    is_io || sqlite_code(error) == Some(13) || has_code(error, "53100")
}

/// Whether the disk takes no writes or answers with errors.
pub fn is_refused_by_disk(error: &sqlx::Error) -> bool {
    matches!(sqlite_code(error), Some(8 | 10 | 14)) || has_code(error, "58030")
}

/// Whether what is on disk is no database, or a damaged one.
pub fn is_damaged(error: &sqlx::Error) -> bool {
    matches!(sqlite_code(error), Some(11 | 26)) || has_code(error, "XX001")
}

/// The primary result code of SQLite, without its extension.
fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?;
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    error.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|it| it == code)
}
