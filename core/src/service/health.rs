//! `health`: asks a running service whether it serves, as a container engine does every few seconds. It needs no tool
//! beside the service's own binary and configuration.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use thiserror::Error as ThisError;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    clock::SharedClock,
    config::InvalidConfig,
    tls::{self, Identity, failed_handshake, refused_connection},
};

/// An answer that takes longer is none.
const BOUND: Duration = Duration::from_secs(3);

/// The service does not serve.
#[derive(Debug, ThisError)]
pub(super) enum Error {
    /// Its certificate cannot be used.
    #[error(transparent)]
    Certificates(#[from] InvalidConfig),
    /// It takes TLS, and this configuration has no certificates.
    #[error(
        "{0} takes TLS only: ask with the configuration that the service runs with, which names its certificates under \
         [tls]"
    )]
    TlsOnly(SocketAddr),
    /// No connection came through its handshake.
    #[error("{0} and this command do not agree on a connection: {1}")]
    Handshake(SocketAddr, String),
    /// Nobody answers there.
    #[error("{0} cannot be reached")]
    Unreachable(SocketAddr, #[source] tonic::transport::Error),
    /// It answered with an error.
    #[error("{0} refused to tell: {1}")]
    Refused(SocketAddr, String),
    /// It runs, but takes no calls: it stops.
    #[error("{0} answers that it does not serve")]
    NotServing(SocketAddr),
    /// It hangs.
    #[error("{0} did not answer within {BOUND:?}")]
    Late(SocketAddr),
}

/// Asks the service that listens here, on this machine, whether it serves; with its own certificate, where it has one.
pub(super) async fn ask(
    listen: SocketAddr,
    files: Option<&tls::Config>,
    clock: &SharedClock,
) -> Result<(), Error> {
    let identity = files.map(|files| Identity::load(files, clock)).transpose()?;
    let address = from_here(listen);
    let asked = clock.timeout(BOUND, serving(address, identity)).await;
    asked.unwrap_or(Err(Error::Late(address)))
}

async fn serving(address: SocketAddr, identity: Option<Identity>) -> Result<(), Error> {
    let without = identity.is_none();
    let channel = connected(address, identity)
        .await
        .map_err(|error| match failed_handshake(&error) {
            Some(why) => Error::Handshake(address, why),
            None => Error::Unreachable(address, error),
        })?;
    let answer = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await
        .map_err(|status| match refused_connection(&status) {
            Some(_) if without => Error::TlsOnly(address),
            Some(why) => Error::Handshake(address, why),
            None => Error::Refused(address, status.message().to_owned()),
        })?;
    match answer.into_inner().status() {
        ServingStatus::Serving => Ok(()),
        _ => Err(Error::NotServing(address)),
    }
}

async fn connected(
    address: SocketAddr,
    identity: Option<Identity>,
) -> Result<Channel, tonic::transport::Error> {
    let Some(identity) = identity else {
        return Endpoint::from_shared(format!("http://{address}"))?
            .connect()
            .await;
    };
    // By the name that others know it by: its certificate need not be for loopback.
    let endpoint = Endpoint::from_shared(format!("https://{address}"))?;
    let dialer = identity.dialer();
    dialer.connected_to(identity.host(), endpoint.uri()).await
}

/// A service that listens on every address is asked on loopback.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
