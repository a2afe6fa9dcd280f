//! What somebody needs who only calls: a certificate of their own, and the CA of the services.

use std::{path::Path, sync::Arc};

use rustls::{ClientConfig, crypto::aws_lc_rs, sign::CertifiedKey, version};

use super::{
    dial::{Dialer, Source},
    files::{Authorities, Chain, Named, PrivateKey},
};
use crate::{
    clock::Timestamp,
    config::{Fault, InvalidConfig},
};

/// The files of a caller, each with the words by which faults speak of it: `--cert`, or a key of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct ClientFiles<'a> {
    /// Its certificate.
    pub certificate: (&'a str, &'a Path),
    /// The private key of that.
    pub key: (&'a str, &'a Path),
    /// The CA of the services.
    pub ca: (&'a str, &'a Path),
}

impl ClientFiles<'_> {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// With everything that is wrong with them, at once. Whether the services trust the certificate, only they know.
    pub fn load(&self, now: Timestamp) -> Result<Dialer, InvalidConfig> {
        let named = |(key, path)| Named { key, path };
        let mut faults = Vec::new();
        let chain = note(named(self.certificate).chain(now), &mut faults);
        let key = note(named(self.key).private_key(), &mut faults);
        let ca = note(named(self.ca).authorities(), &mut faults);
        if let (Some(chain), Some(key)) = (&chain, &key) {
            note(fitting(named(self.key), chain, key), &mut faults);
        }
        match (chain, key, ca) {
            (Some(chain), Some(key), Some(ca)) if faults.is_empty() => {
                dialer(chain, key, ca).map_err(|error| {
                    InvalidConfig(vec![Fault::new(
                        self.certificate.0,
                        format!("cannot be used: {error}"),
                    )])
                })
            }
            _ => Err(InvalidConfig(faults)),
        }
    }
}

/// The value, or its fault among the others.
pub(super) fn note<T>(result: Result<T, Fault>, faults: &mut Vec<Fault>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}

/// Certificate and key together, if they belong together.
pub(super) fn fitting(at: Named<'_>, chain: &Chain, key: &PrivateKey) -> Result<CertifiedKey, Fault> {
    let provider = aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain.der.clone(), key.der.clone_key(), &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => at.fault("is not the private key of the certificate"),
        _ => at.fault("holds a private key of a kind that cannot be used: take ECDSA P-256 or RSA"),
    })
}

fn dialer(chain: Chain, key: PrivateKey, ca: Authorities) -> Result<Dialer, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])?
        .with_root_certificates(ca.roots)
        .with_client_auth_cert(chain.der, key.der)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Dialer::new(Source::Files(Arc::new(config))))
}
