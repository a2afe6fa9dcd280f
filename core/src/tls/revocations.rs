//! A CA's list of what it revoked, read by whoever goes on writing it.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

use super::{Certificate, certificate::time, trust::provider};
use crate::clock::Timestamp;

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationList {
    /// Its number: each list of a CA has a higher one than the one before.
    pub number: u64,
    /// The certificates that it revokes.
    pub revoked: Vec<Revoked>,
}

/// A certificate that is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial number, as X.509 has it.
    pub serial: Vec<u8>,
    /// Since when.
    pub since: Timestamp,
}

impl RevocationList {
    /// Reads one in PEM; `None` if it is none, or has no number of at most 8 bytes.
    pub fn read(pem: &str) -> Option<Self> {
        let der = CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, read) = CertificateRevocationList::from_der(&der).ok()?;
        let entries = read.iter_revoked_certificates().map(|entry| Revoked {
            serial: entry.raw_serial().to_vec(),
            since: time(entry.revocation_date.timestamp()),
        });
        Some(Self {
            number: read.crl_number()?.try_into().ok()?,
            revoked: entries.collect(),
        })
    }
}

impl Certificate {
    /// Reads a caller's certificate in PEM, if this CA (PEM) has signed it; `None` otherwise.
    pub fn signed_by(ca: &str, certificate: &str) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca.as_bytes()).ok()?)
            .ok()?;
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
        let leaf = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
        let read = Self::read(&leaf)?;
        // As it was when it was made: one that has ended may be revoked too.
        let made = UnixTime::since_unix_epoch(read.not_before().since(Timestamp::from_micros(0)));
        verifier.build().ok()?.verify_client_cert(&leaf, &[], made).ok()?;
        Some(read)
    }
}
