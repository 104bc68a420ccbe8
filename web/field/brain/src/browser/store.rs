//! The log's home in a browser: IndexedDB, reached through an object that the worker hands over.
//!
//! The object seals each record and ends each call only after its transaction completed with strict durability.

use std::rc::Rc;

use domain::stamp::BootId;
use js_sys::{Array, Uint8Array};
use mobile_core::clock::{Clock as _, Moment};
use mobile_core::log::{Aside, Found, LogStore, StoreError};
use mobile_core::photo::BlobStore;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use crate::CarriedClock;

#[wasm_bindgen]
extern "C" {
    /// What the worker hands over; `store.ts` is its other half.
    pub type JsStore;

    // Each is told to catch: what one threw uncaught would end the worker.
    #[wasm_bindgen(method, catch, js_name = leftMoment)]
    pub(super) async fn left_moment(this: &JsStore) -> Result<JsValue, JsValue>;

    /// What documents said at an earlier start; `null` when nothing was kept.
    #[wasm_bindgen(method, catch)]
    pub(super) async fn said(this: &JsStore) -> Result<JsValue, JsValue>;

    /// The log's bytes; `null` when there is none, `"gone"` when there was one.
    #[wasm_bindgen(method, catch)]
    async fn read(this: &JsStore) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn append(this: &JsStore, bytes: Uint8Array, moment: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn replace(this: &JsStore, bytes: Uint8Array, moment: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAside)]
    async fn set_aside(this: &JsStore, bytes: Uint8Array, why: &str) -> Result<JsValue, JsValue>;

    /// Pairs of name and bytes.
    #[wasm_bindgen(method, catch)]
    async fn asides(this: &JsStore) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn erase(this: &JsStore) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = keepBlob)]
    async fn keep_blob(this: &JsStore, name: &str, bytes: Uint8Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = readBlob)]
    async fn read_blob(this: &JsStore, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeBlob)]
    async fn remove_blob(this: &JsStore, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = blobNames)]
    async fn blob_names(this: &JsStore) -> Result<JsValue, JsValue>;
}

/// The log in IndexedDB.
pub(super) struct BrowserStore {
    js: Rc<JsStore>,
    clock: CarriedClock,
    /// The log as it is, for shortening it: a rare thing that costs a whole rewrite.
    size_bytes: u64,
}

impl BrowserStore {
    pub(super) fn new(js: Rc<JsStore>, clock: CarriedClock) -> Self {
        Self { js, clock, size_bytes: 0 }
    }

    /// Where the clock stands, kept with each record so that the next run goes on from there.
    fn moment(&self) -> String {
        let now = self.clock.now();
        let (boot, mono_ms, wall_ms) = (now.boot.0, now.mono_ms, now.wall_at.timestamp_millis());
        json!({ "boot": boot, "mono_ms": mono_ms, "wall_ms": wall_ms }).to_string()
    }
}

/// Reads what an earlier run left.
pub(super) fn read_moment(text: &str) -> Option<Moment> {
    let left: Value = serde_json::from_str(text).ok()?;
    let boot = BootId(u32::try_from(left["boot"].as_u64()?).ok()?);
    let wall_at = chrono::DateTime::from_timestamp_millis(left["wall_ms"].as_i64()?)?;
    Some(Moment { boot, mono_ms: left["mono_ms"].as_i64()?, wall_at })
}

impl LogStore for BrowserStore {
    async fn read(&mut self) -> Result<Found, StoreError> {
        let read = self.js.read().await.map_err(said)?;
        if read.is_null() {
            return Ok(Found::Nothing);
        }
        if read.is_string() {
            return Ok(Found::Gone);
        }
        let bytes = Uint8Array::new(&read).to_vec();
        self.size_bytes = bytes.len() as u64;
        Ok(Found::Bytes(bytes))
    }

    async fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.js.append(Uint8Array::from(bytes), &self.moment()).await.map_err(said)?;
        self.size_bytes += bytes.len() as u64;
        Ok(())
    }

    async fn set_aside(&mut self, bytes: &[u8], why: &str) -> Result<(), StoreError> {
        self.js.set_aside(Uint8Array::from(bytes), why).await.map_err(said).map(drop)
    }

    async fn asides(&mut self) -> Result<Vec<Aside>, StoreError> {
        let pairs = Array::from(&self.js.asides().await.map_err(said)?);
        let aside = |pair: JsValue| {
            let pair = Array::from(&pair);
            let name = pair.get(0).as_string().unwrap_or_default();
            Aside { name, bytes: Uint8Array::new(&pair.get(1)).to_vec() }
        };
        Ok(pairs.iter().map(aside).collect())
    }

    async fn truncate(&mut self, size_bytes: u64) -> Result<(), StoreError> {
        if size_bytes == self.size_bytes {
            return Ok(());
        }
        let Found::Bytes(mut bytes) = self.read().await? else { return Ok(()) };
        bytes.truncate(usize::try_from(size_bytes).unwrap_or(usize::MAX));
        self.replace(&bytes).await
    }

    async fn replace(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.js.replace(Uint8Array::from(bytes), &self.moment()).await.map_err(said)?;
        self.size_bytes = bytes.len() as u64;
        Ok(())
    }

    async fn erase(&mut self) -> Result<(), StoreError> {
        self.js.erase().await.map_err(said)?;
        self.size_bytes = 0;
        Ok(())
    }

    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

impl BlobStore for BrowserStore {
    async fn keep_blob(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.js.keep_blob(name, Uint8Array::from(bytes)).await.map_err(said).map(drop)
    }

    async fn read_blob(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.js.read_blob(name).await.map_err(said)?;
        Ok((!read.is_null()).then(|| Uint8Array::new(&read).to_vec()))
    }

    async fn remove_blob(&mut self, name: &str) -> Result<(), StoreError> {
        self.js.remove_blob(name).await.map_err(said).map(drop)
    }

    async fn blob_names(&mut self) -> Result<Vec<String>, StoreError> {
        let names = Array::from(&self.js.blob_names().await.map_err(said)?);
        Ok(names.iter().filter_map(|name| name.as_string()).collect())
    }
}

/// What the store said, by the `name` of its error.
#[expect(clippy::needless_pass_by_value, reason = "errors are handed over")]
pub(super) fn said(error: JsValue) -> StoreError {
    let field = |name: &str| js_sys::Reflect::get(&error, &name.into()).ok()?.as_string();
    match field("name").as_deref() {
        Some("QuotaExceededError") => StoreError::Full,
        Some("Emptied") => StoreError::Emptied,
        Some("InUse") => StoreError::InUse,
        // The connection broke while a write was under way: nobody knows what is on the disk.
        Some("Stuck") => StoreError::Stuck,
        _ => StoreError::Broken(field("message").unwrap_or_default()),
    }
}
