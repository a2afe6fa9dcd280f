//! A service's connection to another, which is opened anew when the service's certificates change.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use http::Uri;
use tonic::transport::{Channel, Endpoint};

use super::{Identity, material::Material};

/// A connection to one address with a service's certificate as it is. Clones share it.
#[derive(Clone)]
pub struct Line {
    identity: Identity,
    address: Uri,
    with: Arc<dyn Fn(Endpoint) -> Endpoint + Send + Sync>,
    open: Arc<Mutex<(Weak<Material>, Channel)>>,
}

impl Line {
    /// A line to this `https://` address, which opens with the first call. `with` adds what else holds for it.
    ///
    /// # Errors
    /// If the address has no host.
    pub fn to(
        address: Uri,
        identity: &Identity,
        with: impl Fn(Endpoint) -> Endpoint + Send + Sync + 'static,
    ) -> Result<Self, http::Error> {
        let channel = identity.dialer().channel(&address, &with)?;
        Ok(Self {
            open: Arc::new(Mutex::new((Arc::downgrade(&identity.current()), channel))),
            identity: identity.clone(),
            address,
            with: Arc::new(with),
        })
    }

    /// The channel to call by now. One that was opened with another certificate, or by other CAs and lists, ends with
    /// the calls that are under way on it.
    pub fn channel(&self) -> Channel {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let current = Arc::downgrade(&self.identity.current());
        if !open.0.ptr_eq(&current) {
            // The address made a channel before.
            if let Ok(channel) = self.identity.dialer().channel(&self.address, &*self.with) {
                *open = (current, channel);
            }
        }
        open.1.clone()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
