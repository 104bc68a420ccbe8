//! Files handed in over HTTP: looked at, loaded, forgotten.

use reqwest::Method;
use serde_json::{Value, json};

use server::identity::Role;
use server::upkeep::prune;

use crate::counter::Counter;
use crate::hall::{Reply, reply, text};
use crate::packs;
use crate::reports::another_hall;

const USERS: &str = "用户编号,用户名称,用气地址,联系电话\n\
    30200001,甲,长江路1号,13800138000\n\
    30200002,乙,长江路2号,123\n";
const METERS: &str = "用户编号,表钢号,型号规格\n30200001,N1,G2.5\n30200002,N2,G2.5\n";

async fn hand_in(counter: &Counter, path: &str, name: &str, bytes: &[u8]) -> Reply {
    let mut url = reqwest::Url::parse(&format!("{}{path}", counter.node.base)).expect("a URL");
    url.query_pairs_mut().append_pair("name", name);
    let request = reqwest::Client::new().post(url).bearer_auth(&counter.manager);
    reply(request.header("content-type", "application/octet-stream").body(bytes.to_vec())).await
}

async fn apply(counter: &Counter, id: &str, only_good: bool) -> Reply {
    let path = format!("/api/imports/{id}/apply");
    counter.node.post(&path, Some(&counter.manager), &json!({"only_good": only_good})).await
}

#[tokio::test]
async fn files_are_looked_at_first_and_loaded_when_asked() {
    let counter = Counter::open().await;
    let (chinese, _, _) = encoding_rs::GB18030.encode(USERS);

    let first = hand_in(&counter, "/api/imports", "六月用户.csv", &chinese).await;
    assert_eq!(first.status, 201, "{first:?}");
    let id = first.body["id"].as_str().unwrap().to_owned();
    let files = format!("/api/imports/{id}/files");
    let both = hand_in(&counter, &files, "表具.csv", METERS.as_bytes()).await;

    let preview = &both.body["preview"];
    assert_eq!(preview["counts"]["household"]["new"], 1, "{preview}");
    assert_eq!(preview["counts"]["meter"]["new"], 1, "the other names a household that is wrong");
    assert_eq!(preview["problems"], 2);
    let table = &preview["tables"][0];
    assert_eq!((&table["table"], &table["rows"]), (&json!("household"), &json!(2)));
    assert_eq!(table["columns"][1], json!(["用户名称", "户名"]));
    assert_eq!(table["first"][0]["户名"], "甲");
    let path = format!("/api/imports/{id}/problems?limit=1");
    let page = counter.node.get(&path, &counter.manager).await.body;
    let problem = &page["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&json!(3), &json!("联系电话")));
    assert!(problem["why_zh"] == "不是电话号码" && problem["fix_en"].as_str().unwrap().len() > 5);
    let next = page["next"].as_str().unwrap();
    let rest = counter.node.get(&format!("{path}&after={next}"), &counter.manager).await.body;
    assert_eq!(rest["problems"][0]["file"], "表具.csv");

    let stopped = apply(&counter, &id, false).await;
    assert_eq!((stopped.status.as_u16(), stopped.problem()), (422, "bad-rows"));
    assert!(stopped.body["detail"].as_str().unwrap().contains("only_good"), "{stopped:?}");
    let loaded = apply(&counter, &id, true).await;
    assert_eq!(loaded.body["preview"]["counts"]["household"]["new"], 1, "{loaded:?}");
    assert!(loaded.body["applied_at"].is_i64());
    let again = apply(&counter, &id, true).await;
    assert_eq!((again.status.as_u16(), again.problem()), (409, "conflict"));
    let anew = hand_in(&counter, "/api/imports", "表具.csv", METERS.as_bytes()).await.body;
    assert_eq!(anew["preview"]["counts"]["meter"]["unchanged"], 1, "twice changes nothing");
}

/// Two windows of one clerk, or a repeated request, hand files in at one moment: each becomes a file of its own.
#[tokio::test]
async fn files_that_come_at_one_moment_are_all_taken() {
    let counter = Counter::open().await;
    let first = hand_in(&counter, "/api/imports", "六月用户.csv", USERS.as_bytes()).await;
    let id = first.body["id"].as_str().unwrap().to_owned();
    let files = format!("/api/imports/{id}/files");
    let names: Vec<String> = (0..12).map(|number| format!("表具{number}.csv")).collect();
    let handing = names
        .iter()
        .map(|name| hand_in(&counter, &files, name, METERS.as_bytes()))
        .collect::<Vec<_>>();

    for reply in futures_util::future::join_all(handing).await {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let path = format!("/api/imports/{id}");
    let preview = counter.node.get(&path, &counter.manager).await.body["preview"].take();
    assert_eq!(preview["tables"].as_array().map(Vec::len), Some(13), "{preview}");
}

#[tokio::test]
async fn skills_in_a_file_are_the_words_of_the_pack_that_holds() {
    let (mut counter, admin) = packs::open().await;
    let edits = [("zh = \"抄表员\"", "zh = \"巡检员\"")];
    let added = packs::add(&counter, &admin, &packs::pack("next", "2026-03-03", &edits)).await;
    assert_eq!(added.status, 201, "{added:?}");
    let staff = "登录名,姓名,岗位,技能\nlena,李娜,技术员,巡检员\n".as_bytes();

    let before = hand_in(&counter, "/api/imports", "人员.csv", staff).await.body;
    counter.wait_minutes(16 * 60, &[]).await;
    let after = hand_in(&counter, "/api/imports", "人员.csv", staff).await.body;

    assert_eq!(before["preview"]["problems"], 1, "{before}");
    let path = format!("/api/imports/{}/problems", text(&before["id"]));
    let problem = counter.node.get(&path, &counter.manager).await.body["problems"][0].clone();
    assert!(text(&problem["fix_zh"]).contains("抄表员 meter_reader"), "{problem}");
    assert_eq!(after["preview"]["problems"], 0, "{after}");
    assert_eq!(after["preview"]["counts"]["staff"]["new"], 1, "{after}");
    let loaded = apply(&counter, &text(&after["id"]), false).await.body;
    assert!(loaded["applied_at"].is_i64(), "{loaded}");
    let people = counter.node.get("/api/users?text=lena", &counter.manager).await.body;
    let path = format!("/api/users/{}/qualification", text(&people["users"][0]["id"]));
    let kept = counter.node.get(&path, &counter.manager).await.body;
    assert!(kept.to_string().contains("meter_reader"), "{kept}");
}

#[tokio::test]
async fn what_is_no_table_is_told_and_what_is_forgotten_is_gone() {
    let counter = Counter::open().await;

    let picture = hand_in(&counter, "/api/imports", "用户.xlsx", b"\x89PNG\r\n\x1a\n").await;
    assert_eq!((picture.status.as_u16(), &picture.body["preview"]["problems"]), (201, &json!(1)));
    let id = picture.body["id"].as_str().unwrap().to_owned();
    let path = format!("/api/imports/{id}");
    let told = counter.node.get(&format!("{path}/problems"), &counter.manager).await.body;
    assert_eq!(told["problems"][0]["why_zh"], "不是表格文件（可能是图片或文档）");
    let gone =
        counter.node.send(Method::DELETE, &path, Some(&counter.manager), None::<&Value>).await;
    assert_eq!(gone.status, 204);
    assert_eq!(counter.node.get(&path, &counter.manager).await.status, 404);

    let nameless = hand_in(&counter, "/api/imports", " ", USERS.as_bytes()).await;
    assert_eq!(nameless.status, 422);
    let huge = vec![b','; 33 << 20];
    let huge = hand_in(&counter, "/api/imports", "大.csv", &huge).await;
    assert_eq!((huge.status.as_u16(), huge.problem()), (413, "too-large"));
}

#[tokio::test]
async fn a_file_handed_in_twice_under_one_key_is_one_import() {
    let counter = Counter::open().await;
    let hand_in = async |name: &str| {
        let url = format!("{}/api/imports?name={name}", counter.node.base);
        let request = reqwest::Client::new().post(url).bearer_auth(&counter.manager);
        let request = request.header("idempotency-key", "june").body(USERS);
        reply(request.header("content-type", "application/octet-stream")).await
    };

    let (first, again, other) =
        (hand_in("a.csv").await, hand_in("a.csv").await, hand_in("b.csv").await);

    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!((other.status.as_u16(), other.problem()), (422, "key-reused"));
}

#[tokio::test]
async fn files_are_seen_by_their_own_hall_for_a_day() {
    let mut counter = Counter::open().await;
    let mut keeper = counter.hire("ana").await;
    let id = hand_in(&counter, "/api/imports", "用户.csv", USERS.as_bytes()).await.body;
    let id = id["id"].as_str().unwrap().to_owned();
    let path = format!("/api/imports/{id}");
    let elsewhere = another_hall(&counter.hall).await;
    counter.hall.person_in(elsewhere, "stranger", Role::Manager).await;
    let stranger = counter.node.sign_in("stranger").await;

    assert_eq!(counter.node.get(&path, &counter.manager).await.status, 200);
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/problems")),
        (Method::DELETE, path.clone()),
    ] {
        let foreign = counter.node.send(method, &path, Some(&stranger), None::<&Value>).await;
        assert_eq!(foreign.status, 404, "{path}");
    }
    let foreign = json!({"only_good": true});
    let foreign = counter.node.post(&format!("{path}/apply"), Some(&stranger), &foreign).await;
    assert_eq!(foreign.status, 404);

    counter.wait_minutes(24 * 60 + 1, &[&keeper]).await;
    keeper.sync().await;
    assert_eq!(counter.node.get(&path, &counter.manager).await.status, 404, "a day is over");
    assert_eq!(apply(&counter, &id, true).await.status, 404);
    let app = server::build(counter.hall.config.clone()).await.unwrap();
    assert_eq!(prune(&app.state).await.unwrap().imports, 1);
    assert_eq!(prune(&app.state).await.unwrap().imports, 0);
}
