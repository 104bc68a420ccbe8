//! People with a log-in.

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    INSERT_USER = "insert into user_account (user_id, hall_id, login, name, role, password_hash, created_at) \
        values ($1, $2, $3, $4, $5, $6, $7)";
    UPSERT_USER = "insert into user_account (user_id, hall_id, login, name, role, password_hash, created_at) \
        values ($1, $2, $3, $4, $5, $6, $7) \
        on conflict (user_id) do update set login = excluded.login, name = excluded.name, role = excluded.role";
    FIND_USER = "select user_id, hall_id, login, name, role, password_hash, created_at, disabled_at \
        from user_account where user_id = $1";
    FIND_USER_BY_LOGIN = "select user_id, hall_id, login, name, role, password_hash, created_at, disabled_at \
        from user_account where login = $1";
    LIST_USERS = "select user_id, hall_id, login, name, role, password_hash, created_at, disabled_at \
        from user_account where hall_id = $1 and login > $2 and (role = $3 or $3 is null) \
        and ((disabled_at is not null) = $4 or $4 is null) \
        and (login like $5 escape '\\' or lower(name) like $5 escape '\\' or $5 is null) order by login limit $6";
    CHANGE_USER = "update user_account set name = $1, role = $2 where user_id = $3";
    ENABLE_USER = "update user_account set disabled_at = null where user_id = $1";
    COUNT_ADMINS = "select count(*) from user_account where hall_id = $1 and role = 'admin' and disabled_at is null";
    COUNT_USERS = "select count(*) from user_account";
    SET_PASSWORD_HASH = "update user_account set password_hash = $1 where user_id = $2";
    DISABLE_USER = "update user_account set disabled_at = $1 where user_id = $2 and disabled_at is null";
}

/// A person as stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UserRow {
    /// The person's id.
    pub user_id: Uuid,
    /// The hall they work for.
    pub hall_id: Uuid,
    /// What they sign in as, in lower case.
    pub login: String,
    /// What they are called.
    pub name: String,
    /// `technician`, `dispatcher`, `hall`, `manager` or `admin`.
    pub role: String,
    /// A PHC string; `None` for somebody who cannot sign in yet.
    pub password_hash: Option<String>,
    /// When they were added.
    pub created_at: i64,
    /// When they were shut out.
    pub disabled_at: Option<i64>,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Inserts a person.
pub async fn insert_user(c: C<'_>, user: &UserRow) -> Result<()> {
    write_user(c, INSERT_USER, user).await
}

/// Inserts a person or, when they exist, changes log-in, name and role; a password stays.
pub async fn upsert_user(c: C<'_>, user: &UserRow) -> Result<()> {
    write_user(c, UPSERT_USER, user).await
}

async fn write_user(c: C<'_>, sql: &'static str, user: &UserRow) -> Result<()> {
    c.q(sql)
        .bind(user.user_id)
        .bind(user.hall_id)
        .bind(&user.login)
        .bind(&user.name)
        .bind(&user.role)
        .bind(&user.password_hash)
        .bind(user.created_at)
        .execute()
        .await
        .map(drop)
}

/// Finds a person by their id.
pub async fn find_user(c: C<'_>, user: UserId) -> Result<Option<UserRow>> {
    c.q(FIND_USER).bind(user.0).opt().await
}

/// Finds a person by what they sign in as.
pub async fn find_user_by_login(c: C<'_>, login: &str) -> Result<Option<UserRow>> {
    c.q(FIND_USER_BY_LOGIN).bind(login).opt().await
}

/// Which people a list shows; `None` shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The key of a role.
    pub role: Option<String>,
    /// Whether they were shut out.
    pub disabled: Option<bool>,
    /// What log-in or name are like, in lower case.
    pub pattern: Option<String>,
}

/// Lists people of a hall after a log-in, in the order of log-ins.
pub async fn list_users(
    c: C<'_>,
    hall: HallId,
    filter: &Filter,
    (after, limit): (String, i64),
) -> Result<Vec<UserRow>> {
    c.q(LIST_USERS)
        .bind(hall.0)
        .bind(after)
        .bind(&filter.role)
        .bind(filter.disabled)
        .bind(&filter.pattern)
        .bind(limit)
        .all()
        .await
}

/// Changes what somebody is called and may do.
pub async fn change_user(c: C<'_>, user: UserId, name: &str, role: &str) -> Result<()> {
    c.q(CHANGE_USER).bind(name).bind(role).bind(user.0).execute().await.map(drop)
}

/// Lets somebody in again.
pub async fn enable_user(c: C<'_>, user: UserId) -> Result<()> {
    c.q(ENABLE_USER).bind(user.0).execute().await.map(drop)
}

/// Counts a hall's admins who were not shut out.
pub async fn count_admins(c: C<'_>, hall: HallId) -> Result<i64> {
    c.q(COUNT_ADMINS).bind(hall.0).scalar().await
}

/// Counts everybody on the server.
pub async fn count_users(c: C<'_>) -> Result<i64> {
    c.q(COUNT_USERS).scalar().await
}

/// Replaces a password's hash.
pub async fn set_password_hash(c: C<'_>, user: UserId, hash: &str) -> Result<()> {
    c.q(SET_PASSWORD_HASH).bind(hash).bind(user.0).execute().await.map(drop)
}

/// Shuts a person out; returns whether they were not yet.
pub async fn disable_user(c: C<'_>, user: UserId, now_ms: i64) -> Result<bool> {
    Ok(c.q(DISABLE_USER).bind(now_ms).bind(user.0).execute().await? > 0)
}
