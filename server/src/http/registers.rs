//! What a household says its meter shows, at the counter or by telephone: judged at once by the rule of the doors (A9, C5).

#![expect(unused_qualifications, reason = "the macro that describes operations writes them")]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::catalogue::Sentence;
use domain::id::{HouseholdId, MeterId};
use domain::job::Channel;
use domain::ledger::{Entry, check};
use domain::measure::Volume;
use domain::reading::{self, Measure, ReadingState, Shown, Verdict};
use domain::stamp::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::extract::{Path, Query, read_whole};
use super::households::find;
use super::once::{Once, Receipt};
use super::schema;
use crate::db::{C, halls, live_events};
use crate::ledger::{self, LIVE_KIND};
use crate::retry::until_won;
use crate::state::AppState;

/// More litres than any register shows: twelve digits.
const MOST_LITRES: i64 = 999_999_999_999_999;

/// What is asked of a register before it is written down.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AskVerdict {
    /// A meter that hangs there.
    meter: Uuid,
    /// What it shows, in litres.
    #[param(minimum = 0, maximum = 999_999_999_999_999i64)]
    register: i64,
    /// How it is known; the household's own word when left out.
    #[param(schema_with = schema::told_state)]
    state: Option<ReadingState>,
}

/// What is made of a register.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisterVerdict {
    /// The key of what it looks like.
    finding: &'static str,
    /// Whether the household has to be told and something done.
    abnormal: bool,
    /// Why, as a sentence of the catalogue with its places.
    #[schema(value_type = serde_json::Value)]
    says: Sentence,
    /// What the use to expect rests on, where one was expected.
    #[schema(value_type = Option<serde_json::Value>)]
    grounds: Option<Sentence>,
}

impl RegisterVerdict {
    fn of(verdict: &Verdict) -> Self {
        Self {
            finding: verdict.finding.key(),
            abnormal: verdict.finding.is_abnormal(),
            says: reading::explain(verdict),
            grounds: reading::grounds(verdict),
        }
    }
}

/// Says what a register would be judged as today; writes nothing.
#[utoipa::path(
    get, path = "/api/households/{id}/verdict", tag = "households",
    params(("id" = Uuid, Path, description = "The household."), AskVerdict),
    responses((status = 200, description = "What is made of it.", body = RegisterVerdict)),
)]
pub async fn judge_register(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
    Query(asked): Query<AskVerdict>,
) -> Result<Json<RegisterVerdict>, ApiError> {
    let now = state.clock.now();
    // The day's season is learnt by whoever asks first.
    let mut tx = state.db.begin().await?;
    find(tx.c(), &caller, id, now).await?;
    let state_of = asked.state.unwrap_or(ReadingState::SelfReported);
    let told = Told { meter: asked.meter, register: asked.register, state: state_of };
    let verdict = judge(tx.c(), (&state, &caller, now), id, told).await?;
    tx.commit().await?;
    Ok(Json(RegisterVerdict::of(&verdict)))
}

/// A register that nobody of the company saw.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportRegister {
    /// A meter that hangs there.
    meter: Uuid,
    /// What it shows, in litres.
    #[schema(minimum = 0, maximum = 999_999_999_999_999i64)]
    #[serde(deserialize_with = "read_whole")]
    register: i64,
    /// How it is known.
    #[schema(schema_with = schema::told_state)]
    state: ReadingState,
    /// How the household said so.
    #[schema(schema_with = schema::channel)]
    channel: Channel,
    /// Whether the household was told why it is abnormal; asked for where it is.
    #[serde(default)]
    told: bool,
    /// What is done about it; asked for where it is abnormal.
    #[schema(schema_with = schema::measure)]
    measure: Option<Measure>,
}

/// What was written, and what was made of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedBody {
    entry: Uuid,
    verdict: RegisterVerdict,
}

/// Writes down what a household says its meter shows, or what was guessed; judged at once (C5).
#[utoipa::path(
    post, path = "/api/households/{id}/registers", tag = "households", request_body = ReportRegister,
    params(("id" = Uuid, Path, description = "The household.")),
    responses(
        (status = 201, description = "It stands in the ledger with its verdict.", body = ReportedBody),
        (status = 409, description = "It is abnormal: tell the household and say what is done."),
    ),
)]
pub async fn report_register(
    State(state): State<AppState>,
    Staff(caller): Staff,
    Path(id): Path<HouseholdId>,
    Once(body, receipt): Once<ReportRegister>,
) -> Result<(StatusCode, Json<ReportedBody>), ApiError> {
    let written = until_won(|| report_once(&state, (&caller, id), (&body, &receipt))).await?;
    Ok((StatusCode::CREATED, Json(written)))
}

async fn report_once(
    state: &AppState,
    (caller, id): (&Caller, HouseholdId),
    (body, receipt): (&ReportRegister, &Receipt),
) -> Result<ReportedBody, ApiError> {
    let now = state.clock.now();
    let mut tx = state.db.begin().await?;
    // Whoever holds the hall's row sees every entry before theirs.
    let position = halls::take_positions(tx.c(), caller.hall, 1).await?;
    let (household, today) = find(tx.c(), caller, id, now).await?;
    let before = ledger::entries(tx.c(), id).await?;
    let told = Told { meter: body.meter, register: body.register, state: body.state };
    let verdict = judge(tx.c(), (state, caller, now), id, told).await?;
    let entry = Entry::RegisterReported {
        meter: MeterId(body.meter),
        register: Volume(body.register),
        on: today,
        state: body.state,
        channel: body.channel,
        told: body.told,
        measure: body.measure,
        verdict: Box::new(verdict.clone()),
    };
    check(&household.groups, &before, &entry, today)?;
    let moment = ledger::moment_after(&before, now);
    let written = ledger::write(tx.c(), id, (caller.user, now), (&entry, moment)).await?;
    live_events::insert_hint(tx.c(), caller.hall, (LIVE_KIND, id.0), (now, position)).await?;
    let written = ReportedBody { entry: written, verdict: RegisterVerdict::of(&verdict) };
    receipt.keep(tx.c(), &written, now.timestamp_millis()).await?;
    tx.commit().await?;
    state.bell.ring(caller.hall, position);
    Ok(written)
}

struct Told {
    meter: Uuid,
    register: i64,
    state: ReadingState,
}

/// Judges as a phone would: by the rules in force, the home's own past and the season of the hall's registers.
async fn judge(
    mut c: C<'_>,
    (state, caller, now): (&AppState, &Caller, Timestamp),
    id: HouseholdId,
    told: Told,
) -> Result<Verdict, ApiError> {
    if !matches!(told.state, ReadingState::SelfReported | ReadingState::Estimated) {
        let what = "at the desk a register is `self_reported` or `estimated`; whoever sees it is at the door";
        return Err(ApiError::Unprocessable(what.to_owned()));
    }
    if !(0..=MOST_LITRES).contains(&told.register) {
        return Err(ApiError::Unprocessable("send a register in litres, from 0 on".to_owned()));
    }
    let pack = state.packs.in_force(c.lend(), now).await?;
    let on = domain::calendar::city_day(now, pack.time.utc_offset_minutes);
    let season = ledger::season(c.lend(), caller.hall, (on, &pack)).await?;
    let meters = ledger::meters_of(c, id).await?;
    let meter = meters.iter().find(|it| it.id.0 == told.meter);
    let meter = meter.ok_or(ApiError::NotFound("meter"))?;
    let full_turn = 10_i64.saturating_pow(u32::from(meter.digits)).saturating_mul(1000);
    if told.register >= full_turn {
        let what = format!("the meter has {} digits before the point", meter.digits);
        return Err(ApiError::Unprocessable(what));
    }
    let shown = Shown { on, register: Some(Volume(told.register)), state: told.state };
    Ok(reading::judge(meter, season.as_ref(), &shown, &pack))
}
