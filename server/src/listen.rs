//! Taking connections: whoever says nothing, or says it without end, is let go, and nobody else waits for them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{self, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;
use tower_service::Service as _;

use crate::http::error::ApiError;
use crate::state::AppState;

/// How long to wait after a connection could not be taken, as when there are no more file descriptors.
const BREATH: Duration = Duration::from_secs(1);

/// Serves until `stop` is ready, then takes no more connections and lets requests finish.
///
/// `head` is how long a connection may take to say what it asks, and how long it may stay silent between requests.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    head: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head);
    let finishing = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            taken = take(&listener) => taken,
            () = &mut stop => break,
        };
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), peer, request));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = finishing.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    finishing.shutdown().await;
}

/// The next connection; what cannot be taken now is tried again.
async fn take(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(taken) => return taken,
            // These are of the one who came, and say nothing of the next.
            Err(error) if is_of_peer(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be taken");
                sleep(BREATH).await;
            }
        }
    }
}

fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn answer(
    mut router: Router,
    peer: SocketAddr,
    request: http::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}

/// Breaks off a body that is not here in time, and says so.
pub async fn in_time(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let has_body = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    if !has_body {
        return next.run(request).await;
    }
    let limit = Duration::from_secs(u64::from(state.config.body_timeout_s));
    let is_late = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&is_late);
    let request = request.map(|body| {
        let until = Box::pin(sleep(limit));
        Body::from_stream(Timely { body: body.into_data_stream(), until, is_late: watched })
    });
    let response = next.run(request).await;
    if is_late.load(Ordering::Relaxed) {
        return ApiError::TooSlow(limit.as_secs()).into_response();
    }
    response
}

/// A body that ends in an error once its time is over.
struct Timely {
    body: BodyDataStream,
    until: Pin<Box<Sleep>>,
    is_late: Arc<AtomicBool>,
}

impl Stream for Timely {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.body).poll_next(cx);
        if next.is_pending() && self.until.as_mut().poll(cx).is_ready() {
            self.is_late.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(
                io::ErrorKind::TimedOut,
            )))));
        }
        next
    }
}
