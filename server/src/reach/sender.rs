//! Carrying what is due: pushes by our own guarded client, gateways by their webhooks.
//!
//! A node claims rows for a minute, sends them and notes all outcomes of a turn at once; a row that a dead node claimed
//! is claimed again, so a push may come twice, under the same topic.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::DateTime;
use domain::catalogue::Language;
use domain::id::{HallId, JobId, UserId};
use domain::pack::ReachRules;
use reqwest::{Client, StatusCode, header, redirect};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::message::{self, Terms};
use super::{keys, plan};
use crate::db::notice_deliveries::{self, CarriedRow, ClaimedRow, Ended};
use crate::db::push::{self, SubscriptionRow};
use crate::db::{contacts, jobs, users};
use crate::retry::Pause;
use crate::state::AppState;
use crate::webhooks::guard::{self, Target};
use crate::webhooks::{STAFF_NOTICE, outbox};

/// How often the rows are looked at where nothing rang.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Rows of a turn.
const AT_ONCE: i64 = 64;

/// Turns under way at once, so that a slow service does not keep the others waiting.
const TURNS: usize = 4;

/// How long a service may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a claim holds; longer than any turn.
const CLAIM_MS: i64 = 60_000;

/// Between tries.
const PAUSE: Pause = Pause { first_ms: 2_000, longest_ms: 15 * 60_000 };

/// Clients by host, each bound to the addresses that were looked at.
type Clients = Arc<Mutex<BTreeMap<String, (Vec<SocketAddr>, Client)>>>;

/// Carries until it is stopped.
pub async fn run(state: AppState) {
    let clients = Clients::default();
    let mut rung = state.bell.listen_to_all();
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut turns = JoinSet::new();
    loop {
        tokio::select! {
            _ = look.tick() => {}
            changed = rung.changed() => if changed.is_err() { return },
        }
        while let Some(claimed) = next(&state).await {
            if claimed.is_empty() {
                continue;
            }
            if turns.len() >= TURNS {
                turns.join_next().await;
            }
            turns.spawn(turn(state.clone(), clients.clone(), claimed));
        }
        while turns.try_join_next().is_some() {}
    }
}

/// Plans what is new and claims what is due; nothing when there is neither, or when the database cannot say.
async fn next(state: &AppState) -> Option<Vec<ClaimedRow>> {
    let claimed = async {
        let now_ms = state.clock.now_ms();
        if !notice_deliveries::is_any_due(state.db.read().await?.c(), now_ms).await? {
            return Ok(None);
        }
        plan::plan(state).await?;
        let mut tx = state.db.begin().await?;
        let until = (now_ms, now_ms + CLAIM_MS);
        let claimed = notice_deliveries::claim_due(tx.c(), until, AT_ONCE).await?;
        tx.commit().await?;
        let is_idle = claimed.is_empty()
            && !notice_deliveries::is_any_due(state.db.read().await?.c(), now_ms).await?;
        Ok::<_, anyhow::Error>((!is_idle).then_some(claimed))
    };
    claimed.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "notices cannot be read; they are looked at again");
        None
    })
}

/// What came of one row, and of its subscription.
struct Done {
    claimed: ClaimedRow,
    ended: Ended,
    subscription: Option<(Uuid, Word)>,
}

/// What is noted of a subscription.
enum Word {
    Took(i64),
    Failed(Option<i64>, String),
    Gone(String),
}

async fn turn(state: AppState, clients: Clients, claimed: Vec<ClaimedRow>) {
    let mut sending = JoinSet::new();
    for row in claimed {
        let (state, clients) = (state.clone(), clients.clone());
        sending.spawn(async move {
            let said = carry(&state, &clients, row).await;
            said.unwrap_or_else(|error| {
                // The claim runs out, and it is tried again.
                tracing::warn!(%error, "a notice cannot be carried now");
                None
            })
        });
    }
    let done: Vec<Done> = sending.join_all().await.into_iter().flatten().collect();
    if let Err(error) = note(&state, &done).await {
        tracing::warn!(%error, "how notices were carried cannot be noted");
    }
}

async fn note(state: &AppState, done: &[Done]) -> anyhow::Result<()> {
    let now_ms = state.clock.now_ms();
    let mut tx = state.db.begin().await?;
    for Done { claimed, ended, subscription } in done {
        notice_deliveries::end_delivery(tx.c(), claimed, ended).await?;
        match subscription {
            Some((id, Word::Took(status))) => {
                push::note_sent(tx.c(), *id, *status, now_ms).await?;
            }
            Some((id, Word::Failed(status, why))) => {
                push::note_failed(tx.c(), *id, (*status, why), now_ms).await?;
            }
            Some((id, Word::Gone(why))) => {
                push::end_subscription(tx.c(), *id, why, now_ms).await?;
            }
            None => {}
        }
    }
    Ok(tx.commit().await?)
}

/// Carries one row; a gateway's is noted in the transaction that tells its webhooks.
async fn carry(
    state: &AppState,
    clients: &Clients,
    claimed: ClaimedRow,
) -> anyhow::Result<Option<Done>> {
    let now_ms = state.clock.now_ms();
    let mut conn = state.db.read().await?;
    let notice = notice_deliveries::find_carried(conn.c(), claimed.notice_id).await?;
    let (rules, _) = plan::rules(state, conn.c()).await?;
    drop(conn);
    let over = |state, error: &str| Ended {
        state,
        next_at: now_ms,
        shrunk: claimed.shrunk != 0,
        status: None,
        error: Some(error.to_owned()),
        sent_at: None,
    };
    let end = |ended| Some(Done { claimed: claimed.clone(), ended, subscription: None });
    let Some(notice) = notice else { return Ok(None) };
    if notice.shown_at.is_some() || notice.replaced_at.is_some() {
        return Ok(end(Ended { error: None, ..over("not_needed", "") }));
    }
    if notice.expires_at <= now_ms {
        return Ok(end(over("given_up", "nobody needs to hear it any more")));
    }
    if claimed.layer == "gateway" {
        tell_gateway(state, (&notice, &rules), &claimed).await?;
        return Ok(None);
    }
    let mut conn = state.db.read().await?;
    let subscription = match claimed.subscription_id {
        Some(id) => push::find_subscription(conn.c(), id).await?,
        None => None,
    };
    drop(conn);
    let Some(subscription) = subscription.filter(|it| it.ended_at.is_none()) else {
        return Ok(end(over("given_up", "the subscription has ended")));
    };
    let posted = send(state, clients, (&notice, &rules), (&subscription, &claimed)).await;
    Ok(Some(judge(claimed, &notice, (subscription.subscription_id, &posted), now_ms)))
}

/// Tells whoever stands between this system and phones of another kind.
async fn tell_gateway(
    state: &AppState,
    (notice, rules): (&CarriedRow, &ReachRules),
    claimed: &ClaimedRow,
) -> anyhow::Result<()> {
    let now = state.clock.now();
    let user = UserId(notice.user_id);
    let mut tx = state.db.begin().await?;
    let person = users::find_user(tx.c(), user).await?;
    let contact = contacts::find_contact(tx.c(), user).await?;
    let words = |language| message::words(&notice.kind, language);
    let data = json!({
        "notice": notice.notice_id, "hall": notice.hall_id, "person": notice.user_id,
        "name": person.map(|it| it.name), "phone": contact.and_then(|it| it.phone),
        "kind": notice.kind, "urgency": rules.kind(&notice.kind).urgency.key(), "job": notice.job_id,
        "words": {"zh": words(Language::Chinese), "en": words(Language::English)},
        "created_at": notice.created_at, "expires_at": notice.expires_at,
    });
    let hall = HallId(notice.hall_id);
    let event = (STAFF_NOTICE, data, Some(notice.notice_id));
    let told = outbox::write_noticed(tx.c(), hall, event, now).await?;
    let now_ms = now.timestamp_millis();
    let error = (told == 0).then(|| "no gateway listens for staff.notice".to_owned());
    let ended = Ended {
        state: if told == 0 { "given_up" } else { "sent" },
        next_at: now_ms,
        shrunk: false,
        status: None,
        error,
        sent_at: (told > 0).then_some(now_ms),
    };
    notice_deliveries::end_delivery(tx.c(), claimed, &ended).await?;
    Ok(tx.commit().await?)
}

/// What a push service answered.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    retry_after_ms: Option<i64>,
}

async fn send(
    state: &AppState,
    clients: &Clients,
    (notice, rules): (&CarriedRow, &ReachRules),
    (subscription, claimed): (&SubscriptionRow, &ClaimedRow),
) -> Result<Answer, String> {
    let allowed = &state.config.push_allowed;
    let target = guard::check_push(&subscription.endpoint, allowed).await;
    let target = target.map_err(|error| error.to_string())?;
    let prepared = async {
        let mut conn = state.db.read().await?;
        let key = push::find_key(conn.c(), subscription.key_id).await?;
        let key = key.ok_or_else(|| anyhow::anyhow!("the key of the subscription is gone"))?;
        let job_kind = match notice.job_id {
            Some(job) => {
                let row = jobs::find_job(conn.c(), HallId(notice.hall_id), JobId(job)).await?;
                row.map(|row| row.kind)
            }
            None => None,
        };
        let language = message::language(&subscription.language);
        let words = (job_kind.as_deref(), claimed.shrunk != 0);
        let payload = message::shown(notice, (&subscription.scope, language), words);
        let terms = Terms {
            urgency: rules.kind(&notice.kind).urgency,
            now_ms: state.clock.now_ms(),
            contact: &state.config.push_contact,
        };
        message::build(subscription, (keys::signer(&key)?, notice), &payload, &terms)
    };
    let message = prepared.await.map_err(|error| format!("it cannot be encrypted: {error:#}"))?;
    let client = client(clients, &target).map_err(|error| error.to_string())?;
    let mut request = client.post(target.url).header("ttl", message.ttl.to_string());
    if let Some(urgency) = message.urgency {
        request = request.header("urgency", urgency.to_string());
    }
    if let Some(topic) = message.topic {
        request = request.header("topic", topic);
    }
    if let Some(payload) = message.payload {
        request = request
            .header(header::CONTENT_ENCODING, payload.content_encoding.to_str())
            .header(header::CONTENT_TYPE, "application/octet-stream");
        for (name, value) in payload.crypto_headers {
            request = request.header(name, value);
        }
        request = request.body(payload.content);
    }
    let reply = request.send().await.map_err(|error| reason(&error).to_owned())?;
    let after = reply.headers().get(header::RETRY_AFTER).and_then(|it| it.to_str().ok());
    let after = after.and_then(|text| retry_after_ms(text, state.clock.now_ms()));
    Ok(Answer { status: reply.status(), retry_after_ms: after })
}

/// Seconds, or a day and time.
fn retry_after_ms(text: &str, now_ms: i64) -> Option<i64> {
    if let Ok(seconds) = text.trim().parse::<i64>() {
        return Some(seconds.clamp(0, 86_400) * 1000);
    }
    let at = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some((at.timestamp_millis() - now_ms).clamp(0, 86_400_000))
}

/// A client that connects to the addresses that were looked at and to no others; redirects are not followed.
fn client(clients: &Clients, target: &Target) -> reqwest::Result<Client> {
    let key = format!("{}:{}", target.host, target.url.port_or_known_default().unwrap_or(0));
    let mut known = clients.lock().unwrap_or_else(PoisonError::into_inner);
    let mut addresses = target.addresses.clone();
    addresses.sort();
    if let Some((bound, client)) = known.get(&key)
        && *bound == addresses
    {
        return Ok(client.clone());
    }
    let client = Client::builder()
        .resolve_to_addrs(&target.host, &target.addresses)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent(concat!("doorstep/", env!("CARGO_PKG_VERSION")))
        .build()?;
    known.insert(key, (addresses, client.clone()));
    Ok(client)
}

/// Why nothing was heard, without the URL: whoever knows it can send.
fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no reply in time"
    } else if error.is_connect() {
        "no connection, or no trust in its certificate"
    } else {
        "the connection broke"
    }
}

/// What an answer means: 404 and 410 end a subscription, 413 shrinks, 429 and 5xx wait, what is our fault is told.
fn judge(
    claimed: ClaimedRow,
    notice: &CarriedRow,
    (subscription, posted): (Uuid, &Result<Answer, String>),
    now_ms: i64,
) -> Done {
    let status = posted.as_ref().ok().map(|it| i64::from(it.status.as_u16()));
    let is_short = claimed.shrunk != 0;
    let ended = |state, next_at, error: Option<String>| Ended {
        state,
        next_at,
        shrunk: is_short,
        status,
        error,
        sent_at: None,
    };
    let (ended, word) = match posted {
        Ok(answer) if answer.status.is_success() => {
            let taken = Ended { sent_at: Some(now_ms), ..ended("sent", now_ms, None) };
            (taken, Word::Took(status.unwrap_or(201)))
        }
        Ok(answer) if matches!(answer.status.as_u16(), 404 | 410) => {
            let why = format!("{} ({})", push::GONE, answer.status.as_u16());
            (ended("given_up", now_ms, Some(why.clone())), Word::Gone(why))
        }
        Ok(answer) if answer.status == StatusCode::PAYLOAD_TOO_LARGE && !is_short => {
            let why = "too long: it is sent with its title alone".to_owned();
            let again = Ended { shrunk: true, ..ended("pending", now_ms, Some(why.clone())) };
            (again, Word::Failed(status, why))
        }
        Ok(answer) if answer.status.as_u16() == 429 || answer.status.is_server_error() => {
            let why = answer.status.to_string();
            let pause = answer.retry_after_ms.unwrap_or(0).max(0) + PAUSE.after(claimed.attempts);
            (later(notice, now_ms + pause, ended, why.clone()), Word::Failed(status, why))
        }
        Err(why) => {
            let next_at = now_ms + PAUSE.after(claimed.attempts);
            (later(notice, next_at, ended, why.clone()), Word::Failed(None, why.clone()))
        }
        Ok(answer) => {
            let said = answer.status;
            let why = if said.is_redirection() {
                format!("{said}: redirects are not followed")
            } else {
                format!("{said}: the push service does not take this server's word")
            };
            tracing::error!(push.subscription = %subscription, push.status = said.as_u16(),
                "a push service refuses what this server sends: look at its key, clock and push_contact");
            (ended("given_up", now_ms, Some(why.clone())), Word::Failed(status, why))
        }
    };
    Done { claimed, ended, subscription: Some((subscription, word)) }
}

/// Another try, unless nobody needs to hear it by then.
fn later(
    notice: &CarriedRow,
    next_at: i64,
    ended: impl Fn(&'static str, i64, Option<String>) -> Ended,
    why: String,
) -> Ended {
    let state = if next_at < notice.expires_at { "pending" } else { "given_up" };
    ended(state, next_at, Some(why))
}
