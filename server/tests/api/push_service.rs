//! A push service on loopback: checks the sender's token (RFC 8292), decrypts as a browser would (RFC 8291), and fails
//! as real ones do.

#![expect(clippy::unwrap_used, reason = "a test's own service fails with its test")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey as SigningKey};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// What the service does with the next messages, by whoever they are for.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Take,
    Status(u16),
    RetryAfter(u16, u32),
    /// Takes only bodies so long; others get a 413.
    Most(usize),
    /// Points somewhere else.
    Redirect(String),
}

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// Who it is for.
    pub(crate) id: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
}

#[derive(Clone)]
struct Shared {
    answer: Arc<Mutex<Answer>>,
    /// Who waits for ever.
    silent_to: Arc<Mutex<Option<String>>>,
    pushed: mpsc::UnboundedSender<Pushed>,
}

pub(crate) struct PushService {
    pub(crate) address: SocketAddr,
    shared: Shared,
    pushed: mpsc::UnboundedReceiver<Pushed>,
}

/// The keys of a browser.
pub(crate) struct Browser {
    private: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl PushService {
    pub(crate) async fn open() -> Self {
        let (sender, pushed) = mpsc::unbounded_channel();
        let answer = Arc::new(Mutex::new(Answer::Take));
        let shared = Shared { answer, silent_to: Arc::default(), pushed: sender };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router =
            Router::new().route("/push/{id}", axum::routing::any(take)).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared, pushed }
    }

    /// What the operator excepts.
    pub(crate) fn allowed(&self) -> Vec<String> {
        vec![self.address.to_string()]
    }

    pub(crate) fn endpoint(&self, id: &str) -> String {
        format!("http://{}/push/{id}", self.address)
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// Takes the connections of one subscription and never answers them.
    pub(crate) fn say_nothing_to(&self, id: &str) {
        *self.shared.silent_to.lock().unwrap() = Some(id.to_owned());
    }

    pub(crate) async fn next(&mut self) -> Pushed {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), self.pushed.recv());
        next.await.expect("a message came in time").expect("the service is open")
    }

    /// Whether nothing came for a while.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        let next = tokio::time::timeout(std::time::Duration::from_millis(1200), self.pushed.recv());
        next.await.is_err()
    }
}

async fn take(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if shared.silent_to.lock().unwrap().as_ref() == Some(&id) {
        std::future::pending::<()>().await;
    }
    let answer = shared.answer.lock().unwrap().clone();
    let response = match answer {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::RetryAfter(status, seconds) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
        }
        Answer::Most(most) if body.len() > most => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Answer::Take | Answer::Most(_) => StatusCode::CREATED.into_response(),
        Answer::Redirect(to) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
        }
    };
    let status = response.status().as_u16();
    let _closed = shared.pushed.send(Pushed { id, headers, body: body.to_vec(), status });
    response
}

impl Pushed {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The claims of the token, once its signature was checked; and the key that signed it.
    pub(crate) fn claims(&self) -> (Value, Vec<u8>) {
        let said = self.header("authorization").strip_prefix("vapid ").unwrap();
        let part = |name: &str| {
            let found = said.split(',').find_map(|it| it.trim().strip_prefix(name));
            found.unwrap_or_else(|| panic!("{said} has {name}")).to_owned()
        };
        let (token, key) = (part("t="), BASE64.decode(part("k=")).unwrap());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let verifier = SigningKey::new(&ECDSA_P256_SHA256_FIXED, &key);
        let signature = BASE64.decode(signature).unwrap();
        verifier.verify(signed.as_bytes(), &signature).expect("the token is signed by its key");
        let (_, claims) = signed.split_once('.').unwrap();
        (serde_json::from_slice(&BASE64.decode(claims).unwrap()).unwrap(), key)
    }
}

impl Browser {
    pub(crate) fn new() -> Self {
        let private = PrivateKey::generate(&ECDH_P256).unwrap();
        let public = private.compute_public_key().unwrap().as_ref().to_vec();
        let mut auth = [0; 16];
        aws_lc_rs::rand::fill(&mut auth).unwrap();
        Self { private, public, auth }
    }

    /// What its page sends to the hall.
    pub(crate) fn subscription(&self, endpoint: &str, public_key: &str) -> Value {
        json!({
            "endpoint": endpoint, "p256dh": BASE64.encode(&self.public),
            "auth": BASE64.encode(self.auth), "public_key": public_key, "language": "zh",
            "scope": "https://hall.example/m/",
        })
    }

    /// Opens a message (RFC 8291, 3.3 and 3.4; RFC 8188 with one record).
    pub(crate) fn open(&self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        let (size, rest) = rest.split_at(4);
        let size = u32::from_be_bytes(size.try_into().unwrap()) as usize;
        let (length, rest) = rest.split_first().unwrap();
        let (sender, sealed) = rest.split_at(usize::from(*length));
        assert!(sealed.len() <= size, "one record");
        let theirs = UnparsedPublicKey::new(&ECDH_P256, sender);
        let derive = |secret: &[u8]| {
            let info = [b"WebPush: info\0".as_slice(), &self.public, sender].concat();
            Ok(expand(&self.auth, secret, &info, 32))
        };
        let ikm: Vec<u8> = agree(&self.private, theirs, (), derive).unwrap();
        let key = expand(salt, &ikm, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = expand(salt, &ikm, b"Content-Encoding: nonce\0", 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let mut sealed = sealed.to_vec();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed).expect("it is for us");
        let end = plain.iter().rposition(|byte| *byte != 0).unwrap();
        assert_eq!(plain[end], 2, "the last record ends so");
        serde_json::from_slice(&plain[..end]).unwrap()
    }
}

#[derive(Clone, Copy)]
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(salt: &[u8], secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&[info], Length(length)).unwrap().fill(&mut out).unwrap();
    out
}
