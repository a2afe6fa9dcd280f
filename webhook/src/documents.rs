//! Reads a small public document at an address that somebody has named whom nobody knows: by https, at a name and the usual port, and
//! only where every address of that name is a public one. The connection goes to the addresses that were looked at, so that the name
//! cannot mean another machine a moment later; a redirect is not followed; and neither time nor size is the other side's to choose.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use hubkeep_core::clock::SharedClock;
use thiserror::Error;
use tokio::net::lookup_host;
use url::{Host, Url};

/// The longest document, in bytes.
const MOST_BYTES: usize = 16 * 1024;
/// All of it must be there within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// The port of https.
const PORT: u16 = 443;

/// A document that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotRead {
    /// Its address is none that is read from.
    #[error("the address must be https, with a name for a host and no port")]
    Address,
    /// The name is not one of machines that everybody reaches.
    #[error("the name does not lead to public addresses alone")]
    NotPublic,
    /// The other side did not answer in time, or not as it should.
    #[error("there was no whole answer of 16 KiB at most within 5 s: {0}")]
    NoAnswer(&'static str),
    /// It answered with another status than 200.
    #[error("the answer has the status {0}")]
    Status(u16),
}

/// Reads documents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Documents {
    clock: SharedClock,
}

impl Documents {
    /// Reads by this clock.
    pub const fn new(clock: SharedClock) -> Self {
        Self { clock }
    }

    /// The document at an address.
    ///
    /// # Errors
    /// If it is not to be had, or not to be asked for.
    pub async fn read(&self, address: &Url) -> Result<Vec<u8>, NotRead> {
        let host = name(address)?;
        let read = async {
            let found = lookup_host((host, PORT)).await;
            let found = found.map_err(|_| NotRead::NoAnswer("the name is not known"))?;
            fetch(address, host, &public(found)?).await
        };
        let read = self.clock.timeout(PATIENCE, read).await;
        read.unwrap_or(Err(NotRead::NoAnswer("it takes too long")))
    }
}

/// The name of the host, if the address is one that is read from.
fn name(address: &Url) -> Result<&str, NotRead> {
    let nobody = address.username().is_empty() && address.password().is_none();
    if address.scheme() != "https" || address.port().is_some() || !nobody {
        return Err(NotRead::Address);
    }
    match address.host() {
        Some(Host::Domain(name)) => Ok(name),
        _ => Err(NotRead::Address),
    }
}

/// All of these, if each is public and there is one.
fn public(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, NotRead> {
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() || !found.iter().all(|address| is_public(address.ip())) {
        return Err(NotRead::NotPublic);
    }
    Ok(found)
}

#[expect(
    clippy::disallowed_methods,
    reason = "each document has a client of its own, which goes to the addresses that were looked at"
)]
async fn fetch(address: &Url, host: &str, at: &[SocketAddr]) -> Result<Vec<u8>, NotRead> {
    let lost = |_| NotRead::NoAnswer("the exchange failed");
    let client = reqwest::Client::builder()
        .user_agent(concat!("hubkeep/", env!("CARGO_PKG_VERSION")))
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .resolve_to_addrs(host, at)
        .build()
        .map_err(lost)?;
    let request = client.get(address.clone()).header("accept", "application/json");
    let mut answer = request.send().await.map_err(lost)?;
    if answer.status().as_u16() != 200 {
        return Err(NotRead::Status(answer.status().as_u16()));
    }
    let mut read = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(lost)? {
        if read.len().saturating_add(chunk.len()) > MOST_BYTES {
            return Err(NotRead::NoAnswer("it is too large"));
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read)
}

/// Whether everybody reaches an address, and nobody else's machine is behind it.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let kept_back = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 192 && second == 88 && third == 99)
        || (first == 198 && (18..20).contains(&second));
    !kept_back
}

/// Of the whole range only what is given out to be reached; nothing that stands for an IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let given_out = (0x2000..0x4000).contains(&first);
    let kept_back = (first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        || first == 0x2002
        || (first == 0x3fff && second < 0x1000);
    given_out && !kept_back
}

#[cfg(test)]
mod tests {
    use hubkeep_core::clock::SystemClock;

    use super::*;

    #[test]
    fn only_addresses_that_everybody_reaches_are_public() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
        for text in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
        ] {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
    }

    #[test]
    fn one_address_that_is_not_public_spoils_the_name() {
        let at = |text: &str| SocketAddr::new(text.parse().expect("an address"), PORT);
        assert_eq!(
            public([at("8.8.8.8"), at("10.0.0.1")].into_iter()),
            Err(NotRead::NotPublic)
        );
        assert_eq!(public([].into_iter()), Err(NotRead::NotPublic));
        assert!(public([at("8.8.8.8"), at("2606:4700::1111")].into_iter()).is_ok());
    }

    #[tokio::test]
    async fn nothing_is_asked_at_an_address_that_is_none_to_read_from() {
        let documents = Documents::new(SystemClock::shared());
        for (text, expected) in [
            ("http://client.example/c", NotRead::Address),
            ("https://127.0.0.1/c", NotRead::Address),
            ("https://[::1]/c", NotRead::Address),
            ("https://2130706433/c", NotRead::Address),
            ("https://0x7f.1/c", NotRead::Address),
            ("https://client.example:8443/c", NotRead::Address),
            ("https://me@client.example/c", NotRead::Address),
            ("file:///etc/passwd", NotRead::Address),
            ("https://localhost/c", NotRead::NotPublic),
        ] {
            let url = Url::parse(text).expect("valid");
            assert_eq!(documents.read(&url).await, Err(expected), "{text}");
        }
    }
}
