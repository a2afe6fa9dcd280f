//! Where a delivery may go.

use std::{fmt, str::FromStr};

use hubkeep_core::address::is_protected;
use thiserror::Error;
use url::Url;

/// The longest address, in bytes.
const LONGEST: usize = 2_048;

/// Not an address that deliveries may go to. Nothing of it is repeated: its query may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidAddress(&'static str);

impl InvalidAddress {
    /// The rule that it breaks, as a sentence for the caller.
    pub const fn rule(self) -> &'static str {
        self.0
    }
}

/// Where a delivery goes: https, or http on loopback; no user, no password, no fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// The address as text. Its query may hold a secret of the receiver's.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text.len() > LONGEST {
            return Err(InvalidAddress("must have at most 2,048 characters"));
        }
        let url = Url::parse(text)
            .map_err(|_| InvalidAddress("must be an address such as https://example.com/rotated"))?;
        if !is_protected(&url) {
            return Err(InvalidAddress("must be https, or http on loopback"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidAddress(
                "must hold no user and no password: deliveries are signed",
            ));
        }
        if url.fragment().is_some() {
            return Err(InvalidAddress("must hold no fragment: it would not be sent"));
        }
        Ok(Self(url))
    }
}

/// The scheme, host and port: what may stand in a log.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_go_over_https_or_on_loopback_only() {
        let good = |text: &str| text.parse::<Address>().is_ok();
        assert!(good("https://example.com/a?b=c") && good("http://127.0.0.1:80/a"));
        assert!(good("http://[::1]:1") && good("http://localhost:1"));
        let long = format!("https://example.com/{}", "x".repeat(LONGEST));
        for bad in [
            "",
            "example.com",
            "http://example.com",
            "http://10.0.0.1/",
            "http://127.0.0.1.example.com/",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "https://user@example.com",
            "https://:word@example.com",
            "https://example.com/#part",
            &long,
        ] {
            assert!(!good(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_printed_for_the_log_leaves_path_and_query_out() {
        let address: Address = "https://example.com/hook/s3cret?key=s3cret"
            .parse()
            .expect("valid");
        assert_eq!(format!("{address:?}"), "Address(https://example.com)");
    }
}
