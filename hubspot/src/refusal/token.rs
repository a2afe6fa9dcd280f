//! What HubSpot has against a token that it refuses.

use super::{Refusal, RefusalKind};

/// Nothing that HubSpot ever gave out has expired longer ago than this, in days. It says so of what it cannot read: of that
/// it takes the time for 1970.
const LONGER_THAN_ANY: u64 = 3_650;

/// What is the matter with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// Its time is over: an access token of OAuth lives half an hour.
    Expired,
    /// HubSpot does not know it, or not any more: it was revoked, rotated, or never was.
    NotKnown,
    /// It is no token at all: cut short, mistyped, or something else. HubSpot calls that expired, since 1970.
    NotAToken,
}

impl Refusal {
    /// Whether HubSpot refuses the token, whatever is asked with it. It has not carried out what was asked. A 401 of a category
    /// that says something else is about that request alone.
    pub fn is_of_the_token(&self) -> bool {
        let words = ["", "EXPIRED_AUTHENTICATION", "INVALID_AUTHENTICATION"];
        self.kind == RefusalKind::TokenRefused && words.contains(&self.category.as_str())
    }

    /// What is the matter with the token, where that is why HubSpot refused.
    pub fn token_fault(&self) -> Option<TokenFault> {
        if self.kind != RefusalKind::TokenRefused {
            return None;
        }
        let long_ago = days_ago(&self.message).is_some_and(|days| days >= LONGER_THAN_ANY);
        Some(match self.category.as_str() {
            _ if long_ago => TokenFault::NotAToken,
            "EXPIRED_AUTHENTICATION" => TokenFault::Expired,
            _ => TokenFault::NotKnown,
        })
    }
}

/// "The OAuth token used to make this call expired 20705 day(s) ago."
fn days_ago(message: &str) -> Option<u64> {
    let (before, _) = message.split_once(" day(s) ago")?;
    before.rsplit(' ').next()?.parse().ok()
}
