//! The cards that technicians show at doors (A4).

use domain::id::{HallId, UserId};
use uuid::Uuid;

use super::{C, Result, statements};

statements! {
    UPSERT_CARD = "insert into work_card (user_id, number) values ($1, $2) \
        on conflict (user_id) do update set number = excluded.number";
    SET_PORTRAIT = "insert into work_card (user_id, number, portrait) values ($1, '', $2) \
        on conflict (user_id) do update set portrait = excluded.portrait";
    FIND_CARD = "select user_id, number, portrait is not null as has_portrait from work_card where user_id = $1";
    FIND_PORTRAIT = "select portrait from work_card where user_id = $1 and portrait is not null";
    LIST_CARDS = "select w.user_id, w.number, w.portrait is not null as has_portrait from work_card w \
        join user_account u on u.user_id = w.user_id where u.hall_id = $1";
}

/// A card without its picture.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CardRow {
    /// Whose.
    pub user_id: Uuid,
    /// Its number; empty while nobody recorded it.
    pub number: String,
    /// Whether there is a picture.
    pub has_portrait: bool,
}

/// Records a card's number.
pub async fn upsert_card(c: C<'_>, user: UserId, number: &str) -> Result<()> {
    c.q(UPSERT_CARD).bind(user.0).bind(number).execute().await.map(drop)
}

/// Records the picture on a card, or takes it away.
pub async fn set_portrait(c: C<'_>, user: UserId, jpeg: Option<&[u8]>) -> Result<()> {
    c.q(SET_PORTRAIT).bind(user.0).bind(jpeg).execute().await.map(drop)
}

/// Finds somebody's card.
pub async fn find_card(c: C<'_>, user: UserId) -> Result<Option<CardRow>> {
    c.q(FIND_CARD).bind(user.0).opt().await
}

/// Finds the picture on somebody's card.
pub async fn find_portrait(c: C<'_>, user: UserId) -> Result<Option<Vec<u8>>> {
    Ok(c.q(FIND_PORTRAIT).bind(user.0).opt::<(Vec<u8>,)>().await?.map(|it| it.0))
}

/// Lists the cards of a hall.
pub async fn list_cards(c: C<'_>, hall: HallId) -> Result<Vec<CardRow>> {
    c.q(LIST_CARDS).bind(hall.0).all().await
}
