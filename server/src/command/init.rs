//! `doorstep init`: the first hall and its first admin; there are no accounts before.

use std::io::{BufRead as _, Write};

use anyhow::{Context as _, bail, ensure};
use domain::id::HallId;
use serde_json::json;

use crate::audit::{self, By, Entry, Subject, What};
use crate::config::Config;
use crate::db::users::{self, UserRow};
use crate::db::{Db, halls};
use crate::identity::password::{Passwords, check_choice};
use crate::identity::{Role, is_login, normal_login};
use crate::ids::fresh_uuid;

/// Makes the first hall and its first admin on a new database.
#[derive(clap::Args)]
pub struct Init {
    /// What the admin signs in as.
    #[arg(long)]
    admin: String,
    /// What the hall is called.
    #[arg(long, default_value = "营业厅")]
    hall: String,
    /// The hall's distance from UTC.
    #[arg(long, default_value_t = 480)]
    utc_offset_minutes: i64,
    /// The admin's password; without it one line is read from standard input.
    #[arg(long, env = "DOORSTEP_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The database, in place of what is configured.
    #[arg(long)]
    database: Option<String>,
}

impl std::fmt::Debug for Init {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Init").field("admin", &self.admin).finish_non_exhaustive()
    }
}

impl Init {
    /// Runs the command.
    pub async fn run(self, config: &Config, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let login = normal_login(&self.admin);
        ensure!(is_login(&login), "a log-in has 2 to 64 letters, digits, dots, dashes");
        let password = match self.password {
            Some(password) => password,
            None => read_line(out)?,
        };
        check_choice(&login, &password)?;
        let now = config.clock.now();
        let hall = HallId(fresh_uuid(now));
        let admin = UserRow {
            user_id: fresh_uuid(now),
            hall_id: hall.0,
            name: login.clone(),
            login,
            role: Role::Admin.key().to_owned(),
            password_hash: Some(Passwords::new()?.hash(&password).await?),
            created_at: now.timestamp_millis(),
            disabled_at: None,
        };
        let db = Db::open_at(
            self.database.as_deref().unwrap_or(&config.database.0),
            &config.database_hosts,
        )
        .await?;
        let mut tx = db.begin().await?;
        if users::count_users(tx.c()).await? > 0 {
            bail!("this database has people already: an admin adds more");
        }
        halls::upsert_hall(tx.c(), hall, &self.hall, self.utc_offset_minutes).await?;
        users::insert_user(tx.c(), &admin).await?;
        let by = By { hall: Some(hall), ..By::server() };
        let person = Entry::new(by, What::PersonAdded, Subject::Id("person", admin.user_id));
        let entry = Entry::new(by, What::HallAdded, Subject::Id("hall", hall.0));
        audit::keep(tx.c(), now, entry).await?;
        audit::keep(tx.c(), now, person.with(json!({"role": Role::Admin}))).await?;
        tx.commit().await?;
        db.close().await;
        writeln!(out, "{} may sign in at {}", admin.login, self.hall)?;
        Ok(())
    }
}

fn read_line(out: &mut (dyn Write + Send)) -> anyhow::Result<String> {
    write!(out, "password (12 characters or more): ")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("no password was given")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
