//! One-time codes: ten digits that a technician types within ten minutes to enrol a phone.

use std::fmt;

use domain::id::UserId;
use sha2::{Digest as _, Sha256};

use crate::ids::random_bytes;

/// How long a code can be used.
pub const LIFETIME_MS: i64 = 10 * 60_000;

/// How many wrong codes make the right one useless.
pub const MAX_ATTEMPTS: i64 = 5;

const DIGITS: usize = 10;

/// A code that enrols one phone of one user.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Draws ten digits, 33 bits.
    pub fn draw() -> Self {
        let number = u128::from_be_bytes(random_bytes()) % 10_u128.pow(10);
        Self(format!("{number:0DIGITS$}"))
    }

    /// Reads what somebody typed, with or without gaps.
    pub fn typed(text: &str) -> Self {
        Self(text.chars().filter(char::is_ascii_digit).take(2 * DIGITS).collect())
    }

    /// What is stored of it: bound to the user, it is nobody else's.
    pub fn hash(&self, user: UserId) -> [u8; 32] {
        Sha256::new().chain_update(user.0.as_bytes()).chain_update(&self.0).finalize().into()
    }

    /// The text that is read out to the technician.
    pub fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_8_a_code_has_ten_digits_and_is_bound_to_its_user() {
        let code = Code::draw();
        let (ana, ben) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));

        assert_ne!(code.hash(ana), code.hash(ben));
        assert_eq!(code.reveal().len(), DIGITS);
    }

    #[test]
    fn gaps_in_a_typed_code_do_not_matter() {
        assert_eq!(Code::typed("12345 67890"), Code::typed("1234567890"));
    }
}
