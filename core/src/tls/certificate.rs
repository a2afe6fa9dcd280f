//! A certificate read: whose it is, for which hosts, and until when.

use std::net::IpAddr;

use aws_lc_rs::digest;
use rustls::pki_types::ServerName;
use thiserror::Error;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::{clock::Timestamp, id::CallerName};

/// A certificate that names no caller. Never repeats what it names: that may be anything.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnusableName {
    /// Several URI names, or several DNS names without a URI name.
    #[error("the certificate has {count} {kind} names, and a caller has exactly one")]
    NotOne {
        /// "URI" or "DNS".
        kind: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The URI name is not one of ours.
    #[error("the URI name of the certificate does not begin with spiffe://{0}/")]
    OtherTrustDomain(String),
    /// The name breaks the rule of names.
    #[error("the certificate's name breaks the rule: {0}")]
    Rule(&'static str),
    /// There is no name.
    #[error("the certificate has neither a URI name nor a DNS name")]
    None,
    /// One of its names cannot be read.
    #[error("the certificate has a name that cannot be read")]
    Unreadable,
}

/// A certificate, read.
#[derive(Clone, Debug)]
pub struct Certificate {
    uris: Vec<String>,
    dns: Vec<String>,
    ips: Vec<IpAddr>,
    unreadable: bool,
    not_before: Timestamp,
    not_after: Timestamp,
    thumbprint: Vec<u8>,
    public_key: Vec<u8>,
    serial: Vec<u8>,
}

impl Certificate {
    /// Reads the DER form; `None` if it is not an X.509 certificate.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let validity = parsed.validity();
        let mut read = Self {
            uris: Vec::new(),
            dns: Vec::new(),
            ips: Vec::new(),
            unreadable: false,
            not_before: time(validity.not_before.timestamp()),
            not_after: time(validity.not_after.timestamp()),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            serial: parsed.raw_serial().to_vec(),
            thumbprint: digest::digest(&digest::SHA256, der).as_ref().to_vec(),
        };
        if let Some(names) = parsed.subject_alternative_name().ok()? {
            names.value.general_names.iter().for_each(|name| read.add(name));
        }
        Some(read)
    }

    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::URI(uri) => self.uris.push((*uri).to_owned()),
            GeneralName::DNSName(dns) => self.dns.push((*dns).to_owned()),
            GeneralName::IPAddress(bytes) => match address(bytes) {
                Some(ip) => self.ips.push(ip),
                None => self.unreadable = true,
            },
            GeneralName::Invalid(..) => self.unreadable = true,
            // Other kinds of names are nobody's here.
            _ => {}
        }
    }

    /// The caller that this certificate names.
    ///
    /// # Errors
    /// If it names none, or more than one.
    pub fn caller(&self, trust_domain: &str) -> Result<CallerName, UnusableName> {
        if self.unreadable {
            return Err(UnusableName::Unreadable);
        }
        let rule = |text: &str| {
            text.parse()
                .map_err(|error: crate::id::InvalidName| UnusableName::Rule(error.rule()))
        };
        match (self.uris.as_slice(), self.dns.as_slice()) {
            ([uri], _) => {
                let name = uri
                    .strip_prefix("spiffe://")
                    .and_then(|rest| rest.strip_prefix(trust_domain))
                    .and_then(|rest| rest.strip_prefix('/'));
                rule(name.ok_or_else(|| UnusableName::OtherTrustDomain(trust_domain.to_owned()))?)
            }
            // No host has these letters; a name with them would be a person's or a service's, which URIs are for.
            ([], [dns]) if dns.contains(['/', '@']) => Err(UnusableName::Unreadable),
            ([], [dns]) => rule(dns),
            ([], []) => Err(UnusableName::None),
            ([], names) => Err(UnusableName::NotOne {
                kind: "DNS",
                count: names.len(),
            }),
            (names, _) => Err(UnusableName::NotOne {
                kind: "URI",
                count: names.len(),
            }),
        }
    }

    /// A host that a client may know this certificate's holder by; `None` if it is for no host.
    pub(super) fn host(&self) -> Option<ServerName<'static>> {
        let dns = self.dns.first().map(|name| name.replacen('*', "any", 1));
        let dns = dns.and_then(|name| ServerName::try_from(name).ok());
        dns.or_else(|| self.ips.first().map(|ip| ServerName::IpAddress((*ip).into())))
    }

    /// From when on it holds.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// When it ends.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether this is the public key in it, as the bytes that X.509 has of it.
    pub fn is_of(&self, public_key: &[u8]) -> bool {
        self.public_key == public_key
    }

    /// Its serial number, as the bytes that X.509 has of it: by it a CA's list names it.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// SHA-256 of its DER form (RFC 8705, 3.1).
    pub fn thumbprint(&self) -> &[u8] {
        &self.thumbprint
    }
}

/// A moment as X.509 has it.
pub(super) const fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(uris: &[&str], dns: &[&str]) -> Result<String, UnusableName> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = Certificate {
            uris: owned(uris),
            dns: owned(dns),
            ips: Vec::new(),
            unreadable: false,
            not_before: Timestamp::from_micros(0),
            not_after: Timestamp::from_micros(0),
            thumbprint: Vec::new(),
            public_key: Vec::new(),
            serial: Vec::new(),
        };
        certificate.caller("hubkeep").map(|name| name.to_string())
    }

    #[test]
    fn the_only_uri_name_is_the_callers_whatever_hosts_stand_beside_it() {
        assert_eq!(
            with(&["spiffe://hubkeep/operator/ann"], &["a", "b"]).as_deref(),
            Ok("operator/ann")
        );
        assert_eq!(with(&[], &["sync.internal"]).as_deref(), Ok("sync.internal"));
    }

    #[test]
    fn what_is_not_exactly_one_name_of_ours_is_none() {
        let other = UnusableName::OtherTrustDomain("hubkeep".to_owned());
        for uri in [
            "spiffe://hubkeep2/sync",
            "spiffe://hubkeep",
            "spiffe://hubkee/p/sync",
            "https://hubkeep/sync",
            "SPIFFE://hubkeep/sync",
            "spiffe://hubkeep.evil/sync",
            "spiffe://user@hubkeep/sync",
        ] {
            assert_eq!(with(&[uri], &["sync"]), Err(other.clone()), "{uri}");
        }
        for uri in [
            "spiffe://hubkeep/",
            "spiffe://hubkeep//sync",
            "spiffe://hubkeep/operator%2fann",
            "spiffe://hubkeep/sync?x",
            "spiffe://hubkeep/sync#x",
        ] {
            assert!(matches!(with(&[uri], &[]), Err(UnusableName::Rule(_))), "{uri}");
        }
        let uri = "spiffe://hubkeep/sync";
        let two = |kind| UnusableName::NotOne { kind, count: 2 };
        assert_eq!(with(&[uri, uri], &[]), Err(two("URI")));
        assert_eq!(with(&[uri, "urn:x"], &["sync"]), Err(two("URI")));
        assert_eq!(with(&[], &["a", "b"]), Err(two("DNS")));
        assert_eq!(with(&[], &[]), Err(UnusableName::None));
        assert_eq!(with(&[], &["operator/ann"]), Err(UnusableName::Unreadable));
        assert!(matches!(with(&[], &["*.internal"]), Err(UnusableName::Rule(_))));
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        assert!(Certificate::read(b"").is_none() && Certificate::read(&[0x30, 0x80, 0, 0]).is_none());
    }
}
