//! Cookies. Their names begin with `__Host-`: no other host, and no plain connection, can set or read one.

use axum::http::{HeaderMap, HeaderValue, header};

/// What the form of the consent page must come with.
pub(super) const CONSENT: &str = "__Host-hubkeep-consent";
/// What the browser holds from the consent until the code.
pub(super) const FLOW: &str = "__Host-hubkeep-flow";
/// Shows that somebody has signed in, in this browser.
pub(super) const SESSION: &str = "__Host-hubkeep-session";

/// The value of a cookie, if it is sent once.
pub(super) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut values = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) if !value.is_empty() => Some(value),
        _ => None,
    }
}

/// Sets a cookie for so many seconds; 0 takes it away. `lax` lets it come with a visit from elsewhere.
pub(super) fn set(name: &str, value: &str, seconds: u32, lax: bool) -> Option<HeaderValue> {
    let site = if lax { "Lax" } else { "Strict" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite={site}");
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_is_sent_twice_is_none() {
        let headers = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            headers
        };
        let found = |lines: &[&'static str]| value(&headers(lines), FLOW).map(str::to_owned);
        assert_eq!(found(&["a=b; __Host-hubkeep-flow=x; c=d"]), Some("x".to_owned()));
        assert_eq!(found(&["__Host-hubkeep-flow=x", "__Host-hubkeep-flow=y"]), None);
        assert_eq!(found(&["__Host-hubkeep-flow="]), None);
        assert_eq!(found(&["hubkeep-flow=x"]), None);
    }
}
