//! A body that each route takes, made of a hall's own things.

use serde_json::{Value, json};

use super::pair::{HOUR_MS, Side, TODAY, portrait};
use crate::hall::{MORNING_MS, PASSWORD};

/// What is sent with a request.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    Nothing,
    Json(Value),
    /// Bytes of this kind.
    Bytes(&'static str, Vec<u8>),
}

/// The bodies that a route takes, the first the plainest; `None` when nobody has said.
pub(crate) fn of(operation: &str, side: &Side) -> Option<Vec<Sent>> {
    let bytes = match operation {
        "POST /api/imports" | "POST /api/imports/{id}/files" => {
            let rows = format!(
                "用户编号,用户名称,用气地址,联系电话\n{0}9,{1}丁,{1}路4号,13800138000\n",
                side.account, side.word
            );
            Some(("application/octet-stream", rows.into_bytes()))
        }
        "PUT /api/jobs/{id}/photos/{hash}/upload" => {
            Some(("application/octet-stream", vec![7; 100]))
        }
        "PUT /api/users/{id}/work-card/portrait" => Some(("image/jpeg", portrait())),
        "POST /api/sync" => Some(("application/cbor", side.ana.request().encode())),
        _ => None,
    };
    if let Some((kind, bytes)) = bytes {
        return Some(vec![Sent::Bytes(kind, bytes)]);
    }
    let known = of_jobs(operation, side)
        .or_else(|| of_the_desk(operation, side))
        .or_else(|| of_outages(operation, side))
        .or_else(|| of_people(operation, side))?;
    Some(known.into_iter().map(Sent::Json).collect())
}

fn window(from_hours: i64) -> Value {
    let start = MORNING_MS + from_hours * HOUR_MS;
    json!({"start": start, "end": start + 2 * HOUR_MS})
}

fn of_jobs(operation: &str, side: &Side) -> Option<Vec<Value>> {
    let things = &side.things;
    let (word, ana) = (side.word, &things["ana"]);
    let agree = json!({"window": window(25), "channel": "phone"});
    let said = |what: &str| json!({what: format!("{word}说")});
    Some(match operation {
        "POST /api/jobs" => vec![
            json!({"kind": "repair", "account": side.account, "request": word, "technician": ana, "appointment": agree}),
            json!({"kind": "repair", "household": things["household"], "case": things["case"]}),
        ],
        "POST /api/jobs/{id}/appointments" => vec![agree],
        "POST /api/jobs/{id}/assignments" => vec![json!({"technician": ana})],
        "POST /api/jobs/{id}/cancellations" => vec![said("reason")],
        "POST /api/jobs/{id}/instructions" | "POST /api/jobs/{id}/messages" => vec![said("text")],
        "POST /api/jobs/{id}/rulings" => {
            vec![json!({"stands": things["visit"], "settles": [], "reason": word})]
        }
        "POST /api/jobs/{id}/clock" => vec![json!({"event": "started", "at": MORNING_MS})],
        "POST /api/jobs/{id}/wishes/{wish}" => vec![json!({"agree": false})],
        "POST /api/board/check" => {
            vec![json!({"job": things["job"], "technician": ana, "window": window(25)})]
        }
        "POST /api/board/nearest" => vec![json!({"job": things["job"]})],
        "POST /api/board/offers" => {
            vec![json!({"kind": "repair", "account": side.account, "day": "2026-03-03"})]
        }
        "POST /api/board/proposals" => vec![json!({"day": "2026-03-03"})],
        "POST /api/leaks" => vec![
            json!({"account": side.account, "phone": side.phone, "request": word}),
            json!({"place": format!("{word}路11号"), "phone": side.phone}),
        ],
        "POST /api/leaks/{id}/alarm" => vec![json!({})],
        "POST /api/due/preview" | "POST /api/due/jobs" => vec![
            json!({"kind": "safety_inspection", "households": [things["household"]], "until": "2026-12-31",
            "windows": [window(25)], "per_window": 1, "terms": "proposed", "technician": ana}),
        ],
        _ => return None,
    })
}

fn of_the_desk(operation: &str, side: &Side) -> Option<Vec<Value>> {
    let things = &side.things;
    let (word, account, phone) = (side.word, side.account, side.phone);
    let asked = json!({"job": things["job"], "visit": things["visit"], "fact": things["question"]});
    let hazard = json!({"job": things["inspection"], "visit": things["hazard_visit"], "fact": things["hazard"]});
    let words = format!("{word}说");
    Some(match operation {
        "POST /api/cases" => vec![
            json!({"kind": "complaint", "channel": "phone", "account": account, "caller": word, "contact": phone, "words": words}),
            json!({"kind": "question", "channel": "at_the_door", "asked": asked}),
            json!({"kind": "request", "channel": "phone", "account": account, "words": words,
                "job": {"kind": "repair", "technician": things["ana"]}}),
        ],
        "POST /api/cases/{id}/events" => vec![
            json!({"act": "note", "text": words}),
            json!({"act": "offer", "to": things["hanna"], "text": words}),
        ],
        "POST /api/calls" => vec![json!({"answered": true, "rings": 2, "agent": word})],
        "POST /api/applications" => vec![json!({"procedure": "sealing", "channel": "counter",
            "account": account, "applicant": word, "contact": phone, "words": words})],
        "POST /api/applications/{id}/events" => vec![json!({"act": "come", "channel": "phone"})],
        "POST /api/households/{id}/entries" => vec![
            json!({"what": "language", "language": "en"}),
            json!({"what": "contact", "phone": phone, "access": words}),
            json!({"what": "hazard_step", "hazard": hazard, "step": "told", "text": words}),
            json!({"what": "hazard_cleared", "hazard": hazard, "text": words}),
        ],
        "POST /api/households/{id}/registers" => vec![json!({"meter": things["meter"],
            "register": 1_700_000, "state": "self_reported", "channel": "phone"})],
        "POST /api/households/{id}/erasure" => {
            vec![json!({"account": account, "reason": words})]
        }
        "POST /api/households/{id}/tie" => vec![json!({"account": account})],
        "POST /api/cash/counts" => {
            vec![json!({"technician": things["ana"], "day": TODAY, "counted": 5, "note": words})]
        }
        "PUT /api/duties/{day}/{duty}" => vec![json!({"note": words})],
        "POST /api/imports/{id}/apply" => vec![json!({"only_good": true})],
        "POST /api/packs" => vec![json!({"toml": "id = \"x\""})],
        "POST /api/webhooks" => {
            vec![json!({"url": "https://hooks.example/x", "kinds": ["job.created"]})]
        }
        "POST /api/reminders/{id}/snooze" => vec![json!({"minutes": 10})],
        "POST /api/notices/{id}/shown" => vec![json!({"by": "stream"})],
        "POST /api/track/{token}/questions" => vec![json!({"text": words})],
        "POST /api/track/{token}/windows" => vec![json!({"day": "2026-03-05"})],
        "POST /api/track/{token}/wishes" => vec![json!({"window": window(48)})],
        "PUT /api/track/{token}/rating" => vec![json!({"score": 5, "words": words})],
        _ => return None,
    })
}

fn of_outages(operation: &str, side: &Side) -> Option<Vec<Value>> {
    let word = side.word;
    let written = json!({"kind": "planned", "window": window(73), "area": word,
        "picks": {"accounts": [side.account]}, "reason": word});
    Some(match operation {
        "POST /api/outages" | "PUT /api/outages/{id}" => vec![written],
        "POST /api/outages/preview" => vec![json!({"kind": "planned", "window": window(73),
            "picks": {"accounts": [side.account]}, "reason": word, "draft": side.things["draft"]})],
        "POST /api/outages/{id}/announcement" | "POST /api/outages/{id}/cancellation" => {
            vec![json!({"why": word})]
        }
        "POST /api/outages/{id}/doors" => {
            vec![json!({"at": MORNING_MS, "households": [side.things["household"]]})]
        }
        "POST /api/outages/{id}/end" => vec![json!({"at": MORNING_MS})],
        "POST /api/outages/{id}/prolongations" => {
            vec![json!({"until": MORNING_MS + 80 * HOUR_MS, "reason": word})]
        }
        _ => return None,
    })
}

fn of_people(operation: &str, side: &Side) -> Option<Vec<Value>> {
    let word = side.word;
    let device = &side.things["third_phone"];
    Some(match operation {
        "POST /api/clock" => vec![json!({"now_ms": side.counter.hall.config.clock.now_ms()})],
        "POST /api/session" => vec![json!({"login": "nobody", "password": PASSWORD})],
        "POST /api/devices" => vec![json!({"login": format!("carl.{word}"), "password": PASSWORD,
            "code": "0000000000", "name": word, "device": device})],
        "POST /api/devices/{id}/revoke" => vec![json!({"reason": "lost"})],
        "POST /api/me/second-factor/confirm" => vec![json!({"code": "000000"})],
        "POST /api/session/proof" => vec![json!({"password": "not this one"})],
        "POST /api/me/password" => {
            vec![json!({"current": "not this one", "new": "another kettle sings"})]
        }
        "POST /api/halls" => vec![json!({"name": "第三营业厅", "utc_offset_minutes": 480,
            "manager": {"login": "third.manager", "name": "三", "password": "third kettle sings"}})],
        "PUT /api/halls/{id}" => vec![json!({"name": "新营业厅"})],
        "POST /api/users" => vec![json!({"login": format!("new.{word}"), "name": word,
            "password": "another kettle sings", "role": "technician"})],
        "PUT /api/users/{id}" => vec![json!({"name": word, "role": "technician"})],
        "PUT /api/users/{id}/contact" => {
            vec![json!({"phone": side.phone, "leader": side.things["ana"]})]
        }
        "POST /api/users/{id}/password" => vec![json!({"password": "another kettle sings"})],
        "PUT /api/users/{id}/qualification" => vec![json!({"area": [word], "skills": null})],
        "PUT /api/users/{id}/work-card" => vec![json!({"number": format!("{word}-18")})],
        "PUT /api/push/subscription" => {
            vec![json!({"endpoint": "https://push.invalid/x", "p256dh": "",
            "auth": "", "public_key": "", "language": "zh", "scope": "https://gas.example/m/"})]
        }
        _ => return None,
    })
}
