//! A household's page behind its link: what it shows, what it takes, and what it never tells (A10, checks 11, 46).

use domain::id::JobId;
use domain::visit::Fact;
use reqwest::Method;
use serde_json::{Value, json};
use server::identity::Role;

use crate::counter::{ACCOUNT, Counter};
use crate::hall::{MORNING_MS, Reply, text};
use crate::told::{Gateway, agreed, finish, open};

const HOUR_MS: i64 = 3_600_000;

/// What a household may not see, whatever happens.
const NEVER: [&str; 5] = [ACCOUNT, "章思雨", "听江里", "05530200000", "technician_id"];

#[tokio::test]
async fn a10_a_link_shows_window_person_and_status_and_nothing_else() {
    let (mut counter, gateway) = open().await;
    let mut ana = counter.hire("ana").await;
    let card = format!("/api/users/{}/work-card", ana.user);
    let body = json!({"number": "RQ-0173"});
    counter.node.send(Method::PUT, &card, Some(&counter.manager), Some(&body)).await;
    let job = agreed(&counter, "cash_collection", MORNING_MS + HOUR_MS).await;
    counter.add(job, "assignments", &json!({"technician": ana.user})).await;
    let token = carried(&gateway, 1).await;

    let first = seen(&counter, &token).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(
        (&first.body["status"], &first.body["kind"]),
        (&json!("assigned"), &json!("cash_collection"))
    );
    assert_eq!(first.body["window"]["start"], MORNING_MS + HOUR_MS);
    assert_eq!(
        first.body["technician"],
        json!({"name": "ANA", "card": "RQ-0173", "has_portrait": false})
    );
    assert_eq!(first.body["may"], json!({"ask": true, "wish": true, "rate": false}));
    ana.synced().await;
    ana.phone.record(job, Fact::SetOut).await.unwrap();
    ana.synced().await;
    let second = seen(&counter, &token).await.body;
    assert_eq!(
        (&second["status"], &second["expected_at"]),
        (&json!("set_out"), &json!(MORNING_MS + HOUR_MS))
    );
    counter.wait_minutes(70, &[&ana]).await;
    finish(&mut ana, job).await;
    ana.synced().await;

    let done = seen(&counter, &token).await.body;
    assert_eq!(done["status"], "done");
    let lines = &done["copy"]["lines"];
    assert_eq!(
        lines[0],
        json!({"key": "track.did.cash", "arguments": {"yuan": "120.50", "receipt": "00000001"}})
    );
    for body in [first.body.to_string(), second.to_string(), done.to_string()] {
        for hidden in NEVER {
            assert!(!body.contains(hidden), "{hidden} in {body}");
        }
        assert!(
            !body.contains(&job.to_string()) && !body.contains(&ana.user.to_string()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn check_11_over_ended_odd_and_unknown_links_are_one_refusal() {
    let (mut counter, gateway) = open().await;
    agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let expiring = carried(&gateway, 1).await;
    let ended_job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let ended = carried(&gateway, 2).await;
    let path = format!("/api/jobs/{ended_job}/links");
    let revoked = counter.node.send(Method::DELETE, &path, Some(&counter.dispatcher), None).await;
    assert_eq!(revoked.body, json!({"links": 1}));
    assert_eq!(seen(&counter, &expiring).await.status, 200);
    let unknown = seen(&counter, &"A".repeat(32)).await;

    assert_eq!(seen(&counter, &ended).await, unknown);
    counter.wait_minutes(60 * 24 * 4, &[]).await;
    assert_eq!(seen(&counter, &expiring).await, unknown);
    assert_eq!(unknown.status, 404);
    for odd in ["x", "%20", "%2e%2e%2f", "%E4%B8%AD", "' or 1=1 --", &"A".repeat(3000)] {
        let odd = odd.replace(' ', "%20");
        let reply = seen(&counter, &odd).await;
        assert_eq!(reply.body, unknown.body, "{odd}");
    }
}

#[tokio::test]
async fn check_11_who_guesses_is_slowed_down() {
    let (counter, gateway) = open().await;
    agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let token = carried(&gateway, 1).await;

    let mut refusals = Vec::new();
    for guess in 0..25 {
        refusals.push(seen(&counter, &format!("{guess:032}")).await.status.as_u16());
    }

    assert_eq!(refusals.iter().filter(|it| **it == 404).count(), 20, "{refusals:?}");
    assert_eq!(refusals.last(), Some(&429));
    let mut own = Vec::new();
    for _ in 0..61 {
        own.push(seen(&counter, &token).await.status.as_u16());
    }
    assert_eq!((own.first(), own.last()), (Some(&200), Some(&429)), "so is one link");
    counter.hall.wait_minutes(1);
    assert_eq!(seen(&counter, &token).await.status, 200);
}

#[tokio::test]
async fn a10_a_question_becomes_a_case_of_who_planned_the_job_and_is_called_back() {
    let (counter, gateway) = open().await;
    agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let token = carried(&gateway, 1).await;
    let path = format!("/api/track/{token}/questions");
    let ask = async |words: &str| {
        counter.node.post(&path, None, &json!({"text": words})).await.status.as_u16()
    };

    assert_eq!(ask("能带一根软管吗？").await, 204);
    assert_eq!(ask("   ").await, 422);
    assert_eq!(ask(&"长".repeat(501)).await, 422);

    let cases = counter.node.get("/api/cases?view=mine", &counter.dispatcher).await.body;
    let case = &cases["cases"][0];
    assert_eq!((&case["kind"], &case["words"]), (&json!("question"), &json!("能带一根软管吗？")));
    assert_eq!(cases["counts"]["call_back"], 1, "{cases}");
    for _ in 0..4 {
        ask("在吗").await;
    }
    assert_eq!(ask("在吗").await, 429, "five a day");
}

#[tokio::test]
async fn a1_another_window_is_wished_for_and_holds_once_a_dispatcher_agrees() {
    let (counter, gateway) = open().await;
    counter.hire("ana").await;
    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let token = carried(&gateway, 1).await;
    let asked = json!({"day": "2026-03-03"});
    let path = format!("/api/track/{token}/windows");
    let free = counter.node.post(&path, None, &asked).await;
    assert_eq!(free.status, 200, "{free:?}");
    let window = free.body["windows"][0].clone();
    assert_eq!(free.body["windows"].as_array().unwrap().len(), 4, "{free:?}");

    let wishes = format!("/api/track/{token}/wishes");
    let odd =
        json!({"window": {"start": MORNING_MS + 20 * HOUR_MS, "end": MORNING_MS + 21 * HOUR_MS}});
    assert_eq!(counter.node.post(&wishes, None, &odd).await.status, 409);
    assert_eq!(counter.node.post(&wishes, None, &json!({"window": window})).await.status, 204);
    let still = seen(&counter, &token).await.body;
    assert_eq!(still["window"]["start"], MORNING_MS + HOUR_MS, "not before somebody agreed");
    let answers = answers(&counter, job).await;
    assert_eq!(
        (&answers["wishes"][0]["state"], &answers["wishes"][0]["window"]),
        (&json!("open"), &window)
    );
    let case = counter.node.get("/api/cases?view=mine", &counter.dispatcher).await.body;
    assert!(text(&case["cases"][0]["words"]).contains("3月3日08:00–10:00"), "{case}");
    let path = format!("/api/jobs/{job}/wishes/{}", text(&answers["wishes"][0]["id"]));
    let agree = json!({"agree": true});
    assert_eq!(counter.node.post(&path, Some(&counter.dispatcher), &agree).await.status, 204);
    assert_eq!(counter.node.post(&path, Some(&counter.dispatcher), &agree).await.status, 409);

    let now = seen(&counter, &token).await.body;
    assert_eq!((&now["window"], &now["wish"]["state"]), (&window, &json!("agreed")));
    let told = gateway.told(2).await;
    assert!(text(&told[1].1["data"]["text"]).contains("3月3日08:00–10:00"), "told in words too");
    let plan = &counter.job(job).await["job"]["plan"]["appointments"];
    assert!(plan.as_object().unwrap().values().any(|it| it["channel"] == "other"), "{plan}");
}

#[tokio::test]
async fn a1_where_the_rules_say_so_a_window_that_is_wished_for_holds_at_once() {
    let (mut counter, gateway) = open().await;
    counter.hall.person("ines", Role::Admin).await;
    let admin = counter.node.sign_in("ines").await;
    let edits = [("agree_at_once = false", "agree_at_once = true")];
    let quick = crate::packs::pack("quick", "2026-03-03", &edits);
    assert_eq!(crate::packs::add(&counter, &admin, &quick).await.status, 201);
    counter.wait_minutes(24 * 60, &[]).await;
    counter.hire("ana").await;
    let job = agreed(&counter, "repair", MORNING_MS + 25 * HOUR_MS).await;
    let token = carried(&gateway, 1).await;
    let path = format!("/api/track/{token}/windows");
    let free = counter.node.post(&path, None, &json!({"day": "2026-03-04"})).await;
    let window = free.body["windows"][0].clone();

    let wishes = format!("/api/track/{token}/wishes");
    assert_eq!(counter.node.post(&wishes, None, &json!({"window": window})).await.status, 204);

    assert_eq!(seen(&counter, &token).await.body["window"], window);
    let wish = answers(&counter, job).await["wishes"][0].clone();
    assert_eq!(
        (&wish["state"], &wish["case"]),
        (&json!("agreed"), &Value::Null),
        "nobody is asked"
    );
}

#[tokio::test]
async fn a10_a_visit_is_rated_when_it_is_over_and_changed_for_a_day() {
    let (mut counter, gateway) = open().await;
    let mut ana = counter.hire("ana").await;
    let job = agreed(&counter, "cash_collection", MORNING_MS + HOUR_MS).await;
    counter.add(job, "assignments", &json!({"technician": ana.user})).await;
    let token = carried(&gateway, 1).await;
    assert_eq!(rate(&counter, &token, 5, "").await, 409, "nobody was there");
    ana.synced().await;
    finish(&mut ana, job).await;
    ana.synced().await;

    assert_eq!(rate(&counter, &token, 0, "").await, 422);
    assert_eq!(rate(&counter, &token, 2, "等了很久").await, 204);
    counter.wait_minutes(60 * 23, &[]).await;
    assert_eq!(rate(&counter, &token, 4, "又打来解释了").await, 204);
    let rated = answers(&counter, job).await["rating"].clone();
    assert_eq!((&rated["score"], &rated["words"]), (&json!(4), &json!("又打来解释了")));
    let path = "/api/reports/ratings?from=2026-03-01&to=2026-03-03&by=technician&lang=en";
    let figure = counter.node.get(path, &counter.manager).await.body;
    let line = &figure["lines"][0];
    assert_eq!((&line["name"], &line["cells"][1]["jobs"]), (&json!("ANA"), &json!([job])));
    assert_eq!((&figure["columns"][1]["key"], &line["rates"]), (&json!("4"), &json!([1.0, 1.0])));
    counter.wait_minutes(60 * 2, &[]).await;
    assert_eq!(rate(&counter, &token, 5, "").await, 409);
    assert_eq!(seen(&counter, &token).await.body["may"]["rate"], false);
}

#[tokio::test]
async fn check_46_a_link_of_one_job_opens_no_other_and_a_desk_makes_and_ends_them() {
    let (counter, gateway) = open().await;
    let job = agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    carried(&gateway, 1).await;
    agreed(&counter, "meter_reading", MORNING_MS + 5 * HOUR_MS).await;
    let other = carried(&gateway, 2).await;
    let path = format!("/api/jobs/{job}/links");
    let made = counter.node.post(&path, Some(&counter.dispatcher), &Value::Null).await;
    assert_eq!(made.status, 201, "{made:?}");
    let link = text(&made.body["link"]);
    let token = link.rsplit_once('/').unwrap().1.to_owned();

    assert_eq!(seen(&counter, &token).await.body["kind"], "repair");
    assert_eq!(seen(&counter, &other).await.body["kind"], "meter_reading");
    let shown = answers(&counter, job).await;
    assert_eq!(shown["links"].as_array().unwrap().len(), 2);
    let log = counter.node.get("/api/audit", &counter.manager).await.body;
    assert!(log.to_string().contains("link_made"), "{log}");
    for said in [shown.to_string(), log.to_string()] {
        assert!(!said.contains(&token), "{said}");
    }
    counter.node.send(Method::DELETE, &path, Some(&counter.dispatcher), None).await;
    assert_eq!(seen(&counter, &token).await.status, 404);
    assert_eq!(seen(&counter, &other).await.status, 200, "the other job's link holds");
}

#[tokio::test]
async fn check_37_the_page_is_private_and_says_the_same_of_links_over_and_unknown() {
    let (mut counter, gateway) = open().await;
    let web = tempfile::tempdir().unwrap();
    std::fs::create_dir(web.path().join("track")).unwrap();
    let page = "<noscript><!--said--></noscript>";
    std::fs::write(web.path().join("track/index.html"), page).unwrap();
    counter.hall.config.web = web.path().display().to_string();
    counter.node.stop().await;
    counter.node = counter.hall.node().await;
    agreed(&counter, "repair", MORNING_MS + HOUR_MS).await;
    let token = carried(&gateway, 1).await;

    let get =
        async |token: &str| reqwest::get(format!("{}/t/{token}", counter.node.base)).await.unwrap();
    let shown = get(&token).await;
    assert_eq!(shown.status(), 200);
    let header = |name: &str| shown.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("referrer-policy"), header("cache-control")),
        ("no-referrer".to_owned(), "no-store".to_owned())
    );
    assert!(header("x-robots-tag").contains("noindex"));
    assert!(header("content-security-policy").contains("default-src 'none'"));
    let said = shown.text().await.unwrap();
    assert!(
        said.contains("进度: 已受理，待安排人员") && said.contains("Status: Taken on"),
        "{said}"
    );
    let unknown = get(&"B".repeat(32)).await;
    assert_eq!(unknown.status(), 404);
    let unknown = unknown.text().await.unwrap();
    counter.hall.wait_minutes(60 * 24 * 4);
    assert_eq!(get(&token).await.text().await.unwrap(), unknown);
}

async fn seen(counter: &Counter, token: &str) -> Reply {
    counter.node.send(Method::GET, &format!("/api/track/{token}"), None, None).await
}

/// The token that the gateway's nth message carried.
async fn carried(gateway: &Gateway, count: usize) -> String {
    let link = text(&gateway.told(count).await[count - 1].1["data"]["link"]);
    link.rsplit_once('/').expect("a link").1.to_owned()
}

async fn answers(counter: &Counter, job: JobId) -> Value {
    counter.node.get(&format!("/api/jobs/{job}/answers"), &counter.dispatcher).await.body
}

async fn rate(counter: &Counter, token: &str, score: i64, words: &str) -> u16 {
    let body = json!({"score": score, "words": words});
    let path = format!("/api/track/{token}/rating");
    counter.node.send(Method::PUT, &path, None, Some(&body)).await.status.as_u16()
}
