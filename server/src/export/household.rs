//! Everything known of one household, line by line for its people to read.

use chrono::FixedOffset;
use domain::catalogue::{self, Language};
use serde_json::Value as Json;

use super::{Sheet, Value};

/// What nobody reads: when by which clock, and what names a fact.
const LEFT: [&str; 4] = ["stamp", "type", "hash", "id"];

/// Lines of a household's file, in the order of its parts.
struct Lines {
    language: Language,
    offset: FixedOffset,
    rows: Vec<Vec<Value>>,
}

/// Writes the file that programs get as a sheet that people read.
pub fn household(file: &Json, language: Language, offset: FixedOffset) -> Sheet {
    let mut lines = Lines { language, offset, rows: Vec::new() };
    lines.add_home(&file["known"]);
    for it in each(&file["jobs"]) {
        lines.add_job(it);
    }
    for it in each(&file["cases"]) {
        lines.add("case", &it["opened_at"], lines.word("case", &it["kind"]), &text(it));
        lines.add_history("case", &it["history"]);
    }
    for it in each(&file["applications"]) {
        lines.add("application", &it["taken_at"], text(&it["procedure"]), &text(it));
        lines.add_history("application", &it["history"]);
    }
    lines.add_beside(&file["beside"]);
    let say = |key: &str| catalogue::text(language, key, &[]);
    let headers = ["part", "at", "what", "said"].map(|it| say(&format!("person.column.{it}")));
    Sheet { title: say("person.title"), headers: headers.into(), rows: lines.rows }
}

impl Lines {
    fn word(&self, what: &str, key: &Json) -> String {
        let key = format!("{what}.{}", key.as_str().unwrap_or_default());
        catalogue::text(self.language, &key, &[])
    }

    fn add(&mut self, part: &str, at: &Json, what: String, said: &str) {
        let part = catalogue::text(self.language, &format!("person.part.{part}"), &[]);
        let at = Value::instant(at.as_i64(), self.offset);
        self.rows.push(vec![Value::text(part), at, Value::text(what), Value::text(said)]);
    }

    /// What the register and the ledger say.
    fn add_home(&mut self, known: &Json) {
        let home = &known["household"];
        for key in ["account", "holder", "address", "phone", "access"] {
            let what = catalogue::text(self.language, &format!("person.field.{key}"), &[]);
            self.add("register", &Json::Null, what, &text(&home[key]));
        }
        for it in each(&known["groups"]) {
            self.add("group", &it["at"], self.word("group", &it["group"]), &text(it));
        }
        for it in each(&known["consents"]).filter(|it| !it["state"].is_null()) {
            self.add("consent", &it["at"], text(&it["purpose"]), &text(it));
        }
        for it in each(&known["entries"]) {
            let (what, at) = (text(&it["entry"]["type"]), &it["author"]["at"]);
            self.add("ledger", at, what, &text(&it["entry"]));
        }
        for (part, key) in [("meter", "meters"), ("hose", "hoses"), ("appliance", "appliances")] {
            for it in each(&known[key]) {
                self.add(part, &Json::Null, text(&it["kind"]), &text(it));
            }
        }
        for it in each(&known["hazards"]) {
            let name = if self.language == Language::Chinese { "zh" } else { "en" };
            self.add("hazard", &it["found_at"], text(&it[name]), &text(&it["text"]));
        }
    }

    /// A job with everything that was agreed, said and recorded in it.
    fn add_job(&mut self, it: &Json) {
        let job = &it["job"];
        self.add(
            "job",
            &job["created_at"],
            self.word("kind", &job["kind"]),
            &text(&job["briefing"]["request"]),
        );
        for visit in members(&job["visits"]) {
            for fact in members(&visit["facts"]) {
                let at = &fact["stamp"]["wall_at"];
                self.add("visit", at, self.word("fact", &fact["type"]), &text(fact));
            }
        }
        for message in members(&job["messages"]) {
            self.add("message", &Json::Null, String::new(), &text(&message["text"]));
        }
        for picture in each(&it["pictures"]) {
            let said = text(&picture["hash"]);
            self.add("picture", &picture["taken_at"], text(&picture["subject"]), &said);
        }
    }

    fn add_history(&mut self, part: &str, history: &Json) {
        for it in each(history) {
            let event = it.get("event").unwrap_or(it);
            self.add(part, &it["at"], text(&event["type"]), &text(event));
        }
    }

    /// Messages, answers, money, and who looked.
    fn add_beside(&mut self, beside: &Json) {
        for it in each(&beside["notices"]) {
            let what = self.word("told.occasion", &it["occasion"]);
            self.add("notice", &it["made_at"], what, &text(&it["words"]));
        }
        for it in each(&beside["ratings"]) {
            self.add("rating", &it["rated_at"], text(&it["score"]), &text(&it["words"]));
        }
        for it in each(&beside["wishes"]) {
            self.add("wish", &it["made_at"], text(&it["state"]), "");
        }
        for it in each(&beside["callers"]) {
            self.add("leak", &it["begun_at"], String::new(), &text(&it["caller_phone"]));
        }
        for it in each(&beside["cash"]) {
            self.add("cash", &it["taken_at"], text(&it["receipt"]), &text(&it["amount"]));
        }
        for it in each(&beside["looks"]) {
            let what = self.word("admin.what", &it["what"]);
            let who = if it["role"] == "" { String::new() } else { self.word("role", &it["role"]) };
            self.add("look", &it["at"], what, &who);
        }
    }
}

fn each(list: &Json) -> impl Iterator<Item = &Json> {
    list.as_array().into_iter().flatten()
}

fn members(map: &Json) -> impl Iterator<Item = &Json> {
    map.as_object().into_iter().flat_map(|it| it.values())
}

/// A value in words: plain ones as they are, others as `name: value` for each that says something.
fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Json::Object(fields) => {
            let said = fields.iter().filter(|(name, it)| {
                let is_empty =
                    it.is_null() || *it == "" || it.as_array().is_some_and(Vec::is_empty);
                !is_empty && !LEFT.contains(&name.as_str()) && *name != "history"
            });
            said.map(|(name, it)| format!("{name}: {}", text(it))).collect::<Vec<_>>().join("; ")
        }
    }
}
