//! The API's description (OpenAPI 3.1), made from the same table that routes requests.

use std::sync::Arc;

use axum::Extension;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, Response, Tag};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::problem::{Problem, ProblemKind};
use crate::identity::Role;
use crate::state::AppState;

/// Everybody at the hall and every technician.
pub(super) const ANYBODY: &[Role] = &Role::ALL;
/// Hall staff of any kind.
pub(super) const STAFF: &[Role] = &[Role::Dispatcher, Role::Hall, Role::Manager, Role::Admin];
/// Who gives jobs out.
pub(super) const DISPATCHERS: &[Role] = &[Role::Dispatcher, Role::Manager, Role::Admin];
/// Who counts cash.
pub(super) const CASHIERS: &[Role] = &[Role::Hall, Role::Manager, Role::Admin];
/// Who runs the hall.
pub(super) const MANAGERS: &[Role] = &[Role::Manager, Role::Admin];
/// Who keeps accounts and the server.
pub(super) const ADMINS: &[Role] = &[Role::Admin];
/// Technicians with their phones.
pub(super) const TECHNICIANS: &[Role] = &[Role::Technician];

/// The name under which the bearer token stands in the description.
const TOKEN: &str = "token";

/// The content type of refusals.
const PROBLEM_JSON: &str = "application/problem+json";

/// The description as served.
#[derive(Clone, Debug)]
pub(super) struct Document(Arc<str>);

/// Some URLs with their descriptions.
pub(super) type Routes = OpenApiRouter<AppState>;

/// Describes a URL as open to everybody.
pub(super) fn open(mut routes: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    for operation in routes.1.paths.values_mut().flat_map(operations) {
        operation.security = Some(Vec::new());
        refuse_as_all(operation, &[]);
    }
    routes
}

/// Describes who may use a URL; each handler's signature is what holds others off, and a test compares the two.
pub(super) fn only(
    roles: &[Role],
    mut routes: UtoipaMethodRouter<AppState>,
) -> UtoipaMethodRouter<AppState> {
    let keys: Vec<&str> = roles.iter().map(|role| role.key()).collect();
    for operation in routes.1.paths.values_mut().flat_map(operations) {
        operation.security = Some(vec![SecurityRequirement::new(TOKEN, Vec::<String>::new())]);
        let extensions = ExtensionsBuilder::new().add("x-roles", serde_json::json!(keys)).build();
        operation.extensions = Some(extensions);
        let roles = format!("Roles: {}.", keys.join(", "));
        let said = operation.description.take().filter(|said| !said.is_empty());
        operation.description = Some(said.map_or(roles.clone(), |it| format!("{it}\n\n{roles}")));
        refuse_as_all(operation, &[401, 403]);
    }
    routes
}

/// Describes a creation that takes an idempotency key ([`super::once::Once`]).
pub(super) fn once(mut routes: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    let said =
        "Makes a repeated request create nothing and be answered as the first was; for a day.";
    let schema = text("^[!-~]{1,255}$");
    for operation in routes.1.paths.values_mut().flat_map(operations) {
        take_header(operation, "Idempotency-Key", said, &schema);
        add_response(operation, 409, "The same request is under way.");
    }
    routes
}

/// Describes an act that asks for the password again ([`super::caller::PasswordGiven`]); goes around [`only`].
pub(super) fn guarded(mut routes: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    let said = "Asks for the password again when it was given too long ago: send it to `POST /api/session/proof`.";
    for operation in routes.1.paths.values_mut().flat_map(operations) {
        let mark = ExtensionsBuilder::new().add("x-password-again", true).build();
        operation.extensions.get_or_insert_default().merge(mark);
        let before = operation.description.take().unwrap_or_default();
        operation.description = Some(format!("{before} {said}"));
    }
    routes
}

/// Describes an edit of a job or case that takes a version ([`super::version::IfMatch`]).
pub(super) fn edit(mut routes: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    let said = "The `ETag` of the job or case as the caller saw it; what changed since then is not edited.";
    let schema = Schema::from(ObjectBuilder::new().schema_type(Type::String));
    for operation in routes.1.paths.values_mut().flat_map(operations) {
        take_header(operation, "If-Match", said, &schema);
        add_response(operation, 412, "Somebody else was faster: the problem shows both versions.");
    }
    routes
}

/// Describes a reply that the caller may have already ([`super::version::reply`]).
pub(super) fn cached(mut routes: UtoipaMethodRouter<AppState>) -> UtoipaMethodRouter<AppState> {
    let schema = Schema::from(ObjectBuilder::new().schema_type(Type::String));
    for operation in routes.1.paths.values_mut().flat_map(operations) {
        take_header(operation, "If-None-Match", "An `ETag` that the caller has.", &schema);
        add_response(operation, 304, "The caller has it.");
    }
    routes
}

fn text(pattern: &str) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).into()
}

fn take_header(operation: &mut Operation, name: &str, said: &str, schema: &Schema) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(said))
        .schema(Some(schema.clone()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

fn add_response(operation: &mut Operation, status: u16, said: &str) {
    let known = &mut operation.responses.responses;
    known.entry(status.to_string()).or_insert_with(|| RefOr::T(Response::new(said)));
}

/// Says of an operation what every one like it can answer besides its own replies.
fn refuse_as_all(operation: &mut Operation, further: &[u16]) {
    let parameters = operation.parameters.iter().flatten();
    let places: Vec<ParameterIn> = parameters
        .filter_map(|it| match it {
            RefOr::T(parameter) => Some(parameter.parameter_in.clone()),
            RefOr::Ref(_) => None,
        })
        .collect();
    let mut statuses = vec![500, 503];
    statuses.extend(further);
    if !places.is_empty() {
        statuses.extend([400, 422]);
    }
    if places.contains(&ParameterIn::Path) {
        statuses.push(404);
    }
    if operation.request_body.is_some() {
        statuses.extend([400, 413, 415, 422]);
    }
    for status in statuses {
        let known = &mut operation.responses.responses;
        known.entry(status.to_string()).or_insert_with(|| RefOr::T(Response::new("")));
    }
    for (status, response) in &mut operation.responses.responses {
        let is_refusal = status.parse::<u16>().is_ok_and(|status| status >= 400);
        if let (true, RefOr::T(response)) = (is_refusal, response) {
            describe_refusal(status, response);
        }
    }
}

/// Gives a refusal its one body and names the kinds that come with its status.
fn describe_refusal(status: &str, response: &mut Response) {
    let kinds = ProblemKind::ALL.iter().filter(|kind| kind.status().as_str() == status);
    let kinds: Vec<_> = kinds.map(|kind| format!("`{}`", kind.key())).collect();
    let own = std::mem::take(&mut response.description);
    let space = if own.is_empty() { "" } else { " " };
    response.description = format!("{own}{space}One of {}.", kinds.join(", "));
    if response.content.is_empty() {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        response.content.insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
    }
}

/// Every operation of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// What stands above all operations.
fn head() -> OpenApi {
    let about = "Times are Unix milliseconds unless a name says otherwise, ids are UUIDs. \
        Refusals are problem details (RFC 9457) whose `type` is stable. \
        Lists are read page by page: send `next` of one page as `after` for the following one.";
    let info = InfoBuilder::new()
        .title("Doorstep")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about))
        .license(Some(utoipa::openapi::License::new("Apache-2.0")))
        .build();
    let tags = [
        ("session", "Signing in and out."),
        ("people", "People of the hall and their phones."),
        ("halls", "Halls of the server."),
        ("audit", "Who did what."),
        ("jobs", "Jobs, and what the hall adds to them."),
        ("cases", "What people ask of the hall, each with an owner, and questions from doors."),
        ("applications", "What households ask for at the counter, and calls answered."),
        ("households", "Households and their ledgers."),
        ("due", "What is due, and the jobs that are made of it."),
        ("outages", "Outages of the gas supply, and who was told of them."),
        ("cash", "Cash taken at home, and what of it was counted at the hall."),
        ("track", "The page of a household behind its link."),
        ("photos", "Photos and signatures taken at the door."),
        ("live", "What happens, as it happens."),
        ("notices", "What technicians have to hear, and how they are reached."),
        ("quarantine", "Changes of phones that were not accepted."),
        ("reports", "How it went."),
        ("webhooks", "Telling others what happens, by the Standard Webhooks convention."),
        ("phones", "The exchange with phones."),
        ("server", "The server itself."),
    ];
    let tag = |(name, said): (&str, &str)| {
        let mut tag = Tag::new(name);
        tag.description = Some(said.to_owned());
        tag
    };
    let mut api = OpenApi::new(info, utoipa::openapi::Paths::new());
    api.tags = Some(tags.into_iter().map(tag).collect());
    let components = api.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of `POST /api/session` or `POST /api/devices`."))
        .build();
    components.security_schemes.insert(TOKEN.to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    api
}

/// An empty table with the head of the description.
pub(super) fn described() -> Routes {
    OpenApiRouter::with_openapi(head())
}

/// Takes table and description apart, the second ready to be served.
pub(super) fn split(routes: Routes) -> (axum::Router<AppState>, Document) {
    let (table, api) = routes.split_for_parts();
    let text = api.to_json().expect("a description without maps of odd keys is JSON");
    (table, Document(text.into()))
}

/// Describes this API as OpenAPI 3.1.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "server",
    responses((status = 200, description = "This document.", body = serde_json::Value)),
)]
pub(super) async fn get_openapi(Extension(document): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.0.to_string())
}
