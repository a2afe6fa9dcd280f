//! A running simulator.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use crate::control::Control;
use crate::server::Server;
use crate::state::State;
use crate::tls::Identity;
use crate::world::World;

/// A running simulator. Dropping it stops the server at once.
///
/// Everything that [`Control`] can do can be called on it directly.
#[derive(Debug)]
pub struct Simulator {
    control: Control,
    server: Server,
}

impl Simulator {
    /// Serves this world on 127.0.0.1, on a free port.
    ///
    /// # Errors
    /// If the port cannot be bound, or if the world contradicts itself (two accounts of one number, a token twice).
    pub fn start(world: World) -> io::Result<Self> {
        Self::start_on(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    /// Serves this world on a loopback address.
    ///
    /// # Errors
    /// As [`Simulator::start`], and if the address is not a loopback address.
    pub fn start_on(world: World, addr: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(State::of(world)?);
        let server = Server::start(Arc::clone(&state), addr, None)?;
        Ok(Self {
            control: Control::of(state),
            server,
        })
    }

    /// Serves this world over TLS, on any address.
    ///
    /// # Errors
    /// As [`Simulator::start`].
    pub fn start_tls(world: World, addr: SocketAddr, identity: &Identity) -> io::Result<Self> {
        let state = Arc::new(State::of(world)?);
        let server = Server::start(Arc::clone(&state), addr, Some(identity.acceptor().clone()))?;
        Ok(Self {
            control: Control::of(state),
            server,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// `http://127.0.0.1:<port>`, or `https://…` where it serves over TLS, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.server.scheme(), self.addr())
    }

    /// A handle that outlives borrows of the simulator.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Takes no more connections, finishes what is under way (one second at most), and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for Simulator {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}
