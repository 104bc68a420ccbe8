//! What announcing an outage would come to: how many are told by message, and at whose door a notice has to go up (B13).

use std::collections::{BTreeMap, BTreeSet};

use domain::id::HallId;
use domain::ledger::{Consent, Purpose, Written, consent};
use domain::outage::OutageKind;
use domain::pack::Pack;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::outages::{self as rows, DoorRow};
use crate::db::{C, Result, outage_told};
use crate::ledger::written;
use crate::told::{listens, rules};

/// Doors named at most; the numbers are whole.
const MOST_DOORS: usize = 200;

/// How an outage's households can be told.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ReachBody {
    /// Households whose gas would be off.
    households: usize,
    /// Those who can be told by message.
    by_message: usize,
    /// Those of them who want no messages, and are told of outages all the same, as the rule pack says.
    despite_no: usize,
    /// Those who want no messages.
    opted_out: usize,
    /// Those without a telephone number.
    no_phone: usize,
    /// Whether any gateway takes notices; without one nobody is told by message.
    listens: bool,
    /// Those for whom a notice has to go on the door, by address; the first 200.
    #[schema(max_items = 200)]
    doors: Vec<ByDoorBody>,
}

impl ReachBody {
    /// The numbers alone.
    #[must_use]
    pub fn without_names(self) -> Self {
        Self { doors: Vec::new(), ..self }
    }
}

/// A household that no message reaches.
#[derive(Debug, Serialize, ToSchema)]
struct ByDoorBody {
    household: Uuid,
    account: String,
    holder: String,
    address: String,
    /// `no_phone`, `opted_out` or `no_gateway`.
    why: &'static str,
}

/// Another outage that is not over, at the same households and time.
#[derive(Debug, Serialize, ToSchema)]
pub struct CrossingBody {
    outage: Uuid,
    area: String,
    /// From when, Unix milliseconds.
    from: i64,
    /// Until when.
    until: i64,
    /// How many households it shares.
    households: usize,
    /// Whether these were told of it.
    is_announced: bool,
}

/// Works out how the households behind some doors can be told of an outage.
pub async fn reach(
    mut c: C<'_>,
    hall: HallId,
    (kind, doors): (OutageKind, &[DoorRow]),
    pack: &Pack,
) -> Result<ReachBody> {
    let rules = rules(pack);
    let always = rules.template(kind.occasion()).is_some_and(|it| it.always);
    let listens = listens(c.lend(), hall).await?;
    let refusing = refusing(c, hall).await?;
    let mut body = ReachBody { households: doors.len(), listens, ..ReachBody::default() };
    for door in doors {
        let says_no = refusing.contains(&door.household_id);
        let why = if says_no && !always {
            body.opted_out += 1;
            "opted_out"
        } else if door.phone.is_empty() {
            body.no_phone += 1;
            "no_phone"
        } else if listens {
            body.by_message += 1;
            body.despite_no += usize::from(says_no);
            continue;
        } else {
            "no_gateway"
        };
        if body.doors.len() < MOST_DOORS {
            body.doors.push(ByDoorBody {
                household: door.household_id,
                account: door.account.clone(),
                holder: door.holder.clone(),
                address: door.address.clone(),
                why,
            });
        }
    }
    Ok(body)
}

/// The households of a hall that want no messages.
async fn refusing(c: C<'_>, hall: HallId) -> Result<BTreeSet<Uuid>> {
    let mut entries: BTreeMap<Uuid, Vec<Written>> = BTreeMap::new();
    for row in outage_told::list_consents(c, hall.0).await? {
        entries.entry(row.household_id).or_default().push(written(row.entry)?);
    }
    let says_no = |of: &[Written]| consent(of, Purpose::Messages) == Some(Consent::Withdrawn);
    Ok(entries.into_iter().filter(|(_, of)| says_no(of)).map(|(household, _)| household).collect())
}

/// Other outages at the same doors between two instants; `own` is left out.
pub async fn crossing(
    c: C<'_>,
    hall: HallId,
    (doors, span, own): (&[DoorRow], (i64, i64), Option<Uuid>),
) -> Result<Vec<CrossingBody>> {
    let here: BTreeSet<Uuid> = doors.iter().map(|it| it.household_id).collect();
    let mut found: BTreeMap<Uuid, CrossingBody> = BTreeMap::new();
    for row in rows::list_crossing(c, hall, span).await? {
        if Some(row.outage_id) == own || !here.contains(&row.household_id) {
            continue;
        }
        let entry = found.entry(row.outage_id).or_insert_with(|| CrossingBody {
            outage: row.outage_id,
            area: row.area.clone(),
            from: row.from_at,
            until: row.until_at,
            households: 0,
            is_announced: row.announced_at.is_some(),
        });
        entry.households += 1;
    }
    Ok(found.into_values().collect())
}
