//! Lists that a desk watches, as files for spreadsheets: as they stand now, whatever the days.

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::{PasswordGiven, Staff};
use super::error::ApiError;
use super::exports::{Form, Tongue, download};
use super::extract::{Path, Query};
use super::figure_desk::Desk;
use crate::export;
use crate::state::AppState;

/// How a list is written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskList {
    /// The language of headers and words.
    #[serde(default)]
    #[param(value_type = Option<Tongue>, inline)]
    lang: Tongue,
    /// How it is written.
    #[serde(default)]
    #[param(value_type = Option<Form>, inline)]
    format: Form,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WatchedList {
    /// Promises whose clock runs, of jobs, cases, outages and supplies that are to be restored.
    OpenPromises,
    /// Phones that were not shut out.
    Phones,
}

/// Writes a list for spreadsheets: every line of it, the worst first.
#[utoipa::path(
    get, path = "/api/exports/lists/{list}", tag = "exports",
    params(("list" = inline(WatchedList), Path, description = "What to list."), AskList),
    responses((
        status = 200, description = "The file, as a download.",
        content(
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (String = "text/csv"),
        ),
    )),
)]
pub async fn export_list(
    State(state): State<AppState>,
    Staff(caller): Staff,
    _: PasswordGiven,
    Path(list): Path<WatchedList>,
    Query(AskList { lang, format }): Query<AskList>,
) -> Result<impl IntoResponse, ApiError> {
    let mut desk = Desk::today(&state, &caller, lang).await?;
    let (offset, today) = (desk.offset(), desk.day_now());
    let (sheet, name) = match list {
        WatchedList::OpenPromises => {
            let promises = desk.promises(&state, usize::MAX).await?;
            let all = export::OpenPromises {
                jobs: promises.open,
                cases: promises.open_cases,
                outages: promises.open_outages,
                supplies: promises.open_supplies,
            };
            (export::open_promises(all, lang.into(), offset), "open-promises")
        }
        WatchedList::Phones => {
            (export::phones(desk.phones().await?, lang.into(), offset), "phones")
        }
    };
    drop(desk);
    download(sheet, format, &format!("{name}-{today}")).await
}
