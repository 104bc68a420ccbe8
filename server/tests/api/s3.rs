//! An S3 server of the test's own: real requests, real signatures, objects as files in a folder.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use server::config::{Config, Secret};
use tokio::runtime::Runtime;

/// The bucket of all tests; each server has its own.
pub(crate) const BUCKET: &str = "hall-photos";

/// The name of the key that is let in.
pub(crate) const KEY_ID: &str = "AKIADOORSTEP";

/// The key that is let in.
pub(crate) const SECRET: &str = "canary-of-the-bucket";

/// An S3 server that can go away and come back.
pub(crate) struct S3 {
    pub(crate) folder: tempfile::TempDir,
    address: SocketAddr,
    running: Option<Runtime>,
}

impl S3 {
    /// Starts a server with an empty bucket.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let mut s3 = Self { folder, address: ([127, 0, 0, 1], 0).into(), running: None };
        s3.come();
        s3
    }

    /// Listens, at the same address as before.
    pub(crate) fn come(&mut self) {
        let listener = std::net::TcpListener::bind(self.address).expect("the port is free");
        listener.set_nonblocking(true).expect("a listener");
        self.address = listener.local_addr().expect("an address");
        let mut builder =
            S3ServiceBuilder::new(FileSystem::new(self.folder.path()).expect("a folder"));
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = builder.build();
        let router = Router::new().fallback(move |request| serve(service.clone(), request));
        let runtime = Runtime::new().expect("a runtime");
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("the server serves");
        });
        self.running = Some(runtime);
    }

    /// Goes away with every connection.
    pub(crate) fn go(&mut self) {
        if let Some(runtime) = self.running.take() {
            runtime.shutdown_background();
        }
    }

    /// What `photo_store` is set to.
    pub(crate) fn url(&self) -> String {
        format!("s3://{BUCKET}/east?endpoint=http://{}", self.address)
    }

    /// The settings with this store in place of the folder.
    pub(crate) fn set(&self, config: &Config) -> Config {
        Config {
            photo_store: self.url(),
            photo_store_key_id: KEY_ID.to_owned(),
            photo_store_secret: Secret(SECRET.to_owned()),
            ..config.clone()
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.go();
    }
}

async fn serve(service: S3Service, request: Request) -> axum::response::Response {
    let reply = service.call(request.map(s3s::Body::http_body_unsync)).await;
    reply.expect("an S3 server replies").map(Body::new)
}
