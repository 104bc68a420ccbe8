//! How the people of a hall are reached beside the app, and whom they answer to.

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    UPSERT_CONTACT = "insert into contact (user_id, phone, leader_id, changed_at) values ($1, $2, $3, $4) \
        on conflict (user_id) do update set phone = excluded.phone, leader_id = excluded.leader_id, \
        changed_at = excluded.changed_at";
    FIND_CONTACT = "select user_id, phone, leader_id from contact where user_id = $1";
    LIST_CONTACTS = "select c.user_id, c.phone, c.leader_id from contact c \
        join user_account u on u.user_id = c.user_id where u.hall_id = $1 order by c.user_id";
}

/// How somebody is reached.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ContactRow {
    /// The person.
    pub user_id: Uuid,
    /// Their phone number, as people write it.
    pub phone: Option<String>,
    /// Their crew leader.
    pub leader_id: Option<Uuid>,
}

impl std::fmt::Debug for ContactRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactRow").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Records how somebody is reached, in the place of what was recorded before.
pub async fn upsert_contact(c: C<'_>, row: &ContactRow, now_ms: i64) -> Result<()> {
    c.q(UPSERT_CONTACT)
        .bind(row.user_id)
        .bind(&row.phone)
        .bind(row.leader_id)
        .bind(now_ms)
        .execute()
        .await
        .map(drop)
}

/// Finds how somebody is reached, where that was recorded.
pub async fn find_contact(c: C<'_>, user: UserId) -> Result<Option<ContactRow>> {
    c.q(FIND_CONTACT).bind(user.0).opt().await
}

/// Lists how the people of a hall are reached; whoever is not in it has nothing recorded.
pub async fn list_contacts(c: C<'_>, hall: HallId) -> Result<Vec<ContactRow>> {
    c.q(LIST_CONTACTS).bind(hall.0).all().await
}
