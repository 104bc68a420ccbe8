//! What has to be the same on both sides.

use std::collections::{BTreeMap, BTreeSet};

use automerge::ChangeHash;
use domain::id::{DeviceId, JobId, UserId};
use domain::status::standing;
use server::command::rebuild::Rebuild;
use server::db::jobs::Filter;
use server::db::{C, actors, changes, grants, live_events, quarantine, waiting};
use server::jobs::summary;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection};
use sync::authority::Writer;
use sync::hub::GrantState;
use sync::message::{Reply, Verdict};

use super::{HALL, Pair};

/// Replies say the same, each with its own positions and seals.
pub(super) fn replies(replies: &[Vec<u8>; 2]) {
    let [model, server] = replies.each_ref().map(|bytes| Reply::decode(bytes).unwrap());
    assert_eq!(verdicts(&model), verdicts(&server));
    let withdrawn = |reply: &Reply| reply.withdrawn.iter().copied().collect::<BTreeSet<JobId>>();
    assert_eq!(withdrawn(&model), withdrawn(&server));
    assert_eq!((model.more, model.recorded), (server.more, server.recorded));
    let jobs = |reply: &Reply| reply.documents.iter().map(|it| it.job).collect::<BTreeSet<_>>();
    assert_eq!(jobs(&model), jobs(&server));
}

fn verdicts(reply: &Reply) -> Vec<(ChangeHash, String)> {
    let word = |verdict: &Verdict| match verdict {
        Verdict::Acked { .. } => "acked".to_owned(),
        Verdict::Duplicate { .. } => "duplicate".to_owned(),
        Verdict::Waiting => "waiting".to_owned(),
        Verdict::Quarantined { reason } => reason.clone(),
    };
    reply.verdicts.iter().map(|judged| (judged.hash, word(&judged.verdict))).collect()
}

type Apart = BTreeMap<ChangeHash, (JobId, String, Writer)>;

impl Pair {
    /// Both halls hold the same in the same order, and the twins know the same.
    pub(crate) async fn assert_equal(&self) {
        for job in &self.jobs {
            let mut conn = self.server().db.read().await.unwrap();
            let stored = changes::list_job_changes(conn.c(), *job, 0).await.unwrap();
            let stored: Vec<_> = stored.into_iter().map(|row| (row.bytes, row.device_id)).collect();
            let known = self.model.changes(*job).iter();
            let known: Vec<_> =
                known.map(|it| (it.bytes.clone(), it.device.map(|it| it.0))).collect();
            assert_eq!(known, stored, "changes of {job}");
            let given = grants::list_job_grants(conn.c(), *job).await.unwrap();
            for phone in &self.phones {
                let user = phone.writer.user;
                let last = given.iter().rfind(|grant| grant.user_id == user.0);
                let state = match last.map(|grant| grant.withdrawn_position) {
                    None => GrantState::Never,
                    Some(None) => GrantState::Held,
                    Some(Some(_)) => GrantState::Withdrawn,
                };
                assert_eq!(self.model.grant_state(*job, user), state, "grant of {job} to {user}");
                let [by_model, by_server] = phone.heads(*job);
                assert_eq!(by_model, by_server, "copies of {job} with {user}");
            }
        }
        for phone in &self.phones {
            let [by_model, by_server] = phone.sides.each_ref().map(sync::device::Device::pending);
            assert_eq!(by_model, by_server);
        }
        assert_eq!(self.apart_in_model(), self.apart_in_server().await);
        self.assert_same_waiting().await;
        self.assert_same_owners().await;
    }

    async fn assert_same_waiting(&self) {
        let mut conn = self.server().db.read().await.unwrap();
        let hashes: Vec<Vec<u8>> = self.offered.iter().map(|hash| hash.0.to_vec()).collect();
        let found = waiting::find_waiting(conn.c(), &hashes).await.unwrap();
        let found: BTreeSet<_> =
            found.iter().map(|row| ChangeHash::try_from(row.hash.as_slice()).unwrap()).collect();
        let known: BTreeSet<_> =
            self.offered.iter().copied().filter(|hash| self.model.is_waiting(*hash)).collect();
        assert_eq!(known, found, "waiting");
    }

    async fn assert_same_owners(&self) {
        let mut conn = self.server().db.read().await.unwrap();
        for phone in &self.phones {
            let actor = phone.pen(self.config.clock.now()).actor;
            let bound = actors::find_actors(conn.c(), &[actor.to_bytes().to_vec()]).await.unwrap();
            let bound = bound.first().map(|row| DeviceId(row.device_id));
            assert_eq!(self.model.owner(&actor), bound);
        }
    }

    fn apart_in_model(&self) -> Apart {
        let apart = self.model.quarantine();
        apart.map(|(hash, it)| (*hash, (it.job, it.reason.clone(), it.writer))).collect()
    }

    async fn apart_in_server(&self) -> Apart {
        let mut conn = self.server().db.read().await.unwrap();
        let (every, all) = (quarantine::Filter::default(), ((i64::MIN, Vec::new()), i64::MAX));
        let rows = quarantine::list_quarantine(conn.c(), HALL, &every, all).await.unwrap();
        let apart = rows.into_iter().map(|row| {
            let hash = ChangeHash::try_from(row.hash.as_slice()).unwrap();
            let writer = Writer { user: UserId(row.user_id), device: DeviceId(row.device_id) };
            (hash, (JobId(row.job_id.unwrap()), row.reason, writer))
        });
        apart.collect()
    }

    /// What is derived from the changes as they came is what is derived from all of them at once.
    pub(crate) async fn assert_rebuilt(&self) {
        let before = self.projections().await;
        let mut tx = self.server().db.begin().await.unwrap();
        for spoil in [
            "delete from visit",
            "delete from fact",
            "delete from reading",
            "delete from hose_change",
            "delete from cash_taken",
            "delete from appointment_verdict",
            "update job set status = '', technician_id = null, visit_id = null, window_start = null, \
             window_end = null, promise_state = 'kept', clashes = '[7]', updated_position = 0",
        ] {
            tx.c().q(spoil).execute().await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_ne!(self.projections().await, before);

        let rebuild = Rebuild::of(&self.config.database.0);
        rebuild.run(&self.config, &mut std::io::sink()).await.unwrap();

        assert_eq!(self.projections().await, before);
    }

    /// Every row of every projection, column by column.
    async fn projections(&self) -> Vec<String> {
        let mut conn = self.server().db.read().await.unwrap();
        let mut lines = Vec::new();
        for table in
            ["job", "visit", "fact", "reading", "hose_change", "cash_taken", "appointment_verdict"]
        {
            let rows = match conn.c() {
                C::Sqlite(conn) => rows_of_file(conn, table).await,
                C::Pg(conn, _) => rows_of_server(conn, table).await,
            };
            lines.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        lines
    }

    /// What lists and boards show is what the documents say, and events have one position each.
    pub(crate) async fn assert_projected(&self) {
        let mut conn = self.server().db.read().await.unwrap();
        for job in &self.jobs {
            let Some(told) = self.stored_job(*job).await else { continue };
            let filter = Filter { job: Some(job.0), ..Filter::default() };
            let now = self.config.clock.now();
            let page = summary::list_page(conn.c(), HALL, &filter, (uuid::Uuid::nil(), 1), now);
            let shown = page.await.unwrap().pop().unwrap();
            assert_eq!(shown.status, standing(&told).status.key());
        }
        let events = live_events::list_events(conn.c(), HALL, 0, i64::MAX).await.unwrap();
        assert!(events.iter().map(|event| event.position).is_sorted_by(|a, b| a < b));
    }
}

async fn rows_of_file(conn: &mut SqliteConnection, table: &str) -> Vec<String> {
    let sql = AssertSqlSafe(format!("select * from {table} order by 1, 2, 3"));
    let rows = sqlx::query(sql).fetch_all(conn).await.unwrap();
    let told = rows.iter().map(|row| {
        let column = |index| row.try_get_unchecked::<Option<Vec<u8>>, _>(index).unwrap();
        let columns = (0..row.len()).map(|index| match column(index) {
            None => "null".to_owned(),
            Some(bytes) => bytes.escape_ascii().to_string(),
        });
        columns.collect::<Vec<_>>().join(" | ")
    });
    told.collect()
}

async fn rows_of_server(conn: &mut PgConnection, table: &str) -> Vec<String> {
    let sql = AssertSqlSafe(format!("select cast(it as text) from {table} it order by 1"));
    sqlx::query_scalar(sql).fetch_all(conn).await.unwrap()
}
