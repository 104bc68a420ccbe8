//! What is told: messages written to the outbox in the transaction in which something happened.

use chrono::SecondsFormat;
use domain::id::{FactId, VisitId};
use domain::job::Job;
use domain::stamp::Timestamp;
use domain::visit::Fact;
use serde_json::{Value, json};

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
        .map(|(webhook, event)| delivery(webhook, event, job, now))
        .collect();
    webhooks::insert_deliveries(c, &deliveries).await
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
    let Fact::Read { meter, register, verdict, corrects } = &recorded.fact else { return None };
    Some(json!({
        "visit": visit, "fact": fact, "meter": meter, "register_litres": register,
        "finding": verdict.finding.key(), "corrects": corrects,
    }))
}

fn delivery(webhook: &WebhookRow, event: &Event, job: &Job, now: Timestamp) -> NewDelivery {
    let mut data = event.data.clone();
    if webhook.with_household {
        let household = &job.briefing.household;
        data["household"] = json!({
            "id": household.id, "account": household.account,
            "holder": household.holder, "address": household.address,
        });
    }
    let timestamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let payload = json!({"type": event.kind, "timestamp": timestamp, "data": data});
    NewDelivery {
        delivery_id: fresh_uuid(now),
        webhook_id: webhook.webhook_id,
        hall_id: job.hall.0,
        kind: event.kind.clone(),
        payload: payload.to_string(),
        created_at: now.timestamp_millis(),
    }
}
