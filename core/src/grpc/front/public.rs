//! The way in for people, whose programs have no certificate: what they ask carries the proof of who they are in itself, and whoever
//! answers looks at that. The limits of the server, containments and the stop hold for them as for everybody.
//!
//! It is plain HTTP: on loopback, or behind a proxy that ends TLS.

use std::net::{IpAddr, SocketAddr};

use axum::{Router, extract::connect_info::Connected, serve::IncomingStream};
use http::request::Parts;
use tokio::net::TcpListener;

use super::{Entered, Front, Listening, Plain};
use crate::grpc::{Caller, Context, Error, StartError, layers};

/// From where people come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This machine.
    Loopback,
    /// A proxy that ends TLS, and that alone reaches the address.
    Proxy,
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

impl Connected<IncomingStream<'_, Plain>> for PeerAddress {
    fn connect_info(stream: IncomingStream<'_, Plain>) -> Self {
        Self(stream.remote_addr().ip())
    }
}

impl Front {
    /// Lets a request in for this caller, which was found out by what the request carries. It has its place until the context is
    /// dropped.
    ///
    /// # Errors
    /// If the server is full or stops, or the caller is contained.
    pub async fn admit_as(&self, parts: &Parts, entered: &Entered, caller: Caller) -> Result<Context, Error> {
        layers::learned_as(parts, &self.tools, &entered.asked, caller).await
    }

    /// Takes the address at which people come in, so that pages can be made that know it. Nobody is answered yet.
    ///
    /// # Errors
    /// If the address is not to be had, or is not loopback where only that is reached.
    pub async fn door_for_people(&self, address: SocketAddr, reach: Reach) -> Result<Door, StartError> {
        if reach == Reach::Loopback && !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        Ok(Door {
            front: self.clone(),
            listener: Plain(listener),
            address,
        })
    }
}

/// An address at which people come in, as soon as something is served there.
pub struct Door {
    front: Front,
    listener: Plain,
    address: SocketAddr,
}

impl Door {
    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves these pages. Whose address a request comes from is in its extensions, as `ConnectInfo<PeerAddress>`.
    pub fn serve(self, pages: Router) -> Listening {
        let Self {
            front,
            listener,
            address,
        } = self;
        let stop = front.tools.stopping.clone();
        let pages = pages.into_make_service_with_connect_info::<PeerAddress>();
        let task = tokio::spawn(async move {
            axum::serve(listener, pages)
                .with_graceful_shutdown(stop.cancelled_owned())
                .await
        });
        let clock = front.tools.clock.clone();
        Listening { address, task, clock }
    }
}
