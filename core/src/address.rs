//! Addresses of others.

use url::{Host, Url};

/// Whether secrets may travel to this address: over https, or on loopback.
pub fn is_protected(address: &Url) -> bool {
    let loopback = match address.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match address.scheme() {
        "https" => address.has_host(),
        "http" => loopback,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_https_or_on_loopback_only() {
        for (address, goes) in [
            ("https://api.hubapi.com", true),
            ("http://127.0.0.1:4030", true),
            ("http://[::1]:1", true),
            ("http://localhost:1", true),
            ("http://api.hubapi.com", false),
            ("http://10.0.0.1", false),
            ("http://127.0.0.1.example.com", false),
            ("ftp://127.0.0.1", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(
                is_protected(&Url::parse(address).expect("a URL")),
                goes,
                "{address}"
            );
        }
    }
}
