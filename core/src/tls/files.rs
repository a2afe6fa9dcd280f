//! PEM files read, and what is wrong with them. A fault names the file and what to do.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject as _},
};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};
use zeroize::Zeroizing;

use super::Certificate;
use crate::{clock::Timestamp, config::Fault};

/// The largest file that is read; a chain of certificates is a few KiB.
const MAX_BYTES: u64 = 1024 * 1024;

/// A certificate with the chain behind it, as its file has it.
pub(super) struct Chain {
    pub(super) pem: Vec<u8>,
    pub(super) der: Vec<CertificateDer<'static>>,
    pub(super) leaf: Certificate,
}

/// A private key, as its file has it.
pub(super) struct PrivateKey {
    pub(super) pem: Zeroizing<Vec<u8>>,
    pub(super) der: PrivateKeyDer<'static>,
}

/// CAs, as their file has them.
pub(super) struct Authorities {
    pub(super) pem: Vec<u8>,
    pub(super) roots: RootCertStore,
}

/// Revocation lists, as their file has them.
pub(super) struct Lists {
    pub(super) pem: Vec<u8>,
    pub(super) der: Vec<CertificateRevocationListDer<'static>>,
    /// When the first of them should have been followed by a newer one; `None` if none says so.
    pub(super) next_due: Option<Timestamp>,
}

/// Where a file is named, and which.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    /// The key of the configuration, or the option of the command.
    pub(super) key: &'a str,
    pub(super) path: &'a Path,
}

impl Named<'_> {
    pub(super) fn fault(&self, problem: &str) -> Fault {
        Fault::new(self.key, format!("{} {problem}", self.path.display()))
    }

    /// A certificate that can be read and holds now.
    pub(super) fn chain(&self, now: Timestamp) -> Result<Chain, Fault> {
        let pem = self.bytes()?;
        let der: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|_| self.fault("is not PEM"))?;
        let leaf = der.first().and_then(|leaf| Certificate::read(leaf));
        let leaf = leaf.ok_or_else(|| self.fault("holds no certificate (-----BEGIN CERTIFICATE-----)"))?;
        if now >= leaf.not_after() {
            return Err(self.fault("has expired: take a new one, as with `hubkeep certs issue NAME`"));
        }
        if now < leaf.not_before() {
            return Err(self.fault("does not hold yet: look at this machine's clock"));
        }
        Ok(Chain { pem, der, leaf })
    }

    /// A private key that nobody but its owner can read.
    pub(super) fn private_key(&self) -> Result<PrivateKey, Fault> {
        let file = self.open()?;
        // Asked of the open file, not of the path: what was checked is what is read.
        let mode = file
            .metadata()
            .map_err(|error| self.unreadable(&error))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let path = self.path.display();
            let problem = format!(
                "can be read by others (mode {:04o}): chmod 600 {path}",
                mode & 0o7777
            );
            return Err(self.fault(&problem));
        }
        let pem = Zeroizing::new(self.read(file)?);
        let der = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| self.fault("holds no private key (-----BEGIN PRIVATE KEY-----)"))?;
        Ok(PrivateKey { pem, der })
    }

    /// At least one CA.
    pub(super) fn authorities(&self) -> Result<Authorities, Fault> {
        let pem = self.bytes()?;
        let mut roots = RootCertStore::empty();
        for der in CertificateDer::pem_slice_iter(&pem) {
            let der = der.map_err(|_| self.fault("is not PEM"))?;
            roots
                .add(der)
                .map_err(|_| self.fault("holds a certificate that cannot be a CA's"))?;
        }
        if roots.is_empty() {
            return Err(self.fault("holds no certificate: name the CA's, as `hubkeep certs init` makes it"));
        }
        Ok(Authorities { pem, roots })
    }

    /// At least one list of revoked certificates. Who signed it is seen when a certificate is held against it.
    pub(super) fn lists(&self) -> Result<Lists, Fault> {
        let pem = self.bytes()?;
        let der: Vec<CertificateRevocationListDer<'static>> =
            CertificateRevocationListDer::pem_slice_iter(&pem)
                .collect::<Result<_, _>>()
                .map_err(|_| self.fault("is not PEM"))?;
        if der.is_empty() {
            return Err(
                self.fault("holds no list (-----BEGIN X509 CRL-----): `hubkeep certs revoke` makes one")
            );
        }
        let mut due = Vec::new();
        for list in &der {
            let read = CertificateRevocationList::from_der(list);
            let (_, read) = read.map_err(|_| self.fault("holds a list that cannot be read"))?;
            due.extend(
                read.next_update()
                    .map(|time| super::certificate::time(time.timestamp())),
            );
        }
        let next_due = due.into_iter().min();
        Ok(Lists { pem, der, next_due })
    }

    fn bytes(&self) -> Result<Vec<u8>, Fault> {
        self.read(self.open()?)
    }

    fn open(&self) -> Result<File, Fault> {
        File::open(self.path).map_err(|error| self.unreadable(&error))
    }

    fn read(&self, file: File) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        file.take(MAX_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreadable(&error))?;
        Ok(bytes)
    }

    fn unreadable(&self, error: &io::Error) -> Fault {
        self.fault(&format!(
            "cannot be read: {error}; `hubkeep certs init` and `hubkeep certs issue NAME` make such files"
        ))
    }
}
