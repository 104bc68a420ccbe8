//! Secrets and signatures of messages: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::ids::random_bytes;

/// Draws a secret of 256 bits.
pub fn draw_secret() -> Vec<u8> {
    random_bytes::<32>().to_vec()
}

/// Writes a secret the way receivers' libraries read it.
pub fn reveal(secret: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

/// Signs a message with each secret; the receiver takes it when one fits.
pub fn sign(secrets: &[&[u8]], (id, timestamp_s): (&str, i64), payload: &str) -> String {
    let signed = secrets.iter().map(|secret| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp_s}.{payload}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the convention's own text.
    #[test]
    fn a_signature_is_what_the_convention_says() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let payload = r#"{"test": 2432232314}"#;

        let signed = sign(&[&secret], ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330), payload);

        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(reveal(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn two_secrets_make_two_signatures() {
        let signed = sign(&[b"new", b"old"], ("msg_1", 1), "{}");

        let expected =
            [sign(&[b"new"], ("msg_1", 1), "{}"), sign(&[b"old"], ("msg_1", 1), "{}")].join(" ");
        assert_eq!(signed, expected);
    }
}
