//! The second factor at desks: six digits that an authenticator on somebody's own phone shows for half a minute (RFC 6238),
//! and codes on paper for the day that phone is lost.

use domain::id::UserId;
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Secret, Totp};

use crate::ids::random_bytes;

/// How many recovery codes somebody gets.
pub const RECOVERY_CODES: usize = 8;

/// For how long an authenticator shows the same digits.
const STEP_S: u64 = 30;

/// Half minutes that an authenticator's clock may be behind or ahead.
const SKEW: u16 = 1;

/// Letters of recovery codes: none that is taken for another when it is read from paper.
const LETTERS: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// Letters of a recovery code, 62 bits.
const LONG: usize = 13;

/// What the authenticator is told.
const ISSUER: &str = "Doorstep";

/// A secret that an authenticator shares.
#[derive(Clone)]
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    /// Draws 160 bits, as RFC 4226 recommends.
    pub fn draw() -> Self {
        Self(random_bytes::<20>().to_vec())
    }

    /// The secret as it is stored.
    pub fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What is typed into an authenticator that reads no pictures.
    pub fn base32(&self) -> String {
        Secret::from(self.0.clone()).to_base32()
    }

    /// What an authenticator reads from a picture.
    pub fn uri(&self, login: &str) -> anyhow::Result<String> {
        Ok(self.totp(login)?.to_url()?)
    }

    /// The half minute in which an authenticator shows this code, about now.
    pub fn step_of(&self, code: &str, now_ms: i64) -> anyhow::Result<Option<i64>> {
        let seconds = u64::try_from(now_ms / 1_000).unwrap_or(0);
        let digits: String = code.chars().filter(|it| !it.is_whitespace()).collect();
        let step = self.totp("-")?.check(&digits, seconds);
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }

    fn totp(&self, login: &str) -> anyhow::Result<Totp> {
        let builder = Builder::new().with_secret(self.0.clone()).with_skew(SKEW);
        let builder = builder.with_step_duration(STEP_S).with_account_name(login);
        Ok(builder.with_issuer(Some(ISSUER)).build()?)
    }
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// Draws recovery codes, each good for one sign-in.
pub fn draw_recovery_codes() -> Vec<String> {
    (0..RECOVERY_CODES).map(|_| draw_recovery_code()).collect()
}

fn draw_recovery_code() -> String {
    // 31 letters: a byte that would make the first ones likelier is drawn again.
    let letters = std::iter::repeat_with(random_bytes::<16>).flatten().filter(|byte| *byte < 248);
    letters.take(LONG).map(|byte| char::from(LETTERS[usize::from(byte % 31)])).collect()
}

/// What is stored of a recovery code, however it was typed: bound to its owner, it is nobody else's.
pub fn recovery_hash(user: UserId, typed: &str) -> [u8; 32] {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).take(2 * LONG);
    let normal: String = letters.map(|it| it.to_ascii_lowercase()).collect();
    Sha256::new().chain_update(user.0.as_bytes()).chain_update(normal).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret and a moment of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";
    const AT_MS: i64 = 1_111_111_109_000;

    #[test]
    fn check_6_a_code_is_that_of_rfc_6238_and_half_a_minute_early_or_late() {
        let secret = SharedSecret::stored(SECRET.to_vec());
        let step = |code: &str, now_ms: i64| secret.step_of(code, now_ms).unwrap();

        assert_eq!(step("081804", AT_MS), Some(37_037_036));
        assert_eq!(step(" 081 804 ", AT_MS + 30_000), Some(37_037_036));
        assert_eq!(step("081804", AT_MS - 30_000), Some(37_037_036));
        assert_eq!(step("081804", AT_MS + 60_000), None);
        assert_eq!((step("081805", AT_MS), step("", AT_MS), step("八", AT_MS)), (None, None, None));
    }

    #[test]
    fn check_6_an_authenticator_is_told_whose_secret_it_is() {
        let uri = SharedSecret::stored(SECRET.to_vec()).uri("wang.li").unwrap();

        assert!(uri.starts_with("otpauth://totp/Doorstep:wang.li?"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
        assert_eq!(format!("{:?}", SharedSecret::draw()), "SharedSecret(…)");
    }

    #[test]
    fn check_6_a_recovery_code_is_long_read_in_any_way_and_its_owners_alone() {
        let codes = draw_recovery_codes();
        let [ana, ben] = [1, 2].map(|n| UserId(uuid::Uuid::from_u128(n)));
        let spaced = format!(" {}-{} ", &codes[0][..5], codes[0][5..].to_uppercase());

        assert!(codes.len() == RECOVERY_CODES && codes.iter().all(|it| it.len() == LONG));
        assert!(codes.iter().all(|it| it.chars().all(|it| it.is_ascii_alphanumeric())));
        assert_eq!(recovery_hash(ana, &spaced), recovery_hash(ana, &codes[0]));
        assert_ne!(recovery_hash(ana, &codes[0]), recovery_hash(ben, &codes[0]));
    }
}
