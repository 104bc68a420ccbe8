//! What is told: messages written to the outbox in the transaction in which something happened.

use chrono::SecondsFormat;
use domain::id::{FactId, HallId, VisitId};
use domain::job::Job;
use domain::stamp::Timestamp;
use domain::visit::Reading;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::webhooks::{self, NewDelivery, WebhookRow};
use crate::db::{C, Result};
use crate::ids::fresh_uuid;
use crate::jobs::settle::Happening;

/// An event without its receiver.
struct Event {
    kind: String,
    data: Value,
}

/// Writes the messages for everybody who listens to a job's hall.
///
/// They carry ids and what is so; names and addresses only where the hall said so.
pub async fn write(
    mut c: C<'_>,
    job: &Job,
    happening: &Happening,
    (status, position, now): (&str, i64, Timestamp),
) -> Result<()> {
    let listening = webhooks::list_listening(c.lend(), job.hall).await?;
    if listening.is_empty() {
        return Ok(());
    }
    let events = events(job, happening, (status, position));
    let deliveries: Vec<_> = listening
        .iter()
        .flat_map(|webhook| events.iter().map(move |event| (webhook, event)))
        .filter(|(webhook, event)| webhook.kinds.0.contains(&event.kind))
        .map(|(webhook, event)| {
            let data = data_for(webhook, event, job);
            delivery(webhook, (&event.kind, data), job.hall, now)
        })
        .collect();
    webhooks::insert_deliveries(c, &deliveries).await
}

/// Writes one event of any kind for everybody who listens for it; tells how many that are.
pub async fn write_event(
    c: C<'_>,
    hall: HallId,
    kind: &str,
    data: Value,
    now: Timestamp,
) -> Result<usize> {
    write_noticed(c, hall, (kind, data, None), now).await
}

/// Writes an event that carries a notice to a person; how it ends is found by the notice.
pub async fn write_noticed(
    mut c: C<'_>,
    hall: HallId,
    (kind, data, notice_id): (&str, Value, Option<Uuid>),
    now: Timestamp,
) -> Result<usize> {
    let listening = webhooks::list_listening(c.lend(), hall).await?;
    let listening = listening.iter().filter(|it| it.kinds.0.iter().any(|known| known == kind));
    let event = Event { kind: kind.to_owned(), data };
    let deliveries: Vec<_> = listening
        .map(|webhook| {
            let made = delivery(webhook, (&event.kind, event.data.clone()), hall, now);
            NewDelivery { notice_id, ..made }
        })
        .collect();
    webhooks::insert_deliveries(c, &deliveries).await?;
    Ok(deliveries.len())
}

fn events(job: &Job, happening: &Happening, (status, position): (&str, i64)) -> Vec<Event> {
    let about = json!({
        "hall": job.hall, "job": job.id, "kind": job.kind, "position": position,
    });
    let with = |more: Value| {
        let mut data = about.clone();
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        data
    };
    let technician = domain::status::assigned(job);
    let facts = &happening.facts;
    let changed = json!({"status": status, "technician": technician, "facts": facts});
    let mut events = vec![Event { kind: format!("job.{}", happening.what), data: with(changed) }];
    let readings = happening.added.iter().filter_map(|(visit, fact)| reading(job, *visit, *fact));
    events.extend(
        readings.map(|more| Event { kind: "reading.recorded".to_owned(), data: with(more) }),
    );
    events
}

/// What a fact says when it is a reading.
fn reading(job: &Job, visit: VisitId, fact: FactId) -> Option<Value> {
    let recorded = job.visits.get(&visit)?.facts.get(&fact)?;
    let Reading { meter, register, state, verdict, corrects } = recorded.fact.reading()?;
    Some(json!({
        "visit": visit, "fact": fact, "meter": meter, "register_litres": register,
        "state": state.key(), "finding": verdict.finding.key(), "corrects": corrects,
    }))
}

/// What one receiver is told of an event: names and addresses only where the hall said so.
fn data_for(webhook: &WebhookRow, event: &Event, job: &Job) -> Value {
    let mut data = event.data.clone();
    if webhook.with_household {
        let household = &job.briefing.household;
        data["household"] = json!({
            "id": household.id, "account": household.account,
            "holder": household.holder, "address": household.address,
        });
    }
    data
}

fn delivery(
    webhook: &WebhookRow,
    (kind, data): (&str, Value),
    hall: HallId,
    now: Timestamp,
) -> NewDelivery {
    let timestamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let payload = json!({"type": kind, "timestamp": timestamp, "data": data});
    NewDelivery {
        delivery_id: fresh_uuid(now),
        webhook_id: webhook.webhook_id,
        hall_id: hall.0,
        kind: kind.to_owned(),
        payload: payload.to_string(),
        created_at: now.timestamp_millis(),
        notice_id: None,
    }
}
