//! Links to a household's page: drawn when they are sent, stored only as their hash, and over by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::id::{HallId, JobId, UserId};
use domain::pack::NoticeRules;
use domain::stamp::Timestamp;
use domain::status::Status;

use crate::db::tracking::{self, LinkRow};
use crate::db::{C, Result, jobs};
use crate::identity::token::TokenHash;
use crate::ids::random_bytes;

/// Characters of a token: 192 random bits, short enough for a text message.
pub const TOKEN_LENGTH: usize = 32;

/// Stands where a link was, in everything that is kept or shown.
const VEIL: &str = "/t/…";

/// Draws a link to the page of a job; the token is nowhere but in what this returns.
pub async fn make(
    mut c: C<'_>,
    (hall, job): (HallId, JobId),
    by: Option<UserId>,
    (rules, now): (&NoticeRules, Timestamp),
) -> Result<Option<(String, i64)>> {
    let Some(row) = jobs::find_job(c.lend(), hall, job).await? else { return Ok(None) };
    let token = URL_SAFE_NO_PAD.encode(random_bytes::<24>());
    let over = !Status::from_key(&row.status).is_some_and(Status::is_open);
    let window_end = row.window_end.and_then(Timestamp::from_timestamp_millis);
    let expires_at = if over {
        now + TimeDelta::hours(rules.copy_hours)
    } else {
        window_end.map_or(now, |end| end.max(now)) + TimeDelta::hours(rules.link_hours)
    };
    let link = LinkRow {
        link_hash: TokenHash::of(&token).0.to_vec(),
        hall_id: hall.0,
        job_id: job.0,
        made_by: by.map(|it| it.0),
        made_at: now.timestamp_millis(),
        expires_at: expires_at.timestamp_millis(),
        revoked_at: None,
    };
    tracking::insert_link(c, &link).await?;
    Ok(Some((token, link.expires_at)))
}

/// Whether a text can be a token at all; what cannot is looked up all the same, under the hash of nothing.
pub fn is_token(text: &str) -> bool {
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    text.len() == TOKEN_LENGTH && text.bytes().all(is_letter)
}

/// The address of a page.
pub fn address(public_url: &str, token: &str) -> String {
    format!("{}/t/{token}", public_url.trim_end_matches('/'))
}

/// A text without the tokens of its links.
pub fn veiled(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/t/") {
        let after = &rest[at + 3..];
        let token = after.get(..TOKEN_LENGTH).filter(|it| is_token(it));
        shown.push_str(&rest[..at]);
        shown.push_str(if token.is_some() { VEIL } else { "/t/" });
        rest = token.map_or(after, |_| &after[TOKEN_LENGTH..]);
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_46_a_link_is_veiled_wherever_it_stands() {
        let token = URL_SAFE_NO_PAD.encode(random_bytes::<24>());
        assert!(is_token(&token), "{token}");
        let text =
            format!("看：{}。还有 /t/short 和 {0}", address("https://hall.example/", &token));

        let shown = veiled(&text);

        assert!(!shown.contains(&token), "{shown}");
        assert_eq!(
            shown,
            "看：https://hall.example/t/…。还有 /t/short 和 https://hall.example/t/…"
        );
    }

    #[test]
    fn what_is_no_token_is_known_by_its_letters() {
        for odd in ["", "a", "../../../../etc/passwd-----------", "ääääääääääääääää", "' or 1=1"]
        {
            assert!(!is_token(odd), "{odd}");
        }
    }
}
