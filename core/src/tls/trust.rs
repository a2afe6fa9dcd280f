//! Whose certificates are trusted: those that a CA signed and that no list of it revokes.

use std::{fmt, sync::Arc};

use rustls::{
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    server::{VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    Config,
    client::note,
    files::{Authorities, Lists, Named},
};
use crate::{clock::Timestamp, config::Fault};

/// The CAs, and what they revoked where that is looked up.
pub(super) struct Trust {
    ca: Authorities,
    lists: Option<Lists>,
    must_be_current: bool,
}

impl Trust {
    /// Reads the files; with everything that is wrong with them otherwise.
    pub(super) fn read(config: &Config) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let named = |key, path| Named { key, path };
        let ca = note(named("tls.ca_file", &config.ca_file).authorities(), &mut faults);
        let lists = config
            .crl_file
            .as_deref()
            .map(|path| named("tls.crl_file", path).lists());
        let lists = note(lists.transpose(), &mut faults);
        match (ca, lists) {
            (Some(ca), Some(lists)) => Ok(Self {
                ca,
                lists,
                must_be_current: config.crl_must_be_current,
            }),
            _ => Err(faults),
        }
    }

    /// Whether the files hold the same as before.
    pub(super) fn is(&self, before: &Self) -> bool {
        let pem = |trust: &Self| trust.lists.as_ref().map(|lists| lists.pem.clone());
        self.ca.pem == before.ca.pem && pem(self) == pem(before)
    }

    /// Whether a list is older than it says it may be.
    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        let due = self.lists.as_ref().and_then(|lists| lists.next_due);
        due.is_some_and(|due| now >= due)
    }

    /// Whether nobody is let in, because a list is too old.
    pub(super) fn lets_nobody_in(&self, now: Timestamp) -> bool {
        self.must_be_current && self.is_overdue(now)
    }

    /// How callers are verified, through the whole chain. Where there are lists, a CA without one vouches for nobody.
    pub(super) fn callers(&self) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
        let roots = Arc::new(self.ca.roots.clone());
        let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        if let Some(lists) = &self.lists {
            builder = builder.with_crls(lists.der.clone());
        }
        if self.must_be_current {
            builder = builder.enforce_revocation_expiration();
        }
        builder.build()
    }

    /// How services that are called are verified, in the same way.
    pub(super) fn servers(&self) -> Result<Arc<dyn ServerCertVerifier>, VerifierBuilderError> {
        let roots = Arc::new(self.ca.roots.clone());
        let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider());
        if let Some(lists) = &self.lists {
            builder = builder.with_crls(lists.der.clone());
        }
        if self.must_be_current {
            builder = builder.enforce_revocation_expiration();
        }
        Ok(builder.build()?)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust(…)")
    }
}

/// The one provider of cryptography.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
