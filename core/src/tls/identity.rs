//! A service's own certificate and the CA it trusts: read and checked as a whole, before anything listens.

use std::{fmt, sync::Arc};

use rustls::{
    ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::UnixTime,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    time_provider::TimeProvider,
    version,
};
use tonic::transport::ClientTlsConfig;

use super::{
    Config,
    client::{client, fitting, note},
    files::{Authorities, Chain, Named},
};
use crate::{
    clock::{SharedClock, Timestamp},
    config::{Fault, InvalidConfig},
    id::CallerName,
};

/// Who a service is, and how it knows others. Cheap to clone; shows no key.
#[derive(Clone)]
pub struct Identity {
    name: CallerName,
    host: Arc<str>,
    trust_domain: Arc<str>,
    server: Arc<ServerConfig>,
    client: ClientTlsConfig,
    not_after: Timestamp,
}

impl Identity {
    /// Reads the files and checks them: each by itself, the key against the certificate, the certificate against the
    /// CA and the clock, and that it names a caller and a host.
    ///
    /// # Errors
    /// With everything that is wrong, at once.
    pub fn load(config: &Config, clock: &SharedClock) -> Result<Self, InvalidConfig> {
        let certificate = named("tls.certificate_file", &config.certificate_file);
        let key_file = named("tls.key_file", &config.key_file);
        let (now, mut faults) = (clock.now(), Vec::new());
        let chain = note(certificate.chain(now), &mut faults);
        let key = note(key_file.private_key(), &mut faults);
        let ca = note(named("tls.ca_file", &config.ca_file).authorities(), &mut faults);
        let fitting = match (&chain, &key) {
            (Some(chain), Some(key)) => note(fitting(key_file, chain, key), &mut faults),
            _ => None,
        };
        let name = chain
            .as_ref()
            .and_then(|chain| note(own_name(certificate, chain, &config.trust_domain), &mut faults));
        let callers = match (&chain, &ca) {
            (Some(chain), Some(ca)) => note(verified(certificate, chain, ca, now), &mut faults),
            _ => None,
        };
        let (Some(chain), Some(key), Some(ca)) = (chain, key, ca) else {
            return Err(InvalidConfig(faults));
        };
        let (Some(fitting), Some(name), Some(callers)) = (fitting, name, callers) else {
            return Err(InvalidConfig(faults));
        };
        Ok(Self {
            name,
            host: chain
                .leaf
                .host()
                .map_or_else(Arc::default, |host| host.to_str().into()),
            trust_domain: config.trust_domain.as_str().into(),
            server: Arc::new(server(callers, fitting, clock).map_err(|error| {
                InvalidConfig(vec![Fault::new("tls", format!("TLS cannot be set up: {error}"))])
            })?),
            client: client(&chain.pem, &key.pem, &ca.pem),
            not_after: chain.leaf.not_after(),
        })
    }

    /// The name by which others know this service.
    pub const fn name(&self) -> &CallerName {
        &self.name
    }

    /// A host that its certificate is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// When its certificate ends.
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// How it calls others: with its certificate, and only whom its CA has signed and whose certificate has the host
    /// that is called.
    pub fn client(&self) -> ClientTlsConfig {
        self.client.clone()
    }

    pub(crate) fn trust_domain(&self) -> &Arc<str> {
        &self.trust_domain
    }

    pub(super) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn named<'a>(key: &'a str, path: &'a std::path::Path) -> Named<'a> {
    Named { key, path }
}

fn own_name(at: Named<'_>, chain: &Chain, trust_domain: &str) -> Result<CallerName, Fault> {
    chain
        .leaf
        .caller(trust_domain)
        .map_err(|error| at.fault(&format!("names no service: {error}")))
}

/// How callers are verified; held first against the service's own certificate, which is also that of a caller.
fn verified(
    at: Named<'_>,
    chain: &Chain,
    ca: &Authorities,
    now: Timestamp,
) -> Result<Arc<dyn ClientCertVerifier>, Fault> {
    let (roots, provider) = (Arc::new(ca.roots.clone()), provider());
    let unusable = |error: &dyn fmt::Display| at.fault(&format!("cannot be checked: {error}"));
    let callers = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
        .build()
        .map_err(|error| unusable(&error))?;
    let Some((leaf, between)) = chain.der.split_first() else {
        return Err(at.fault("holds no certificate"));
    };
    let at_time = UnixTime::since_unix_epoch(now.since(Timestamp::from_micros(0)));
    callers
        .verify_client_cert(leaf, between, at_time)
        .map_err(|error| {
            at.fault(&format!(
                "cannot call others with it: {}",
                super::why_refused(&error)
            ))
        })?;
    let host = chain.leaf.host();
    let host =
        host.ok_or_else(|| at.fault("is for no host: `hubkeep certs issue NAME --host HOST` makes one"))?;
    let servers = WebPkiServerVerifier::builder_with_provider(roots, provider)
        .build()
        .map_err(|error| unusable(&error))?;
    servers
        .verify_server_cert(leaf, between, &host, &[], at_time)
        .map_err(|error| at.fault(&format!("cannot serve with it: {}", super::why_refused(&error))))?;
    Ok(callers)
}

/// The server's side: TLS 1.3, a certificate of every caller, HTTP/2. No session is resumed: a resumed one would not
/// have its certificate looked at again.
fn server(
    callers: Arc<dyn ClientCertVerifier>,
    own: CertifiedKey,
    clock: &SharedClock,
) -> Result<ServerConfig, rustls::Error> {
    let time = Arc::new(OurTime(Arc::clone(clock)));
    let mut config = ServerConfig::builder_with_details(provider(), time)
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(callers)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The clock that everything else goes by.
#[derive(Debug)]
struct OurTime(SharedClock);

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(
            self.0.now().since(Timestamp::from_micros(0)),
        ))
    }
}
