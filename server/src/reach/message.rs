//! What a push carries: the declarative format, with nothing personal, encrypted for one browser (RFC 8291).

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::catalogue::{self, Language};
use domain::pack::Urgency;
use serde_json::{Value, json};
use web_push::{
    ContentEncoding, PartialVapidSignatureBuilder, SubscriptionInfo, WebPushMessage,
    WebPushMessageBuilder,
};

use crate::db::notice_deliveries::CarriedRow;
use crate::db::push::SubscriptionRow;

/// How long a token is believed, in seconds; services take a day at most.
const TOKEN_S: i64 = 12 * 3600;

/// How long a browser's key is: a point of P-256, written out.
const POINT_BYTES: usize = 65;

/// How such a point begins.
const UNCOMPRESSED: u8 = 4;

/// The words for a kind of news; a reminder without its own says that it is one.
pub fn words(kind: &str, language: Language) -> String {
    let say = |key: &str| {
        let key = format!("reach.news.{key}");
        let said = catalogue::text(language, &key, &[]);
        (said != key).then_some(said)
    };
    let family = kind.split_once('.').map_or(kind, |(family, _)| family);
    say(kind).or_else(|| say(family)).or_else(|| say("other")).unwrap_or_default()
}

/// The tongue of a subscription.
pub fn language(tag: &str) -> Language {
    if tag == "en" { Language::English } else { Language::Chinese }
}

/// By which newer news of the same job replace older ones, at the service and on the screen; 22 letters.
pub fn topic(notice: &CarriedRow) -> String {
    URL_SAFE_NO_PAD.encode(notice.job_id.unwrap_or(notice.notice_id))
}

/// What a lock screen shows: the kind of news, the kind of job, and nothing of anybody.
pub fn shown(
    notice: &CarriedRow,
    (scope, language): (&str, Language),
    (job_kind, is_short): (Option<&str>, bool),
) -> Value {
    let navigate = match notice.job_id {
        Some(job) => format!("{scope}#/job/{job}"),
        None => scope.to_owned(),
    };
    let title = words(&notice.kind, language);
    let mut notification = json!({"title": title, "navigate": navigate, "tag": topic(notice)});
    // Encryption fills up to whole blocks of 128 bytes: only leaving out a lot makes a message shorter.
    if !is_short {
        notification["lang"] = json!(language.tag());
        notification["data"] =
            json!({"notice": notice.notice_id, "job": notice.job_id, "kind": notice.kind});
        if let Some(kind) = job_kind {
            let line = catalogue::text(language, &format!("kind.{kind}"), &[]);
            notification["body"] = json!(line);
        }
    }
    json!({"web_push": 8030, "notification": notification})
}

/// What goes with a message besides its words.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// How hard the service tries.
    pub urgency: Urgency,
    /// When it is sent.
    pub now_ms: i64,
    /// Whom the service may write to.
    pub contact: &'a str,
}

/// Encrypts and signs a message for one browser.
pub fn build(
    subscription: &SubscriptionRow,
    (signer, notice): (PartialVapidSignatureBuilder, &CarriedRow),
    payload: &Value,
    terms: &Terms<'_>,
) -> anyhow::Result<WebPushMessage> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let keys = (encode(&subscription.p256dh), encode(&subscription.auth));
    let info = SubscriptionInfo::new(subscription.endpoint.clone(), keys.0, keys.1);
    let url = reqwest::Url::parse(&subscription.endpoint).context("the endpoint is no URL")?;
    let mut signature = signer.add_sub_info(&info);
    signature.add_claim("aud", url.origin().ascii_serialization());
    signature.add_claim("sub", terms.contact);
    signature.add_claim("exp", terms.now_ms / 1000 + TOKEN_S);
    let mut builder = WebPushMessageBuilder::new(&info);
    let left_s = (notice.expires_at - terms.now_ms).max(0) / 1000;
    builder.set_ttl(u32::try_from(left_s).unwrap_or(u32::MAX));
    builder.set_urgency(match terms.urgency {
        Urgency::Low => web_push::Urgency::Low,
        Urgency::Normal => web_push::Urgency::Normal,
        Urgency::High => web_push::Urgency::High,
    });
    builder.set_topic(topic(notice));
    builder.set_vapid_signature(signature.build()?);
    let bytes = payload.to_string();
    builder.set_payload(ContentEncoding::Aes128Gcm, bytes.as_bytes());
    Ok(builder.build()?)
}

/// Whether a browser's keys are such that something can be encrypted for them.
pub fn takes_messages(endpoint: &str, p256dh: &[u8], auth: &[u8]) -> bool {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let info = SubscriptionInfo::new(endpoint.to_owned(), encode(p256dh), encode(auth));
    let mut builder = WebPushMessageBuilder::new(&info);
    builder.set_payload(ContentEncoding::Aes128Gcm, b"{}");
    // Below web-push a point in any other form panics where one in this form is copied to.
    let is_whole_point = p256dh.len() == POINT_BYTES && p256dh[0] == UNCOMPRESSED;
    is_whole_point && auth.len() == 16 && builder.build().is_ok()
}
