//! The way of pictures to the hall, over requests that the worker makes.

use domain::id::JobId;
use js_sys::{Reflect, Uint8Array};
use mobile_core::link::LinkError;
use mobile_core::phone::{Carried, carry};
use mobile_core::photo::{Part, PhotoLink, PhotoLinkError, Progress};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What the worker hands over; `hall.ts` is its other half.
    pub type JsHall;

    /// Sends a part, or asks how far the hall is when there is none; `{status, offset, held, detail}`, status 0 when
    /// there was no reply.
    #[wasm_bindgen(method)]
    async fn upload(
        this: &JsHall,
        job: &str,
        hash: &str,
        offset: f64,
        length: f64,
        part: Option<Uint8Array>,
    ) -> JsValue;
}

/// Carries one picture as far as the hall lets it, without holding the phone meanwhile.
///
/// Returns `held`, `later`, `lost`, `refused:` with the hall's words, or `stop` when the way is broken.
#[wasm_bindgen]
pub async fn carry_photo(hall: JsHall, job: &str, hash: &str, bytes: Option<Vec<u8>>) -> String {
    let Ok(job) = job.parse() else { return "later".to_owned() };
    let mut sent_bytes = 0;
    match carry(&mut Browser(hall), (job, hash), bytes.as_deref(), &mut sent_bytes).await {
        Ok(Carried::Held) => "held".to_owned(),
        Ok(Carried::Later) => "later".to_owned(),
        Ok(Carried::Lost) => "lost".to_owned(),
        Ok(Carried::Refused(why)) => format!("refused:{why}"),
        Err(_) => "stop".to_owned(),
    }
}

struct Browser(JsHall);

impl Browser {
    async fn upload(
        &self,
        job: JobId,
        hash: &str,
        part: Option<Part<'_>>,
    ) -> Result<Progress, PhotoLinkError> {
        let (offset, length) = part.map_or((0, 0), |part| (part.offset, part.length));
        let bytes = part.map(|part| Uint8Array::from(part.bytes));
        let (offset, length) = (number(offset), number(length));
        let said = self.0.upload(&job.to_string(), hash, offset, length, bytes).await;
        let field = |name: &str| Reflect::get(&said, &name.into()).unwrap_or(JsValue::NULL);
        let status = whole(&field("status"));
        Err(match status {
            200 => {
                let held = field("held").as_bool().unwrap_or(false);
                return Ok(Progress { offset: whole(&field("offset")), held });
            }
            0 => LinkError::Offline(String::new()).into(),
            401 | 403 => LinkError::NotAccepted.into(),
            409 => PhotoLinkError::Elsewhere,
            422 => PhotoLinkError::Refused(field("detail").as_string().unwrap_or_default()),
            429 | 503 => LinkError::Busy { retry_after_ms: None }.into(),
            other => LinkError::Refused(u16::try_from(other).unwrap_or(u16::MAX)).into(),
        })
    }
}

impl PhotoLink for Browser {
    async fn photo_progress(&mut self, job: JobId, hash: &str) -> Result<Progress, PhotoLinkError> {
        self.upload(job, hash, None).await
    }

    async fn send_photo_part(
        &mut self,
        job: JobId,
        hash: &str,
        part: Part<'_>,
    ) -> Result<Progress, PhotoLinkError> {
        self.upload(job, hash, Some(part)).await
    }
}

#[expect(clippy::cast_precision_loss, reason = "a photo is far shorter than 2^52 bytes")]
fn number(bytes: usize) -> f64 {
    bytes as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the hall's own small numbers"
)]
fn whole(value: &JsValue) -> usize {
    value.as_f64().unwrap_or_default() as usize
}
