//! Passwords: which may be chosen, how they are kept, how one is checked without telling more.

use std::sync::Arc;

use anyhow::Context as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

use crate::ids::random_bytes;

/// How many hashes run at once; each takes 19 MiB, so that log-ins cannot eat the memory.
const AT_ONCE: usize = 4;
const MIN_CHARS: usize = 12;
const MAX_CHARS: usize = 128;

/// Twelve characters and more that people really choose, most frequent first.
const COMMON: &str = include_str!("common_passwords.txt");

/// Words of the trade that are guessed first.
const OF_THE_TRADE: [&str; 8] =
    ["doorstep", "shangmen", "ranqi", "tianranqi", "yingyeting", "gascompany", "gas", "燃气"];

/// Why a password cannot be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoosePasswordError {
    /// It is guessed too soon.
    #[error("a password has at least 12 characters")]
    TooShort,
    /// It is longer than anybody types.
    #[error("a password has at most 128 characters")]
    TooLong,
    /// It is on lists that guessers start with.
    #[error("this password is too common: choose words that do not belong together")]
    TooCommon,
    /// Without the log-in and words of the trade little is left.
    #[error("this password is mostly the log-in or a word of the trade")]
    Guessable,
}

/// Says whether somebody with this log-in may choose this password.
pub fn check_choice(login: &str, password: &str) -> Result<(), ChoosePasswordError> {
    let chars = password.chars().count();
    if chars < MIN_CHARS {
        return Err(ChoosePasswordError::TooShort);
    }
    if chars > MAX_CHARS {
        return Err(ChoosePasswordError::TooLong);
    }
    let lower = password.to_lowercase();
    if COMMON.lines().any(|common| common == lower) {
        return Err(ChoosePasswordError::TooCommon);
    }
    let words = OF_THE_TRADE.iter().copied().chain([login]).filter(|word| !word.is_empty());
    let left = words.fold(lower, |left, word| left.replace(word, ""));
    let mut distinct: Vec<_> = left.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if left.chars().count() < 8 || distinct.len() < 5 {
        return Err(ChoosePasswordError::Guessable);
    }
    Ok(())
}

/// What checking a password gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Not theirs, or there is nobody with that log-in.
    Wrong,
    /// Theirs.
    Right,
    /// Theirs, and kept in a weaker way than is used today.
    RightButWeak,
}

/// Hashes and checks passwords, a few at a time.
#[derive(Clone)]
pub struct Passwords {
    hasher: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// Checked when there is nobody, so that this takes as long as for somebody.
    nobody: Arc<str>,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Passwords {
    /// Uses argon2id with 19 MiB, two passes and one lane.
    pub fn new() -> anyhow::Result<Self> {
        let params = Params::new(19_456, 2, 1, None).context("argon2 knows these parameters")?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = nobodys_hash(hasher.params());
        Ok(Self { hasher, permits: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() })
    }

    /// Hashes a password into a PHC string that carries its parameters.
    pub async fn hash(&self, password: &str) -> anyhow::Result<String> {
        let (hasher, password) = (self.hasher.clone(), password.to_owned());
        self.run(move || Ok(hasher.hash_password(password.as_bytes())?.to_string())).await
    }

    /// Checks a password against what is stored; `None` costs as much and is always wrong.
    pub async fn check(&self, password: &str, stored: Option<&str>) -> anyhow::Result<Checked> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let (hasher, password) = (self.hasher.clone(), password.to_owned());
        let (right, weak) = self
            .run(move || {
                let hash = PasswordHash::new(&stored)?;
                let right = hasher.verify_password(password.as_bytes(), &hash).is_ok();
                Ok((right, is_weaker(&hash, hasher.params())))
            })
            .await?;
        Ok(match (known && right, weak) {
            (false, _) => Checked::Wrong,
            (true, false) => Checked::Right,
            (true, true) => Checked::RightButWeak,
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let permit = self.permits.clone().acquire_owned().await?;
        tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller who goes away does not free the memory.
            let _permit = permit;
            work()
        })
        .await?
    }
}

/// What no password hashes to, as far as anybody can find: it is drawn, and no server waits for its making.
fn nobodys_hash(params: &Params) -> String {
    let (salt, output) = (random_bytes::<16>(), random_bytes::<32>());
    format!(
        "$argon2id$v=19$m={},t={},p={}${}${}",
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(output),
    )
}

fn is_weaker(hash: &PasswordHash, today: &Params) -> bool {
    let Ok(params) = Params::try_from(hash) else { return true };
    hash.algorithm.as_str() != "argon2id"
        || params.m_cost() < today.m_cost()
        || params.t_cost() < today.t_cost()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn check_1_the_hash_carries_argon2id_with_19_mib_and_two_passes() {
        let hash = Passwords::new().unwrap().hash("correct horse battery").await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[tokio::test]
    async fn check_1_nobody_is_checked_as_somebody_is() {
        let passwords = Passwords::new().unwrap();
        let somebody = passwords.hash("correct horse battery").await.unwrap();

        let cost = |hash: &str| hash.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(cost(&passwords.nobody), cost(&somebody));
        assert_eq!(passwords.nobody.len(), somebody.len());
        let wrong = passwords.check("correct horse battery", None).await.unwrap();
        assert_eq!(wrong, Checked::Wrong);
    }

    #[tokio::test]
    async fn check_1_a_weaker_hash_is_right_and_known_as_weak() {
        let passwords = Passwords::new().unwrap();
        let weak =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let old = weak.hash_password(b"correct horse battery").unwrap().to_string();

        let right = passwords.check("correct horse battery", Some(&old)).await.unwrap();
        let wrong = passwords.check("correct horse batterz", Some(&old)).await.unwrap();

        assert_eq!((right, wrong), (Checked::RightButWeak, Checked::Wrong));
    }

    #[tokio::test]
    async fn check_2_128_characters_count_to_the_last_and_may_be_anything() {
        let passwords = Passwords::new().unwrap();
        let long = "煤🔥é aBc;".repeat(16);
        let almost = format!("{}x", &long[..long.len() - 1]);

        assert_eq!(check_choice("ana", &long), Ok(()));
        let hash = passwords.hash(&long).await.unwrap();
        assert_eq!(passwords.check(&long, Some(&hash)).await.unwrap(), Checked::Right);
        assert_eq!(passwords.check(&almost, Some(&hash)).await.unwrap(), Checked::Wrong);
    }

    #[test]
    fn check_2_the_length_has_two_ends() {
        assert_eq!(check_choice("ana", "elevenchars"), Err(ChoosePasswordError::TooShort));
        let long = format!("{}x", "abcd efgh".repeat(14) + "ij");
        assert_eq!(long.chars().count(), 129);
        assert_eq!(check_choice("ana", &long), Err(ChoosePasswordError::TooLong));
    }

    #[test]
    fn check_3_common_and_guessable_passwords_are_refused() {
        let refused = |password| check_choice("wang.li", password).unwrap_err();

        assert_eq!(refused("Password1234"), ChoosePasswordError::TooCommon);
        assert_eq!(refused("wang.li12345"), ChoosePasswordError::Guessable);
        assert_eq!(refused("doorstep2026gas"), ChoosePasswordError::Guessable);
        assert_eq!(refused("aaaaaaaaaaaaaaa"), ChoosePasswordError::Guessable);
        assert_eq!(check_choice("wang.li", "kettle sings at noon"), Ok(()));
    }
}
