//! What reaching people costs: a job given at the desk until a push service has it, and an outbox that is drained.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use futures_util::StreamExt as _;
use futures_util::stream;
use server::reach::{News, NewsKind};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::figures::{Spread, now, print};
use super::stage::{Stage, Technician};

/// Pushes that wait when the hall goes on.
const WAITING: usize = 10_000;

/// Whom they are for.
const PHONES: usize = 20;

/// Jobs given one after the other.
const GIVEN: usize = 200;

/// As many posts at once as the sender has under way.
const ABREAST: usize = 256;

/// A browser's keys: those of the example in RFC 8291, appendix A.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// Bytes of a message for a lock screen as it is sent.
const BODY_BYTES: usize = 400;

/// A push service that takes everything and counts.
struct Taking {
    address: SocketAddr,
    count: Arc<AtomicUsize>,
    came: Arc<Notify>,
}

impl Taking {
    async fn open() -> anyhow::Result<Self> {
        let (count, came) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (counted, told) = (Arc::clone(&count), Arc::clone(&came));
        let take = move |_body: axum::body::Bytes| async move {
            counted.fetch_add(1, Ordering::Relaxed);
            told.notify_waiters();
            StatusCode::CREATED
        };
        let router = Router::new().route("/push/{id}", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, count, came })
    }

    fn endpoint(&self, id: &str) -> String {
        format!("http://{}/push/{id}", self.address)
    }

    /// Waits until so many came since it was opened.
    async fn has(&self, wanted: usize) {
        loop {
            let came = self.came.notified();
            if self.count.load(Ordering::Relaxed) >= wanted {
                return;
            }
            came.await;
        }
    }

    fn so_far(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

/// Measures both on a hall of its own.
pub(crate) async fn reach(database: String) -> anyhow::Result<()> {
    let service = Taking::open().await?;
    let stage = Stage::pushing(database, service.address.to_string()).await?;
    let mut phones = Vec::with_capacity(PHONES);
    for number in 0..PHONES {
        let login = format!("reach{number}");
        let phone = stage.hire(&login).await?;
        stage.subscribe(&phone, &service.endpoint(&login), (P256DH, AUTH)).await?;
        phones.push(phone);
    }
    given(&stage, &service, &phones).await?;
    drained(&stage, &service, &phones).await
}

/// From the dispatcher's request until the push service has the message, beside the request alone.
async fn given(stage: &Stage, service: &Taking, phones: &[Technician]) -> anyhow::Result<()> {
    let (mut carried, mut asked) = (Spread::default(), Spread::default());
    for number in 0..GIVEN {
        let before = service.so_far();
        let began = now();
        stage.give(phones.get(number % PHONES).context("phones are hired")?).await?;
        asked.add(began.elapsed());
        service.has(before + 1).await;
        carried.add(began.elapsed());
    }
    let what = format!("a job given until its push is taken, median / p99 of {GIVEN}");
    print(&what, carried.with_p99(), "");
    print("  of that, the dispatcher's own request", asked.with_p99(), "");
    Ok(())
}

/// Everything that waits goes out, beside as many bare posts to the same service.
async fn drained(stage: &Stage, service: &Taking, phones: &[Technician]) -> anyhow::Result<()> {
    let news: Vec<News> = (0..WAITING)
        .map(|number| stage.news(phones[number % PHONES].user, NewsKind::Message))
        .collect();
    let before = service.so_far();
    stage.tell(&news).await?;
    let began = now();
    service.has(before + WAITING).await;
    let drained = began.elapsed();

    let http = reqwest::Client::new();
    let url = service.endpoint("bare");
    let began = now();
    let posts = stream::iter(0..WAITING).map(|_| {
        let post = http.post(&url).body(vec![0_u8; BODY_BYTES]);
        async move { post.send().await.map(drop) }
    });
    let outcomes: Vec<_> = posts.buffer_unordered(ABREAST).collect().await;
    outcomes.into_iter().collect::<Result<(), _>>()?;
    let bare = began.elapsed();

    let seconds = drained.as_secs_f64();
    print(&format!("{WAITING} pushes that wait, drained in"), format!("{seconds:.1}"), "s");
    print("  a second", u128::try_from(WAITING)? * 1000 / drained.as_millis().max(1), "");
    print("  against bare posts of that size", format!("{:.1}", seconds / bare.as_secs_f64()), "×");
    Ok(())
}
