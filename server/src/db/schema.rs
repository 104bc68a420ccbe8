//! The versions of the schema: which a database has, and which this program knows.

use sqlx::migrate::Migrator;

use super::lone::Lone;
use super::{C, OpenDbError, Result};

/// The migrations of SQLite.
pub(super) static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// The migrations of PostgreSQL; the same names.
pub(super) static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");

/// What SQLite says of its tables.
const HAS_VERSIONS_SQLITE: &str =
    "select count(*) from sqlite_schema where type = 'table' and name = '_sqlx_migrations'";

const HAS_VERSIONS_POSTGRES: &str = "select count(*) from information_schema.tables \
     where table_schema = current_schema() and table_name = '_sqlx_migrations'";

const FIND_VERSION: &str = "select coalesce(max(version), 0) from _sqlx_migrations where success";

/// The newest version that this program knows.
pub fn known_version() -> i64 {
    SQLITE.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The version that a database has; 0 when it has no tables.
pub async fn find_version(mut c: C<'_>) -> Result<i64> {
    let has_versions = match c {
        C::Sqlite(_) => HAS_VERSIONS_SQLITE,
        C::Pg(..) => HAS_VERSIONS_POSTGRES,
    };
    if c.lend().q(has_versions).scalar::<i64>().await? == 0 {
        return Ok(0);
    }
    c.q(FIND_VERSION).scalar().await
}

/// Refuses a database that a newer program has brought on.
pub(super) async fn refuse_newer(c: C<'_>) -> Result<(), OpenDbError> {
    let found = find_version(c).await?;
    let known = known_version();
    if found > known { Err(OpenDbError::NewerSchema { found, known }) } else { Ok(()) }
}

/// Brings a connection's database up to a version, or to the newest.
pub(crate) async fn migrate(lone: &mut Lone, target: Option<i64>) -> Result<(), OpenDbError> {
    match lone {
        Lone::Sqlite(conn) => SQLITE.run_direct(target, conn, false).await?,
        Lone::Pg(conn) => POSTGRES.run_direct(target, conn, false).await?,
    }
    Ok(())
}
