//! Who may use which route: the whole table, and nothing outside it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::json;
use server::identity::Role;
use server::identity::Role::{Admin, Dispatcher, Hall as HallStaff, Manager, Technician};

use crate::hall::Hall;

const STAFF: &[Role] = &[Dispatcher, HallStaff, Manager, Admin];
const DISPATCHERS: &[Role] = &[Dispatcher, Manager, Admin];
const CASHIERS: &[Role] = &[HallStaff, Manager, Admin];
const MANAGERS: &[Role] = &[Manager, Admin];
const ADMINS: &[Role] = &[Admin];

/// Every route with who may use it; ending a session comes last.
const TABLE: &[(&str, &str, &[Role])] = &[
    ("GET", "/api/me", &Role::ALL),
    ("POST", "/api/me/password", &Role::ALL),
    ("GET", "/api/session/proof", STAFF),
    ("POST", "/api/session/proof", STAFF),
    ("GET", "/api/me/second-factor", STAFF),
    ("POST", "/api/me/second-factor", STAFF),
    ("POST", "/api/me/second-factor/confirm", STAFF),
    ("DELETE", "/api/me/second-factor", STAFF),
    ("DELETE", "/api/users/{id}/second-factor", MANAGERS),
    ("GET", "/api/me/sessions", STAFF),
    ("DELETE", "/api/me/sessions/{id}", STAFF),
    ("DELETE", "/api/me/sessions", STAFF),
    ("GET", "/api/users", STAFF),
    ("POST", "/api/users", MANAGERS),
    ("POST", "/api/users/{id}/disable", MANAGERS),
    ("PUT", "/api/users/{id}", MANAGERS),
    ("POST", "/api/users/{id}/enable", MANAGERS),
    ("POST", "/api/users/{id}/end-sessions", MANAGERS),
    ("POST", "/api/users/{id}/password", MANAGERS),
    ("GET", "/api/halls", MANAGERS),
    ("POST", "/api/halls", ADMINS),
    ("PUT", "/api/halls/{id}", ADMINS),
    ("GET", "/api/audit", MANAGERS),
    ("GET", "/api/audit/chain", MANAGERS),
    ("GET", "/api/audit/export", MANAGERS),
    ("POST", "/api/users/{id}/enrolment-code", DISPATCHERS),
    ("GET", "/api/users/{id}/qualification", STAFF),
    ("PUT", "/api/users/{id}/qualification", MANAGERS),
    ("GET", "/api/users/{id}/work-card", STAFF),
    ("PUT", "/api/users/{id}/work-card", MANAGERS),
    ("GET", "/api/users/{id}/work-card/portrait", STAFF),
    ("PUT", "/api/users/{id}/work-card/portrait", MANAGERS),
    ("DELETE", "/api/users/{id}/work-card/portrait", MANAGERS),
    ("GET", "/api/devices", &Role::ALL),
    ("GET", "/api/devices/self/share", &[Technician]),
    ("POST", "/api/devices/{id}/revoke", DISPATCHERS),
    ("GET", "/api/jobs", STAFF),
    ("POST", "/api/jobs", DISPATCHERS),
    ("GET", "/api/jobs/{id}", STAFF),
    ("GET", "/api/jobs/{id}/document", STAFF),
    ("GET", "/api/jobs/{id}/history", STAFF),
    ("GET", "/api/jobs/{id}/history/{hash}", STAFF),
    ("POST", "/api/jobs/{id}/appointments", DISPATCHERS),
    ("POST", "/api/jobs/{id}/assignments", DISPATCHERS),
    ("POST", "/api/jobs/{id}/cancellations", DISPATCHERS),
    ("POST", "/api/jobs/{id}/instructions", DISPATCHERS),
    ("POST", "/api/jobs/{id}/messages", DISPATCHERS),
    ("POST", "/api/jobs/{id}/rulings", DISPATCHERS),
    ("POST", "/api/jobs/{id}/clock", DISPATCHERS),
    ("GET", "/api/board/rounds", STAFF),
    ("POST", "/api/board/check", DISPATCHERS),
    ("POST", "/api/board/offers", STAFF),
    ("GET", "/api/intake/promises", STAFF),
    ("POST", "/api/board/nearest", DISPATCHERS),
    ("POST", "/api/board/proposals", DISPATCHERS),
    ("GET", "/api/leaks", STAFF),
    ("POST", "/api/leaks", STAFF),
    ("POST", "/api/leaks/{id}/alarm", DISPATCHERS),
    ("GET", "/api/households", STAFF),
    ("GET", "/api/households/{id}", STAFF),
    ("POST", "/api/households/{id}/entries", STAFF),
    ("GET", "/api/households/{id}/verdict", STAFF),
    ("POST", "/api/households/{id}/registers", STAFF),
    ("POST", "/api/households/{id}/tie", STAFF),
    ("GET", "/api/households/{id}/file", MANAGERS),
    ("POST", "/api/households/{id}/erasure", MANAGERS),
    ("GET", "/api/hazards", STAFF),
    ("GET", "/api/unreached", STAFF),
    ("GET", "/api/jobs/{id}/notices", STAFF),
    ("GET", "/api/jobs/{id}/answers", STAFF),
    ("POST", "/api/jobs/{id}/links", DISPATCHERS),
    ("DELETE", "/api/jobs/{id}/links", DISPATCHERS),
    ("POST", "/api/jobs/{id}/wishes/{wish}", DISPATCHERS),
    ("GET", "/api/households/{id}/notices", STAFF),
    ("GET", "/api/outages", STAFF),
    ("POST", "/api/outages", DISPATCHERS),
    ("GET", "/api/outages/places", DISPATCHERS),
    ("POST", "/api/outages/preview", DISPATCHERS),
    ("GET", "/api/outages/{id}", STAFF),
    ("PUT", "/api/outages/{id}", DISPATCHERS),
    ("POST", "/api/outages/{id}/announcement", DISPATCHERS),
    ("POST", "/api/outages/{id}/prolongations", DISPATCHERS),
    ("POST", "/api/outages/{id}/end", DISPATCHERS),
    ("POST", "/api/outages/{id}/cancellation", DISPATCHERS),
    ("GET", "/api/outages/{id}/households", STAFF),
    ("GET", "/api/outages/{id}/record", STAFF),
    ("POST", "/api/outages/{id}/doors", DISPATCHERS),
    ("GET", "/api/cash", CASHIERS),
    ("POST", "/api/cash/counts", CASHIERS),
    ("GET", "/api/cash/file", CASHIERS),
    ("GET", "/api/cash/mine", &[Technician]),
    ("GET", "/api/counter", STAFF),
    ("GET", "/api/applications", STAFF),
    ("POST", "/api/applications", STAFF),
    ("GET", "/api/applications/{id}", STAFF),
    ("POST", "/api/applications/{id}/events", STAFF),
    ("POST", "/api/calls", STAFF),
    ("GET", "/api/due", STAFF),
    ("GET", "/api/due/figures", STAFF),
    ("GET", "/api/due/file", STAFF),
    ("POST", "/api/due/preview", DISPATCHERS),
    ("POST", "/api/due/jobs", DISPATCHERS),
    ("GET", "/api/cases", STAFF),
    ("POST", "/api/cases", STAFF),
    ("GET", "/api/cases/{id}", STAFF),
    ("POST", "/api/cases/{id}/events", STAFF),
    ("POST", "/api/cases/{id}/looks", STAFF),
    ("GET", "/api/questions", STAFF),
    ("GET", "/api/jobs/{id}/photos", &Role::ALL),
    ("GET", "/api/jobs/{id}/photos/{hash}", &Role::ALL),
    ("GET", "/api/jobs/{id}/photos/{hash}/upload", &[Technician]),
    ("PUT", "/api/jobs/{id}/photos/{hash}/upload", &[Technician]),
    ("GET", "/api/exports/{table}", STAFF),
    ("GET", "/api/exports/figures/{figure}", STAFF),
    ("GET", "/api/exports/figures/{figure}/behind", STAFF),
    ("GET", "/api/exports/lists/{list}", STAFF),
    ("GET", "/api/map/jobs", STAFF),
    ("GET", "/api/technicians/{id}/calendar", &Role::ALL),
    ("POST", "/api/imports", MANAGERS),
    ("GET", "/api/imports/{id}", MANAGERS),
    ("DELETE", "/api/imports/{id}", MANAGERS),
    ("POST", "/api/imports/{id}/files", MANAGERS),
    ("GET", "/api/imports/{id}/problems", MANAGERS),
    ("POST", "/api/imports/{id}/apply", MANAGERS),
    ("GET", "/api/packs", MANAGERS),
    ("POST", "/api/packs", ADMINS),
    ("GET", "/api/packs/{id}", STAFF),
    ("GET", "/api/packs/{id}/text", MANAGERS),
    ("GET", "/api/packs/{id}/differences", MANAGERS),
    ("GET", "/api/packs/{id}/trial", MANAGERS),
    ("POST", "/api/packs/{id}/withdraw", ADMINS),
    ("GET", "/api/live", STAFF),
    ("GET", "/api/notices/live", &[Technician]),
    ("POST", "/api/notices/test", &[Technician]),
    ("GET", "/api/notices/{id}", &[Technician]),
    ("POST", "/api/notices/{id}/shown", &[Technician]),
    ("GET", "/api/push/key", &[Technician]),
    ("POST", "/api/push/key", MANAGERS),
    ("PUT", "/api/push/subscription", &[Technician]),
    ("DELETE", "/api/push/subscription", &[Technician]),
    ("GET", "/api/channels", STAFF),
    ("GET", "/api/users/{id}/contact", STAFF),
    ("PUT", "/api/users/{id}/contact", MANAGERS),
    ("GET", "/api/photos/missing", STAFF),
    ("GET", "/api/quarantine", MANAGERS),
    ("POST", "/api/quarantine/{hash}/release", MANAGERS),
    ("GET", "/api/reminders", &Role::ALL),
    ("POST", "/api/reminders/{id}/snooze", &Role::ALL),
    ("POST", "/api/reminders/{id}/done", &Role::ALL),
    ("GET", "/api/duties", STAFF),
    ("PUT", "/api/duties/{day}/{duty}", STAFF),
    ("GET", "/api/reports/punctuality", STAFF),
    ("GET", "/api/reports/arrivals", STAFF),
    ("GET", "/api/reports/lateness", STAFF),
    ("GET", "/api/reports/promises", STAFF),
    ("GET", "/api/reports/readings", STAFF),
    ("GET", "/api/reports/conduct", STAFF),
    ("GET", "/api/reports/outcomes", STAFF),
    ("GET", "/api/reports/ratings", STAFF),
    ("GET", "/api/reports/hoses", STAFF),
    ("GET", "/api/reports/trips", STAFF),
    ("GET", "/api/reports/calls", STAFF),
    ("POST", "/api/sync", &[Technician]),
    ("GET", "/api/webhooks", MANAGERS),
    ("POST", "/api/webhooks", MANAGERS),
    ("DELETE", "/api/webhooks/{id}", MANAGERS),
    ("POST", "/api/webhooks/{id}/secret", MANAGERS),
    ("POST", "/api/webhooks/{id}/enable", MANAGERS),
    ("GET", "/api/webhooks/{id}/deliveries", MANAGERS),
    ("POST", "/api/webhooks/{id}/deliveries/{delivery}/replay", MANAGERS),
    ("DELETE", "/api/session", &Role::ALL),
];

/// What everybody may use.
const PUBLIC: &[(&str, &str)] = &[
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/clock"),
    ("POST", "/api/clock"),
    ("POST", "/api/session"),
    ("POST", "/api/devices"),
    ("GET", "/api/track/{token}"),
    ("GET", "/api/track/{token}/portrait"),
    ("POST", "/api/track/{token}/questions"),
    ("POST", "/api/track/{token}/windows"),
    ("POST", "/api/track/{token}/wishes"),
    ("PUT", "/api/track/{token}/rating"),
];

#[tokio::test]
async fn check_19_each_role_reaches_exactly_its_routes() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let mut tokens = BTreeMap::new();
    for role in [Dispatcher, HallStaff, Manager, Admin] {
        hall.person(role.key(), role).await;
        tokens.insert(role, node.sign_in(role.key()).await);
    }
    let tom = hall.person("technician", Technician).await;
    let (phone, _) = node.enrol(&tokens[&Dispatcher], "technician", tom).await;
    tokens.insert(Technician, phone);

    for (method, path, allowed) in TABLE {
        let path = path
            .replace("{id}", "00000000-0000-0000-0000-000000000001")
            .replace("{wish}", "00000000-0000-0000-0000-000000000001")
            .replace("{delivery}", "00000000-0000-0000-0000-000000000001");
        let method: Method = method.parse().unwrap();
        let body = json!({});
        let stranger = node.send(method.clone(), &path, None, Some(&body)).await;
        assert_eq!(stranger.status, 401, "{method} {path} by a stranger");
        for (role, token) in &tokens {
            // Only the status: the live stream's body has no end.
            let status = node.status(method.clone(), &path, token, &body).await;
            let admitted = !matches!(status, 401 | 403);
            assert_eq!(admitted, allowed.contains(role), "{method} {path} by a {role}: {status}");
        }
    }
}

#[tokio::test]
async fn check_19_the_table_is_what_the_api_says_of_itself() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let document = node.send(Method::GET, "/api/openapi.json", None, None).await.body;
    let mut described = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let roles: Option<Vec<String>> =
                serde_json::from_value(operation["x-roles"].clone()).unwrap_or_default();
            described.insert((method.to_uppercase(), path.clone()), roles);
        }
    }

    let keys = |roles: &[Role]| roles.iter().map(|it| it.key().to_owned()).collect::<BTreeSet<_>>();
    let mut listed: BTreeMap<_, _> =
        PUBLIC.iter().map(|(method, path)| ((*method, *path), None)).collect();
    listed.extend(TABLE.iter().map(|(method, path, roles)| ((*method, *path), Some(keys(roles)))));
    let owned = |(method, path): (&str, &str)| (method.to_owned(), path.to_owned());
    let listed: BTreeMap<_, _> =
        listed.into_iter().map(|(route, roles)| (owned(route), roles)).collect();
    let described: BTreeMap<_, _> = described
        .into_iter()
        .map(|(route, roles)| (route, roles.map(|it| it.into_iter().collect())))
        .collect();
    assert_eq!(described, listed);
}
