//! A small client of the hall's own API, for the commands that talk to a running server.

use anyhow::{Context as _, bail};
use domain::id::JobId;
use mobile_core::link::LinkError;
use mobile_core::photo::{Part, PhotoLinkError, Progress};
use reqwest::{Method, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::Secret;

/// A hall's server as one signed-in person sees it.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    credentials: Option<(String, Secret)>,
}

impl Client {
    /// Talks to the server at this address, such as `http://127.0.0.1:8080`, signed in as nobody.
    pub(crate) fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http: reqwest::Client::new(), base, token: None, credentials: None }
    }

    /// Carries this token from now on.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Signs in.
    pub(crate) async fn sign_in(mut self, login: &str, password: &str) -> anyhow::Result<Self> {
        self.credentials = Some((login.to_owned(), Secret(password.to_owned())));
        self.renew().await?;
        Ok(self)
    }

    /// Signs in again, as a person does whose session has run out.
    pub(crate) async fn renew(&mut self) -> anyhow::Result<()> {
        let (login, password) = self.credentials.clone().context("nobody signed in")?;
        let body = json!({"login": login, "password": password.0});
        let session: Value = self.post("/api/session", &body).await?;
        let token = session["token"].as_str().context("the server gave no token")?;
        self.token = Some(token.to_owned());
        Ok(())
    }

    /// Reads a resource.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        Ok(self.send(Method::GET, path, None).await?.json().await?)
    }

    /// Posts a body and reads the answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<T> {
        Ok(self.send(Method::POST, path, Some(body)).await?.json().await?)
    }

    /// Opens the live stream, from after `last_event_id` when one is known.
    pub(crate) async fn live(&self, last_event_id: Option<&str>) -> anyhow::Result<Events> {
        let mut request = self.request(Method::GET, "/api/live");
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        Ok(Events { response: checked(request.send().await?).await?, buffer: Vec::new() })
    }

    /// Exchanges sync messages as bytes, telling apart every way in which that fails.
    pub(crate) async fn exchange(&self, body: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        let offline = |error: reqwest::Error| LinkError::Offline(error.to_string());
        let request = self.request(Method::POST, "/api/sync");
        let request = request.header("content-type", "application/cbor").body(body);
        let response = request.send().await.map_err(offline)?;
        let kind = response.headers().get("content-type");
        let is_cbor = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/cbor"));
        match response.status().as_u16() {
            200 if is_cbor => Ok(response.bytes().await.map_err(offline)?.to_vec()),
            200 => Err(LinkError::NotTheHall),
            401 | 403 => Err(LinkError::NotAccepted),
            426 => Err(LinkError::TooOld),
            429 | 503 | 507 => Err(LinkError::Busy { retry_after_ms: None }),
            other => Err(LinkError::Refused(other)),
        }
    }

    /// Reads a resource that is no JSON.
    pub(crate) async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self.send(Method::GET, path, None).await?.bytes().await?.to_vec())
    }

    /// Asks how far the hall is with a picture, or hands in a part of it.
    pub(crate) async fn photo(
        &self,
        job: JobId,
        hash: &str,
        part: Option<Part<'_>>,
    ) -> Result<Progress, PhotoLinkError> {
        #[derive(serde::Deserialize)]
        struct Body {
            offset: usize,
            held: bool,
        }
        let path = format!("/api/jobs/{job}/photos/{hash}/upload");
        let request = match part {
            None => self.request(Method::GET, &path),
            Some(Part { offset, length, bytes }) => {
                let path = format!("{path}?offset={offset}&length={length}");
                self.request(Method::PUT, &path).body(bytes.to_vec())
            }
        };
        let offline = |error: reqwest::Error| LinkError::Offline(error.to_string());
        let response = request.send().await.map_err(offline)?;
        let status = response.status().as_u16();
        let said = response.bytes().await.map_err(offline)?;
        Err(match status {
            200 => match serde_json::from_slice::<Body>(&said) {
                Ok(Body { offset, held }) => return Ok(Progress { offset, held }),
                Err(_) => LinkError::NotTheHall.into(),
            },
            401 | 403 => LinkError::NotAccepted.into(),
            409 => PhotoLinkError::Elsewhere,
            422 => {
                let problem: Value = serde_json::from_slice(&said).unwrap_or_default();
                PhotoLinkError::Refused(problem["detail"].as_str().unwrap_or("422").to_owned())
            }
            429 | 503 => LinkError::Busy { retry_after_ms: None }.into(),
            other => LinkError::Refused(other).into(),
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let sent = request.send().await;
        checked(sent.with_context(|| format!("no answer from {}{path}", self.base))?)
            .await
            .with_context(|| format!("{path} was refused"))
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

async fn checked(response: Response) -> anyhow::Result<Response> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let said = response.text().await.unwrap_or_default();
    let problem: Value = serde_json::from_str(&said).unwrap_or_default();
    match problem["detail"].as_str().or(problem["title"].as_str()) {
        Some(detail) => bail!("{status}: {detail}"),
        None => bail!("{status}"),
    }
}

/// One event of the live stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// The hall's position.
    pub(crate) id: String,
    /// `snapshot` or what happened.
    pub(crate) name: String,
    /// JSON.
    pub(crate) data: String,
}

/// The live stream, an event at a time.
pub(crate) struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    /// Waits for the next event; `None` when the server ended the stream.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse_event(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            match self.response.chunk().await? {
                Some(bytes) => self.buffer.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }
}

/// Reads one block of the stream; comments that keep the line open are no events.
fn parse_event(block: &str) -> Option<Event> {
    let mut event = Event::default();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut event.id),
            "event" => value.clone_into(&mut event.name),
            "data" => {
                if !event.data.is_empty() {
                    event.data.push('\n');
                }
                event.data.push_str(value);
            }
            _ => {}
        }
    }
    (!event.data.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_position() {
        let event = parse_event("id: 42\nevent: job\ndata: {\"a\":1}\n\n").unwrap();

        assert_eq!(event, Event { id: "42".into(), name: "job".into(), data: "{\"a\":1}".into() });
    }

    #[test]
    fn a_comment_is_no_event() {
        assert_eq!(parse_event(": still here\n\n"), None);
    }
}
