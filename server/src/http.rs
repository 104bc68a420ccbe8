//! Every URL on one screen, and what stands before all of them.

pub mod accounts;
pub mod application_acts;
pub mod application_views;
pub mod applications;
pub mod audit;
pub mod board;
pub mod caller;
pub mod calls;
pub mod case_views;
pub mod cases;
pub mod cash;
pub mod channels;
pub mod clock;
pub mod devices;
pub mod due;
pub mod due_jobs;
pub mod erasure;
pub mod error;
pub mod exports;
pub mod extract;
mod faces;
mod figure_desk;
pub mod figure_files;
pub mod figure_lists;
pub mod figures;
pub mod halls;
pub mod hazards;
pub mod health;
pub mod history;
pub mod households;
pub mod imports;
pub mod instants;
pub mod intake;
pub mod item_views;
pub mod jobs;
pub mod leak_reports;
pub mod leaks;
pub mod ledger_views;
pub mod live;
pub mod meter_views;
pub mod metrics;
pub mod notices;
pub mod once;
mod openapi;
pub mod outage_preview;
pub mod outage_record;
pub mod outage_views;
pub mod outages;
pub mod own_sessions;
pub mod packs;
mod page;
pub mod photos;
pub mod places;
pub mod plans;
pub mod problem;
pub mod promise_clock;
pub mod proof;
pub mod proposals;
pub mod push;
pub mod qualifications;
pub mod quarantine;
pub mod registers;
pub mod reminders;
pub mod reports;
pub(crate) mod schema;
pub mod second_factor;
pub mod sessions;
pub mod sync;
pub mod told;
pub mod track;
pub mod track_answers;
pub mod twice_views;
pub mod unreached;
pub mod users;
pub mod version;
pub mod webhooks;
pub mod work_cards;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Router, http};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;
use utoipa_axum::routes;

use self::caller::{require_sender, require_session};
use self::error::ApiError;
use self::openapi::{
    ADMINS, ANYBODY, CASHIERS, DISPATCHERS, MANAGERS, Routes, STAFF, TECHNICIANS, cached,
    described, edit, guarded, once, only, open,
};
use crate::listen;
use crate::state::AppState;

/// A year, with what lies below this host.
const ONLY_TLS: &str = "max-age=31536000; includeSubDomains";

/// Open to everybody.
fn public() -> Routes {
    described()
        .routes(open(routes!(health::healthz)))
        .routes(open(routes!(health::readyz)))
        .routes(open(routes!(metrics::get_metrics)))
        .routes(open(routes!(openapi::get_openapi)))
        .routes(open(routes!(clock::get_clock)))
        .routes(open(routes!(sessions::create_session)))
        .routes(open(routes!(devices::enrol_device)))
        .routes(open(routes!(track::get_track)))
        .routes(open(routes!(track::get_portrait)))
        .routes(open(routes!(track_answers::ask_hall)))
        .routes(open(routes!(track_answers::list_windows)))
        .routes(open(routes!(track_answers::wish_window)))
        .routes(open(routes!(track_answers::rate_visit)))
}

/// One household: its page, its ledger, and the place that turns out to be one.
fn at_households() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(households::get_household)))
        .routes(only(STAFF, once(routes!(households::add_to_ledger))))
        .routes(only(STAFF, routes!(registers::judge_register)))
        .routes(only(STAFF, once(routes!(registers::report_register))))
        .routes(only(STAFF, routes!(places::tie_place)))
        .routes(guarded(only(MANAGERS, routes!(erasure::export_household))))
        .routes(guarded(only(MANAGERS, routes!(erasure::erase_household))))
}

/// Open to who is signed in; each handler's signature says to whom of them.
fn signed_in() -> Routes {
    at_households()
        .routes(only(ANYBODY, routes!(sessions::delete_session)))
        .routes(only(ANYBODY, routes!(sessions::get_me)))
        .routes(guarded(only(STAFF, routes!(proof::get_proof))))
        .routes(only(STAFF, routes!(proof::give_password)))
        .routes(only(STAFF, routes!(own_sessions::list_own_sessions)))
        .routes(only(STAFF, routes!(own_sessions::end_other_sessions)))
        .routes(only(STAFF, routes!(own_sessions::end_own_session)))
        .routes(only(STAFF, routes!(second_factor::get_second_factor)))
        .routes(guarded(only(STAFF, routes!(second_factor::begin_second_factor))))
        .routes(only(STAFF, routes!(second_factor::confirm_second_factor)))
        .routes(guarded(only(STAFF, routes!(second_factor::remove_second_factor))))
        .routes(only(ANYBODY, routes!(sessions::change_password)))
        .routes(only(TECHNICIANS, routes!(devices::get_share)))
        .routes(only(STAFF, routes!(jobs::list_jobs)))
        .routes(only(DISPATCHERS, once(routes!(jobs::post_job))))
        .routes(only(STAFF, cached(routes!(jobs::get_job))))
        .routes(only(STAFF, cached(routes!(jobs::get_document))))
        .routes(only(STAFF, routes!(history::list_history)))
        .routes(only(STAFF, routes!(history::get_seen)))
        .routes(only(DISPATCHERS, edit(once(routes!(plans::add_appointment)))))
        .routes(only(DISPATCHERS, edit(once(routes!(plans::add_assignment)))))
        .routes(only(DISPATCHERS, edit(once(routes!(plans::add_cancellation)))))
        .routes(only(DISPATCHERS, edit(once(routes!(plans::add_instruction)))))
        .routes(only(DISPATCHERS, edit(once(routes!(plans::add_message)))))
        .routes(only(DISPATCHERS, edit(once(routes!(plans::add_ruling)))))
        .routes(only(DISPATCHERS, edit(once(routes!(promise_clock::add_tick)))))
        .routes(only(STAFF, routes!(board::list_rounds)))
        .routes(only(DISPATCHERS, routes!(board::check_move)))
        .routes(only(DISPATCHERS, routes!(intake::find_nearest)))
        .routes(only(DISPATCHERS, routes!(proposals::propose_plan)))
        .routes(only(STAFF, routes!(intake::find_households)))
        .routes(only(STAFF, routes!(intake::offer_windows)))
        .routes(only(STAFF, routes!(intake::list_promises)))
        .routes(only(STAFF, routes!(hazards::list_hazards)))
        .routes(only(STAFF, routes!(unreached::list_unreached)))
        .routes(only(STAFF, routes!(cases::list_cases)))
        .routes(only(STAFF, once(routes!(cases::open_case))))
        .routes(only(STAFF, routes!(cases::get_case)))
        .routes(only(STAFF, edit(once(routes!(cases::add_case_event)))))
        .routes(only(STAFF, routes!(cases::look_at_reporter)))
        .routes(only(STAFF, routes!(case_views::list_questions)))
        .routes(only(ANYBODY, routes!(photos::list_job_photos)))
        .routes(only(ANYBODY, routes!(photos::get_photo)))
        .routes(guarded(only(STAFF, routes!(exports::export_table))))
        .routes(guarded(only(STAFF, routes!(figure_files::export_figure))))
        .routes(guarded(only(STAFF, routes!(figure_files::export_behind))))
        .routes(guarded(only(STAFF, routes!(figure_lists::export_list))))
        .routes(guarded(only(STAFF, routes!(exports::map_jobs))))
        .routes(guarded(only(ANYBODY, routes!(exports::get_calendar))))
        .routes(only(STAFF, routes!(packs::get_pack)))
        .routes(only(STAFF, routes!(live::follow_hall)))
        .routes(only(STAFF, routes!(photos::list_missing_photos)))
        .routes(only(ANYBODY, routes!(reminders::list_reminders)))
        .routes(only(ANYBODY, routes!(reminders::snooze_reminder)))
        .routes(only(ANYBODY, routes!(reminders::finish_reminder)))
        .routes(only(STAFF, routes!(reminders::list_duties)))
        .routes(only(STAFF, routes!(reminders::record_duty)))
}

/// Everything that a person with a session asks for, but files.
fn of_people() -> Routes {
    signed_in()
        .merge(figures_of_the_hall())
        .merge(told_households())
        .merge(outages_of_gas())
        .merge(money())
        .merge(at_the_counter())
        .merge(due_work())
        .merge(administration())
        .merge(reaching())
        .merge(emergencies())
}

/// Figures of the hall and the lists behind them.
fn figures_of_the_hall() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(reports::report_punctuality)))
        .routes(only(STAFF, routes!(figures::report_arrivals)))
        .routes(only(STAFF, routes!(figures::report_lateness)))
        .routes(only(STAFF, routes!(figures::report_promises)))
        .routes(only(STAFF, routes!(figures::report_readings)))
        .routes(only(STAFF, routes!(figures::report_conduct)))
        .routes(only(STAFF, routes!(figures::report_outcomes)))
        .routes(only(STAFF, routes!(figures::report_ratings)))
        .routes(only(STAFF, routes!(figures::report_hoses)))
}

/// Reaching people: the phones' own streams and messages, and how each technician is reached.
fn reaching() -> Routes {
    Routes::default()
        .routes(only(TECHNICIANS, routes!(notices::follow_notices)))
        .routes(only(TECHNICIANS, routes!(notices::send_test)))
        .routes(only(TECHNICIANS, routes!(notices::get_notice)))
        .routes(only(TECHNICIANS, routes!(notices::show_notice)))
        .routes(only(TECHNICIANS, routes!(push::get_key)))
        .routes(only(MANAGERS, routes!(push::rotate_key)))
        .routes(only(TECHNICIANS, routes!(push::put_subscription)))
        .routes(only(TECHNICIANS, routes!(push::delete_subscription)))
        .routes(only(STAFF, routes!(channels::list_channels)))
        .routes(only(STAFF, routes!(channels::get_contact)))
        .routes(only(MANAGERS, routes!(channels::put_contact)))
}

/// Emergencies, on every console.
fn emergencies() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(leaks::list_leaks)))
        .routes(only(STAFF, once(routes!(leak_reports::begin_leak))))
        .routes(only(DISPATCHERS, routes!(leaks::take_alarm)))
}

/// Open to who is signed in: what households are told, and what they answer.
fn told_households() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(told::list_job_notices)))
        .routes(only(STAFF, routes!(told::get_answers)))
        .routes(only(DISPATCHERS, routes!(told::make_link, told::revoke_links)))
        .routes(only(DISPATCHERS, routes!(told::decide_wish)))
        .routes(only(STAFF, routes!(told::list_household_notices)))
}

/// Outages of the gas supply, and who was told of them.
fn outages_of_gas() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(outages::list_outages)))
        .routes(only(DISPATCHERS, once(routes!(outages::write_outage))))
        .routes(only(DISPATCHERS, routes!(outage_preview::list_places)))
        .routes(only(DISPATCHERS, routes!(outage_preview::preview_outage)))
        .routes(only(STAFF, routes!(outages::get_outage)))
        .routes(only(DISPATCHERS, routes!(outages::revise_outage)))
        .routes(only(DISPATCHERS, once(routes!(outages::announce_outage))))
        .routes(only(DISPATCHERS, once(routes!(outages::prolong_outage))))
        .routes(only(DISPATCHERS, once(routes!(outages::end_outage))))
        .routes(only(DISPATCHERS, once(routes!(outages::cancel_outage))))
        .routes(only(STAFF, routes!(outage_record::list_outage_households)))
        .routes(guarded(only(STAFF, routes!(outage_record::export_outage))))
        .routes(only(DISPATCHERS, once(routes!(outage_record::note_doors))))
}

/// Cash at home: to who counts it, and to who carries it.
fn money() -> Routes {
    Routes::default()
        .routes(only(CASHIERS, routes!(cash::get_cash_day)))
        .routes(only(CASHIERS, once(routes!(cash::count_cash))))
        .routes(guarded(only(CASHIERS, routes!(cash::export_cash))))
        .routes(only(TECHNICIANS, routes!(cash::get_own_cash)))
}

/// Open to who is at the counter and its telephones.
fn at_the_counter() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(application_views::get_counter)))
        .routes(only(STAFF, routes!(applications::list_applications)))
        .routes(only(STAFF, once(routes!(applications::open_application))))
        .routes(only(STAFF, routes!(applications::get_application)))
        .routes(only(STAFF, edit(once(routes!(application_acts::add_application_event)))))
        .routes(only(STAFF, once(routes!(calls::record_call))))
        .routes(only(STAFF, routes!(figures::report_trips)))
        .routes(only(STAFF, routes!(figures::report_calls)))
}

/// What is due, and the jobs that are made of it.
fn due_work() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(due::list_due)))
        .routes(only(STAFF, routes!(due::count_due)))
        .routes(guarded(only(STAFF, routes!(due::export_due))))
        .routes(only(DISPATCHERS, routes!(due_jobs::preview_due_jobs)))
        .routes(only(DISPATCHERS, once(routes!(due_jobs::make_due_jobs))))
}

/// Open to who keeps people, phones, rules and files of the hall.
fn administration() -> Routes {
    Routes::default()
        .routes(only(STAFF, routes!(users::list_users)))
        .routes(guarded(only(MANAGERS, once(routes!(users::create_user)))))
        .routes(guarded(only(MANAGERS, routes!(users::disable_user))))
        .routes(guarded(only(MANAGERS, routes!(accounts::change_user))))
        .routes(guarded(only(MANAGERS, routes!(accounts::enable_user))))
        .routes(only(MANAGERS, routes!(accounts::end_sessions)))
        .routes(guarded(only(MANAGERS, routes!(accounts::reset_password))))
        .routes(guarded(only(MANAGERS, routes!(second_factor::reset_second_factor))))
        .routes(only(MANAGERS, routes!(halls::list_halls)))
        .routes(only(ADMINS, once(routes!(halls::create_hall))))
        .routes(only(ADMINS, routes!(halls::rename_hall)))
        .routes(only(MANAGERS, routes!(audit::list_audit)))
        .routes(only(MANAGERS, routes!(audit::check_chain)))
        .routes(guarded(only(MANAGERS, routes!(audit::export_audit))))
        .routes(guarded(only(DISPATCHERS, routes!(users::create_enrolment_code))))
        .routes(only(STAFF, routes!(qualifications::get_qualification)))
        .routes(only(MANAGERS, routes!(qualifications::put_qualification)))
        .routes(only(STAFF, routes!(work_cards::get_work_card)))
        .routes(only(MANAGERS, routes!(work_cards::put_work_card)))
        .routes(only(STAFF, routes!(work_cards::get_card_portrait)))
        .routes(only(MANAGERS, routes!(work_cards::put_card_portrait)))
        .routes(only(MANAGERS, routes!(work_cards::delete_card_portrait)))
        .routes(only(ANYBODY, routes!(devices::list_devices)))
        .routes(guarded(only(DISPATCHERS, routes!(devices::revoke_device))))
        .routes(only(MANAGERS, routes!(packs::list_packs)))
        .routes(only(ADMINS, once(routes!(packs::add_pack))))
        .routes(only(MANAGERS, routes!(packs::get_pack_text)))
        .routes(only(MANAGERS, routes!(packs::compare_packs)))
        .routes(only(MANAGERS, routes!(packs::try_pack)))
        .routes(only(ADMINS, routes!(packs::withdraw_pack)))
        .routes(only(MANAGERS, routes!(imports::get_import, imports::delete_import)))
        .routes(only(MANAGERS, routes!(imports::list_import_problems)))
        .routes(only(MANAGERS, routes!(imports::apply_import)))
        .routes(only(MANAGERS, routes!(quarantine::list_quarantine)))
        .routes(guarded(only(MANAGERS, routes!(quarantine::release_change))))
        .routes(only(MANAGERS, routes!(webhooks::list_webhooks)))
        .routes(guarded(only(MANAGERS, once(routes!(webhooks::create_webhook)))))
        .routes(only(MANAGERS, routes!(webhooks::delete_webhook)))
        .routes(only(MANAGERS, routes!(webhooks::rotate_secret)))
        .routes(only(MANAGERS, routes!(webhooks::enable_webhook)))
        .routes(only(MANAGERS, routes!(webhooks::list_deliveries)))
        .routes(only(MANAGERS, routes!(webhooks::replay_delivery)))
}

/// Open to who runs the hall; bodies are whole files.
fn files() -> Routes {
    Routes::default()
        .routes(only(MANAGERS, once(routes!(imports::create_import))))
        .routes(only(MANAGERS, routes!(imports::add_import_file)))
}

/// Open to phones, those that were shut out too; bodies may be long.
fn phones() -> Routes {
    Routes::default()
        .routes(only(TECHNICIANS, routes!(sync::exchange_changes)))
        .routes(only(TECHNICIANS, routes!(photos::get_upload)))
        .routes(only(TECHNICIANS, routes!(photos::put_part)))
}

/// Open to everybody on loopback while a day is played.
fn played() -> Routes {
    Routes::default().routes(open(routes!(clock::set_clock)))
}

/// All of it.
pub fn router(state: &AppState) -> Router {
    let config = &state.config;
    let guard = from_fn_with_state(state.clone(), require_session);
    let noted = from_fn_with_state(state.clone(), audit::note);
    let phone_guard = from_fn_with_state(state.clone(), require_sender);
    let sync_limit = DefaultBodyLimit::max(config.sync_body_limit_bytes);
    let file_limit = DefaultBodyLimit::max(config.import_body_limit_bytes);
    let mut routes = public()
        .merge(of_people().route_layer(noted.clone()).route_layer(guard.clone()))
        .merge(files().route_layer(noted).route_layer(guard).layer(file_limit))
        .merge(phones().route_layer(phone_guard).layer(sync_limit));
    if state.clock.is_manual() {
        routes = routes.merge(played());
    }
    let (routes, document) = openapi::split(routes);
    let limits = [config.sync_body_limit_bytes, config.import_body_limit_bytes];
    let longest = limits.into_iter().fold(config.body_limit_bytes, usize::max);
    routes
        .merge(faces::faces(&config.web))
        .layer(Extension(document))
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        // Counts what was unpacked; the limit below counts what travelled.
        .layer(DefaultBodyLimit::max(config.body_limit_bytes))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(longest))
        .layer(from_fn_with_state(state.clone(), listen::in_time))
        .layer(from_fn(same_site))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(error::as_problem))
        .layer(from_fn_with_state(state.clone(), headers))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), metrics::count))
        // A failure is logged once, where it becomes a reply.
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .with_state(state.clone())
}

/// Refuses a write that another site made somebody's browser send.
async fn same_site(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let foreign_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = text(header::ORIGIN).is_some_and(|origin| {
        let origin_host = origin.split_once("://").map(|(_, host)| host);
        origin_host.is_none() || origin_host != text(header::HOST)
    });
    if !reads && (foreign_site || foreign_origin) {
        return ApiError::CrossSite.into_response();
    }
    next.run(request).await
}

/// Nothing of a hall is kept in caches or taken for something else.
async fn headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Said behind TLS only (RFC 6797, 7.2): for a year this host is asked by TLS and nothing else.
    if state.config.behind_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_TLS));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    ApiError::Internal(anyhow::anyhow!("a handler panicked: {text}")).into_response()
}

/// Names the route, not the URL: ids and searches are nobody's business in a log.
fn span<B>(request: &http::Request<B>) -> tracing::Span {
    let path = request.extensions().get::<axum::extract::MatchedPath>();
    tracing::info_span!(
        "request",
        http.method = request.method().as_str(),
        http.route = path.map_or("none", axum::extract::MatchedPath::as_str),
    )
}
