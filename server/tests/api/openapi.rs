//! The API's description: it and the routes are one table, and it leaves nothing out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use server::http::problem::ProblemKind;
use server::identity::Role;

use crate::hall::{Hall, Node, text};

#[tokio::test]
async fn the_routes_served_are_those_of_the_document() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (method, path, _) in operations(&document(&node).await) {
        described.entry(path).or_default().insert(method);
    }
    assert!(described.len() > 20, "the document was not read");

    for (path, methods) in described {
        let path = path.replace("{id}", "x").replace("{hash}", "x").replace("{delivery}", "x");
        // No route takes this method, so each says which ones it takes.
        let url = format!("{}{path}", node.base);
        let refused = reqwest::Client::new().request(Method::TRACE, url).send().await.unwrap();
        assert_eq!(refused.status(), 405, "{path}");
        let allowed = refused.headers()["allow"].to_str().unwrap().to_owned();
        let allowed = allowed.split(',').map(|it| it.trim().to_owned()).filter(|it| it != "HEAD");
        assert_eq!(allowed.collect::<BTreeSet<_>>(), methods, "{path}");
    }
}

/// Routes enter the table with `routes!`, which takes the description along; no other way is open.
#[test]
fn no_route_is_entered_past_the_description() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![folder];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.ends_with("http/faces.rs") {
                continue; // pages are no part of the API
            }
            let source = std::fs::read_to_string(&path).unwrap_or_default();
            seen += source.matches(".routes(").count();
            for way in [".route(\"", ".route_service(", ".nest("] {
                assert!(!source.contains(way), "{} has {way}", path.display());
            }
        }
    }
    assert!(seen > 20, "the table was not found");
}

#[tokio::test]
async fn each_operation_says_what_it_does_who_may_and_how_it_refuses() {
    let hall = Hall::new().await;
    let document = document(&hall.node().await).await;
    let mut ids = BTreeSet::new();

    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(!text(&operation["summary"]).is_empty(), "{name} has no summary");
        assert!(ids.insert(text(&operation["operationId"])), "{name} has another's id");
        assert!(operation["tags"].as_array().is_some_and(|it| it.len() == 1), "{name} has no tag");
        let is_public = operation["security"] == json!([]);
        assert_eq!(operation["x-roles"].is_array(), !is_public, "{name} has no roles");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name} has no reply");
        assert!(is_public || (responses.contains_key("401") && responses.contains_key("403")));
        for (status, response) in responses {
            assert!(!text(&response["description"]).is_empty(), "{name} {status}");
            if status.starts_with(['4', '5']) {
                let body = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(body, "#/components/schemas/Problem", "{name} {status}");
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["schema"].is_object(), "{name} {parameter}");
        }
    }
}

#[tokio::test]
async fn the_kinds_of_problems_are_listed_in_one_place() {
    let hall = Hall::new().await;
    let document = document(&hall.node().await).await;

    let listed: BTreeSet<String> =
        serde_json::from_value(document["components"]["schemas"]["ProblemKind"]["enum"].clone())
            .unwrap();

    let known: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.urn()).collect();
    assert_eq!(listed, known);
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test]
async fn every_body_that_is_sent_is_closed_and_an_unknown_field_is_named() {
    let hall = Hall::new().await;
    let node = hall.node().await;
    let document = document(&node).await;
    let schemas = &document["components"]["schemas"];
    for (method, path, operation) in operations(&document) {
        let sent = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = sent.as_str().and_then(|it| it.rsplit('/').next()) else { continue };
        assert_eq!(schemas[name]["additionalProperties"], json!(false), "{method} {path}");
    }
    hall.person("dora", Role::Dispatcher).await;
    let token = node.sign_in("dora").await;

    let body = json!({"kind": "repair", "account": "1", "colour": "blue"});
    let reply = node.post("/api/jobs", Some(&token), &body).await;

    assert_eq!((reply.status.as_u16(), reply.problem()), (400, "bad-request"));
    assert!(text(&reply.body["detail"]).contains("unknown field `colour`"), "{reply:?}");
}

async fn document(node: &Node) -> Value {
    let reply = node.send(Method::GET, "/api/openapi.json", None, None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.kind, "application/json");
    reply.body
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path");
        item.iter().map(|(method, it)| (method.to_uppercase(), path.clone(), it.clone()))
    });
    operations.collect()
}
