//! A dispatcher's live stream at one server, which comes back with its place when it breaks.

use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;

use crate::world::Server;

/// How long a reader waits for what has to come.
const AT_LAST: Duration = Duration::from_secs(20);

/// Somebody who follows the hall.
pub(crate) struct Reader {
    base: String,
    token: String,
    response: Option<Response>,
    buffer: Vec<u8>,
    /// The last event's id, and the position it tells.
    last: (String, i64),
    /// Where the stream began.
    pub(crate) start: i64,
    /// The positions heard, in their order.
    pub(crate) heard: Vec<i64>,
}

impl Reader {
    /// Opens the stream and reads its snapshot.
    pub(crate) async fn open(server: &Server) -> Self {
        let token = server.sign_in().await;
        let (base, buffer, heard) = (server.base.clone(), Vec::new(), Vec::new());
        let response = connect(&base, &token, None).await;
        let last = (String::new(), 0);
        let mut reader = Self { base, token, response, buffer, last, start: 0, heard };
        reader.last = reader.block().await;
        reader.start = reader.last.1;
        reader
    }

    /// Reads until a position was heard.
    pub(crate) async fn read_to(&mut self, position: i64) {
        while self.last.1 < position {
            let next = timeout(AT_LAST, self.block()).await;
            self.last = next.expect("something is heard in time");
            self.heard.push(self.last.1);
        }
    }

    async fn block(&mut self) -> (String, i64) {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let block = String::from_utf8(block).expect("UTF-8");
                let id = block.lines().find_map(|line| line.strip_prefix("id:"));
                if let Some(id) = id.map(str::trim) {
                    let position = id.rsplit(|it: char| !it.is_ascii_digit()).next();
                    let position = position.and_then(|it| it.parse().ok()).expect("a position");
                    return (id.to_owned(), position);
                }
                continue;
            }
            let chunk = match &mut self.response {
                Some(response) => response.chunk().await.ok().flatten(),
                None => None,
            };
            if let Some(chunk) = chunk {
                self.buffer.extend_from_slice(&chunk);
            } else {
                self.buffer.clear();
                self.response = connect(&self.base, &self.token, Some(&self.last.0)).await;
            }
        }
    }
}

async fn connect(base: &str, token: &str, after: Option<&str>) -> Option<Response> {
    let mut request = reqwest::Client::new().get(format!("{base}/api/live")).bearer_auth(token);
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after);
    }
    request.send().await.ok().filter(|response| response.status().is_success())
}
