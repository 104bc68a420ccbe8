//! What the page of a household shows of hoses and appliances: their lives, and who says so; and what is due there.

use chrono::{Datelike as _, NaiveDate};
use domain::catalogue::Language;
use domain::due::{What, appliance_ends_on};
use domain::hose::ends_on;
use domain::household::{Appliance, Hose, Household};
use domain::job::JobKind;
use domain::pack::Pack;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::ApiError;
use super::ledger_views::Seen;
use super::schema;
use crate::db::C;
use crate::due::{self, Looking};
use crate::items::{Said, SaidOf};

/// How far ahead what is due at a household is shown.
const DAYS_AHEAD: u64 = 365;

/// How far something is in its life.
#[derive(Debug, Serialize, ToSchema)]
pub struct LifeBody {
    /// From when it is counted; null when nobody knows.
    #[schema(value_type = Option<String>, format = Date)]
    since: Option<NaiveDate>,
    /// Whether that is a guess.
    is_estimated: bool,
    /// Its last day.
    #[schema(value_type = Option<String>, format = Date)]
    ends_on: Option<NaiveDate>,
    age_months: Option<i32>,
    life_months: Option<u32>,
    is_overdue: bool,
}

/// Who says that something is as it is said to be.
#[derive(Debug, Serialize, ToSchema)]
pub struct SaidBody {
    /// The job in whose visit it was put in or seen; null for the register.
    job: Option<Uuid>,
    /// A photo of it.
    photo: Option<String>,
    /// The maker's lot.
    lot: String,
    /// The day of the last test in that visit that its joints stood.
    #[schema(value_type = Option<String>, format = Date)]
    tight_on: Option<NaiveDate>,
}

/// A hose that hangs.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoseBody {
    id: Uuid,
    kind: &'static str,
    length_mm: u32,
    /// The longest that the rule pack allows.
    max_length_mm: u32,
    /// How many joints are in it, when somebody looked.
    joints: Option<u8>,
    #[serde(flatten)]
    life: LifeBody,
    #[serde(flatten)]
    said: SaidBody,
}

/// An appliance that stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplianceBody {
    id: Uuid,
    kind: &'static str,
    brand: String,
    model: String,
    #[schema(value_type = Option<String>, format = Date)]
    installed_on: Option<NaiveDate>,
    #[schema(value_type = Option<String>, format = Date)]
    sold_on: Option<NaiveDate>,
    flame_out: Option<bool>,
    #[serde(flatten)]
    life: LifeBody,
    #[serde(flatten)]
    said: SaidBody,
}

/// Something that is due at a household.
#[derive(Debug, Serialize, ToSchema)]
pub struct HomeDue {
    #[schema(schema_with = schema::due_what)]
    what: What,
    #[schema(value_type = String, format = Date)]
    by: NaiveDate,
    is_overdue: bool,
    is_estimated: bool,
    /// The kind of job that serves it.
    #[schema(schema_with = schema::job_kind)]
    kind: JobKind,
    /// Why, in Chinese.
    zh: String,
    /// Why, in English.
    en: String,
}

fn life_body(
    (since, is_estimated): (Option<NaiveDate>, bool),
    (ends_on, life_months): (Option<NaiveDate>, Option<u32>),
    today: NaiveDate,
) -> LifeBody {
    let months = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0);
    let age = |since: NaiveDate| {
        let is_whole = today.day() >= since.day();
        (months(today) - months(since) - i32::from(!is_whole)).max(0)
    };
    LifeBody {
        since,
        is_estimated,
        ends_on,
        age_months: since.map(age),
        life_months,
        is_overdue: ends_on.is_some_and(|ends| ends < today),
    }
}

fn said_body(said: Option<&Said>) -> SaidBody {
    SaidBody {
        job: said.map(|it| it.job),
        photo: said.and_then(|it| it.photo.clone()),
        lot: said.map(|it| it.lot.clone()).unwrap_or_default(),
        tight_on: said.and_then(|it| it.tight_on),
    }
}

/// A hose with its life and who says so.
pub(super) fn hose_body(
    hose: &Hose,
    known: &SaidOf,
    (today, pack): (NaiveDate, &Pack),
) -> HoseBody {
    let life = (ends_on(hose, pack), pack.hose.life_months.get(&hose.kind).copied());
    HoseBody {
        id: hose.id.0,
        kind: hose.kind.key(),
        length_mm: hose.length_mm,
        max_length_mm: pack.hose.max_length_mm,
        joints: hose.joints,
        life: life_body((Some(hose.installed_on), hose.is_estimated), life, today),
        said: said_body(known.get(&hose.id.0)),
    }
}

/// An appliance with its life and who says so.
pub(super) fn appliance_body(
    it: Appliance,
    known: &SaidOf,
    (today, pack): (NaiveDate, &Pack),
) -> ApplianceBody {
    let begins = it.life_begins();
    let months = pack.due.as_ref().and_then(|due| due.appliance.life_months.get(&it.kind).copied());
    let life = (appliance_ends_on(&it, pack), months);
    let since = (begins.map(|it| it.0), begins.is_some_and(|it| it.1));
    ApplianceBody {
        id: it.id.0,
        kind: it.kind.key(),
        life: life_body(since, life, today),
        said: said_body(known.get(&it.id.0)),
        brand: it.brand,
        model: it.model,
        installed_on: it.installed_on,
        sold_on: it.sold_on,
        flame_out: it.flame_out,
    }
}

/// What is due at a household within a year; a place that no register knows owes nothing.
pub(super) async fn home_due(
    c: C<'_>,
    seen: &Seen<'_>,
    (household, pack): (&Household, &Pack),
) -> Result<Vec<HomeDue>, ApiError> {
    if household.unregistered {
        return Ok(Vec::new());
    }
    let looking = Looking { packs: &seen.state.packs, pack, now: seen.now };
    let home = due::home(c, household, &looking).await?;
    let until = seen.today.checked_add_days(chrono::Days::new(DAYS_AHEAD)).unwrap_or(seen.today);
    let bodies = looking.due(&home, until).into_iter().map(|it| HomeDue {
        what: it.what,
        by: it.by,
        is_overdue: it.by < seen.today,
        is_estimated: it.is_estimated,
        kind: it.kind,
        zh: it.why.say(Language::Chinese),
        en: it.why.say(Language::English),
    });
    Ok(bodies.collect())
}
