//! What a browser sends in an address or a form, in which each name stands once; and where it may be sent on to.

use std::collections::HashMap;

use url::form_urlencoded;
use zeroize::Zeroizing;

/// The pages that somebody may be sent to after signing in.
const ONWARD: [&str; 3] = ["/oauth/continue", "/account", "/auth/hubspot"];
/// The longest address of such a page.
const LONGEST: usize = 256;

/// The values of a query or of a form. They may be secrets: it has no `Debug`.
#[derive(Default)]
pub(super) struct Values(HashMap<String, Zeroizing<String>>);

impl Values {
    /// Reads them. What says something twice says nothing.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut values = HashMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            let value = Zeroizing::new(value.into_owned());
            if values.insert(name.into_owned(), value).is_some() {
                return Self::default();
            }
        }
        Self(values)
    }

    /// A value; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.as_str())
    }
}

/// The page of ours that this address names, and nothing else: what names another site, or another page, is none.
pub(super) fn onward(next: &str) -> Option<&str> {
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=&_-".contains(&byte);
    (ONWARD.contains(&path) && query.bytes().all(plain) && next.len() <= LONGEST).then_some(next)
}

/// An address with these values in its query.
pub(super) fn address(path: &str, values: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(values.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish().as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_gone_on_to() {
        for (next, ours) in [
            ("/oauth/continue", true),
            ("/account", true),
            ("/auth/hubspot?c=0123&client_slug=client-0001", true),
            ("", false),
            ("/", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("https://evil.example/account", false),
            ("/account/../oauth/token", false),
            ("/account#x", false),
            ("/account?x=%0d%0aset-cookie", false),
            ("/account\r\n", false),
            ("/auth/hubspot/disconnect", false),
        ] {
            assert_eq!(onward(next).is_some(), ours, "{next:?}");
        }
    }

    #[test]
    fn what_says_something_twice_says_nothing() {
        assert_eq!(Values::read(b"a=1&b=x+y").get("b"), "x y");
        assert_eq!(Values::read(b"a=1&a=1").get("a"), "");
        assert_eq!(
            address("/a", &[("next", "/b?c=d"), ("e", "")]),
            "/a?next=%2Fb%3Fc%3Dd"
        );
    }
}
