//! Cases over HTTP: owners, hand-overs, promises, questions from doors, and reporters who stay secret.

use domain::id::{JobId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use server::command::rebuild::Rebuild;
use server::identity::Role;

use crate::counter::{ACCOUNT, Counter, Technician};
use crate::figures::{cells, cells_of, report};
use crate::hall::{MORNING_MS, Reply, text};

const HOUR_MS: i64 = 3_600_000;

/// A hall with two people of its staff beside the manager.
struct Staffed {
    counter: Counter,
    ana: String,
    ben: String,
    ana_id: UserId,
    ben_id: UserId,
}

impl Staffed {
    async fn open() -> Self {
        let counter = Counter::open().await;
        let ana_id = counter.hall.person("ana", Role::Hall).await;
        let ben_id = counter.hall.person("ben", Role::Hall).await;
        let ana = counter.node.sign_in("ana").await;
        let ben = counter.node.sign_in("ben").await;
        Self { counter, ana, ben, ana_id, ben_id }
    }

    /// Takes on a case; tells its id.
    async fn case(&self, token: &str, body: Value) -> String {
        let reply = self.counter.node.post("/api/cases", Some(token), &body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        text(&reply.body["id"])
    }

    async fn complaint(&self) -> String {
        let body = json!({"kind": "complaint", "channel": "phone", "account": ACCOUNT,
            "caller": "章思雨", "contact": "05530200000", "words": "上门迟到"});
        self.case(&self.ana, body).await
    }

    async fn show(&self, token: &str, case: &str) -> Value {
        let reply = self.counter.node.get(&format!("/api/cases/{case}"), token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    async fn add(&self, token: &str, case: &str, body: Value) -> Reply {
        let path = format!("/api/cases/{case}/events");
        self.counter.node.post(&path, Some(token), &body).await
    }

    async fn added(&self, token: &str, case: &str, body: Value) {
        let reply = self.add(token, case, body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// The numbers of the cases that somebody lists.
    async fn listed(&self, token: &str, query: &str) -> Vec<i64> {
        let reply = self.counter.node.get(&format!("/api/cases{query}"), token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let cases = reply.body["cases"].as_array().expect("the tests' own calls work").clone();
        cases
            .iter()
            .map(|case| case["number"].as_i64().expect("the tests' own calls work"))
            .collect()
    }

    async fn sign_in_again(&mut self) {
        self.ana = self.counter.node.sign_in("ana").await;
        self.ben = self.counter.node.sign_in("ben").await;
    }
}

#[tokio::test]
async fn b4_who_takes_a_request_first_owns_it_until_somebody_accepts_it() {
    let hall = Staffed::open().await;
    let case = hall.complaint().await;
    let owner = async || hall.show(&hall.ana, &case).await["case"]["owner"].clone();

    assert_eq!(owner().await, json!(hall.ana_id));
    let offer = json!({"act": "offer", "to": hall.ben_id, "text": "他负责这一片"});
    hall.added(&hall.ana, &case, offer.clone()).await;
    assert_eq!(owner().await, json!(hall.ana_id), "an offer changes no owner");
    assert_eq!(hall.listed(&hall.ben, "?view=offered").await, [1]);
    let taken = hall.add(&hall.counter.manager, &case, json!({"act": "accept"})).await;
    assert_eq!((taken.status.as_u16(), taken.problem()), (403, "case-owner"));
    hall.added(&hall.ben, &case, json!({"act": "decline", "text": "明天休假"})).await;
    assert_eq!(owner().await, json!(hall.ana_id));
    hall.added(&hall.ana, &case, offer).await;
    hall.added(&hall.ben, &case, json!({"act": "accept"})).await;

    assert_eq!(owner().await, json!(hall.ben_id));
    let shown = hall.show(&hall.ben, &case).await;
    let told: Vec<_> = shown["history"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(told, ["opened", "offered", "declined", "offered", "accepted"]);
    assert_eq!(hall.listed(&hall.ana, "?view=mine").await, [0_i64; 0]);
    assert_eq!(hall.listed(&hall.ben, "?view=mine").await, [1]);
}

#[tokio::test]
async fn b5_a_complaint_whose_caller_was_not_told_is_watched_as_promises_of_jobs_are() {
    let mut hall = Staffed::open().await;
    let case = hall.complaint().await;
    let days = "from=2026-03-02&to=2026-03-06";
    let watched = async |counter: &Counter| {
        let figures = report(counter, "promises", days).await;
        let open = &figures["open_cases"][0];
        assert_eq!(open["case"], json!(case));
        let (state, risk) = (open["state"].clone(), open["is_at_risk"].clone());
        (state, risk, cells(&figures["by_rule"], "B5"))
    };

    let running = cells_of(&[("running", 1)]);
    assert_eq!(watched(&hall.counter).await, (json!("running"), json!(false), running.clone()));
    hall.counter.wait_minutes(49 * 60, &[]).await;
    assert_eq!(watched(&hall.counter).await, (json!("running"), json!(true), running));
    hall.counter.wait_minutes(24 * 60, &[]).await;
    let broken = cells_of(&[("broken", 1)]);
    assert_eq!(watched(&hall.counter).await, (json!("broken"), json!(false), broken));
}

#[tokio::test]
async fn b4_a_case_is_offered_only_to_somebody_who_can_own_it() {
    let hall = Staffed::open().await;
    let case = hall.complaint().await;
    let tom = hall.counter.hall.person("tom", Role::Technician).await;
    let stranger = uuid::Uuid::from_u128(5);

    for (to, status) in [(json!(tom), 422), (json!(stranger), 404), (json!(hall.ana_id), 422)] {
        let offer = json!({"act": "offer", "to": to, "text": "请处理"});
        let reply = hall.add(&hall.ana, &case, offer).await;
        assert_eq!(reply.status.as_u16(), status, "{to}: {reply:?}");
    }
    assert_eq!(hall.show(&hall.ana, &case).await["case"]["offered_to"], Value::Null);
}

#[tokio::test]
async fn b4_what_somebody_left_behind_is_shown_and_handed_on_by_who_runs_the_hall() {
    let hall = Staffed::open().await;
    let case = hall.complaint().await;
    let path = format!("/api/users/{}/disable", hall.ana_id);
    let gone = hall.counter.node.post(&path, Some(&hall.counter.manager), &json!({})).await;
    assert_eq!(gone.status, 204);
    let offer = json!({"act": "offer", "to": hall.ben_id, "text": "原负责人已离岗"});

    assert_eq!(hall.listed(&hall.counter.manager, "?view=left").await, [1]);
    assert_eq!(hall.show(&hall.ben, &case).await["case"]["owner_has_left"], true);
    assert_eq!(hall.add(&hall.ben, &case, offer.clone()).await.status, 403);
    hall.added(&hall.counter.manager, &case, offer).await;
    let waiting = hall.show(&hall.ben, &case).await;
    assert_eq!(waiting["case"]["owner"], json!(hall.ana_id), "never without an owner");
    hall.added(&hall.ben, &case, json!({"act": "accept"})).await;

    assert_eq!(hall.show(&hall.ben, &case).await["case"]["owner"], json!(hall.ben_id));
    assert_eq!(hall.listed(&hall.counter.manager, "?view=left").await, [0_i64; 0]);
}

#[tokio::test]
async fn b5_a_complaint_is_overdue_after_three_days_until_the_complainant_was_told() {
    let mut hall = Staffed::open().await;
    let case = hall.complaint().await;
    let question = json!({"kind": "question", "channel": "counter", "words": "气价多少"});
    hall.case(&hall.ana, question).await;
    let promise = hall.show(&hall.ana, &case).await["case"]["promise"].clone();
    let due_at = MORNING_MS + 72 * HOUR_MS;
    assert_eq!(promise, json!({"rule": "B5", "due_at": due_at, "state": "running"}));

    hall.counter.wait_minutes(72 * 60 + 1, &[]).await;
    hall.sign_in_again().await;
    assert_eq!(hall.listed(&hall.ana, "?view=overdue").await, [1]);
    assert_eq!(hall.listed(&hall.ana, "").await, [1, 2], "what is due stands first");
    let close = hall.add(&hall.ana, &case, json!({"act": "close"})).await;
    assert_eq!((close.status.as_u16(), close.problem()), (409, "case-state"));
    let unsaid = json!({"act": "decide", "text": "属实"});
    assert_eq!(hall.add(&hall.ana, &case, unsaid).await.status, 422, "founded or not");
    let decided = json!({"act": "decide", "text": "属实，已道歉", "founded": true});
    hall.added(&hall.ana, &case, decided).await;
    assert_eq!(hall.listed(&hall.ana, "?view=overdue").await, [1], "nobody was told yet");
    let told = json!({"act": "tell", "channel": "phone", "reached": true, "text": "接受道歉"});
    hall.added(&hall.ana, &case, told).await;
    hall.added(&hall.ana, &case, json!({"act": "close"})).await;

    let shown = hall.show(&hall.ana, &case).await;
    assert_eq!(shown["case"]["state"], "closed");
    assert_eq!(shown["case"]["promise"]["state"], "broken", "late is late");
    assert_eq!(hall.listed(&hall.ana, "?view=overdue").await, [0_i64; 0]);
    assert_eq!(hall.listed(&hall.ana, "?open=false").await, [1]);
    assert_eq!(shown["may"], json!(["note", "reopen"]));
}

#[tokio::test]
async fn a10_a_question_at_a_door_becomes_a_case_that_goes_back_to_its_asker() {
    let hall = Staffed::open().await;
    let (mut tom, job) = asked_at_the_door(&hall).await;

    let listed = hall.counter.node.get("/api/questions", &hall.ana).await.body;
    let question = &listed["questions"][0];
    assert_eq!(question["question"], "表的保修期多久？");
    assert_eq!(question["asked"]["job"], json!(job));
    assert_eq!(question["technician"], json!(tom.user));
    let body = json!({"kind": "question", "channel": "at_the_door", "asked": question["asked"]});
    let case = hall.case(&hall.ana, body.clone()).await;
    let again = hall.counter.node.post("/api/cases", Some(&hall.ben), &body).await;

    assert_eq!((again.status.as_u16(), again.problem()), (409, "question-taken"));
    let shown = hall.show(&hall.ana, &case).await;
    assert_eq!(shown["case"]["words"], "表的保修期多久？");
    assert_eq!(shown["case"]["household"]["account"], ACCOUNT);
    assert_eq!(
        (&shown["case"]["caller"], &shown["case"]["contact"]),
        (&json!("章思雨"), &json!("05530200000"))
    );
    let none = hall.counter.node.get("/api/questions", &hall.ana).await.body;
    assert_eq!(none["questions"], json!([]));
    assert_eq!(
        hall.add(&hall.ana, &case, json!({"act": "close"})).await.status,
        409,
        "nobody called"
    );
    hall.added(&hall.ana, &case, json!({"act": "tell", "channel": "phone", "reached": true})).await;
    hall.added(&hall.ana, &case, json!({"act": "close"})).await;
    tom.synced().await;
}

#[tokio::test]
async fn a10_a_question_taken_back_at_the_door_is_none() {
    let hall = Staffed::open().await;
    let (mut tom, job) = asked_at_the_door(&hall).await;
    let asked =
        hall.counter.node.get("/api/questions", &hall.ana).await.body["questions"][0]["asked"]
            .clone();
    let fact = text(&asked["fact"]).parse().unwrap();
    tom.phone.withdraw(job, fact, "点错了".to_owned()).await.unwrap();
    tom.synced().await;

    let listed = hall.counter.node.get("/api/questions", &hall.ana).await.body;
    let body = json!({"kind": "question", "channel": "at_the_door", "asked": asked});
    let refused = hall.counter.node.post("/api/cases", Some(&hall.ana), &body).await;

    assert_eq!((&listed["questions"], refused.status.as_u16()), (&json!([]), 404));
}

#[tokio::test]
async fn b10_the_owner_alone_sees_who_reported_and_every_look_is_noted() {
    let hall = Staffed::open().await;
    let body = json!({"kind": "abuse_report", "channel": "phone", "caller": "匿名甲",
        "contact": "13900001111", "words": "有人私收改管费"});
    let case = hall.case(&hall.ana, body.clone()).await;
    let look = async |token: &str| {
        let path = format!("/api/cases/{case}/looks");
        hall.counter.node.send(Method::POST, &path, Some(token), None).await
    };

    let seen = look(&hall.ana).await;
    hall.counter.hall.wait_minutes(1);
    let refused = look(&hall.counter.manager).await;

    assert_eq!(seen.body, json!({"name": "匿名甲", "contact": "13900001111"}));
    assert_eq!((refused.status.as_u16(), refused.problem()), (403, "reporter-secret"));
    let shown = hall.show(&hall.counter.manager, &case).await;
    let looks: Vec<_> =
        shown["looks"].as_array().unwrap().iter().map(|it| &it["refused"]).collect();
    assert_eq!(looks, [&json!(false), &json!(true)]);
    assert_eq!((&shown["may_see_reporter"], &shown["reward_yuan"]), (&json!(false), &json!(200)));
    assert!(!shown.to_string().contains("13900001111") && !shown.to_string().contains("匿名甲"));
    assert_eq!(hall.listed(&hall.ana, "?text=13900001111").await, [0_i64; 0]);
    assert_eq!(hall.listed(&hall.ana, "?text=改管费").await, [1]);
    let of_a_home = json!({"account": ACCOUNT}).as_object().unwrap().clone();
    let mut given_away = body;
    given_away.as_object_mut().unwrap().extend(of_a_home);
    let reply = hall.counter.node.post("/api/cases", Some(&hall.ana), &given_away).await;
    assert_eq!(reply.status, 422);
    hall.added(&hall.ana, &case, json!({"act": "offer", "to": hall.ben_id, "text": "回避"})).await;
    hall.added(&hall.ben, &case, json!({"act": "accept"})).await;
    assert_eq!(
        (look(&hall.ana).await.status, look(&hall.ben).await.status.as_u16()),
        (reqwest::StatusCode::FORBIDDEN, 201)
    );
}

#[tokio::test]
async fn b4_a_call_becomes_a_case_and_a_job_in_one_go_or_neither() {
    let hall = Staffed::open().await;
    let dora = &hall.counter.dispatcher;
    let ten = MORNING_MS + HOUR_MS;
    let window = json!({"start": ten, "end": ten + HOUR_MS});
    let body = json!({"kind": "request", "channel": "phone", "account": ACCOUNT, "words": "灶火不旺",
        "job": {"kind": "repair", "appointment": {"window": window, "channel": "phone"}}});
    let made = hall.counter.node.post("/api/cases", Some(dora), &body).await;

    assert_eq!(made.status, 201, "{made:?}");
    let job: JobId = text(&made.body["job"]).parse().unwrap();
    let seen = hall.counter.job(job).await;
    assert_eq!(seen["job"]["briefing"]["request"], "灶火不旺");
    assert_eq!(seen["cases"][0]["number"], made.body["number"]);
    let case = text(&made.body["id"]);
    let shown = hall.show(dora, &case).await;
    assert_eq!((&shown["jobs"][0]["id"], &shown["history"][1]["job"]), (&json!(job), &json!(job)));

    let mut impossible = body.clone();
    impossible["job"]["technician"] = json!(uuid::Uuid::from_u128(5));
    assert_eq!(hall.counter.node.post("/api/cases", Some(dora), &impossible).await.status, 404);
    assert_eq!(
        hall.counter.node.post("/api/cases", Some(&hall.ana), &body).await.status,
        403,
        "hall staff give no jobs out"
    );
    impossible["job"]["technician"] = Value::Null;
    impossible["account"] = Value::Null;
    assert_eq!(
        hall.counter.node.post("/api/cases", Some(dora), &impossible).await.status,
        422,
        "a job needs a door"
    );
    assert_eq!(hall.listed(dora, "").await, [1], "nothing is left of what failed");

    let later = json!({"kind": "repair", "account": ACCOUNT, "case": case});
    assert_eq!(hall.counter.node.post("/api/jobs", Some(dora), &later).await.status, 201);
    assert_eq!(hall.show(dora, &case).await["jobs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn b2_hall_staff_send_somebody_to_a_leak_at_once_and_own_the_case() {
    let hall = Staffed::open().await;
    let body = json!({"kind": "leak_report", "channel": "phone", "account": ACCOUNT, "words": "厨房有异味",
        "job": {"kind": "emergency"}});

    let made = hall.counter.node.post("/api/cases", Some(&hall.ana), &body).await;

    assert_eq!(made.status, 201, "{made:?}");
    let job: JobId = text(&made.body["job"]).parse().unwrap();
    assert_eq!(hall.counter.job(job).await["summary"]["promise"]["rule"], "B2");
    let case = text(&made.body["id"]);
    assert_eq!(hall.show(&hall.ana, &case).await["case"]["owner"], json!(hall.ana_id));
    let promises = hall.counter.node.get("/api/intake/promises", &hall.ana).await.body;
    let in_72_hours = MORNING_MS + 72 * 3_600_000;
    let b5 = json!({
        "rule": "B5", "kinds": ["complaint"], "starts": "taken", "due_at": in_72_hours, "guide_due_at": null,
    });
    assert_eq!(promises["cases"], json!([b5]));
    let of_jobs: Vec<&Value> =
        promises["jobs"].as_array().unwrap().iter().map(|it| &it["rule"]).collect();
    assert_eq!(of_jobs, ["B1", "B2", "B6"]);
}

#[tokio::test]
async fn somebody_without_a_household_has_a_case_and_lists_find_it_page_by_page() {
    let hall = Staffed::open().await;
    for number in 1..=5 {
        let words = format!("第 {number} 件：新小区何时通气");
        let body = json!({"kind": "question", "channel": "we_chat", "caller": "路人", "contact": "wx-1", "words": words});
        hall.case(&hall.ana, body).await;
    }
    let first = hall.counter.node.get("/api/cases?limit=2&text=通气", &hall.ben).await.body;
    let next = text(&first["next"]);
    let numbers = |body: &Value| -> Vec<i64> {
        body["cases"].as_array().unwrap().iter().map(|it| it["number"].as_i64().unwrap()).collect()
    };
    let second = format!("/api/cases?limit=2&text=通气&after={next}");
    let second = hall.counter.node.get(&second, &hall.ben).await.body;

    assert_eq!((numbers(&first), numbers(&second)), (vec![5, 4], vec![3, 2]));
    assert_eq!(
        first["counts"],
        json!({"mine": 0, "offered": 0, "open": 5, "overdue": 0, "call_back": 0, "left": 0, "asked": 0})
    );
    assert_eq!(hall.listed(&hall.ben, "?text=3").await, [3]);
    assert_eq!(hall.listed(&hall.ben, "?kind=complaint").await, [0_i64; 0]);
    assert_eq!(hall.counter.node.get("/api/cases?after=rubbish", &hall.ben).await.status, 422);
}

#[tokio::test]
async fn an_addition_to_what_somebody_else_changed_is_refused_and_another_hall_sees_nothing() {
    let hall = Staffed::open().await;
    let case = hall.complaint().await;
    let path = format!("/api/cases/{case}/events");
    let note = json!({"act": "note", "text": "用户又来电"});
    let sent = async |tag: &str| {
        let request = (Method::POST, path.as_str());
        hall.counter.node.send_with(request, &hall.ben, &[("if-match", tag)], Some(&note)).await
    };

    assert_eq!(sent("\"1\"").await.status(), 201);
    let stale = sent("\"1\"").await;
    assert_eq!(stale.status(), 412);
    let problem: Value = stale.json().await.unwrap();
    assert_eq!(problem["current"]["etag"], "\"2\"");
    assert_eq!(sent("\"2\"").await.status(), 201);

    let elsewhere = crate::reports::another_hall(&hall.counter.hall).await;
    hall.counter.hall.person_in(elsewhere, "eve", Role::Manager).await;
    let eve = hall.counter.node.sign_in("eve").await;
    assert_eq!(hall.listed(&eve, "").await, [0_i64; 0]);
    assert_eq!(hall.counter.node.get(&format!("/api/cases/{case}"), &eve).await.status, 404);
    assert_eq!(hall.add(&eve, &case, note.clone()).await.status, 404);
}

#[tokio::test]
async fn what_is_said_of_a_case_has_words_and_an_end() {
    let hall = Staffed::open().await;
    let case = hall.complaint().await;
    for body in [
        json!({"act": "note", "text": " "}),
        json!({"act": "note", "text": "长".repeat(2001)}),
        json!({"act": "close", "text": "长".repeat(2001)}),
        json!({"act": "offer", "text": "给谁？"}),
        json!({"act": "tell", "channel": "phone"}),
        json!({"act": "tell", "reached": true}),
    ] {
        let reply = hall.add(&hall.ana, &case, body.clone()).await;
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
        assert!(!text(&reply.body["detail"]).is_empty());
    }
    let silent = json!({"kind": "question", "channel": "phone"});
    assert_eq!(hall.counter.node.post("/api/cases", Some(&hall.ana), &silent).await.status, 422);
    let long =
        json!({"kind": "question", "channel": "phone", "words": "问", "caller": "长".repeat(101)});
    assert_eq!(hall.counter.node.post("/api/cases", Some(&hall.ana), &long).await.status, 422);
    assert_eq!(hall.show(&hall.ana, &case).await["case"]["version"], 1, "nothing was added");
}

#[tokio::test]
async fn s8_what_the_events_of_cases_come_to_can_be_derived_anew() {
    let hall = Staffed::open().await;
    let case = hall.complaint().await;
    hall.added(&hall.ana, &case, json!({"act": "offer", "to": hall.ben_id, "text": "请"})).await;
    hall.added(&hall.ben, &case, json!({"act": "accept"})).await;
    hall.added(&hall.ben, &case, json!({"act": "decide", "text": "不属实", "founded": false}))
        .await;
    let before = hall.show(&hall.ben, &case).await;
    hall.counter
        .hall
        .break_with(
            "update hall_case set state = 'lost', version = 9, offered_to = null, clock_at = 1",
        )
        .await;
    hall.counter.hall.break_with("update hall_case set owner_id = (select user_id from user_account where login = 'dora')").await;
    assert_ne!(hall.show(&hall.ben, &case).await["case"], before["case"]);

    let rebuild = Rebuild::of(&hall.counter.hall.config.database.0);
    rebuild.run(&hall.counter.hall.config, &mut std::io::sink()).await.unwrap();

    assert_eq!(hall.show(&hall.ben, &case).await, before);
}

/// A technician at a door logs a question; it has reached the hall.
async fn asked_at_the_door(hall: &Staffed) -> (Technician, JobId) {
    let mut tom = hall.counter.hire("tom").await;
    let job = hall.counter.job_for(tom.user).await;
    tom.synced().await;
    tom.phone.arrive(job, None).await.expect("at the door");
    tom.phone.ask(job, "表的保修期多久？".to_owned()).await.expect("a question");
    tom.synced().await;
    (tom, job)
}
