//! The brain as a browser's worker holds it: one object, asked one thing at a time.

pub mod hall;
mod store;

use std::rc::Rc;

use domain::stamp::BootId;
use js_sys::Uint8Array;
use mobile_core::clock::Rng;
use mobile_core::log::Beginning;
use mobile_core::phone::{
    Carried, Offer, ReminderAnswer, ReminderName, Session, SyncEnd, SyncError,
};
use mobile_core::{OpenReport, Phone};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use self::store::BrowserStore;
pub use self::store::JsStore;
use crate::{CarriedClock, Looks, Refusal, Request, answer};

/// The browser's randomness.
#[derive(Debug)]
struct BrowserRng;

impl Rng for BrowserRng {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every browser with workers has crypto.getRandomValues");
    }
}

/// An answer to a reminder as it went out; whether it was over is left aside.
#[derive(serde::Deserialize)]
struct Told {
    reminder: ReminderName,
    answer: ReminderAnswer,
}

/// A phone in a worker. Whoever holds it waits for each call before the next.
#[wasm_bindgen]
pub struct Brain {
    phone: Phone<BrowserStore, CarriedClock, BrowserRng>,
    clock: CarriedClock,
    found: String,
    session: Session,
    offer: Option<Offer>,
}

#[wasm_bindgen]
impl Brain {
    /// Opens the phone that the store holds; throws a JSON list of sentences.
    ///
    /// # Errors
    /// When the store cannot be read, or a newer version of the app wrote it.
    pub async fn open(store: JsStore, wall_ms: f64, awake_ms: f64) -> Result<Brain, String> {
        let looks = looks(wall_ms, awake_ms);
        let mut fresh = [0; 4];
        BrowserRng.fill(&mut fresh);
        let left = store.left_moment().await.map_err(|error| store::said(error).to_string())?;
        let left = left.as_string().and_then(|text| store::read_moment(&text));
        let clock = CarriedClock::go_on(left, looks, BootId(u32::from_le_bytes(fresh)));
        let store = Rc::new(store);
        let kept = Rc::clone(&store);
        match Phone::open(BrowserStore::new(store, clock.clone()), clock.clone(), BrowserRng).await
        {
            Ok(mut opened) => {
                // Without it all documents are read, which takes longer.
                let said = kept.said().await.ok().and_then(|said| said.dyn_into().ok());
                said.map(|said: Uint8Array| opened.phone.lend(&said.to_vec()));
                let is_enrolled = opened.phone.enrolment().is_some();
                let found = found(&opened.report, is_enrolled).to_string();
                let (session, offer) = (Session::default(), None);
                Ok(Brain { phone: opened.phone, clock, found, session, offer })
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// What opening found, as JSON.
    pub fn found(&self) -> String {
        self.found.clone()
    }

    /// What the documents say, to be kept until the next start.
    pub fn said(&self) -> Vec<u8> {
        self.phone.said()
    }

    /// Answers one request, JSON in and out: `{"ok": …}` or `{"refused": [sentences]}`.
    pub async fn ask(&mut self, request: String, wall_ms: f64, awake_ms: f64) -> String {
        self.clock.look(looks(wall_ms, awake_ms));
        let answered = match serde_json::from_str::<Request>(&request) {
            Ok(asked) => answer(&mut self.phone, asked).await,
            Err(error) => return json!({ "broken": error.to_string() }).to_string(),
        };
        match answered {
            Ok(answer) => format!(r#"{{"ok":{answer}}}"#),
            Err(Refusal(why)) => json!({ "refused": why }).to_string(),
        }
    }

    /// Keeps a picture; the same replies as [`Self::ask`], with the hash by which a fact names it.
    pub async fn keep_photo(&mut self, job: &str, bytes: &[u8]) -> String {
        let kept = match job.parse() {
            Ok(job) => self.phone.keep_photo(job, bytes).await,
            Err(_) => return json!({ "broken": "a job's id" }).to_string(),
        };
        match kept {
            Ok(hash) => json!({ "ok": hash }).to_string(),
            Err(error) => json!({ "refused": [error.sentence()] }).to_string(),
        }
    }

    /// Reads a picture that is still on this phone.
    pub async fn photo(&mut self, hash: &str) -> Option<Vec<u8>> {
        self.phone.photo(hash).await.ok().flatten()
    }

    /// What to send to the hall now; begins a session or goes on with it.
    pub fn offer(&mut self, wall_ms: f64, awake_ms: f64) -> Vec<u8> {
        self.clock.look(looks(wall_ms, awake_ms));
        let offer = self.phone.offer(&self.session);
        let bytes = offer.bytes.clone();
        self.offer = Some(offer);
        bytes
    }

    /// Takes the hall's reply; returns `again`, `complete`, or why it was not taken.
    pub async fn take_reply(&mut self, reply: &[u8], wall_ms: f64, awake_ms: f64) -> String {
        self.clock.look(looks(wall_ms, awake_ms));
        let Some(offer) = self.offer.take() else { return "no_offer".to_owned() };
        match self.phone.take_reply(&mut self.session, &offer, reply).await {
            Ok(true) | Err(SyncError::Restarted) => "again",
            Ok(false) => "complete",
            Err(SyncError::NotAReply(_)) => "not_the_hall",
            Err(SyncError::Store(_) | SyncError::Link(_)) => "not_stored",
        }
        .to_owned()
    }

    /// Ends the session; returns whether something new came.
    pub async fn finish_sync(&mut self, complete: bool) -> bool {
        let session = std::mem::take(&mut self.session);
        let end = if complete { SyncEnd::Complete } else { SyncEnd::MoreLeft };
        let report = self.phone.finish_sync(session, end).await;
        report.arrived > 0 || report.acked > 0
    }

    /// The pictures to hand in, as JSON: pairs of job and hash.
    pub async fn photo_queue(&mut self) -> String {
        // A store that cannot be looked through now is looked through the next time.
        let _later = self.phone.tidy_blobs().await;
        json!(self.phone.photo_queue()).to_string()
    }

    /// A picture's bytes when they still are what its name says.
    pub async fn photo_to_carry(&mut self, hash: &str) -> Option<Vec<u8>> {
        self.phone.photo_to_carry(hash).await.ok().flatten()
    }

    /// Notes that the hall has a picture, or why it never will take it.
    pub async fn photo_carried(&mut self, hash: &str, refused: Option<String>) -> bool {
        let carried = refused.map_or(Carried::Held, Carried::Refused);
        self.phone.photo_carried(hash, &carried).await.is_ok()
    }

    /// What was said to reminders and the hall has not heard, as JSON.
    pub fn reminder_answers(&self) -> String {
        let untold = self.phone.reminder_answers().into_iter();
        let shown = untold.map(|(reminder, answer)| json!({ "is_over": self.phone.is_reminder_over(&reminder), "reminder": reminder, "answer": answer }));
        json!(shown.collect::<Vec<_>>()).to_string()
    }

    /// Notes that the hall has heard one of them, or has nothing to hear; takes it as it was given.
    pub async fn reminder_told(&mut self, told: &str) -> bool {
        let Ok(Told { reminder, answer }) = serde_json::from_str(told) else { return false };
        self.phone.reminder_told(reminder, answer).await.is_ok()
    }

    /// Everything that only this phone has, as a file.
    pub async fn rescue(&mut self) -> Vec<u8> {
        self.phone.rescue().await
    }
}

/// Does what any start needs, while a PIN is typed: a browser runs a program fast only once it has seen it run.
#[wasm_bindgen]
pub fn warm_up() {
    mobile_core::phone::read_ahead();
    // Nobody's PIN: only the work counts.
    let _key = stretch_pin("", &[0; 16]);
}

/// Stretches a PIN with Argon2id (19 MiB, two passes), so that guessing costs.
///
/// # Errors
/// Never with a salt of 16 bytes.
#[wasm_bindgen]
pub fn stretch_pin(pin: &str, salt: &[u8]) -> Result<Vec<u8>, String> {
    let params = argon2::Params::new(19_456, 2, 1, Some(32)).map_err(|it| it.to_string())?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = vec![0; 32];
    argon.hash_password_into(pin.as_bytes(), salt, &mut key).map_err(|it| it.to_string())?;
    Ok(key)
}

fn found(report: &OpenReport, is_enrolled: bool) -> Value {
    let beginning = match report.recovery.beginning {
        Beginning::New => "new",
        Beginning::Gone => "gone",
        Beginning::Resumed => "resumed",
    };
    let clean = report.is_clean();
    let unreadable = report.unreadable;
    json!({ "beginning": beginning, "clean": clean, "unreadable": unreadable, "enrolled": is_enrolled })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds of this millennium are whole numbers"
)]
fn looks(wall_ms: f64, awake_ms: f64) -> Looks {
    Looks { wall_ms: wall_ms as i64, awake_ms: awake_ms as i64 }
}
