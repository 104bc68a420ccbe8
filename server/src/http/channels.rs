//! How each technician is reached, and how people are reached beside the app.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::id::UserId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Manager, Staff};
use super::error::ApiError;
use super::extract::{Body, Path};
use super::users::find_in_hall;
use crate::audit::{self, Entry, Subject, What};
use crate::db::contacts::{self, ContactRow};
use crate::db::push::{self, SubscriptionRow};
use crate::db::users::{self, Filter};
use crate::db::webhooks;
use crate::identity::Role;
use crate::reach::plan::STREAM_COUNTS_MS;
use crate::state::AppState;
use crate::webhooks::STAFF_NOTICE;

/// Technicians of a hall at most.
const MOST: i64 = 5_000;

/// Where one phone's browser takes messages, without the address itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct PushBody {
    /// The phone.
    device: Uuid,
    created_at: i64,
    /// When a push service last took a message.
    sent_at: Option<i64>,
    /// When one last did not.
    failed_at: Option<i64>,
    last_error: Option<String>,
    /// When it ended.
    ended_at: Option<i64>,
    ended_reason: Option<String>,
}

/// How one technician is reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelsBody {
    /// The technician.
    user: Uuid,
    name: String,
    /// Whether the app is open on a phone of theirs, as known this minute.
    stream_open: bool,
    /// When it was last known to be.
    stream_seen_at: Option<i64>,
    /// Each phone's push, newest last.
    pushes: Vec<PushBody>,
    /// Their phone number, where one is recorded.
    phone: Option<String>,
}

/// How the hall's gateway does.
#[derive(Debug, Serialize, ToSchema)]
pub struct GatewayBody {
    /// Whether a webhook listens for `staff.notice`.
    listens: bool,
    /// Messages that it was sent.
    told: i64,
    /// When it last took one.
    sent_at: Option<i64>,
}

/// How a hall's technicians are reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllChannelsBody {
    technicians: Vec<ChannelsBody>,
    gateway: GatewayBody,
}

/// Shows how each technician of the hall is reached, and when each way last worked.
#[utoipa::path(
    get, path = "/api/channels", tag = "notices",
    responses((status = 200, description = "Every technician who was not shut out.", body = AllChannelsBody)),
)]
pub async fn list_channels(
    State(state): State<AppState>,
    Staff(caller): Staff,
) -> Result<Json<AllChannelsBody>, ApiError> {
    let now_ms = state.clock.now_ms();
    let hall = caller.hall;
    let mut conn = state.db.read().await?;
    let filter = Filter {
        role: Some(Role::Technician.key().to_owned()),
        disabled: Some(false),
        pattern: None,
    };
    let people = users::list_users(conn.c(), hall, &filter, (String::new(), MOST)).await?;
    let streams = push::list_streams(conn.c(), hall).await?;
    let mut pushes: BTreeMap<Uuid, Vec<PushBody>> = BTreeMap::new();
    for row in push::list_of_hall(conn.c(), hall).await? {
        pushes.entry(row.user_id).or_default().push(row.into());
    }
    let contacts = contacts::list_contacts(conn.c(), hall).await?;
    let mut phones: BTreeMap<Uuid, String> =
        contacts.into_iter().filter_map(|row| Some((row.user_id, row.phone?))).collect();
    let gateway = push::find_gateway(conn.c(), hall).await?;
    let listening = webhooks::list_listening(conn.c(), hall).await?;
    let listens = listening.iter().any(|it| it.kinds.0.iter().any(|kind| kind == STAFF_NOTICE));
    let technicians = people
        .into_iter()
        .map(|person| {
            let user = person.user_id;
            let own = || streams.iter().filter(|it| it.user_id == user);
            let is_open = |it: &push::StreamRow| {
                it.closed_at.is_none() && it.seen_at > now_ms - STREAM_COUNTS_MS
            };
            ChannelsBody {
                user,
                name: person.name,
                stream_open: own().any(is_open),
                stream_seen_at: own().map(|it| it.seen_at).max(),
                pushes: pushes.remove(&user).unwrap_or_default(),
                phone: phones.remove(&user),
            }
        })
        .collect();
    let gateway = GatewayBody { listens, told: gateway.told, sent_at: gateway.sent_at };
    Ok(Json(AllChannelsBody { technicians, gateway }))
}

impl From<SubscriptionRow> for PushBody {
    fn from(row: SubscriptionRow) -> Self {
        Self {
            device: row.device_id,
            created_at: row.created_at,
            sent_at: row.sent_at,
            failed_at: row.failed_at,
            last_error: row.last_error,
            ended_at: row.ended_at,
            ended_reason: row.ended_reason,
        }
    }
}

/// How somebody is reached beside the app.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactBody {
    /// Their phone number: digits, spaces, `+`, `-` and brackets; `null` for none.
    #[schema(max_length = 30, pattern = "^[0-9+() -]{3,30}$")]
    phone: Option<String>,
    /// Their crew leader; `null` for none.
    leader: Option<Uuid>,
}

/// Shows how somebody is reached beside the app.
#[utoipa::path(
    get, path = "/api/users/{id}/contact", tag = "people",
    params(("id" = uuid::Uuid, Path, description = "The person.")),
    responses((status = 200, description = "What is recorded.", body = ContactBody)),
)]
pub async fn get_contact(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(user): Path<UserId>,
) -> Result<Json<ContactBody>, ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    let found = contacts::find_contact(state.db.read().await?.c(), user.id).await?;
    let (phone, leader) = found.map_or((None, None), |row| (row.phone, row.leader_id));
    Ok(Json(ContactBody { phone, leader }))
}

/// Records how somebody is reached beside the app, in the place of what was recorded.
#[utoipa::path(
    put, path = "/api/users/{id}/contact", tag = "people", request_body = ContactBody,
    params(("id" = uuid::Uuid, Path, description = "The person.")),
    responses(
        (status = 200, description = "It is recorded.", body = ContactBody),
        (status = 422, description = "No phone number, or a leader who is not of the hall."),
    ),
)]
pub async fn put_contact(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Path(user): Path<UserId>,
    Body(body): Body<ContactBody>,
) -> Result<Json<ContactBody>, ApiError> {
    let user = find_in_hall(&state, &caller, user).await?;
    let refuse = |what: &str| Err(ApiError::Unprocessable(what.to_owned()));
    let phone = body.phone.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    let is_number = |it: &String| {
        let fits = it.chars().all(|it| it.is_ascii_digit() || "+-() ".contains(it));
        (3..=30).contains(&it.len()) && fits
    };
    if !phone.as_ref().is_none_or(is_number) {
        return refuse("send a phone number of 3 to 30 digits, spaces, +, - and brackets");
    }
    if let Some(leader) = body.leader {
        if leader == user.id.0 {
            return refuse("choose somebody else as leader: nobody leads themselves");
        }
        if find_in_hall(&state, &caller, UserId(leader)).await.is_err() {
            return refuse("choose as leader somebody of the hall who was not shut out");
        }
    }
    let now = state.clock.now();
    let row = ContactRow { user_id: user.id.0, phone, leader_id: body.leader };
    let mut tx = state.db.begin().await?;
    contacts::upsert_contact(tx.c(), &row, now.timestamp_millis()).await?;
    let entry = Entry::new(&caller, What::PersonChanged, Subject::Id("person", user.id.0));
    let detail = json!({"contact": {"phone": row.phone.is_some(), "leader": row.leader_id}});
    audit::keep(tx.c(), now, entry.with(detail)).await?;
    tx.commit().await?;
    Ok(Json(ContactBody { phone: row.phone, leader: row.leader_id }))
}
