//! Who a service is and whom it trusts: read and checked as a whole before anything listens, and again while it runs.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{ClientConfig, pki_types::CertificateDer};

use super::{
    Certificate, Config, Dialer,
    dial::Source,
    material::{Asked, Material},
    own::{self, Own},
    trust::Trust,
    why_refused,
};
use crate::{
    clock::{SharedClock, Timestamp},
    config::{Fault, InvalidConfig},
    grpc::{Caller, Thumbprint},
    id::CallerName,
};

/// Who a service is, and how it knows others. Cheap to clone, and all clones go by the same; shows no key.
#[derive(Clone)]
pub struct Identity {
    name: CallerName,
    config: Arc<Config>,
    clock: SharedClock,
    current: Arc<RwLock<Arc<Material>>>,
}

/// What became of a look at the files.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Whether something new is gone by from now on.
    pub(super) taken_up: bool,
    /// What was not.
    pub(super) faults: Vec<Fault>,
}

impl Identity {
    /// Reads the files and checks them: each by itself, the key against the certificate, the certificate against the
    /// CA, its list and the clock, and that it names a caller and a host.
    ///
    /// # Errors
    /// With everything that is wrong, at once.
    pub fn load(config: &Config, clock: &SharedClock) -> Result<Self, InvalidConfig> {
        let (own, trust) = (Own::read(config, clock.now()), Trust::read(config));
        let (own, trust) = match (own, trust) {
            (Ok(own), Ok(trust)) => (own, trust),
            (own, trust) => {
                let faults = own.err().into_iter().chain(trust.err()).flatten();
                return Err(InvalidConfig(faults.collect()));
            }
        };
        let halves = (Arc::new(own), Arc::new(trust));
        let material = Material::of(halves, Asked::Everything, config, clock).map_err(InvalidConfig)?;
        Ok(Self {
            name: material.name.clone(),
            config: Arc::new(config.clone()),
            clock: Arc::clone(clock),
            current: Arc::new(RwLock::new(Arc::new(material))),
        })
    }

    /// The name by which others know this service.
    pub const fn name(&self) -> &CallerName {
        &self.name
    }

    /// A host that its certificate is for.
    pub fn host(&self) -> Arc<str> {
        Arc::clone(&self.current().host)
    }

    /// When its certificate ends.
    pub fn not_after(&self) -> Timestamp {
        self.current().own.chain.leaf.not_after()
    }

    /// How it calls others: with its certificate as it is when a connection is opened, and only whom its CA has signed
    /// and whose certificate has the host that is called.
    pub fn dialer(&self) -> Dialer {
        Dialer::new(Source::Service(self.clone()))
    }

    pub(crate) fn trust_domain(&self) -> &str {
        &self.config.trust_domain
    }

    pub(super) fn current(&self) -> Arc<Material> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.current().client)
    }

    /// Why this caller would not be let in now, in a sentence; `None` if it would.
    pub(super) fn keeps_out(&self, chain: &[CertificateDer<'static>]) -> Option<String> {
        let refused = self.current().lets_in(chain, self.clock.now());
        refused.err().as_ref().map(why_refused)
    }

    /// Who a caller with this certificate is, if it would be let in now. What stands between it and a CA that is trusted is
    /// shown beside it, as on a connection.
    ///
    /// # Errors
    /// With a sentence that says why it would not be, or names no caller.
    pub fn caller_of(&self, der: &[u8], between: &[Vec<u8>]) -> Result<Caller, String> {
        let certificate = Certificate::read(der).ok_or("it is not an X.509 certificate in DER")?;
        let leaf = std::iter::once(der.to_vec());
        let chain: Vec<_> = leaf
            .chain(between.iter().cloned())
            .map(CertificateDer::from)
            .collect();
        if let Some(why) = self.keeps_out(&chain) {
            return Err(why);
        }
        let name = certificate.caller(self.trust_domain());
        Ok(Caller {
            name: name.map_err(|error| error.to_string())?,
            thumbprint: Thumbprint::from_wire(certificate.thumbprint()),
        })
    }

    /// Reads the files again and goes by them if they are in order, or by that half of them which is: a certificate
    /// with its key, or the CAs with their lists.
    pub(super) fn look_again(&self) -> Look {
        let before = self.current();
        let mut faults = Vec::new();
        let own = Own::read(&self.config, self.clock.now()).map(|own| match own.is(&before.own) {
            true => Arc::clone(&before.own),
            false => Arc::new(own),
        });
        let own = own.map_err(|wrong| faults.extend(wrong)).ok();
        let trust = Trust::read(&self.config).map(|trust| match trust.is(&before.trust) {
            true => Arc::clone(&before.trust),
            false => Arc::new(trust),
        });
        let trust = trust.map_err(|wrong| faults.extend(wrong)).ok();
        let taken = self.first_that_fits(&before, own, trust, &mut faults);
        let taken_up = taken.is_some();
        if let Some(material) = taken {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(material);
        }
        Look { taken_up, faults }
    }

    /// All that is new, or else the half of it that fits what is there. What is new and not taken up is a fault.
    fn first_that_fits(
        &self,
        before: &Material,
        own: Option<Arc<Own>>,
        trust: Option<Arc<Trust>>,
        faults: &mut Vec<Fault>,
    ) -> Option<Material> {
        let new_own = own.filter(|own| !Arc::ptr_eq(own, &before.own));
        let new_trust = trust.filter(|trust| !Arc::ptr_eq(trust, &before.trust));
        let kept = (Arc::clone(&before.own), Arc::clone(&before.trust));
        if let (Some(own), Some(trust)) = (&new_own, &new_trust) {
            let both = (Arc::clone(own), Arc::clone(trust));
            if let Some(material) = self.fits(both, Asked::Everything, faults) {
                return Some(material);
            }
        }
        if let Some(trust) = new_trust
            && let Some(material) = self.fits((kept.0, trust), Asked::OfOurCa, faults)
        {
            return Some(material);
        }
        self.fits((new_own?, kept.1), Asked::Everything, faults)
    }

    fn fits(
        &self,
        halves: (Arc<Own>, Arc<Trust>),
        asked: Asked,
        faults: &mut Vec<Fault>,
    ) -> Option<Material> {
        match Material::of(halves, asked, &self.config, &self.clock) {
            Ok(material) if material.name == self.name => Some(material),
            Ok(_) => {
                let problem = format!("is not {}'s: a service changes its name by a restart", self.name);
                faults.push(own::at(&self.config).fault(&problem));
                None
            }
            Err(wrong) => {
                let new = wrong.into_iter().filter(|fault| !faults.contains(fault));
                let new: Vec<Fault> = new.collect();
                faults.extend(new);
                None
            }
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
