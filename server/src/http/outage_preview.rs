//! Looking at an outage before anybody is told: where it can be, whom it concerns, and whether it keeps the promise (B13).

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use domain::address::{building, road};
use domain::catalogue::Language;
use domain::job::Window;
use domain::outage::{Area, OutageKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::Dispatcher;
use super::error::ApiError;
use super::extract::Body;
use super::instants::check_century;
use super::jobs::read_window;
use super::outage_views::CheckBody;
use super::outages::fitting;
use super::schema;
use crate::db::halls;
use crate::db::outages::{self as rows, DoorRow};
use crate::outage::preview::{self, CrossingBody, ReachBody};
use crate::outage::{doors, unknown_accounts};
use crate::state::AppState;
use crate::told::Facts;
use crate::told::outages::{template, words};

/// Roads, buildings and accounts of an outage at most.
const MOST_PICKS: usize = 5000;

/// The roads and buildings of a hall's register.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacesBody {
    roads: Vec<RoadBody>,
}

/// A road with its buildings.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoadBody {
    /// The beginning of its addresses; `null` for those that name no road.
    road: Option<String>,
    households: usize,
    buildings: Vec<BuildingBody>,
}

/// A building.
#[derive(Debug, Serialize, ToSchema)]
pub struct BuildingBody {
    /// The beginning of its addresses.
    building: String,
    households: usize,
}

/// Lists the roads and buildings of the register with their households, to pick an area from.
#[utoipa::path(
    get, path = "/api/outages/places", tag = "outages",
    responses((status = 200, description = "Roads by address.", body = PlacesBody)),
)]
pub async fn list_places(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
) -> Result<Json<PlacesBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let doors = rows::list_doors(conn.c(), caller.hall).await?;
    Ok(Json(PlacesBody { roads: roads(&doors) }))
}

fn roads(doors: &[DoorRow]) -> Vec<RoadBody> {
    let mut roads: BTreeMap<Option<&str>, BTreeMap<&str, usize>> = BTreeMap::new();
    for door in doors {
        let buildings = roads.entry(road(&door.address)).or_default();
        *buildings.entry(building(&door.address)).or_default() += 1;
    }
    let body = |(road, buildings): (Option<&str>, BTreeMap<&str, usize>)| RoadBody {
        road: road.map(str::to_owned),
        households: buildings.values().sum(),
        buildings: buildings
            .into_iter()
            .map(|(building, households)| BuildingBody {
                building: building.to_owned(),
                households,
            })
            .collect(),
    };
    roads.into_iter().map(body).collect()
}

/// Where an outage is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPicks {
    /// Roads, as the list of places names them.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    roads: BTreeSet<String>,
    /// Buildings, as the list of places names them.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    buildings: BTreeSet<String>,
    /// Account numbers of single households.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    accounts: BTreeSet<String>,
}

impl AskPicks {
    /// The area, unless it is more than anybody picks.
    pub(super) fn area(self) -> Result<Area, ApiError> {
        let Self { roads, buildings, accounts } = self;
        if roads.len() + buildings.len() + accounts.len() > MOST_PICKS {
            let what = format!("pick {MOST_PICKS} roads, buildings and accounts or fewer");
            return Err(ApiError::Unprocessable(what));
        }
        Ok(Area { roads, buildings, accounts })
    }
}

/// What to look at beforehand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPreview {
    #[schema(schema_with = schema::outage_kind)]
    kind: OutageKind,
    #[schema(schema_with = schema::window)]
    #[serde(deserialize_with = "read_window")]
    window: Window,
    picks: AskPicks,
    /// The draft that it would take the place of.
    draft: Option<Uuid>,
    /// Where, in the words that households read; what is proposed when left out.
    #[serde(default)]
    #[schema(max_length = 200)]
    area: String,
    /// Why, in the words that households read.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// What households would read.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewWords {
    zh: String,
    en: String,
}

/// What announcing an outage now would come to.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewBody {
    /// Whether it keeps the promise.
    check: CheckBody,
    /// How its households can be told.
    reach: ReachBody,
    /// Other outages at the same households and time.
    crossing: Vec<CrossingBody>,
    /// A text for the area; somebody may reword it.
    area: String,
    /// What households would read; `null` where the rule pack tells them nothing.
    words: Option<PreviewWords>,
    /// Accounts that no household of the hall has.
    unknown_accounts: Vec<String>,
}

/// Says whom an outage would concern, how they can be told, and whether that keeps the promise; changes nothing.
#[utoipa::path(
    post, path = "/api/outages/preview", tag = "outages", request_body = AskPreview,
    responses(
        (status = 200, description = "What it would come to.", body = PreviewBody),
        (status = 422, description = "In no century that calendars know, no area, or too many words."),
    ),
)]
pub async fn preview_outage(
    State(state): State<AppState>,
    Dispatcher(caller): Dispatcher,
    Body(asked): Body<AskPreview>,
) -> Result<Json<PreviewBody>, ApiError> {
    let AskPreview { kind, window, picks, draft, area: said, reason } = asked;
    check_century(window)?;
    let (said, reason) = (fitting(&said, "area")?, fitting(&reason, "reason")?);
    let now = state.clock.now();
    let area = picks.area()?;
    let mut conn = state.db.read().await?;
    let pack = state.packs.in_force(conn.c(), now).await?;
    let hall = halls::find_hall(conn.c(), caller.hall).await?.ok_or(ApiError::NotFound("hall"))?;
    let doors = doors(conn.c(), caller.hall, &area).await?;
    let reach = preview::reach(conn.c(), caller.hall, (kind, &doors), &pack).await?;
    let span = (window.start.timestamp_millis(), window.end.timestamp_millis());
    let crossing = preview::crossing(conn.c(), caller.hall, (&doors, span, draft)).await?;
    let proposed = area.words();
    let said = if said.trim().is_empty() { proposed.clone() } else { said };
    let facts = Facts::Outage { area: said, reason, span: window, ended: None };
    let template = template(&pack, kind.occasion());
    let words = template.map(|it| words((&pack, &it), &hall.name, &facts)).map(|mut it| {
        let mut take = |language| it.remove(&language).unwrap_or_default();
        PreviewWords { zh: take(Language::Chinese), en: take(Language::English) }
    });
    Ok(Json(PreviewBody {
        check: CheckBody::new((kind, window), &pack, now),
        reach,
        crossing,
        area: proposed,
        words,
        unknown_accounts: unknown_accounts(&area, &doors),
    }))
}
