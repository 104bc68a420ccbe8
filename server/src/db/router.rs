//! Which of several PostgreSQL servers takes writes, and the pool of connections to it.
//!
//! The driver knows one host and waits on a dead one. So every server is asked about itself twice a second, and the
//! writable one that is furthest in the cluster's history is used, even while an older one still lives; when that
//! changes, a new pool replaces the old one. Nothing is promoted here: an operator or their tool does that.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{C, Conn, Result, Tx};

/// How often each server is asked whether it takes writes.
const PROBE_EVERY: Duration = Duration::from_millis(500);

/// How long a server may take to answer that.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// The server in use is left when its misses weigh so much: a refusal is plain, silence may be a busy machine.
const LEFT_AT: u32 = 6;
const REFUSED: u32 = 2;
const SILENT: u32 = 1;

/// How long a request waits while there is no server to write to.
const PATIENCE: Duration = Duration::from_secs(3);

/// The most connections that this process takes.
const CONNECTIONS: u32 = 16;

/// Connections to the server that takes writes, wherever it is.
#[derive(Clone, Debug)]
pub struct Router {
    chosen: watch::Receiver<Option<PgPool>>,
    watching: Arc<Watching>,
}

/// Looking for the server to use, for as long as anybody needs one.
#[derive(Debug)]
struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a server said of itself.
#[derive(Debug)]
enum Answer {
    /// It takes writes, on this timeline, which grows with each promotion.
    Writable(u32),
    /// It follows another.
    Follows,
    /// Nobody is there, or it said no.
    Refused(sqlx::Error),
    /// It did not answer in time.
    Silent,
}

impl Router {
    /// Finds the server that takes writes and keeps looking for it; the error tells what each one said.
    pub(super) async fn start(
        options: PgConnectOptions,
        hosts: &[(String, u16)],
    ) -> Result<Self, String> {
        let mut each: Vec<PgConnectOptions> =
            hosts.iter().map(|(host, port)| options.clone().host(host).port(*port)).collect();
        if each.is_empty() {
            each.push(options);
        }
        let mut servers = Servers { all: each.into_iter().map(Server::new).collect() };
        let answers = servers.ask().await;
        let Some(first) = best(&answers, None) else { return Err(servers.told(&answers)) };
        let (sender, chosen) = watch::channel(Some(servers.open_pool(first)));
        let task = tokio::spawn(async move { servers.watch_over(first, &sender).await });
        Ok(Self { chosen, watching: Arc::new(Watching(task.abort_handle())) })
    }

    /// The pool in use; waits a moment while there is none.
    pub async fn pool(&self) -> Result<PgPool> {
        let mut chosen = self.chosen.clone();
        let found = timeout(PATIENCE, chosen.wait_for(Option::is_some)).await;
        let found = found.ok().and_then(Result::ok).and_then(|pool| pool.clone());
        found.ok_or(sqlx::Error::PoolTimedOut)
    }

    /// Takes a connection to the server in use.
    pub async fn conn(&self) -> Result<Conn> {
        let pool = self.pool().await?;
        Ok(Conn::Pg(until_left(Some(&pool), pool.acquire()).await?, pool))
    }

    /// Begins a transaction on the server in use.
    pub async fn begin(&self) -> Result<Tx> {
        let pool = self.pool().await?;
        Ok(Tx::Pg(until_left(Some(&pool), pool.begin()).await?, pool))
    }

    /// Changes when another server is used from now on, or none.
    pub fn moved(&self) -> watch::Receiver<Option<PgPool>> {
        let mut moved = self.chosen.clone();
        // What happened before is no news to whoever asks now.
        moved.mark_unchanged();
        moved
    }

    /// Closes the connections; nothing is looked for afterwards.
    pub async fn close(&self) {
        let pool = self.chosen.borrow().clone();
        self.watching.0.abort();
        // The sender goes with the watch, and with it the connections that it asked on.
        let mut chosen = self.chosen.clone();
        while chosen.changed().await.is_ok() {}
        tokio::task::yield_now().await;
        if let Some(pool) = pool {
            pool.close().await;
        }
    }
}

/// Runs something on a pool until it is done or the pool was left.
pub(super) fn until_left<'w, T>(
    pool: Option<&'w PgPool>,
    work: impl Future<Output = Result<T>> + 'w,
) -> impl Future<Output = Result<T>> + 'w {
    // On the heap: otherwise every query function would carry it several times over.
    let work = Box::pin(work);
    async move {
        match pool {
            Some(pool) => pool.close_event().do_until(work).await?,
            None => work.await,
        }
    }
}

/// The servers while they are looked at.
struct Servers {
    all: Vec<Server>,
}

impl Servers {
    /// Asks every server at the same time.
    async fn ask(&mut self) -> Vec<Answer> {
        let mut asking = JoinSet::new();
        for (place, mut server) in self.all.drain(..).enumerate() {
            asking.spawn(async move {
                let answer = server.ask_in_time().await;
                (place, server, answer)
            });
        }
        let mut asked = asking.join_all().await;
        asked.sort_by_key(|(place, ..)| *place);
        let (all, answers) = asked.into_iter().map(|(_, server, answer)| (server, answer)).unzip();
        self.all = all;
        answers
    }

    /// Asks again and again, and puts the pool on the server that takes writes.
    async fn watch_over(&mut self, first: usize, chosen: &watch::Sender<Option<PgPool>>) {
        let mut current = Some(first);
        let mut missed = 0;
        let mut tick = interval(PROBE_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let answers = self.ask().await;
            match best(&answers, current) {
                found @ Some(_) if found == current => missed = 0,
                Some(found) => {
                    tracing::warn!(server = self.all[found].name(), "another database server");
                    (current, missed) = (Some(found), 0);
                    leave(chosen.send_replace(Some(self.open_pool(found))));
                }
                None => {
                    let Some(gone) = current else { continue };
                    let is_silent = matches!(answers[gone], Answer::Silent);
                    missed += if is_silent { SILENT } else { REFUSED };
                    if missed >= LEFT_AT {
                        tracing::warn!("no database server takes writes: {}", self.told(&answers));
                        (current, missed) = (None, 0);
                        leave(chosen.send_replace(None));
                    }
                }
            }
        }
    }

    /// Connections to one server, for as long as it takes writes.
    fn open_pool(&self, server: usize) -> PgPool {
        let options = PgPoolOptions::new().max_connections(CONNECTIONS).after_connect(|conn, _| {
            Box::pin(async move {
                let follows = C::Pg(conn, None).q("select pg_is_in_recovery()");
                if follows.scalar().await? { Err(sqlx::Error::PoolClosed) } else { Ok(()) }
            })
        });
        options.connect_lazy_with(self.all[server].options.clone())
    }

    fn told(&self, answers: &[Answer]) -> String {
        let told = self.all.iter().zip(answers).map(|(it, said)| format!("{}: {said}", it.name()));
        told.collect::<Vec<_>>().join("; ")
    }
}

/// Closes a pool; nobody waits for it, because a server that hangs never says goodbye.
fn leave(pool: Option<PgPool>) {
    if let Some(pool) = pool {
        tokio::spawn(async move { pool.close().await });
    }
}

/// The writable server on the highest timeline; of equals the one that is in use.
fn best(answers: &[Answer], current: Option<usize>) -> Option<usize> {
    let writable = answers.iter().enumerate().filter_map(|(place, answer)| match answer {
        Answer::Writable(timeline) => Some((*timeline, Some(place) == current, place)),
        Answer::Follows | Answer::Refused(_) | Answer::Silent => None,
    });
    writable.max().map(|(.., place)| place)
}

/// One server, and a connection to ask it.
struct Server {
    options: PgConnectOptions,
    conn: Option<PgConnection>,
}

impl Server {
    fn new(options: PgConnectOptions) -> Self {
        Self { options, conn: None }
    }

    fn name(&self) -> String {
        format!("{}:{}", self.options.get_host(), self.options.get_port())
    }

    async fn ask_in_time(&mut self) -> Answer {
        let answer = match timeout(PROBE_LIMIT, self.ask()).await {
            Ok(Ok(Some(timeline))) => return Answer::Writable(timeline),
            Ok(Ok(None)) => return Answer::Follows,
            Ok(Err(error)) => Answer::Refused(error),
            Err(_) => Answer::Silent,
        };
        self.conn = None;
        answer
    }

    /// The timeline that it writes, unless it follows.
    async fn ask(&mut self) -> Result<Option<u32>> {
        let conn = match self.conn.as_mut() {
            Some(conn) => conn,
            None => self.conn.insert(PgConnection::connect_with(&self.options).await?),
        };
        // The control file still tells the old timeline until a checkpoint after a promotion.
        let file = "select case when pg_is_in_recovery() then null \
            else pg_walfile_name(pg_current_wal_insert_lsn()) end";
        let file: Option<String> = C::Pg(conn, None).q(file).scalar().await?;
        file.map(|file| timeline(&file)).transpose()
    }
}

/// The name of a piece of the log begins with its timeline in hexadecimal.
fn timeline(file: &str) -> Result<u32> {
    u32::from_str_radix(file.get(..8).unwrap_or_default(), 16).map_err(super::decode)
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Writable(timeline) => write!(f, "takes writes on timeline {timeline}"),
            Self::Follows => f.write_str("is a standby"),
            Self::Refused(error) => write!(f, "{error}"),
            Self::Silent => f.write_str("does not answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_timeline_is_used_and_equals_are_not_exchanged() {
        let old = || Answer::Writable(1);

        assert_eq!(best(&[old(), Answer::Follows], None), Some(0));
        assert_eq!(best(&[old(), Answer::Writable(2)], Some(0)), Some(1));
        assert_eq!(best(&[Answer::Writable(2), old()], Some(0)), Some(0));
        assert_eq!(best(&[old(), old()], Some(0)), Some(0));
        assert_eq!(best(&[Answer::Silent, Answer::Follows], Some(0)), None);
    }

    #[test]
    fn a_timeline_is_read_in_hexadecimal() {
        assert_eq!(timeline("0000001A00000000000000F1").unwrap(), 26);
        assert!(timeline("").is_err());
    }
}
