//! Reaching people: by the open stream, by Web Push through a service of our own, by a gateway.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::counter::{Counter, Technician};
use crate::hall::{Hall, Node, text};
use crate::push_service::{Answer, Browser, PushService};

/// Messages that two nodes share.
const JOBS: usize = 40;

/// Messages that hang: more than a turn takes.
const HUNG: usize = 70;

/// A hall that may push to our own service, and a technician whose phone subscribed.
struct Scene {
    counter: Counter,
    service: PushService,
    ana: Technician,
    browser: Browser,
}

impl Scene {
    async fn open() -> Self {
        let service = PushService::open().await;
        let mut hall = Hall::new().await;
        hall.config.push_allowed = service.allowed();
        let counter = Counter::of(hall).await;
        let ana = counter.hire("ana").await;
        let browser = Browser::new();
        let scene = Self { counter, service, ana, browser };
        assert_eq!(scene.subscribe(&scene.service.endpoint("ana")).await, 204);
        scene
    }

    async fn key(&self) -> String {
        text(&self.counter.node.get("/api/push/key", &self.ana.token).await.body["public_key"])
    }

    async fn subscribe(&self, endpoint: &str) -> u16 {
        let body = self.browser.subscription(endpoint, &self.key().await);
        self.counter
            .node
            .status(Method::PUT, "/api/push/subscription", &self.ana.token, &body)
            .await
    }

    async fn channels(&self) -> Value {
        let reply = self.counter.node.get("/api/channels", &self.counter.dispatcher).await;
        reply.body["technicians"][0].clone()
    }

    /// Asks until a push of the channel is as wished.
    async fn push_until(&self, is: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..100 {
            let push = self.channels().await["pushes"][0].clone();
            if is(&push) {
                return push;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the channel never came so far: {}", self.channels().await);
    }
}

#[tokio::test]
async fn a_job_given_at_the_desk_is_pushed_encrypted_signed_and_without_anything_personal() {
    let mut scene = Scene::open().await;

    let job = scene.counter.job_for(scene.ana.user).await;

    let pushed = scene.service.next().await;
    let message = scene.browser.open(&pushed.body);
    assert_eq!(message["web_push"], 8030);
    let shown = &message["notification"];
    assert_eq!((&shown["title"], &shown["body"]), (&json!("新派工单"), &json!("维修")));
    assert_eq!(shown["navigate"], format!("https://hall.example/m/#/job/{job}"));
    let whole = message.to_string();
    for hidden in ["章思雨", "听江里", "05530200000", "灶火不旺", "ANA"] {
        assert!(!whole.contains(hidden), "{whole}");
    }
    let (claims, key) = pushed.claims();
    assert_eq!(claims["aud"], format!("http://{}", scene.service.address));
    let now_s = scene.counter.hall.config.clock.now_ms() / 1000;
    let left_s = claims["exp"].as_i64().unwrap() - now_s;
    assert!((1..=86_400).contains(&left_s), "{claims}");
    assert!(text(&claims["sub"]).starts_with("mailto:"));
    let subscribed = scene.browser.subscription("", &scene.key().await);
    let key = URL_SAFE_NO_PAD.encode(key);
    assert_eq!(subscribed["public_key"], json!(key), "signed by the key it was made under");
    let topic = pushed.header("topic");
    assert!(topic.len() <= 32 && topic == text(&shown["tag"]), "{topic}");
    assert_eq!(pushed.header("urgency"), "normal");
    assert_eq!(pushed.header("ttl"), "10800", "until the window ends at noon");
    assert_eq!(pushed.header("content-encoding"), "aes128gcm");
    scene.push_until(|push| push["sent_at"].is_i64()).await;
}

#[tokio::test]
async fn a_subscription_that_is_gone_ends_and_nothing_more_is_sent_there() {
    for status in [410, 404] {
        let mut scene = Scene::open().await;
        scene.service.answer(Answer::Status(status));
        scene.counter.job_for(scene.ana.user).await;
        assert_eq!(scene.service.next().await.status, status);
        let push = scene.push_until(|push| push["ended_at"].is_i64()).await;
        assert!(text(&push["ended_reason"]).contains(&status.to_string()), "{push}");

        scene.counter.job_for(scene.ana.user).await;
        assert!(scene.service.is_quiet().await);
        assert_eq!(scene.subscribe(&scene.service.endpoint("ana")).await, 409, "that one is over");
        assert_eq!(scene.subscribe(&scene.service.endpoint("anew")).await, 204);
    }
}

#[tokio::test]
async fn a_service_that_never_answers_keeps_nobody_else_waiting() {
    let mut scene = Scene::open().await;
    let ben = scene.counter.hire("ben").await;
    let body = Browser::new().subscription(&scene.service.endpoint("ben"), &scene.key().await);
    let subscribed =
        scene.counter.node.status(Method::PUT, "/api/push/subscription", &ben.token, &body).await;
    assert_eq!(subscribed, 204);
    scene.service.say_nothing_to("ana");
    for _ in 0..HUNG {
        scene.counter.job_for(scene.ana.user).await;
    }

    scene.counter.job_for(ben.user).await;

    assert_eq!(scene.service.next().await.id, "ben", "while all of ana's are waited for");
}

#[tokio::test]
async fn what_is_too_long_is_sent_again_with_its_title_alone() {
    let mut scene = Scene::open().await;
    scene.counter.job_for(scene.ana.user).await;
    let long = scene.service.next().await;
    scene.service.answer(Answer::Most(long.body.len() - 1));

    scene.counter.job_for(scene.ana.user).await;

    assert_eq!(scene.service.next().await.status, 413);
    let short = scene.service.next().await;
    assert_eq!(short.status, 201);
    assert!(short.body.len() < long.body.len());
    assert_eq!(scene.browser.open(&short.body)["notification"]["body"], Value::Null);
}

#[tokio::test]
async fn a_service_that_is_busy_is_asked_again_after_the_pause_that_it_names() {
    for status in [429, 503] {
        let mut scene = Scene::open().await;
        scene.service.answer(Answer::RetryAfter(status, 120));
        scene.counter.job_for(scene.ana.user).await;
        assert_eq!(scene.service.next().await.status, status);
        scene.push_until(|push| push["failed_at"].is_i64()).await;
        scene.service.answer(Answer::Take);
        scene.counter.hall.wait_minutes(1);
        assert!(scene.service.is_quiet().await, "two minutes were asked for");
        scene.counter.hall.wait_minutes(2);

        assert_eq!(scene.service.next().await.status, 201);
        let push = scene.push_until(|push| push["sent_at"].is_i64()).await;
        assert_eq!((&push["last_error"], &push["ended_at"]), (&Value::Null, &Value::Null));
    }
}

/// A browser may subscribe twice within one tick of the clock.
#[tokio::test]
async fn of_two_subscriptions_of_one_moment_the_one_that_lives_is_shown() {
    let scene = Scene::open().await;
    for endpoint in ["second", "third", "fourth"] {
        assert_eq!(scene.subscribe(&scene.service.endpoint(endpoint)).await, 204);
        let pushes = scene.channels().await["pushes"].clone();
        let ended: Vec<&Value> =
            pushes.as_array().unwrap().iter().map(|push| &push["ended_at"]).collect();
        assert_eq!(ended, [&Value::Null], "{pushes}");
    }
}

#[tokio::test]
async fn a_refusal_of_our_word_is_told_and_ends_no_subscription() {
    for status in [400, 401, 403] {
        let mut scene = Scene::open().await;
        scene.service.answer(Answer::Status(status));
        scene.counter.job_for(scene.ana.user).await;
        assert_eq!(scene.service.next().await.status, status);
        let push = scene.push_until(|push| push["failed_at"].is_i64()).await;
        assert!(text(&push["last_error"]).contains(&status.to_string()), "{push}");
        assert_eq!(push["ended_at"], Value::Null);
        scene.service.answer(Answer::Take);
        assert!(scene.service.is_quiet().await, "the same word is not said again");

        scene.counter.job_for(scene.ana.user).await;
        assert_eq!(scene.service.next().await.status, 201);
    }
}

#[tokio::test]
async fn check_44_a_hostile_service_leads_nowhere_else() {
    let mut scene = Scene::open().await;
    let mut other = PushService::open().await;
    scene.service.answer(Answer::Redirect(other.endpoint("inside")));

    scene.counter.job_for(scene.ana.user).await;

    assert_eq!(scene.service.next().await.status, 307);
    let push = scene.push_until(|push| push["failed_at"].is_i64()).await;
    assert!(text(&push["last_error"]).contains("redirects are not followed"), "{push}");
    assert!(other.is_quiet().await);
}

#[tokio::test]
async fn check_44_where_messages_go_is_looked_at_when_saved_and_when_sent() {
    let mut scene = Scene::open().await;
    let mut inside = PushService::open().await;
    for endpoint in [
        inside.endpoint("x").as_str(),
        "https://127.0.0.1/push",
        "https://[::ffff:7f00:1]/push",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/push",
        "https://2130706433/push",
        "https://fcm.googleapis.com.example.com/x",
        "http://fcm.googleapis.com/fcm/send/x",
        "https://fcm.googleapis.com:8443/x",
        "https://user:secret@fcm.googleapis.com/x",
        "file:///etc/passwd",
    ] {
        assert_eq!(scene.subscribe(endpoint).await, 422, "{endpoint}");
    }

    // As a name that led elsewhere when it was saved.
    scene
        .counter
        .hall
        .break_with("update push_subscription set endpoint = 'https://127.0.0.1/x'")
        .await;
    scene.counter.job_for(scene.ana.user).await;

    let push = scene.push_until(|push| push["failed_at"].is_i64()).await;
    assert!(text(&push["last_error"]).contains("not a push service"), "{push}");
    assert!(scene.service.is_quiet().await && inside.is_quiet().await);
}

#[tokio::test]
async fn after_another_key_old_subscriptions_go_on_under_theirs_and_new_ones_need_the_new() {
    let mut scene = Scene::open().await;
    let old = scene.key().await;

    let made =
        scene.counter.node.post("/api/push/key", Some(&scene.counter.manager), &Value::Null).await;

    assert_eq!(made.status, 201);
    let new = scene.key().await;
    assert!(old != new && made.body["public_key"] == json!(new));
    scene.counter.job_for(scene.ana.user).await;
    let pushed = scene.service.next().await;
    let encode = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    assert_eq!(encode(pushed.claims().1), old);
    let body = scene.browser.subscription(&scene.service.endpoint("ana"), &old);
    let path = "/api/push/subscription";
    assert_eq!(scene.counter.node.status(Method::PUT, path, &scene.ana.token, &body).await, 409);
    assert_eq!(scene.subscribe(&scene.service.endpoint("ana")).await, 204);
    scene.counter.job_for(scene.ana.user).await;
    assert_eq!(encode(scene.service.next().await.claims().1), new);
}

#[tokio::test]
async fn two_nodes_on_one_outbox_send_each_message_once() {
    let mut scene = Scene::open().await;
    let _second = scene.counter.hall.node().await;
    let mut jobs = Vec::new();
    for _ in 0..JOBS {
        jobs.push(scene.counter.job_for(scene.ana.user).await.to_string());
    }

    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..JOBS {
        let pushed = scene.service.next().await;
        let message = scene.browser.open(&pushed.body);
        *seen.entry(text(&message["notification"]["data"]["job"])).or_default() += 1;
    }

    assert!(scene.service.is_quiet().await, "nothing comes twice");
    jobs.sort();
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        jobs.into_iter().map(|it| (it, 1)).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn the_open_stream_tells_at_once_and_what_was_shown_is_pushed_to_nobody() {
    let mut scene = Scene::open().await;
    let mut stream = Stream::open(&scene.counter.node, &scene.ana.token).await;
    assert_eq!(stream.next("hello").await["server_at"], scene.counter.hall.config.clock.now_ms());
    let channels = scene.channels().await;
    assert_eq!(channels["stream_open"], true, "{channels}");

    let job = scene.counter.job_for(scene.ana.user).await;

    stream.next("feed").await;
    let notice = stream.next("notice").await;
    assert_eq!((&notice["kind"], &notice["job"]), (&json!("assigned"), &json!(job)));
    let path = format!("/api/notices/{}/shown", text(&notice["id"]));
    for _ in 0..2 {
        let shown = json!({"by": "stream"});
        assert_eq!(
            scene.counter.node.status(Method::POST, &path, &scene.ana.token, &shown).await,
            204
        );
    }
    scene.counter.hall.wait_minutes(30);
    assert!(scene.service.is_quiet().await);
    let came = scene
        .counter
        .node
        .get(&format!("/api/notices/{}", text(&notice["id"])), &scene.ana.token)
        .await;
    assert_eq!(came.body["shown_by"], "stream");
    let layers: BTreeMap<String, String> = came.body["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["layer"]), text(&it["state"])))
        .collect();
    assert_eq!((&*layers["stream"], &*layers["push"]), ("sent", "not_needed"));
    assert_eq!(layers["gateway"], "not_needed");
}

#[tokio::test]
async fn what_an_open_app_does_not_show_in_time_is_pushed() {
    let mut scene = Scene::open().await;
    let mut stream = Stream::open(&scene.counter.node, &scene.ana.token).await;
    stream.next("hello").await;
    scene.counter.job_for(scene.ana.user).await;
    stream.next("notice").await;
    assert!(scene.service.is_quiet().await, "the open app has five seconds");

    scene.counter.hall.wait_minutes(1);

    assert_eq!(scene.service.next().await.status, 201);
}

#[tokio::test]
async fn each_change_of_the_hall_is_told_to_whom_it_concerns_and_newer_news_replace_older() {
    let scene = Scene::open().await;
    let ben = scene.counter.hire("ben").await;
    let job = scene.counter.job_for(scene.ana.user).await;
    let mut ana = Stream::open(&scene.counter.node, &scene.ana.token).await;
    let mut bens = Stream::open(&scene.counter.node, &ben.token).await;
    assert_eq!(ana.next("notice").await["kind"], "assigned");

    let start = scene.counter.hall.config.clock.now_ms() + 4 * 3_600_000;
    let window = json!({"window": {"start": start, "end": start + 7_200_000}, "channel": "phone"});
    assert_eq!(scene.counter.add(job, "appointments", &window).await.status, 201);
    assert_eq!(ana.next("notice").await["kind"], "moved");
    assert_eq!(scene.counter.add(job, "messages", &json!({"text": "到了吗"})).await.status, 201);
    let said = ana.next("notice").await;
    assert_eq!(said["kind"], "message");
    assert!(!said.to_string().contains("到了吗"), "the app reads the job itself");
    let given = json!({"technician": ben.user});
    assert_eq!(scene.counter.add(job, "assignments", &given).await.status, 201);
    let lost = ana.next("notice").await;
    assert_eq!((&lost["kind"], &lost["data"]["given_away"]), (&json!("cancelled"), &json!(true)));
    assert_eq!(bens.next("notice").await["kind"], "assigned");
    assert_eq!(
        scene.counter.add(job, "cancellations", &json!({"reason": "用户来电"})).await.status,
        201
    );
    assert_eq!(bens.next("notice").await["kind"], "cancelled");

    // Nothing was shown: of each person's news about the job only the newest still waits.
    let mut again = Stream::open(&scene.counter.node, &scene.ana.token).await;
    assert_eq!(again.next("notice").await["kind"], "cancelled");
    assert!(again.is_quiet("notice").await);
}

#[tokio::test]
async fn a_job_that_the_phone_does_not_hold_yet_is_no_news() {
    let scene = Scene::open().await;
    let mut ana = Stream::open(&scene.counter.node, &scene.ana.token).await;
    ana.next("hello").await;
    let start = scene.counter.hall.config.clock.now_ms() + 20 * 86_400_000;
    let body = json!({
        "kind": "repair", "account": crate::counter::ACCOUNT, "request": "灶火不旺",
        "technician": scene.ana.user,
        "appointment": {"window": {"start": start, "end": start + 7_200_000}, "channel": "phone"},
    });
    let made = scene.counter.node.post("/api/jobs", Some(&scene.counter.dispatcher), &body).await;
    assert_eq!(made.status, 201);

    assert!(ana.is_quiet("notice").await);
}

#[tokio::test]
async fn a_test_goes_through_every_layer_and_says_what_came_of_each() {
    let mut scene = Scene::open().await;
    let contact = json!({"phone": "138 0000 1234", "leader": null});
    let path = format!("/api/users/{}/contact", scene.ana.user);
    let manager = &scene.counter.manager;
    assert_eq!(scene.counter.node.status(Method::PUT, &path, manager, &contact).await, 200);
    let made =
        scene.counter.node.post("/api/notices/test", Some(&scene.ana.token), &Value::Null).await;
    assert_eq!(made.status, 201);
    assert_eq!(
        scene.browser.open(&scene.service.next().await.body)["notification"]["title"],
        "测试通知"
    );
    let path = format!("/api/notices/{}", text(&made.body["id"]));
    let mut layers = BTreeMap::new();
    for _ in 0..100 {
        let body = scene.counter.node.get(&path, &scene.ana.token).await.body;
        layers = body["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (text(&it["layer"]), it.clone()))
            .collect::<BTreeMap<_, _>>();
        if layers.len() == 2 && layers.values().all(|it| it["state"] != "pending") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(layers["push"]["state"], "sent");
    assert_eq!(layers["gateway"]["state"], "given_up", "no webhook listens");
    assert!(text(&layers["gateway"]["last_error"]).contains("staff.notice"));
}

#[tokio::test]
async fn the_secret_key_is_in_no_log_line_and_no_reply() {
    let hall = Hall::new().await;
    let key = server::reach::keys::draw(hall.config.clock.now()).unwrap();
    assert!(!format!("{key:?}").contains("private"), "{key:?}");
}

/// A phone's open stream.
struct Stream {
    response: reqwest::Response,
    buffer: String,
}

impl Stream {
    async fn open(node: &Node, token: &str) -> Self {
        let asked = (Method::GET, "/api/notices/live");
        let response = node.send_with(asked, token, &[], None).await;
        assert_eq!(response.status(), 200);
        Self { response, buffer: String::new() }
    }

    /// The data of the next event of a name; others are passed over.
    async fn next(&mut self, name: &str) -> Value {
        let next = tokio::time::timeout(Duration::from_secs(10), self.read(name));
        next.await.unwrap_or_else(|_| panic!("no {name} came"))
    }

    async fn is_quiet(&mut self, name: &str) -> bool {
        tokio::time::timeout(Duration::from_millis(1200), self.read(name)).await.is_err()
    }

    async fn read(&mut self, name: &str) -> Value {
        loop {
            while let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |key: &str| event.lines().find_map(|it| it.strip_prefix(key));
                if field("event: ") == Some(name) {
                    let data = field("data: ").expect("an event has data");
                    return serde_json::from_str(data).expect("data are JSON");
                }
            }
            let chunk = self.response.chunk().await.expect("the stream is read");
            let chunk = chunk.expect("the stream goes on");
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("whole letters"));
        }
    }
}
