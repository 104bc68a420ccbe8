//! Every table as it is, whatever it holds: what backups are written from and restored through.
//!
//! Values travel in four kinds that both engines have: whole numbers, real numbers, text and bytes.
//! A UUID is its sixteen bytes, a truth 0 or 1, JSON its text; so a backup of one engine fits the other.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column as _, FromRow, Row as _, TypeInfo as _, ValueRef as _};

use super::{C, Query, Result, decode};

const LIST_COLUMNS_SQLITE: &str = "select t.name as table_name, c.name as column_name, lower(c.type) as word \
     from sqlite_schema t join pragma_table_info(t.name) c where t.type = 'table' \
     and t.name not like 'sqlite\\_%' escape '\\' and t.name <> '_sqlx_migrations' order by t.name, c.cid";

const LIST_COLUMNS_POSTGRES: &str = "select c.table_name::text as table_name, c.column_name::text as column_name, \
     c.data_type::text as word from information_schema.columns c \
     join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name \
     where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' \
     and c.table_name <> '_sqlx_migrations' order by c.table_name, c.ordinal_position";

const LIST_REFERENCES_SQLITE: &str = "select t.name as child, r.\"table\" as parent \
     from sqlite_schema t join pragma_foreign_key_list(t.name) r where t.type = 'table'";

const LIST_REFERENCES_POSTGRES: &str = "select child.relname::text as child, parent.relname::text as parent \
     from pg_constraint r join pg_class child on child.oid = r.conrelid join pg_class parent on parent.oid = r.confrelid \
     join pg_namespace n on n.oid = r.connamespace where r.contype = 'f' and n.nspname = current_schema()";

/// Rows of a statement; few sizes, so that the drivers keep each one prepared.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The values of one row, in the order of the table's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells(pub Vec<Cell>);

/// A table with its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A column as its engine knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    word: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    Text,
    Bytes,
}

impl Column {
    fn kind(&self) -> Result<Kind> {
        Ok(match self.word.as_str() {
            "integer" | "bigint" | "smallint" | "boolean" => Kind::Integer,
            "real" | "double precision" => Kind::Real,
            "text" | "jsonb" => Kind::Text,
            "blob" | "bytea" | "uuid" => Kind::Bytes,
            other => return Err(decode(format!("no backup knows columns of the type {other}"))),
        })
    }

    /// How it is read as one of the four kinds.
    fn read(&self, is_postgres: bool) -> String {
        let name = quoted(&self.name);
        match self.word.as_str() {
            _ if !is_postgres => name,
            "uuid" => format!("uuid_send({name})"),
            "boolean" => format!("{name}::int::bigint"),
            "integer" | "smallint" => format!("{name}::bigint"),
            "jsonb" => format!("{name}::text"),
            _ => name,
        }
    }

    /// How the placeholder of one of the four kinds is written into it.
    fn write(&self, number: usize, is_postgres: bool) -> String {
        match self.word.as_str() {
            _ if !is_postgres => format!("${number}"),
            "uuid" => format!("encode(${number}, 'hex')::uuid"),
            "boolean" => format!("${number} <> 0"),
            "integer" | "smallint" => format!("${number}::{}", self.word),
            "jsonb" => format!("${number}::jsonb"),
            _ => format!("${number}"),
        }
    }
}

/// Lists the tables, each after those that it refers to.
pub async fn list_tables(mut c: C<'_>) -> Result<Vec<Table>> {
    let (columns, references) = match c {
        C::Sqlite(_) => (LIST_COLUMNS_SQLITE, LIST_REFERENCES_SQLITE),
        C::Pg(..) => (LIST_COLUMNS_POSTGRES, LIST_REFERENCES_POSTGRES),
    };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for (table, name, word) in c.lend().q(columns).all::<(String, String, String)>().await? {
        let fresh = || Table { name: table.clone(), columns: Vec::new() };
        let entry = tables.entry(table.clone()).or_insert_with(fresh);
        entry.columns.push(Column { name, word });
    }
    let references: BTreeSet<(String, String)> =
        c.q(references).all::<(String, String)>().await?.into_iter().collect();
    parents_first(tables, &references)
}

fn parents_first(
    mut left: BTreeMap<String, Table>,
    references: &BTreeSet<(String, String)>,
) -> Result<Vec<Table>> {
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |name: &String| {
            let parents = references.iter().filter(|(child, _)| child == name);
            parents.into_iter().any(|(_, parent)| parent != name && left.contains_key(parent))
        };
        let ready = left.keys().find(|name| !waits(name)).cloned();
        let ready = ready.and_then(|name| left.remove(&name));
        sorted.push(ready.ok_or_else(|| decode("tables refer to each other in a circle"))?);
    }
    Ok(sorted)
}

/// Reads every row of a table, one after the other.
pub async fn read_table(
    c: C<'_>,
    table: &Table,
    take: impl FnMut(Cells) -> Result<()>,
) -> Result<()> {
    let is_postgres = matches!(c, C::Pg(..));
    let columns: Vec<_> = table.columns.iter().map(|column| column.read(is_postgres)).collect();
    let sql = format!("select {} from {}", columns.join(", "), quoted(&table.name));
    c.q(AssertSqlSafe(sql)).each(take).await
}

/// Writes rows into a table.
pub async fn write_rows(mut c: C<'_>, table: &Table, rows: &[Cells]) -> Result<()> {
    let is_postgres = matches!(c, C::Pg(..));
    let names: Vec<_> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let kinds = table.columns.iter().map(Column::kind).collect::<Result<Vec<_>>>()?;
    let mut rest = rows;
    for size in CHUNKS {
        let row = |nth: usize| {
            let columns = table.columns.iter().zip(nth * names.len() + 1..);
            let written: Vec<_> = columns.map(|(it, n)| it.write(n, is_postgres)).collect();
            format!("({})", written.join(", "))
        };
        let values: Vec<_> = (0..size).map(row).collect();
        let (into, names) = (quoted(&table.name), names.join(", "));
        let sql = format!("insert into {into} ({names}) values {}", values.join(", "));
        while let Some((chunk, after)) = rest.split_at_checked(size) {
            let mut query = c.lend().q(AssertSqlSafe(sql.as_str()));
            for row in chunk {
                for (kind, cell) in kinds.iter().zip(&row.0) {
                    query = bind(query, *kind, cell)?;
                }
            }
            query.execute().await?;
            rest = after;
        }
    }
    Ok(())
}

fn bind<'c>(query: Query<'c>, kind: Kind, cell: &Cell) -> Result<Query<'c>> {
    Ok(match (kind, cell) {
        (Kind::Integer, Cell::Null) => query.bind(None::<i64>),
        (Kind::Real, Cell::Null) => query.bind(None::<f64>),
        (Kind::Text, Cell::Null) => query.bind(None::<String>),
        (Kind::Bytes, Cell::Null) => query.bind(None::<Vec<u8>>),
        (Kind::Integer, Cell::Integer(value)) => query.bind(*value),
        (Kind::Real, Cell::Real(value)) => query.bind(*value),
        (Kind::Text, Cell::Text(value)) => query.bind(value),
        (Kind::Bytes, Cell::Bytes(value)) => query.bind(value),
        (_, cell) => return Err(decode(format!("a column does not take {cell:?}"))),
    })
}

/// Moves every table of the schema, with its versions, into another one; PostgreSQL only.
pub(crate) async fn set_aside(mut c: C<'_>, schema: &str) -> Result<()> {
    let create = format!("create schema {}", quoted(schema));
    c.lend().q(AssertSqlSafe(create)).execute().await?;
    let tables = list_tables(c.lend()).await?;
    for name in tables.iter().map(|it| it.name.as_str()).chain(["_sqlx_migrations"]) {
        let (name, schema) = (quoted(name), quoted(schema));
        let moved = format!("alter table if exists {name} set schema {schema}");
        c.lend().q(AssertSqlSafe(moved)).execute().await?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl FromRow<'_, SqliteRow> for Cells {
    fn from_row(row: &SqliteRow) -> Result<Self> {
        let cell = |at: usize| {
            let raw = row.try_get_raw(at)?;
            if raw.is_null() {
                return Ok(Cell::Null);
            }
            let word = raw.type_info().name().to_owned();
            Ok(match word.as_str() {
                "INTEGER" => Cell::Integer(row.try_get_unchecked(at)?),
                "REAL" => Cell::Real(row.try_get_unchecked(at)?),
                "TEXT" => Cell::Text(row.try_get_unchecked(at)?),
                "BLOB" => Cell::Bytes(row.try_get_unchecked(at)?),
                other => return Err(decode(format!("no backup knows values of the type {other}"))),
            })
        };
        (0..row.len()).map(cell).collect::<Result<_>>().map(Self)
    }
}

impl FromRow<'_, PgRow> for Cells {
    fn from_row(row: &PgRow) -> Result<Self> {
        let cell = |at: usize| {
            if row.try_get_raw(at)?.is_null() {
                return Ok(Cell::Null);
            }
            Ok(match row.column(at).type_info().name() {
                "INT8" => Cell::Integer(row.try_get(at)?),
                "FLOAT8" => Cell::Real(row.try_get(at)?),
                "TEXT" => Cell::Text(row.try_get(at)?),
                "BYTEA" => Cell::Bytes(row.try_get(at)?),
                other => return Err(decode(format!("no backup knows values of the type {other}"))),
            })
        };
        (0..row.len()).map(cell).collect::<Result<_>>().map(Self)
    }
}
