//! Where an id comes from: for every parameter of every route, what may stand there.

use serde_json::Value;

use super::description::Parameter;
use super::pair::{DUTY, Side, TODAY};

/// Of the bytes that are handed in as a picture.
const HASH: &str = "d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4";

/// What may stand in a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// The id of one of these things of a hall; the first is the one that fits best.
    Things(&'static [&'static str]),
    /// A word that names nothing of a hall.
    Words(Vec<String>),
    /// What somebody searches for.
    Search,
    /// Where a page ended.
    Cursor,
    /// What whoever knows it may use: a household's link.
    Secret,
    /// What all halls of a server share, with one of them.
    Shared(&'static str),
}

/// What stands in a path at this parameter; nobody knows when it is `None`.
pub(crate) fn in_path(path: &str, parameter: &Parameter) -> Option<Source> {
    let place = format!("{{{}}}", parameter.name);
    let before = path.split('/').zip(path.split('/').skip(1)).find(|(_, it)| *it == place)?.0;
    let things: &[&str] = match (before, parameter.name.as_str()) {
        ("jobs", "id") if path.contains("{wish}") => &["later"],
        ("jobs", "id") => &["job", "bill", "leak"],
        ("applications", "id") => &["application"],
        ("cases", "id") => &["report", "case"],
        ("devices", "id") => &["third_phone", "phone"],
        ("households", "id") if path.ends_with("/tie") => &["place"],
        ("households", "id") => &["household", "place"],
        ("imports", "id") => &["import"],
        ("leaks", "id") => &["leak"],
        ("notices", "id") => &["notice"],
        ("outages", "id") => &["outage", "draft"],
        ("reminders", "id") => &["reminder", "desk_reminder"],
        ("sessions", "id") => &["session"],
        ("technicians", "id") => &["ana", "carl"],
        ("users", "id") => &["carl", "ana"],
        ("webhooks", "id") => &["webhook"],
        ("deliveries", "delivery") => &["delivery"],
        ("wishes", "wish") => &["wish"],
        // Pictures come before the facts that name them, so any hash may be handed in for one's own job.
        ("photos", "hash") if path.ends_with("/upload") => return Some(words(&[HASH])),
        ("photos", "hash") => &["photo"],
        ("history", "hash") => &["change"],
        ("quarantine", "hash") => &["quarantined"],
        ("track", "token") => return Some(Source::Secret),
        // Rules are the same in all halls, and an admin keeps the halls of the server.
        ("packs", "id") => return Some(Source::Shared("pack")),
        ("halls", "id") => return Some(Source::Shared("hall")),
        ("duties", "day") => return Some(words(&[TODAY])),
        ("{day}", "duty") => return Some(words(&[DUTY])),
        _ => return closed(&parameter.schema),
    };
    Some(Source::Things(things))
}

/// What stands in a query at this parameter; nobody knows when it is `None`.
pub(crate) fn in_query(path: &str, parameter: &Parameter) -> Option<Source> {
    let things: &[&str] = match parameter.name.as_str() {
        // A line of figures by technician is named by the technician.
        "person" | "user" | "technician" | "line" => &["ana"],
        "household" => &["household"],
        "job" | "subject" => &["job"],
        "device" => &["phone"],
        "meter" => &["meter"],
        "text" => return Some(Source::Search),
        "after" => return Some(Source::Cursor),
        "with" => return Some(Source::Shared("pack")),
        "from" => return Some(words(&["2026-03-01"])),
        "to" => return Some(words(&["2026-03-04"])),
        "day" => return Some(words(&[TODAY])),
        "until" => return Some(words(&["2026-12-31"])),
        "month" => return Some(words(&["overdue"])),
        "road" | "building" => return Some(words(&["芜湖市镜湖区"])),
        "procedure" => return Some(words(&["sealing"])),
        "kind" if path.starts_with("/api/exports/") => return Some(words(&["repair"])),
        "reason" => return Some(words(&["not_granted"])),
        "column" => return Some(words(&["on_time"])),
        "name" => return Some(words(&["x.csv"])),
        "register" => return Some(words(&["1700000"])),
        "offset" | "since" => return Some(words(&["0"])),
        "length" => return Some(words(&["100"])),
        "days" => return Some(words(&["7"])),
        "limit" => return Some(words(&["50"])),
        _ => return closed(&parameter.schema),
    };
    Some(Source::Things(things))
}

/// What a closed list of words allows, or a yes and a no.
fn closed(schema: &Value) -> Option<Source> {
    if schema["type"] == "boolean" {
        return Some(words(&["true", "false"]));
    }
    let all = schema["enum"].as_array()?;
    Some(Source::Words(all.iter().filter_map(|it| Some(it.as_str()?.to_owned())).collect()))
}

fn words(words: &[&str]) -> Source {
    Source::Words(words.iter().map(|it| (*it).to_owned()).collect())
}

impl Source {
    /// Everything of a hall that may stand there, the best first.
    pub(crate) fn of(&self, side: &Side) -> Vec<String> {
        match self {
            Self::Things(things) => things.iter().map(|it| side.things[it].clone()).collect(),
            Self::Words(words) => words.clone(),
            Self::Search => [side.word, side.account, side.phone].map(str::to_owned).into(),
            Self::Cursor => Vec::new(),
            Self::Secret => vec![side.things["link"].clone()],
            Self::Shared("hall") => vec![side.things["hall"].clone()],
            Self::Shared(_) => vec![domain::pack::Pack::builtin().id.0],
        }
    }

    /// Whether what stands there names something of one hall.
    pub(crate) fn is_of_a_hall(&self) -> bool {
        matches!(self, Self::Things(_) | Self::Search | Self::Cursor)
    }
}
