//! What a user has not read yet, loaded in bounded windows and cut into a page.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use domain::id::{DeviceId, HallId, JobId, UserId};
use sync::hub::{Page, Stored, Supply, page as cut, wants_snapshot};
use sync::message::{Position, Request};

use super::Hall;
use crate::db::feed::{self, FedRow};
use crate::db::grants::GrantRow;
use crate::db::{C, Result, documents};

/// Grants and withdrawals looked at in one round.
const GRANTS: i64 = 1_500;

/// Changes looked at in one round.
const CHANGES: i64 = 4_000;

/// Reads one page for a user.
pub(super) async fn page(
    mut c: C<'_>,
    hall: HallId,
    user: UserId,
    (request, found): (&Request, &Hall),
    offered: &BTreeSet<ChangeHash>,
) -> Result<Page> {
    let end = found.row.next_position - 1;
    let cursor = request.cursor;
    let after = cursor.filter(|it| it.epoch == found.epoch).map_or(0, |it| it.position);
    let grants = feed::list_new_grants(c.lend(), user, after, GRANTS).await?;
    let changes = feed::list_new_changes(c.lend(), hall, user, after, CHANGES).await?;
    let mut window = Window { end, more: false };
    window.close(grants.last().map(place), grants.len(), GRANTS);
    window.close(changes.last().map(|row| row.position), changes.len(), CHANGES);
    let mut wholes = load_wholes(c.lend(), user, (after, window.end), found).await?;
    let mut supplies = Vec::new();
    for grant in newest_by_job(grants) {
        let job = JobId(grant.job_id);
        if place(&grant) > window.end {
            continue;
        }
        match grant.withdrawn_position {
            // A phone that never read anything holds nothing that could be withdrawn.
            Some(position) if cursor.is_some() => {
                supplies.push(Supply::Withdrawn { position, job });
            }
            Some(_) => {}
            None => {
                let (snapshot, changes) = wholes.remove(&job).unwrap_or_default();
                let position = grant.granted_position;
                supplies.push(Supply::Whole { position, job, snapshot, changes });
            }
        }
    }
    let fed = changes.into_iter().filter(|row| row.position <= window.end);
    supplies.extend(fed.map(|row| Supply::Change { job: JobId(row.job_id), change: stored(row) }));
    supplies.sort_by_key(Supply::position);
    let limit_bytes = usize::try_from(request.limit_bytes).unwrap_or(usize::MAX);
    Ok(cut(supplies, (window.end, window.more), limit_bytes, offered, &found.key))
}

/// How far this round looked.
struct Window {
    end: Position,
    more: bool,
}

impl Window {
    /// A full list may have more behind its last row.
    fn close(&mut self, last: Option<Position>, rows: usize, limit: i64) {
        if let Some(last) = last
            && i64::try_from(rows).is_ok_and(|rows| rows >= limit)
            && last < self.end
        {
            *self = Self { end: last, more: true };
        }
    }
}

/// Where a grant stands in the feed: where it was given, or where it was lost.
fn place(grant: &GrantRow) -> Position {
    grant.withdrawn_position.unwrap_or(grant.granted_position)
}

/// A job given, lost and given again counts as it is now.
fn newest_by_job(grants: Vec<GrantRow>) -> impl Iterator<Item = GrantRow> {
    let mut newest: BTreeMap<_, GrantRow> = BTreeMap::new();
    for grant in grants {
        let known = newest.entry(grant.job_id).or_insert(grant);
        if known.granted_position < grant.granted_position {
            *known = grant;
        }
    }
    newest.into_values()
}

type Whole = (Option<Vec<u8>>, Vec<Stored>);

/// Every document that was given in the window, as a snapshot where one is allowed and smaller.
async fn load_wholes(
    mut c: C<'_>,
    user: UserId,
    (after, until): (Position, Position),
    found: &Hall,
) -> Result<BTreeMap<JobId, Whole>> {
    let mut wholes: BTreeMap<JobId, Whole> = BTreeMap::new();
    for row in feed::list_granted_changes(c.lend(), user, after, until).await? {
        wholes.entry(JobId(row.job_id)).or_default().1.push(stored(row));
    }
    let safe = found.row.safe_position;
    if safe == 0 {
        return Ok(wholes);
    }
    for (job, (snapshot, changes)) in &mut wholes {
        let Some(made) = documents::find_snapshot(c.lend(), *job).await? else { continue };
        let covered = changes.iter().filter(|change| change.position <= made.position);
        let covered_bytes = covered.map(|change| change.bytes.len()).sum();
        if wants_snapshot(made.position, safe, made.bytes.len(), covered_bytes) {
            changes.retain(|change| change.position > made.position);
            *snapshot = Some(made.bytes);
        }
    }
    Ok(wholes)
}

fn stored(row: FedRow) -> Stored {
    Stored { bytes: row.bytes, position: row.position, device: row.device_id.map(DeviceId) }
}
