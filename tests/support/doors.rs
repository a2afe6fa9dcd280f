//! How callers reach a service: over one connection on which each says who it is, or each over its own with its own
//! certificate.

use std::{net::SocketAddr, sync::Arc};

use tonic::{
    Request,
    transport::{Channel, Endpoint},
};

use super::{certificates::Certificates, handles::named};

/// A service as callers reach it.
#[derive(Clone, Debug)]
pub struct Door {
    address: SocketAddr,
    plain: Channel,
    certificates: Option<Arc<Certificates>>,
}

impl Door {
    /// The door of the service at this address.
    pub fn to(address: SocketAddr, certificates: Option<Arc<Certificates>>) -> Self {
        let plain = Endpoint::from_shared(format!("http://{address}")).expect("valid");
        Self {
            address,
            plain: plain.connect_lazy(),
            certificates,
        }
    }

    /// A connection without a certificate.
    pub fn plain(&self) -> Channel {
        self.plain.clone()
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether callers have certificates.
    pub const fn is_certified(&self) -> bool {
        self.certificates.is_some()
    }

    /// The connection of this caller.
    pub fn of(&self, caller: &str) -> Channel {
        match &self.certificates {
            None => self.plain(),
            Some(certificates) => certificates.of(caller).connect(self.address),
        }
    }

    /// A request of this caller's: it says who it is, unless its certificate does.
    pub fn request<T>(&self, caller: &str, message: T) -> Request<T> {
        match &self.certificates {
            None => named(caller, message),
            Some(_) => Request::new(message),
        }
    }
}
