//! Two halls on one server, built alike and full of things; each thing of one has its twin in the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use domain::household::{HoseKind, Household, Meter, PastReading};
use domain::id::{HallId, HouseholdId, JobId, MeterId};
use domain::measure::{Fen, Volume};
use domain::place::Place;
use domain::reading::ReadingState;
use domain::visit::{Fact, Outcome, Subject};
use image::{ImageFormat, RgbImage};
use mobile_core::phone::NewHose;
use reqwest::Method;
use serde_json::{Value, json};
use server::db::{households, meters};
use server::identity::Role;
use server::identity::token::TokenHash;
use server::leak;
use server::reach::plan::plan;
use server::reminders::keep;
use uuid::Uuid;

use crate::counter::{Counter, Technician};
use crate::hall::{Hall, MORNING_MS, reply, text};
use crate::photos::{name, picture};
use crate::told::Gateway;
use crate::work::hand_in;

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The day on which everything happens.
pub(crate) const TODAY: &str = "2026-03-02";

/// A duty of that day.
pub(crate) const DUTY: &str = "round_morning";

/// Two halls, east and west, each with a server of its own on one database.
pub(crate) struct Pair {
    pub(crate) east: Side,
    pub(crate) west: Side,
    _gateway: Gateway,
}

/// One of the halls.
pub(crate) struct Side {
    pub(crate) counter: Counter,
    /// Stands in every text that somebody wrote here.
    pub(crate) word: &'static str,
    pub(crate) account: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) http: reqwest::Client,
    /// Each thing's id under its name.
    pub(crate) things: BTreeMap<&'static str, String>,
    /// Each person's token under their name: `dora` dispatches, `hanna` is at the counter, `mara` runs the hall,
    /// `adam` keeps accounts, `ana` and `ben` are technicians.
    pub(crate) tokens: BTreeMap<&'static str, String>,
    pub(crate) ana: Technician,
    pub(crate) ben: Technician,
    /// Whom accounts' routes are tried on.
    pub(crate) carl: Technician,
}

/// Everybody who asks, with their role.
pub(crate) const PEOPLE: [(&str, Role); 6] = [
    ("dora", Role::Dispatcher),
    ("hanna", Role::Hall),
    ("mara", Role::Manager),
    ("adam", Role::Admin),
    ("ana", Role::Technician),
    ("ben", Role::Technician),
];

impl Pair {
    /// Both halls after a morning of work.
    pub(crate) async fn open() -> Box<Self> {
        Box::new(Box::pin(Self::opened()).await)
    }

    async fn opened() -> Self {
        let gateway = Gateway::listen().await;
        let mut hall = Hall::new().await;
        hall.config.webhook_allowed = vec![gateway.address.clone()];
        hall.config.public_url = String::from("https://gas.example");
        let beside = hall.beside(HallId(Uuid::from_u128(0xe57)), "城西营业厅").await;
        let keeper = server::build(hall.config.clone()).await.expect("a server");
        let mut east = Side::open(hall, ("kestrel", "30100001", "05530210001")).await;
        let mut west = Side::open(beside, ("plover", "30200001", "05530220001")).await;
        for side in [&mut east, &mut west] {
            side.take_on(&gateway.address).await;
        }
        // The reminders of a quarter to ten, before work at the doors.
        let minutes = |sides: [&Side; 2], minutes: i64| {
            sides[0].counter.hall.wait_minutes(minutes);
            for side in sides {
                side.counter.wait_seconds(0, &[&side.ana, &side.ben, &side.carl]);
            }
        };
        minutes([&east, &west], 45);
        keep(&keeper.state).await.expect("reminders");
        minutes([&east, &west], 25);
        keep(&keeper.state).await.expect("reminders");
        // Until nobody is left to call and every console is alarmed (B2).
        for _ in 0..MINUTES_TO_ALARM {
            leak::keep(&keeper.state).await.expect("calls");
            minutes([&east, &west], 1);
        }
        for side in [&mut east, &mut west] {
            side.sign_in().await;
            side.work().await;
            while plan(&keeper.state).await.expect("notices are planned") > 0 {}
            side.look_up().await;
        }
        Self { east, west, _gateway: gateway }
    }
}

/// Longer than everybody who may be called takes not to answer; whichever node calls them.
const MINUTES_TO_ALARM: usize = 6;

impl Side {
    async fn open(
        hall: Hall,
        (word, account, phone): (&'static str, &'static str, &'static str),
    ) -> Self {
        let home = HouseholdId(Uuid::new_v5(&hall.id.0, b"home"));
        let household = Household {
            id: home,
            account: account.to_owned(),
            holder: format!("{word}户"),
            address: format!("芜湖市镜湖区{word}路听江里1幢101室"),
            phone: phone.to_owned(),
            place: Some(Place { latitude: 31.33, longitude: 118.37 }),
            groups: BTreeSet::new(),
            access: format!("{word}门禁"),
            unregistered: false,
        };
        let meter = MeterId(Uuid::new_v5(&hall.id.0, b"meter"));
        let readings = [("2025-09-02", 1_225), ("2025-11-02", 1_330), ("2026-01-02", 1_640)];
        let readings = readings.map(|(on, m3)| PastReading {
            on: on.parse().expect("a day"),
            register: Volume(m3 * 1000),
            state: ReadingState::Seen,
        });
        let kept = Meter {
            readings: readings.to_vec(),
            ..Meter::new(meter, &format!("{word}1"), "G4", 5)
        };
        let mut tx = hall.db.begin().await.expect("a transaction");
        households::upsert_households(tx.c(), hall.id, &[household]).await.expect("a household");
        meters::upsert_meters(tx.c(), &[(home, kept)]).await.expect("a meter");
        tx.commit().await.expect("a commit");
        let login = |who: &str| format!("{who}.{word}");
        let node = hall.node().await;
        let mut things = BTreeMap::from([
            ("hall", hall.id.to_string()),
            ("household", home.to_string()),
            ("meter", meter.to_string()),
        ]);
        for (who, role) in PEOPLE.into_iter().filter(|(_, role)| *role != Role::Technician) {
            let user = hall.person(&login(who), role).await;
            things.insert(who, user.to_string());
        }
        let dispatcher = node.sign_in(&login("dora")).await;
        let manager = node.sign_in(&login("mara")).await;
        let counter = Counter { hall, node, dispatcher, manager };
        let [ana, ben, carl] = [
            counter.hire(&login("ana")).await,
            counter.hire(&login("ben")).await,
            counter.hire(&login("carl")).await,
        ];
        for (who, device, technician) in
            [("ana", "phone", &ana), ("ben", "other_phone", &ben), ("carl", "third_phone", &carl)]
        {
            things.insert(who, technician.user.to_string());
            things.insert(device, technician.device.clone());
        }
        let (http, tokens) = (reqwest::Client::new(), BTreeMap::new());
        let mut side = Self { counter, word, account, phone, http, things, tokens, ana, ben, carl };
        side.sign_in().await;
        side
    }

    /// Signs everybody in, as after a break.
    async fn sign_in(&mut self) {
        for (who, role) in PEOPLE {
            let token = match (role, who) {
                (Role::Technician, "ana") => self.ana.token.clone(),
                (Role::Technician, _) => self.ben.token.clone(),
                _ => self.counter.node.sign_in(&format!("{who}.{}", self.word)).await,
            };
            self.tokens.insert(who, token);
        }
        self.counter.dispatcher.clone_from(&self.tokens["dora"]);
        self.counter.manager.clone_from(&self.tokens["mara"]);
    }

    /// What is taken on at nine.
    async fn take_on(&mut self, gateway: &str) {
        let (word, account, phone) = (self.word, self.account, self.phone);
        let kinds = ["job.created", "household.notice"];
        let hook = json!({"url": format!("http://{gateway}/{word}"), "kinds": kinds});
        self.made("webhook", "mara", "/api/webhooks", &hook).await;
        let ten = MORNING_MS + HOUR_MS;
        for (thing, kind) in [
            ("job", "repair"),
            ("bill", "cash_collection"),
            ("inspection", "safety_inspection"),
            ("empty", "safety_inspection"),
        ] {
            let window = json!({"start": ten, "end": ten + 2 * HOUR_MS});
            let job = json!({"kind": kind, "account": account, "request": format!("{word}来电"),
                "caller_phone": phone, "technician": self.ana.user,
                "appointment": {"window": window, "channel": "phone"}});
            self.made(thing, "dora", "/api/jobs", &job).await;
        }
        let tomorrow = json!({"start": ten + 24 * HOUR_MS, "end": ten + 26 * HOUR_MS});
        let later = json!({"kind": "repair", "account": account, "request": format!("{word}再来"),
            "appointment": {"window": tomorrow, "channel": "phone"}});
        self.made("later", "dora", "/api/jobs", &later).await;
        let job = self.job("job");
        for (what, body) in [
            ("instructions", json!({"text": format!("{word}带梯子")})),
            ("messages", json!({"text": format!("{word}在吗")})),
        ] {
            assert_eq!(self.counter.add(job, what, &body).await.status, 201);
        }
        let complaint = json!({"kind": "complaint", "channel": "phone", "account": account,
            "caller": format!("{word}客"), "contact": phone, "words": format!("{word}迟到")});
        self.made("case", "hanna", "/api/cases", &complaint).await;
        let abuse = json!({"kind": "abuse_report", "channel": "phone", "contact": phone,
            "caller": format!("{word}匿名"), "words": format!("{word}私收")});
        self.made("report", "mara", "/api/cases", &abuse).await;
        let application = json!({"procedure": "sealing", "channel": "counter", "account": account,
            "applicant": format!("{word}办"), "contact": phone, "words": format!("{word}外出")});
        self.made("application", "hanna", "/api/applications", &application).await;
        let call = json!({"answered": true, "rings": 2, "agent": format!("{word}接")});
        self.made("call", "hanna", "/api/calls", &call).await;
        let leak = json!({"account": account, "phone": phone, "request": format!("{word}漏气")});
        self.made("leak", "dora", "/api/leaks", &leak).await;
        let place = json!({"place": format!("{word}路9号"), "phone": phone});
        self.made("leak_elsewhere", "dora", "/api/leaks", &place).await;
        let window = json!({"start": MORNING_MS + 73 * HOUR_MS, "end": MORNING_MS + 77 * HOUR_MS});
        let outage = json!({"kind": "planned", "window": window, "area": format!("{word}路"),
            "picks": {"accounts": [account]}, "reason": format!("{word}检修")});
        self.made("outage", "dora", "/api/outages", &outage).await;
        self.made("draft", "dora", "/api/outages", &outage).await;
        let announced = format!("/api/outages/{}/announcement", self.things["outage"]);
        self.done(Method::POST, "dora", &announced, &json!({})).await;
        let duty = format!("/api/duties/{TODAY}/{DUTY}");
        self.done(Method::PUT, "hanna", &duty, &json!({"note": format!("{word}巡")})).await;
        self.keep_people().await;
        self.hand_in_file().await;
    }

    async fn keep_people(&self) {
        let (word, carl) = (self.word, &self.things["carl"]);
        for (what, body) in [
            ("contact", json!({"phone": self.phone, "leader": self.ana.user})),
            ("qualification", json!({"area": [format!("{word}路")], "skills": null})),
            ("work-card", json!({"number": format!("{word}-17")})),
        ] {
            self.done(Method::PUT, "mara", &format!("/api/users/{carl}/{what}"), &body).await;
        }
        let path = format!("/api/users/{carl}/work-card/portrait");
        let put = reqwest::Client::new().put(format!("{}{path}", self.counter.node.base));
        let put = put.bearer_auth(&self.tokens["mara"]).header("content-type", "image/jpeg");
        let put = reply(put.body(portrait())).await;
        assert!(put.status.is_success(), "{put:?}");
    }

    async fn hand_in_file(&mut self) {
        let rows = format!(
            "用户编号,用户名称,用气地址,联系电话\n3{},{}甲,{}路2号,12\n",
            self.account, self.word, self.word
        );
        let url = format!("{}/api/imports?name={}.csv", self.counter.node.base, self.word);
        let sent = reqwest::Client::new().post(url).bearer_auth(&self.tokens["mara"]);
        let sent = sent.header("content-type", "application/octet-stream").body(rows);
        let made = reply(sent).await;
        assert_eq!(made.status, 201, "{made:?}");
        self.things.insert("import", text(&made.body["id"]));
    }

    /// What is done at the doors at ten past ten.
    async fn work(&mut self) {
        let (word, job) = (self.word, self.job("job"));
        let (bill, inspection, empty) =
            (self.job("bill"), self.job("inspection"), self.job("empty"));
        self.ana.synced().await;
        self.ben.synced().await;
        let ana = &mut self.ana.phone;
        ana.arrive(job, None).await.expect("at the door");
        let asked = ana.ask(job, format!("{word}问")).await.expect("saved");
        self.things.insert("visit", asked.visit.to_string());
        self.things.insert("question", asked.fact.to_string());
        let picture = picture(u8::try_from(word.len()).expect("a byte"));
        let hash = name(&picture);
        ana.take_photo(job, hash.clone(), Subject::Meter).await.expect("saved");
        ana.arrive(empty, None).await.expect("at the door");
        let notice = ana.take_photo(empty, "d4".repeat(32), Subject::NoticeOnDoor);
        notice.await.expect("saved");
        ana.close(empty, Outcome::NoOneHome).await.expect("saved");
        for job in [bill, inspection] {
            ana.arrive(job, None).await.expect("at the door");
            for item in domain::pack::Pack::builtin().conduct {
                let fact = Fact::Conduct { item: item.id, answer: domain::conduct::Answer::Done };
                ana.record(job, fact).await.expect("saved");
            }
        }
        ana.take_cash(bill, Fen(12_050), format!("{word}没手机")).await.expect("saved");
        ana.record(bill, Fact::Signed { hash: "b2".repeat(32) }).await.expect("saved");
        ana.close(bill, Outcome::Done).await.expect("done");
        let meter = self.things["meter"].parse().expect("a meter");
        ana.read_meter(inspection, meter, Some(Volume(9_999_000))).await.expect("saved");
        let hose = NewHose {
            kind: HoseKind::Corrugated,
            length_mm: 1_500,
            joints: Some(0),
            lot: word.to_owned(),
        };
        ana.replace_hose(inspection, None, hose).await.expect("saved");
        let item = "stove_overdue";
        let found = ana.find_hazard(inspection, item, format!("{word}厨房")).await.expect("saved");
        self.things.insert("hazard", found.fact.to_string());
        self.things.insert("hazard_visit", found.visit.to_string());
        self.ana.synced().await;
        self.counter.put(&self.ana, job, &hash, (0, picture.len(), &picture)).await;
        self.things.insert("photo", hash);
        // A change of hers that a colleague hands in is kept apart.
        self.ana.phone.note(job, format!("{word}记")).await.expect("saved");
        let request = self.ana.request();
        hand_in(&self.ben, job, request.changes[0].bytes.clone()).await;
        let count = json!({"technician": self.ana.user, "day": TODAY, "counted": 100,
            "note": format!("{word}少")});
        self.done(Method::POST, "mara", "/api/cash/counts", &count).await;
        self.answer().await;
    }

    /// What the household answers behind its link.
    async fn answer(&mut self) {
        let made = self.counter.add(self.job("later"), "links", &Value::Null).await;
        assert_eq!(made.status, 201, "{made:?}");
        let token = text(&made.body["link"]).rsplit_once('/').expect("a link").1.to_owned();
        let ask = json!({"text": format!("{}几点到", self.word)});
        self.said(&token, "questions", &ask).await;
        let free = self.said(&token, "windows", &json!({"day": "2026-03-04"})).await;
        self.said(&token, "wishes", &json!({"window": free["windows"][0]})).await;
        self.things.insert("link", token);
        let made = self.counter.add(self.job("bill"), "links", &Value::Null).await;
        let done = text(&made.body["link"]).rsplit_once('/').expect("a link").1.to_owned();
        let path = format!("/api/track/{done}/rating");
        let rating = json!({"score": 2, "words": format!("{}慢", self.word)});
        let rated = self.counter.node.send(Method::PUT, &path, None, Some(&rating)).await;
        assert!(rated.status.is_success(), "{rated:?}");
    }

    async fn said(&self, token: &str, what: &str, body: &Value) -> Value {
        let reply = self.counter.node.post(&format!("/api/track/{token}/{what}"), None, body).await;
        assert!(reply.status.is_success(), "{what}: {reply:?}");
        reply.body
    }

    /// Finds the ids of what came about by itself.
    async fn look_up(&mut self) {
        let job = self.things["job"].clone();
        let found = [
            ("change", "mara", format!("/api/jobs/{job}/history"), "/changes/0/hash"),
            ("wish", "dora", format!("/api/jobs/{}/answers", self.things["later"]), "/wishes/0/id"),
            ("quarantined", "mara", "/api/quarantine".to_owned(), "/changes/0/hash"),
            ("reminder", "ana", "/api/reminders".to_owned(), "/reminders/0/id"),
            ("desk_reminder", "dora", "/api/reminders".to_owned(), "/reminders/0/id"),
        ];
        for (thing, who, path, at) in found {
            let reply = self.counter.node.get(&path, &self.tokens[who]).await;
            let id = reply.body.pointer(at).unwrap_or_else(|| panic!("{path} has {at}: {reply:?}"));
            self.things.insert(thing, text(id));
        }
        let another = self.counter.node.sign_in(&format!("dora.{}", self.word)).await;
        self.things.insert("session", TokenHash::of(&another).session_id().to_string());
        let place = self.counter.job(self.job("leak_elsewhere")).await;
        self.things.insert("place", text(&place["summary"]["household"]["id"]));
        let hook = format!("/api/webhooks/{}/deliveries", self.things["webhook"]);
        let sent = self.counter.node.get(&hook, &self.tokens["mara"]).await.body;
        self.things.insert("delivery", text(&sent["deliveries"][0]["id"]));
        // One that a layer carries: a notice whose place another took before may have none.
        let mut conn = self.counter.hall.db.read().await.expect("a connection");
        let notice: Uuid = conn
            .c()
            .q("select n.notice_id from notice n join notice_delivery d on d.notice_id = n.notice_id \
                where n.user_id = $1 and d.layer = 'gateway' order by n.notice_id limit 1")
            .bind(self.ana.user.0)
            .scalar()
            .await
            .expect("she was told something");
        self.things.insert("notice", notice.to_string());
    }

    fn job(&self, thing: &str) -> JobId {
        self.things[thing].parse().expect("a job")
    }

    async fn made(&mut self, thing: &'static str, who: &str, path: &str, body: &Value) {
        let reply = self.done(Method::POST, who, path, body).await;
        if let Some(id) = reply["id"].as_str() {
            self.things.insert(thing, id.to_owned());
        }
    }

    async fn done(&self, method: Method, who: &str, path: &str, body: &Value) -> Value {
        let reply = self.counter.node.send(method, path, Some(&self.tokens[who]), Some(body)).await;
        assert!(reply.status.is_success(), "{who} {path}: {reply:?}");
        reply.body
    }

    /// What nobody of another hall may read: the words written here, and every id.
    pub(crate) fn marks(&self) -> Vec<String> {
        let ids = self.things.iter().filter(|(thing, _)| **thing != "hall");
        let words = [self.word, self.account, self.phone].map(str::to_owned);
        words.into_iter().chain(ids.map(|(_, id)| id.clone())).collect()
    }
}

/// A portrait as a desk sends it.
pub(crate) fn portrait() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let pixels = RgbImage::from_pixel(240, 320, image::Rgb([90, 120, 150]));
    pixels.write_to(&mut bytes, ImageFormat::Jpeg).expect("a picture");
    bytes.into_inner()
}
