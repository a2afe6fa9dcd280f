//! What the cells mean that every such file has. Nothing here repeats what stood in a cell: it may be a token.

use hubkeep_core::id::{ClientSlug, InvalidName};
use zeroize::Zeroizing;

/// The longest text that is told of a row whose columns cannot be trusted, in bytes: shorter than any token.
const TOLD_AT_MOST: usize = 30;
/// How HubSpot's tokens begin.
const TOKEN_BEGINS: &str = "pat-";

/// A client's slug.
///
/// # Errors
/// In words, if it is none.
pub(in crate::commands) fn slug(text: &str) -> Result<ClientSlug, String> {
    not_a_token(text, "clientSlug")?;
    text.parse()
        .map_err(|error: InvalidName| format!("clientSlug: {}", error.rule()))
}

/// A token.
///
/// # Errors
/// In words, if it cannot be one.
pub(in crate::commands) fn token(text: &str) -> Result<Zeroizing<String>, String> {
    if text.is_empty() {
        return Err("portalToken is empty".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("portalToken holds spaces or characters that no token has".to_owned());
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Refuses what could be a token: it could pass for a name, and names are shown and logged.
///
/// # Errors
/// In words, if it begins as HubSpot's tokens do.
pub(in crate::commands) fn not_a_token(text: &str, column: &str) -> Result<(), String> {
    if text.starts_with(TOKEN_BEGINS) {
        return Err(format!(
            "{column} looks like a HubSpot token: are the columns swapped?"
        ));
    }
    Ok(())
}

/// The slug of a row that is refused for its shape, if what stands in its place is fit to be shown.
pub(super) fn slug_if_plain(text: &str) -> Option<ClientSlug> {
    slug(text).ok().filter(|_| text.len() <= TOLD_AT_MOST)
}
