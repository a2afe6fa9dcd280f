//! The readers of what HubSpot sends, for the fuzz targets in `tests/fuzz`. A door for them alone: no build of the product
//! has it.

use http::{HeaderMap, StatusCode};

use crate::{
    Ask, Decoded, Limits, Refusal,
    account::{self, AccountDetails, TokenInfo},
};

/// The body of a success, as the client reads it; `None` if it is not HubSpot's.
pub fn decode<T>(ask: &Ask<T>, body: &[u8]) -> Option<Decoded<T>> {
    (ask.decode)(body).ok()
}

/// Whose account a token opens.
pub fn account_details(body: &[u8]) -> Option<AccountDetails> {
    account::details(body).ok().map(|decoded| decoded.value)
}

/// What a token may do.
pub fn token_info(body: &[u8]) -> Option<TokenInfo> {
    account::info(body).ok().map(|decoded| decoded.value)
}

/// A refusal of what a portal's token asked for.
pub fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    Refusal::of(status, headers, body)
}

/// A refusal of what our app asked for.
pub fn refusal_of_app(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Refusal {
    Refusal::of_app(status, headers, body)
}

/// What the headers say of the portal's limits.
pub fn limits(headers: &HeaderMap) -> Limits {
    Limits::of(headers)
}
