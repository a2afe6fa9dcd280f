//! Page tokens: where the next page begins, and which list it is a page of.

use super::Error;

/// The token of the page after `last`, for the list that `of` names.
pub(super) fn token(of: &str, last: &str) -> String {
    hex::encode(format!("{of}\n{last}"))
}

/// After what the page begins; `None` for the first.
///
/// # Errors
/// If the token was not given out for this list.
pub(super) fn after(of: &str, token: &str) -> Result<Option<String>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = hex::decode(token).map_err(|_| Error::PageToken)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::PageToken)?;
    match text.split_once('\n') {
        // We give out names, and a database may refuse to compare with what is none.
        Some((list, last)) if list == of && !last.contains(char::is_control) => Ok(Some(last.to_owned())),
        _ => Err(Error::PageToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_serves_its_own_list_only() {
        let given = token("handles/acme", "last");
        assert_eq!(
            after("handles/acme", &given).expect("its own").as_deref(),
            Some("last")
        );
        assert!(after("handles/globex", &given).is_err());
        let with_nul = token("handles/acme", "la\0st");
        for nonsense in ["x", "zz", "00", "ff", &with_nul] {
            assert!(after("handles/acme", nonsense).is_err(), "{nonsense}");
        }
        assert!(after("handles/acme", "").expect("the first page").is_none());
    }
}
