//! A certificate and the CAs beside it, checked against each other and ready for both sides of TLS.

use std::{fmt::Display, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, Error, ServerConfig,
    client::{Resumption, danger::ServerCertVerifier},
    pki_types::{CertificateDer, UnixTime},
    server::{NoServerSessionStorage, danger::ClientCertVerifier},
    sign::SingleCertAndKey,
    time_provider::TimeProvider,
    version,
};

use super::{
    Config,
    own::{self, Own},
    trust::{Trust, provider},
    why_refused,
};
use crate::{
    clock::{SharedClock, Timestamp},
    config::Fault,
    id::CallerName,
};

/// What a service goes by until its files hold something else.
pub(super) struct Material {
    pub(super) own: Arc<Own>,
    pub(super) trust: Arc<Trust>,
    pub(super) name: CallerName,
    pub(super) host: Arc<str>,
    pub(super) server: Arc<ServerConfig>,
    /// The same for browsers: HTTP/1.1.
    pub(super) pages: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
    callers: Arc<dyn ClientCertVerifier>,
}

/// What is asked of a certificate before it is gone by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// That others accept it.
    Everything,
    /// That our CAs signed it. It is shown already, and what they revoked meanwhile counts whether or not it is among
    /// that.
    OfOurCa,
}

impl Material {
    /// The two halves together, if they fit.
    ///
    /// # Errors
    /// With everything that is wrong with them.
    pub(super) fn of(
        (own, trust): (Arc<Own>, Arc<Trust>),
        asked: Asked,
        config: &Config,
        clock: &SharedClock,
    ) -> Result<Self, Vec<Fault>> {
        let at = own::at(config);
        let named = own.name(config);
        let built = trust
            .callers()
            .and_then(|callers| Ok((callers, trust.servers()?)));
        let unusable = |error: &dyn Display| at.fault(&format!("cannot be checked: {error}"));
        let verified = built
            .map_err(|error| unusable(&error))
            .and_then(|(callers, servers)| {
                let host = accepted(&own, (&*callers, &*servers), asked, config, clock.now())?;
                Ok((callers, servers, host))
            });
        let (name, (callers, servers, host)) = match (named, verified) {
            (Ok(name), Ok(verified)) => (name, verified),
            (named, verified) => return Err(named.err().into_iter().chain(verified.err()).collect()),
        };
        let tls = |error: Error| vec![Fault::new("tls", format!("TLS cannot be set up: {error}"))];
        let server = server(Arc::clone(&callers), &own, clock).map_err(tls)?;
        let mut pages = server.clone();
        pages.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            server: Arc::new(server),
            pages: Arc::new(pages),
            client: Arc::new(client(servers, &own, clock).map_err(tls)?),
            own,
            trust,
            name,
            host,
            callers,
        })
    }

    /// Whether this is a caller's certificate that would be let in now.
    pub(super) fn lets_in(&self, chain: &[CertificateDer<'static>], now: Timestamp) -> Result<(), Error> {
        let (leaf, between) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.callers
            .verify_client_cert(leaf, between, unix(now))
            .map(drop)
    }
}

/// Holds the service's own certificate against what it holds others against; gives a host that it is for.
fn accepted(
    own: &Own,
    (callers, servers): (&dyn ClientCertVerifier, &dyn ServerCertVerifier),
    asked: Asked,
    config: &Config,
    now: Timestamp,
) -> Result<Arc<str>, Fault> {
    let at = own::at(config);
    let Some((leaf, between)) = own.chain.der.split_first() else {
        return Err(at.fault("holds no certificate"));
    };
    let refused =
        |doing: &str, error: &Error| at.fault(&format!("cannot {doing} with it: {}", why_refused(error)));
    let tolerable = |error: &Error| asked == Asked::OfOurCa && is_of_our_ca(error);
    match callers.verify_client_cert(leaf, between, unix(now)) {
        Err(error) if !tolerable(&error) => return Err(refused("call others", &error)),
        _ => {}
    }
    let host = own.chain.leaf.host();
    let host =
        host.ok_or_else(|| at.fault("is for no host: `hubkeep certs issue NAME --host HOST` makes one"))?;
    match servers.verify_server_cert(leaf, between, &host, &[], unix(now)) {
        Err(error) if !tolerable(&error) => Err(refused("serve", &error)),
        _ => Ok(host.to_str().into()),
    }
}

/// Whether a certificate was found to be revoked or too old, for which its CA and that CA's list were in order.
const fn is_of_our_ca(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(
            CertificateError::Revoked | CertificateError::Expired | CertificateError::ExpiredContext { .. }
        )
    )
}

/// The server's side: TLS 1.3, a certificate of every caller, HTTP/2. No session is resumed: a resumed one would not
/// have its certificate looked at again.
fn server(
    callers: Arc<dyn ClientCertVerifier>,
    own: &Own,
    clock: &SharedClock,
) -> Result<ServerConfig, Error> {
    let mut config = ServerConfig::builder_with_details(provider(), OurTime::by(clock))
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(callers)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(own.fitting.clone())));
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// The client's side: the same, and only whom our CAs signed and whose certificate has the host that is called.
fn client(
    servers: Arc<dyn ServerCertVerifier>,
    own: &Own,
    clock: &SharedClock,
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_details(provider(), OurTime::by(clock))
        .with_protocol_versions(&[&version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(servers)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own.fitting.clone())));
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn unix(time: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(time.since(Timestamp::from_micros(0)))
}

/// The clock that everything else goes by.
#[derive(Debug)]
struct OurTime(SharedClock);

impl OurTime {
    fn by(clock: &SharedClock) -> Arc<dyn TimeProvider> {
        Arc::new(Self(Arc::clone(clock)))
    }
}

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.now()))
    }
}
