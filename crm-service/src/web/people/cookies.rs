//! The cookies of these pages. Each is of this host alone (`__Host-`), sent over TLS only, and seen by no script.

use axum::http::{HeaderMap, HeaderValue, header};

/// Whose browser it is: the session's token. The authorization server reads it, too.
pub(super) const SESSION: &str = "__Host-hubkeep-session";
/// What gets the session's next tokens.
pub(super) const REFRESH: &str = "__Host-hubkeep-refresh";
/// A sign-in that was begun in this browser.
pub(super) const SIGN_IN: &str = "__Host-hubkeep-sign-in";
/// A connection that was begun in this browser.
pub(super) const CONNECTION: &str = "__Host-hubkeep-connection";

/// What a cookie says; `None` if there is none, or several of its name.
pub(super) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all.filter_map(|value| value.to_str().ok());
    let mut found = pairs
        .flat_map(|pairs| pairs.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned());
    let first = found.next().filter(|value| !value.is_empty())?;
    found.next().is_none().then_some(first)
}

/// Sets a cookie for so many seconds. What comes back from another site by a link has it: sign-ins and consents end like that.
pub(super) fn set(name: &str, value: &str, seconds: u32) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    // Tokens and states are letters and digits: nothing else is ever set.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Takes a cookie away.
pub(super) fn removed(name: &str) -> HeaderValue {
    set(name, "", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_if_there_is_exactly_one_of_its_name() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; __Host-hubkeep-session=x.y"),
        );
        assert_eq!(value(&headers, SESSION).as_deref(), Some("x.y"));
        assert_eq!(value(&headers, SIGN_IN), None);
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("__Host-hubkeep-session=z"),
        );
        assert_eq!(
            value(&headers, SESSION),
            None,
            "one of them was put there by somebody"
        );
    }

    #[test]
    fn cookies_are_of_this_host_alone_and_seen_by_no_script() {
        let set = set(SESSION, "x", 60);
        let text = set.to_str().expect("text");
        for word in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("Domain"));
    }
}
