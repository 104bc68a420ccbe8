//! The list of every statement, so that each can be prepared on each engine.

/// Defines the statements of one resource as constants and lists them in `ALL`.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$meta])* pub(super) const $name: &str = $sql;)*

        /// Every statement of this file with its name.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

pub(crate) use statements;

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use sqlx::{Executor as _, SqlSafeStr as _};

    use super::super::*;

    /// One line for each file with statements.
    const FILES: &[(&str, &[(&str, &str)])] = &[
        ("actors", actors::ALL),
        ("anchors", anchors::ALL),
        ("appliances", appliances::ALL),
        ("applications", applications::ALL),
        ("audit", audit::ALL),
        ("calls", calls::ALL),
        ("cases", cases::ALL),
        ("cash", cash::ALL),
        ("changes", changes::ALL),
        ("contacts", contacts::ALL),
        ("device_keys", device_keys::ALL),
        ("devices", devices::ALL),
        ("documents", documents::ALL),
        ("due", due::ALL),
        ("enrolments", enrolments::ALL),
        ("erasure", erasure::ALL),
        ("exports", exports::ALL),
        ("feed", feed::ALL),
        ("figures", figures::ALL),
        ("grants", grants::ALL),
        ("halls", halls::ALL),
        ("hazards", hazards::ALL),
        ("hoses", hoses::ALL),
        ("households", households::ALL),
        ("imports", imports::ALL),
        ("jobs", jobs::ALL),
        ("leaks", leaks::ALL),
        ("ledger", ledger::ALL),
        ("live_events", live_events::ALL),
        ("login_attempts", login_attempts::ALL),
        ("meter_changes", meter_changes::ALL),
        ("meters", meters::ALL),
        ("notice_deliveries", notice_deliveries::ALL),
        ("notices", notices::ALL),
        ("outage_told", outage_told::ALL),
        ("outages", outages::ALL),
        ("packs", packs::ALL),
        ("person_files", person_files::ALL),
        ("photos", photos::ALL),
        ("places", places::ALL),
        ("projections", projections::ALL),
        ("push", push::ALL),
        ("qualifications", qualifications::ALL),
        ("quarantine", quarantine::ALL),
        ("receipt_blocks", receipt_blocks::ALL),
        ("receipts", receipts::ALL),
        ("reminders", reminders::ALL),
        ("seal_keys", seal_keys::ALL),
        ("second_factors", second_factors::ALL),
        ("sessions", sessions::ALL),
        ("told", told::ALL),
        ("tracking", tracking::ALL),
        ("twice", twice::ALL),
        ("upkeep", upkeep::ALL),
        ("users", users::ALL),
        ("verdicts", verdicts::ALL),
        ("waiting", waiting::ALL),
        ("webhooks", webhooks::ALL),
        ("work_cards", work_cards::ALL),
    ];

    #[test]
    fn every_file_with_statements_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db");
        let mut with_statements = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.is_file() && std::fs::read_to_string(&path).unwrap().contains("\nstatements! {")
            {
                with_statements.insert(name);
            }
        }

        let listed: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();

        assert_eq!(listed, with_statements);
    }

    #[tokio::test]
    async fn sqlite_prepares_every_statement() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("hall.db").display());

        prepare_all(&Db::open(&url).await.unwrap()).await;
    }

    /// Runs only where a PostgreSQL database is given; its schema is made there.
    #[tokio::test]
    async fn postgres_prepares_every_statement() {
        if let Ok(url) = std::env::var("DOORSTEP_TEST_POSTGRES") {
            prepare_all(&Db::open(&url).await.unwrap()).await;
        }
    }

    async fn prepare_all(db: &Db) {
        let mut conn = db.read().await.unwrap();
        for (file, statements) in FILES {
            for &(name, sql) in *statements {
                let prepared = match conn.c() {
                    C::Sqlite(conn) => conn.prepare(sql.into_sql_str()).await.map(drop),
                    C::Pg(conn, _) => conn.prepare(sql.into_sql_str()).await.map(drop),
                };
                assert!(prepared.is_ok(), "{file}::{name}: {}", prepared.unwrap_err());
            }
        }
    }

    #[test]
    fn both_schemas_have_the_same_tables_columns_and_keys() {
        let sqlite = schema("sqlite");
        let postgres = schema("postgres");

        assert!(sqlite.values().flatten().count() > 100, "the schema was not read");
        assert_eq!(sqlite, postgres);
    }

    /// Reads a folder of migrations; types are named by what Rust binds to them.
    fn schema(engine: &str) -> BTreeMap<String, Vec<String>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
            .into_iter()
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                (name, text.lines().filter_map(same_on_both).collect())
            })
            .collect()
    }

    /// A line of DDL without comments and with the engine's own words made equal.
    fn same_on_both(line: &str) -> Option<String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with("--") {
            return None;
        }
        let word = |word: &str| match word.trim_end_matches([',', ';']) {
            "blob" | "uuid" | "bytea" => "BYTES".to_owned(),
            "integer" | "bigint" | "boolean" => "NUMBER".to_owned(),
            "text" | "jsonb" => "TEXT".to_owned(),
            "false" => "0".to_owned(),
            other => other.to_owned(),
        };
        let line = line.replace("double precision", "real").replace(") strict;", ");");
        Some(line.split(' ').map(word).collect::<Vec<_>>().join(" "))
    }
}
