//! Many rows in few statements.

use sqlx::AssertSqlSafe;

use super::{C, FromDb, Query, Result};

/// Sizes of a statement; few, so that the drivers keep each one prepared.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

/// Runs a one-row `insert … values ($1, …, $n) …` for many rows; returns how many were written.
///
/// With `on conflict do update` no key may occur twice among the rows.
pub async fn insert_rows<T>(
    mut c: C<'_>,
    one_row: &'static str,
    rows: &[T],
    bind: impl for<'q> Fn(Query<'q>, &T) -> Query<'q>,
) -> Result<u64> {
    let mut written = 0;
    let mut rest = rows;
    for size in CHUNKS {
        let sql = many(one_row, size);
        while let Some((chunk, after)) = rest.split_at_checked(size) {
            let query = c.lend().q(AssertSqlSafe(sql.as_str()));
            written += chunk.iter().fold(query, &bind).execute().await?;
            rest = after;
        }
    }
    Ok(written)
}

/// Repeats the row of placeholders, counting on.
/// Selects the rows whose key is among `keys`; the statement asks for `in ($1)`.
pub async fn select_in<T: FromDb>(
    mut c: C<'_>,
    one_key: &'static str,
    keys: &[Vec<u8>],
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let mut rest = keys;
    for size in CHUNKS {
        let placeholders: Vec<_> = (1..=size).map(|n| format!("${n}")).collect();
        let sql = one_key.replace("($1)", &format!("({})", placeholders.join(", ")));
        while let Some((chunk, after)) = rest.split_at_checked(size) {
            let query = c.lend().q(AssertSqlSafe(sql.as_str()));
            found.extend(chunk.iter().fold(query, Query::bind).all().await?);
            rest = after;
        }
    }
    Ok(found)
}

fn many(one_row: &str, rows: usize) -> String {
    let start = one_row.find("($1").expect("the statement inserts a row of placeholders");
    let end = start + one_row[start..].find(')').expect("the row of placeholders is closed") + 1;
    let columns = one_row[start..end].matches('$').count();
    let row = |n: usize| {
        let placeholders: Vec<_> = (1..=columns).map(|c| format!("${}", n * columns + c)).collect();
        format!("({})", placeholders.join(", "))
    };
    let values: Vec<_> = (0..rows).map(row).collect();
    format!("{}{}{}", &one_row[..start], values.join(", "), &one_row[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on_and_the_rest_stays() {
        let sql = "insert into t (a, b) values ($1, $2) on conflict do nothing";

        assert_eq!(many(sql, 1), sql);
        assert_eq!(
            many(sql, 3),
            "insert into t (a, b) values ($1, $2), ($3, $4), ($5, $6) on conflict do nothing"
        );
    }
}
