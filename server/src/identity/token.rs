//! Session tokens: 256 random bits that are shown once and stored only as their hash.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ids::random_bytes;

/// What the holder of a session sends with each request; never logged, never stored.
pub struct Token(String);

/// What is stored of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl Token {
    /// Draws a new one.
    pub fn draw() -> Self {
        Self(hex(&random_bytes::<32>()))
    }

    /// What is stored of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The text that the holder keeps.
    pub fn reveal(self) -> String {
        self.0
    }
}

impl TokenHash {
    /// What is stored of a token that somebody sent.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Names its session to whoever holds it; made of the hash in one direction, so it opens nothing.
    pub fn session_id(&self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// Writes bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_11_a_token_has_256_bits_and_is_drawn_anew() {
        let (one, two) = (Token::draw().reveal(), Token::draw().reveal());

        assert_eq!(one.len(), 64);
        assert_ne!(one, two);
    }

    #[test]
    fn check_46_nothing_of_a_token_is_printed() {
        let token = Token::draw();
        let hash = token.hash();

        assert_eq!(format!("{token:?} {hash:?}"), "Token(…) TokenHash(…)");
    }
}
