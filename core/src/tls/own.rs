//! A service's own certificate and its key, read from their files together.

use rustls::sign::CertifiedKey;

use super::{
    Config,
    client::{fitting, note},
    files::{Chain, Named, PrivateKey},
};
use crate::{clock::Timestamp, config::Fault, id::CallerName};

/// A certificate that holds now, and the key that belongs to it.
pub(super) struct Own {
    pub(super) chain: Chain,
    key: PrivateKey,
    pub(super) fitting: CertifiedKey,
}

impl Own {
    /// Reads both; with everything that is wrong with them otherwise.
    pub(super) fn read(config: &Config, now: Timestamp) -> Result<Self, Vec<Fault>> {
        let (certificate, key_file) = (at(config), key_at(config));
        let mut faults = Vec::new();
        let chain = note(certificate.chain(now), &mut faults);
        let key = note(key_file.private_key(), &mut faults);
        let (Some(chain), Some(key)) = (chain, key) else {
            return Err(faults);
        };
        match fitting(key_file, &chain, &key) {
            Ok(fitting) => Ok(Self { chain, key, fitting }),
            Err(fault) => Err(vec![fault]),
        }
    }

    /// The name by which others know its holder.
    pub(super) fn name(&self, config: &Config) -> Result<CallerName, Fault> {
        let name = self.chain.leaf.caller(&config.trust_domain);
        name.map_err(|error| at(config).fault(&format!("names no service: {error}")))
    }

    /// Whether both files hold the same as before.
    pub(super) fn is(&self, before: &Self) -> bool {
        self.chain.pem == before.chain.pem && *self.key.pem == *before.key.pem
    }
}

/// Where the certificate is named.
pub(super) fn at(config: &Config) -> Named<'_> {
    Named {
        key: "tls.certificate_file",
        path: &config.certificate_file,
    }
}

fn key_at(config: &Config) -> Named<'_> {
    Named {
        key: "tls.key_file",
        path: &config.key_file,
    }
}
