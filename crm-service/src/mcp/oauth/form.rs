//! Queries and forms, in which each name stands once: of two values, which one counts must not be a matter of who reads.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, header},
};
use zeroize::Zeroizing;

/// The most bytes of a form.
const MOST_BYTES: usize = 32 * 1024;
const KIND: &str = "application/x-www-form-urlencoded";

/// A form that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The values of a form, by name. They may be secrets: it has no `Debug`.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Reads a query or the body of a form.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        let mut values: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if values.iter().any(|(known, _)| *known == name) {
                return Err(Unreadable);
            }
            values.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(values))
    }

    /// Reads the body of a request, if it is a form.
    pub(super) async fn of(headers: &HeaderMap, body: Body) -> Result<Self, Unreadable> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case(KIND) {
            return Err(Unreadable);
        }
        let bytes = to_bytes(body, MOST_BYTES).await.map_err(|_| Unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Unreadable)?;
        Self::read(text)
    }

    /// A value; `None` where it is left out or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_spoils_the_form() {
        let form = Form::read("a=1&b=&c=x%20y+z").map_err(|_| ()).expect("read");
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c")),
            (Some("1"), None, Some("x y z"))
        );
        assert!(Form::read("a=1&a=1").is_err());
    }
}
