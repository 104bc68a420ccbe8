//! Words as long as the description says, and one letter longer.

use reqwest::Method;
use serde_json::json;

use super::asking::{Asking, ask, asking};
use super::bodies::{self, Sent};
use super::description::operations;
use super::pair::{PEOPLE, Pair};
use super::sweep::may;

#[tokio::test]
async fn check_28_words_longer_than_the_description_allows_are_refused_and_the_longest_break_nothing()
 {
    let pair = Pair::open().await;
    let side = &pair.east;
    let document = side.counter.node.send(Method::GET, "/api/openapi.json", None, None).await.body;
    let mut wrong = Vec::new();
    let mut tried = 0;

    for operation in operations(&side.counter.node).await {
        let name = operation.name();
        let described =
            &document["paths"][&operation.path][operation.method.as_str().to_lowercase()];
        let sent = &described["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(schema) = sent.as_str().and_then(|it| it.rsplit('/').next()) else { continue };
        let fields = document["components"]["schemas"][schema]["properties"].as_object();
        let known = bodies::of(&name, side).unwrap_or_default();
        let (who, _) = PEOPLE.iter().find(|(_, role)| may(&operation, *role)).unwrap_or(&PEOPLE[0]);
        let bodies =
            known.iter().filter_map(|it| if let Sent::Json(it) = it { Some(it) } else { None });
        let pairs = bodies.flat_map(|body| fields.into_iter().flatten().map(move |it| (body, it)));
        for (body, (field, schema)) in pairs {
            // What an act does not use is not read.
            let is_act = body["act"].is_string() || body["what"].is_string();
            if is_act && body[field].is_null() {
                continue;
            }
            let Some(most) = schema["maxLength"].as_u64().and_then(|it| usize::try_from(it).ok())
            else {
                continue;
            };
            for (letters, is_refused) in [(most, false), (most + 1, true)] {
                let mut body = body.clone();
                body[field] = json!("长".repeat(letters));
                let sent = Sent::Json(body);
                let asked = Asking { sent, ..asking(&operation, side, &[]) };
                let answer = ask(side, &asked, &side.tokens[who]).await;
                tried += 1;
                let is_client_error = (400..500).contains(&answer.status);
                if answer.status >= 500 || (is_refused && !is_client_error) {
                    wrong.push(format!("{name} `{field}` of {letters} letters: {answer:?}"));
                }
            }
        }
    }

    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 60, "{tried}");
}
