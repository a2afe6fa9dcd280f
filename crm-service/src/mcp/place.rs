//! The addresses that are given out, and what they mean: the issuer, and the resources that tokens are for.

use std::net::SocketAddr;

use hubkeep_core::id::ClientSlug;
use url::Url;

/// The path of the endpoint.
pub(super) const ENDPOINT: &str = "/mcp";
/// Where a protected resource says who gives tokens for it (RFC 9728), followed by the resource's own path.
pub(super) const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The endpoint of whoever has one connection.
    Single,
    /// That of one portal.
    Portal(ClientSlug),
}

impl Resource {
    /// The path: "/mcp", "/mcp/acme".
    pub fn path(&self) -> String {
        match self {
            Self::Single => ENDPOINT.to_owned(),
            Self::Portal(slug) => format!("{ENDPOINT}/{slug}"),
        }
    }

    /// The resource at a path.
    pub fn at(path: &str) -> Option<Self> {
        match path.strip_prefix(ENDPOINT)? {
            "" => Some(Self::Single),
            rest => rest.strip_prefix('/')?.parse().ok().map(Self::Portal),
        }
    }
}

/// Where everything is, as the world knows it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    issuer: String,
    host: String,
    is_encrypted: bool,
    on_loopback: bool,
}

impl Place {
    /// As configured, or at this address on loopback.
    pub(super) fn of(public: Option<&Url>, listening: SocketAddr) -> Self {
        let (issuer, is_encrypted) = match public {
            Some(url) => (url.origin().ascii_serialization(), url.scheme() == "https"),
            None => (format!("http://{listening}"), false),
        };
        let host = issuer.split_once("://").map_or("", |(_, host)| host).to_owned();
        Self {
            issuer,
            host,
            is_encrypted,
            on_loopback: listening.ip().is_loopback() && !is_encrypted,
        }
    }

    /// Who gives tokens, without a slash behind it. It is also the origin of our own pages.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The address of a path of ours.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The address of a resource.
    pub(super) fn resource(&self, resource: &Resource) -> String {
        self.address(&resource.path())
    }

    /// Where a resource says who gives tokens for it.
    pub(super) fn metadata(&self, resource: &Resource) -> String {
        self.address(&format!("{RESOURCE_METADATA}{}", resource.path()))
    }

    /// The resource with this address, which may have a slash behind it.
    pub(super) fn resource_named(&self, address: &str) -> Option<Resource> {
        let path = address.strip_prefix(self.issuer())?;
        Resource::at(path.strip_suffix('/').unwrap_or(path))
    }

    /// Whether browsers come over https.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether a request for this host is one for us: by no other name may a page come to be of our origin.
    pub(super) fn is_named(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        host == self.host || self.on_loopback && self.hosts().iter().any(|own| own == without_port(&host))
    }

    /// The names by which it is known, for whoever else looks at them.
    pub(super) fn hosts(&self) -> Vec<String> {
        let mut hosts = vec![self.host.clone()];
        if self.on_loopback {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        hosts
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(url: &str) -> Place {
        let url = Url::parse(url).expect("valid");
        Place::of(Some(&url), ([127, 0, 0, 1], 7405).into())
    }

    #[test]
    fn a_resource_is_ours_by_its_whole_address_only() {
        let place = public("https://h.example");
        let acme = || Resource::Portal("acme".parse().expect("valid"));
        for (address, resource) in [
            ("https://h.example/mcp", Some(Resource::Single)),
            ("https://h.example/mcp/", Some(Resource::Single)),
            ("https://h.example/mcp/acme", Some(acme())),
            ("https://h.example/mcp/acme/", Some(acme())),
            ("https://h.example", None),
            ("https://h.example/mcpx", None),
            ("https://h.example/mcp/acme/x", None),
            ("https://h.example/mcp/..", None),
            ("https://h.example.evil/mcp", None),
            ("http://h.example/mcp", None),
            ("https://evil.example/mcp", None),
            ("", None),
        ] {
            assert_eq!(place.resource_named(address), resource, "{address}");
        }
        assert_eq!(
            place.metadata(&acme()),
            "https://h.example/.well-known/oauth-protected-resource/mcp/acme"
        );
    }

    #[test]
    fn only_known_names_are_ours() {
        let place = public("https://h.example");
        assert!(place.is_named("h.example") && place.is_named("H.EXAMPLE"));
        for other in [
            "localhost",
            "127.0.0.1:7405",
            "evil.example",
            "h.example.evil",
            "h.example:8443",
            "",
        ] {
            assert!(!place.is_named(other), "{other}");
        }
        let local = Place::of(None, ([127, 0, 0, 1], 7405).into());
        for own in ["127.0.0.1:7405", "localhost:7405", "localhost", "[::1]:7405"] {
            assert!(local.is_named(own), "{own}");
        }
        assert!(!local.is_named("evil.example:7405") && !local.is_named("127.0.0.1.evil.example"));
    }
}
