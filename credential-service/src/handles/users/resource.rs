//! The resource at which a user's handle may be presented: an address of crm-service, for all that the user has connected, or
//! for one client.

use std::{fmt, str::FromStr};

use hubkeep_core::{address::is_protected, error::FieldViolation, id::ClientSlug};
use url::Url;

/// The longest address.
const LONGEST: usize = 512;
const ROOT: &str = "mcp";

/// An address that ends in "/mcp" or "/mcp/<client_slug>".
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    address: String,
    client_slug: Option<ClientSlug>,
}

impl Resource {
    /// The address, without a '/' at its end.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The client that it is about, if it names one.
    pub const fn client_slug(&self) -> Option<&ClientSlug> {
        self.client_slug.as_ref()
    }
}

impl FromStr for Resource {
    type Err = FieldViolation;

    fn from_str(text: &str) -> Result<Self, FieldViolation> {
        read(text).ok_or_else(|| FieldViolation {
            field: "resource".to_owned(),
            description: "a resource is an https address, or http on loopback, that ends in \"/mcp\" or \
                          \"/mcp/<client_slug>\", without query, fragment or user"
                .to_owned(),
        })
    }
}

fn read(text: &str) -> Option<Resource> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && is_protected(&url);
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    let mut from_the_end = path.rsplit('/');
    let last = from_the_end.next().filter(|_| plain)?;
    let client_slug = match (last, from_the_end.next()) {
        (ROOT, _) => None,
        (slug, Some(ROOT)) => Some(slug.parse().ok()?),
        _ => return None,
    };
    Some(Resource {
        address: url.as_str().strip_suffix('/').unwrap_or(url.as_str()).to_owned(),
        client_slug,
    })
}

impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_names_all_or_one_client() {
        let read = |text: &str| text.parse::<Resource>();
        let all = read("https://h.example/mcp").expect("one");
        assert_eq!((all.client_slug(), all.as_str()), (None, "https://h.example/mcp"));
        assert_eq!(read("https://h.example/mcp/").expect("one"), all);
        assert_eq!(read("HTTPS://H.example/mcp").expect("one"), all);
        let one = read("http://127.0.0.1:7403/mcp/acme").expect("one");
        assert_eq!(one.client_slug().map(ClientSlug::as_str), Some("acme"));
        assert_ne!(read("https://h.example/mcp/acme").expect("one"), all);
        for none in [
            "https://h.example/",
            "https://h.example/mcp?x=1",
            "https://h.example/mcp#x",
            "https://ann@h.example/mcp",
            "http://h.example/mcp",
            "https://h.example/mcp/acme/more",
            "https://h.example/mcp/Acme",
            "https://h.example/mcp//",
            "mcp",
        ] {
            assert!(read(none).is_err(), "{none}");
        }
    }
}
