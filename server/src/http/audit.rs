//! Who did what: noting who reads, and showing it to who runs the hall.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use domain::catalogue::{self, Language};
use domain::id::HallId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Manager, PasswordGiven, let_in};
use super::error::ApiError;
use super::exports::{AskDays, span};
use super::extract::Query;
use super::jobs::day_bounds;
use super::page::{Limit, read_cursor};
use super::problem::ProblemKind;
use crate::audit::chain::{self, ChainState};
use crate::audit::{Entry, Subject, What};
use crate::db::audit::{self, Filter, ListedEntryRow};
use crate::db::{C, halls};
use crate::export::{self, MOST_ROWS, Sheet};
use crate::identity::Role;
use crate::state::AppState;

/// Reading these is entered, with what stands in the path's first place as its subject.
const READINGS: &[(&str, What, &str)] = &[
    ("/api/jobs/{id}", What::JobRead, "job"),
    ("/api/jobs/{id}/history", What::JobRead, "job"),
    ("/api/jobs/{id}/history/{hash}", What::JobRead, "job"),
    ("/api/jobs/{id}/document", What::DocumentRead, "job"),
    ("/api/jobs/{id}/photos/{hash}", What::PhotoRead, "job"),
    ("/api/households/{id}", What::HouseholdRead, "household"),
    ("/api/jobs/{id}/notices", What::JobRead, "job"),
    ("/api/jobs/{id}/answers", What::JobRead, "job"),
    ("/api/households/{id}/verdict", What::HouseholdRead, "household"),
    ("/api/households/{id}/notices", What::HouseholdRead, "household"),
    ("/api/households/{id}/file", What::Exported, "household"),
    ("/api/outages/{id}/households", What::OutageRead, "outage"),
    ("/api/outages/{id}/record", What::Exported, "outage"),
    ("/api/due/file", What::Exported, "due"),
    ("/api/cases/{id}", What::CaseRead, "case"),
    ("/api/applications/{id}", What::ApplicationRead, "application"),
    ("/api/exports/{table}", What::Exported, "table"),
    ("/api/exports/figures/{figure}", What::Exported, "figure"),
    ("/api/exports/figures/{figure}/behind", What::Exported, "figure"),
    ("/api/exports/lists/{list}", What::Exported, "list"),
    ("/api/cash", What::CashRead, "cash"),
    ("/api/hazards", What::HouseholdRead, "hazards"),
    ("/api/unreached", What::HouseholdRead, "unreached"),
    ("/api/cash/file", What::Exported, "cash"),
    ("/api/map/jobs", What::Exported, "map"),
    ("/api/technicians/{id}/calendar", What::Exported, "person"),
    ("/api/audit/export", What::Exported, "audit"),
];

/// Letters of a subject that is asked for at most.
const LONGEST_SUBJECT: usize = 200;

/// Lists in which words can be searched for; only such a reading is entered, without the words.
const SEARCHES: &[&str] =
    &["/api/jobs", "/api/households", "/api/cases", "/api/applications", "/api/due"];

/// Notes what somebody read, or was refused; the reply never waits for it.
pub(super) async fn note(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let caller = let_in(&request);
    let route = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned());
    let (Some(caller), Some(route)) = (caller, route) else { return next.run(request).await };
    let method = request.method().clone();
    let reading = (method == Method::GET).then(|| reading(&route, request.uri())).flatten();
    let response = next.run(request).await;
    let now = state.clock.now();
    // Who is asked for the password again is not refused; what they do with it is entered.
    let is_asked = response.extensions().get() == Some(&ProblemKind::PasswordNeeded);
    if response.status() == StatusCode::FORBIDDEN && !is_asked {
        let subject = Subject::Name("route", format!("{method} {route}"));
        state.audit.note(now, Entry::new(&caller, What::Refused, subject));
    } else if let Some((what, subject, detail)) = reading
        && response.status().is_success()
    {
        state.audit.note(now, Entry::new(&caller, what, subject).with(detail));
    }
    response
}

/// What reading a URL is entered as.
fn reading(route: &str, uri: &axum::http::Uri) -> Option<(What, Subject, Value)> {
    let query = uri.query().unwrap_or_default();
    if SEARCHES.contains(&route) {
        let words = query.split('&').filter_map(|pair| pair.strip_prefix("text="));
        let is_search = words.into_iter().any(|words| !words.is_empty());
        return is_search
            .then(|| (What::Searched, Subject::Name("list", route.to_owned()), Value::Null));
    }
    let (_, what, kind) = READINGS.iter().find(|(known, ..)| *known == route)?;
    let parts = route.split('/').zip(uri.path().split('/'));
    let place = parts.into_iter().find(|(name, _)| name.starts_with('{')).map(|(_, place)| place);
    let subject = match place.map(|place| (place, place.parse())) {
        Some((_, Ok(id))) => Subject::Id(kind, id),
        Some((name, Err(_))) => Subject::Name(kind, name.chars().take(100).collect()),
        None => Subject::Name("table", (*kind).to_owned()),
    };
    // Days, kinds and ids; the words of a search are nobody's business.
    let is_export = *what == What::Exported;
    let detail = if is_export {
        json!({"query": query.chars().take(200).collect::<String>()})
    } else {
        Value::Null
    };
    Some((*what, subject, detail))
}

/// Which entries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAudit {
    /// Only what this person did.
    person: Option<Uuid>,
    /// Only this, by its key.
    #[param(schema_with = what_schema)]
    what: Option<String>,
    /// Only what was done to this: an id, or the name of a pack, table or route.
    #[param(max_length = 200)]
    subject: Option<String>,
    /// Only this day of the hall's city, like 2026-03-02.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<NaiveDate>,
    /// For admins: what belongs to no hall, such as tries with a log-in that nobody has.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    nobody: bool,
    /// The last page's `next`.
    after: Option<String>,
    /// Entries on a page; 100 when not said.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: Limit,
}

/// Every key of what is entered.
fn what_schema() -> Schema {
    let keys: Vec<&str> = What::ALL.iter().map(|what| what.key()).collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(keys)).into()
}

fn check(asked: &ListAudit) -> Result<(), ApiError> {
    let is_known = |key: &String| What::ALL.iter().any(|what| what.key() == key);
    if !asked.what.as_ref().is_none_or(is_known) {
        return Err(ApiError::BadRequest("send as `what` one of the keys in `whats`".to_owned()));
    }
    if asked.subject.as_ref().is_some_and(|it| it.chars().count() > LONGEST_SUBJECT) {
        let what = format!("send a `subject` of {LONGEST_SUBJECT} letters or fewer");
        return Err(ApiError::BadRequest(what));
    }
    Ok(())
}

/// Something that somebody did; names are as they are now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryBody {
    id: Uuid,
    at: i64,
    /// Who; `null` for who did not sign in, and for the server.
    person: Option<Uuid>,
    name: Option<String>,
    role: Option<String>,
    /// `desk`, `phone`, `program` or `server`.
    via: String,
    phone: Option<String>,
    what: String,
    subject_kind: Option<String>,
    /// Its id, or its name where it has none.
    subject: Option<String>,
    /// What it is called.
    subject_name: Option<String>,
    /// The kind of the job that it is.
    job_kind: Option<String>,
    detail: Value,
    /// Its place in the chain; `null` until it is sealed.
    number: Option<i64>,
}

/// A page of entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditBody {
    entries: Vec<EntryBody>,
    /// Where the next page begins, `null` behind the last.
    next: Option<String>,
    /// Every key that `what` may be.
    whats: Vec<&'static str>,
}

/// Lists who did what in the hall, newest first.
#[utoipa::path(
    get, path = "/api/audit", tag = "audit", params(ListAudit),
    responses((status = 200, description = "A page of entries.", body = AuditBody)),
)]
pub async fn list_audit(
    State(state): State<AppState>,
    Manager(caller): Manager,
    Query(asked): Query<ListAudit>,
) -> Result<Json<AuditBody>, ApiError> {
    check(&asked)?;
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let bounds = asked.day.map(|day| day_bounds(day, hall.utc_offset_minutes)).transpose()?;
    let (from, until) = bounds.unwrap_or((i64::MIN, i64::MAX));
    let subject_id: Option<Uuid> = asked.subject.as_deref().and_then(|it| it.parse().ok());
    let subject_name = asked.subject.filter(|it| subject_id.is_none() && !it.is_empty());
    let filter = Filter { from, user: asked.person, what: asked.what, subject_id, subject_name };
    let after = read_cursor(asked.after.as_deref())?.unwrap_or((until, Uuid::nil()));
    let whose = whose(&caller, asked.nobody)?;
    let rows = audit::list_entries(conn.c(), whose, &filter, (after, asked.limit.rows())).await?;
    let next = asked.limit.next(&rows, |row| (row.at, row.entry_id));
    let entries = rows.into_iter().map(entry_body).collect();
    let whats = What::ALL.iter().map(|what| what.key()).collect();
    Ok(Json(AuditBody { entries, next, whats }))
}

/// Walks the chain of entries and says whether it holds.
#[utoipa::path(
    get, path = "/api/audit/chain", tag = "audit",
    responses((status = 200, description = "How it stands.", body = ChainState)),
)]
pub async fn check_chain(
    State(state): State<AppState>,
    Manager(_): Manager,
) -> Result<Json<ChainState>, ApiError> {
    Ok(Json(chain::check(state.db.read().await?.c()).await?))
}

/// Writes the entries of some days as a workbook.
#[utoipa::path(
    get, path = "/api/audit/export", tag = "audit", params(AskDays),
    responses((
        status = 200, description = "The file, as a download.",
        body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )),
)]
pub async fn export_audit(
    State(state): State<AppState>,
    Manager(caller): Manager,
    _: PasswordGiven,
    Query(asked): Query<AskDays>,
) -> Result<impl IntoResponse, ApiError> {
    let mut conn = state.db.read().await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let which = span(&hall, (asked.from, asked.to))?;
    let rows = list_span(conn.c(), caller.hall, (which.from, which.until)).await?;
    drop(conn);
    let offset = i32::try_from(hall.utc_offset_minutes * 60).ok();
    let offset = offset
        .and_then(chrono::FixedOffset::east_opt)
        .unwrap_or(chrono::FixedOffset::east_opt(0).expect("zero is within a day"));
    let sheet = sheet(rows, asked.lang.into(), offset);
    let bytes = tokio::task::spawn_blocking(move || export::xlsx(&sheet)).await;
    let bytes = bytes.map_err(anyhow::Error::from)?.map_err(anyhow::Error::from)?;
    let name = format!("attachment; filename=\"audit-{}-{}.xlsx\"", asked.from, asked.to);
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let name = HeaderValue::from_str(&name).map_err(anyhow::Error::from)?;
    Ok((
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, name),
        ],
        bytes,
    ))
}

async fn list_span(
    c: C<'_>,
    hall: HallId,
    (from, until): (i64, i64),
) -> Result<Vec<ListedEntryRow>, ApiError> {
    let filter = Filter { from, ..Filter::default() };
    let rows = audit::list_entries(c, hall, &filter, ((until, Uuid::nil()), MOST_ROWS + 1)).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MOST_ROWS {
        let what = format!("these are more than {MOST_ROWS} rows: ask for fewer days at once");
        return Err(ApiError::Unprocessable(what));
    }
    Ok(rows)
}

fn sheet(rows: Vec<ListedEntryRow>, language: Language, offset: chrono::FixedOffset) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let columns = ["number", "at", "who", "role", "via", "what", "subject", "subject_id", "detail"];
    let headers = columns.iter().map(|it| say(&format!("admin.column.{it}"))).collect();
    let line = |row: ListedEntryRow| {
        let id = row.subject_id.map(|id| id.to_string()).or(row.subject_name);
        vec![
            row.number.map_or(export::Value::Empty, export::Value::Whole),
            export::Value::instant(Some(row.at), offset),
            export::Value::maybe(row.who),
            row.role
                .map_or(export::Value::Empty, |role| export::Value::word(language, "role", &role)),
            export::Value::word(language, "admin.via", &row.via),
            export::Value::word(language, "admin.what", &row.what),
            export::Value::maybe(row.said),
            export::Value::maybe(id),
            export::Value::text(row.detail),
        ]
    };
    let rows = rows.into_iter().map(line).collect();
    Sheet { title: say("admin.audit"), headers, rows }
}

/// Whose entries are asked for.
fn whose(caller: &Caller, nobody: bool) -> Result<HallId, ApiError> {
    match (nobody, caller.role) {
        (false, _) => Ok(caller.hall),
        (true, Role::Admin) => Ok(HallId(Uuid::nil())),
        (true, role) => Err(ApiError::Forbidden(role)),
    }
}

fn entry_body(row: ListedEntryRow) -> EntryBody {
    EntryBody {
        id: row.entry_id,
        at: row.at,
        person: row.user_id,
        name: row.who,
        role: row.role,
        via: row.via,
        phone: row.phone,
        what: row.what,
        subject_kind: row.subject_kind,
        subject: row.subject_id.map(|id| id.to_string()).or(row.subject_name),
        subject_name: row.said,
        job_kind: row.job_kind,
        detail: serde_json::from_str(&row.detail).unwrap_or(Value::Null),
        number: row.number,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http;

    #[test]
    fn check_59_what_is_read_is_told_by_its_place_and_never_by_the_words_searched_for() {
        let id = Uuid::from_u128(7);
        let told = |route: &str, uri: &str| reading(route, &uri.parse().unwrap());

        let page = told("/api/jobs/{id}", &format!("/api/jobs/{id}")).unwrap();
        assert_eq!(page, (What::JobRead, Subject::Id("job", id), Value::Null));
        let table = told("/api/exports/{table}", "/api/exports/jobs?from=2026-03-01").unwrap();
        assert_eq!(table.1, Subject::Name("table", "jobs".to_owned()));
        assert_eq!(table.2, json!({"query": "from=2026-03-01"}));
        let search = told("/api/households", "/api/households?text=canary").unwrap();
        assert!(!format!("{search:?}").contains("canary"));
        assert_eq!(told("/api/jobs", "/api/jobs?day=2026-03-02&text="), None, "no words");
        assert_eq!(told("/api/me", "/api/me"), None);
    }

    /// Nothing of a household is read here.
    const NO_HOUSEHOLD: &[(&str, &str)] = &[
        ("/api/me", "one's own account"),
        ("/api/me/second-factor", "since when one's own stands"),
        ("/api/me/sessions", "one's own sessions"),
        ("/api/session/proof", "until when one's own password counts"),
        ("/api/users", "people of the hall"),
        ("/api/users/{id}/qualification", "people of the hall"),
        ("/api/users/{id}/work-card", "people of the hall"),
        ("/api/users/{id}/work-card/portrait", "people of the hall"),
        ("/api/users/{id}/contact", "people of the hall"),
        ("/api/channels", "how technicians are reached"),
        ("/api/push/key", "a public key"),
        ("/api/notices/live", "ids for one's own phone, which holds the job itself"),
        ("/api/notices/{id}", "what came of one's own test"),
        ("/api/duties", "what leaders of the hall owe"),
        ("/api/reminders", "what staff are reminded of, by the address alone"),
        ("/api/devices", "phones of the hall"),
        ("/api/devices/self/share", "a phone's own key"),
        ("/api/halls", "names and counts"),
        ("/api/audit/chain", "numbers of entries"),
        ("/api/packs", "rules"),
        ("/api/packs/{id}", "rules"),
        ("/api/packs/{id}/text", "rules"),
        ("/api/packs/{id}/differences", "rules"),
        ("/api/packs/{id}/trial", "numbers, and ids of jobs"),
        ("/api/due/figures", "numbers and roads"),
        ("/api/counter", "what each procedure asks for, by the rules"),
        ("/api/cash/mine", "a technician's own cash"),
        ("/api/reports/trips", "numbers, and ids of applications"),
        ("/api/reports/calls", "numbers"),
        ("/api/outages", "roads, words and numbers"),
        ("/api/outages/places", "roads and buildings, with numbers"),
        (
            "/api/outages/{id}",
            "words and numbers; who they are is entered when the record is opened",
        ),
        ("/api/intake/promises", "rules, told before anybody is named"),
        ("/api/jobs/{id}/photos", "hashes and sizes; each picture is entered when it is opened"),
        ("/api/jobs/{id}/photos/{hash}/upload", "how much of a phone's own picture came"),
        ("/api/photos/missing", "hashes, and ids of jobs"),
        ("/api/reports/punctuality", "numbers, and ids of jobs"),
        ("/api/reports/arrivals", "numbers, and ids of jobs"),
        ("/api/reports/lateness", "numbers, and ids of jobs"),
        ("/api/reports/readings", "numbers, and ids of jobs"),
        ("/api/reports/conduct", "numbers, and ids of jobs"),
        ("/api/reports/outcomes", "numbers, and ids of jobs"),
        ("/api/reports/ratings", "numbers, and ids of jobs"),
        ("/api/webhooks", "addresses of other systems"),
        ("/api/webhooks/{id}/deliveries", "when and how it ended"),
    ];

    /// What stands on every desk all day: an entry for each look would drown the others, and opening a line is entered.
    const BEFORE_EVERYBODY: &[(&str, &str)] = &[
        ("/api/live", "the board and the wall"),
        ("/api/board/rounds", "the board"),
        ("/api/leaks", "emergencies on every console, with whom to phone"),
        ("/api/questions", "what was asked at doors and waits for an answer"),
        ("/api/reports/promises", "addresses of what is due, which the board shows too"),
        ("/api/reports/hoses", "addresses of hoses that are due"),
        ("/api/quarantine", "what waits for a manager's word"),
        ("/api/imports/{id}", "what the hall itself hands in"),
        ("/api/imports/{id}/problems", "what the hall itself hands in"),
        ("/api/audit", "the trail; where nobody is sought a name is all that it shows"),
    ];

    #[test]
    fn check_59_each_route_that_is_read_is_entered_or_says_why_not() {
        let routes = http::of_people().merge(http::files()).merge(http::phones());
        let described = routes.split_for_parts().1.paths.paths;
        let read: BTreeSet<&str> = described
            .iter()
            .filter(|(_, item)| item.get.is_some())
            .map(|(path, _)| path.as_str())
            .collect();
        assert!(read.len() > 40, "the routes were not found");

        let entered = READINGS.iter().map(|it| it.0).chain(SEARCHES.iter().copied());
        let passed = NO_HOUSEHOLD.iter().chain(BEFORE_EVERYBODY).map(|(route, why)| {
            assert!(!why.is_empty(), "{route} says no reason");
            *route
        });
        let mut told = BTreeSet::new();
        for route in entered.chain(passed) {
            assert!(told.insert(route), "{route} stands twice");
        }

        assert_eq!(read, told);
    }

    #[test]
    fn check_59_every_reading_that_is_entered_is_a_route_of_the_api() {
        let routes = include_str!("../http.rs");
        assert!(routes.contains("audit::note"));
        let all: Vec<&str> =
            READINGS.iter().map(|it| it.0).chain(SEARCHES.iter().copied()).collect();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
        let files = std::fs::read_dir(folder).unwrap();
        let text: String =
            files.map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap()).collect();
        for route in all {
            assert!(text.contains(&format!("path = \"{route}\"")), "{route}");
        }
    }
}
