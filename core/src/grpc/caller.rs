//! Who asks, and how that is known.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{Extensions, HeaderMap};

use super::Error;
use crate::{
    clock::Timestamp,
    id::CallerName,
    tls::{Identity, Peer},
};

/// In development, where callers have no certificates, the metadata by which a caller names itself.
pub const CALLER_HEADER: &str = "hubkeep-caller";

/// SHA-256 of a caller's certificate.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Thumbprint(Arc<[u8]>);

impl Thumbprint {
    /// The hash's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A thumbprint as it came over the wire; `None` for no bytes.
    pub fn from_wire(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self(bytes.into()))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thumbprint(…)")
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Its name.
    pub name: CallerName,
    /// Its certificate; `None` only in development, on loopback.
    pub thumbprint: Option<Thumbprint>,
}

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub enum CallerSource {
    /// They do not: each says who it is in [`CALLER_HEADER`], and is `default` if it says nothing. For
    /// development on loopback only; [`Chassis::start`](super::Chassis::start) refuses any other address.
    Stated {
        /// Who a silent caller is.
        default: CallerName,
    },
    /// By a certificate, without which there is no connection. The service shows its own.
    Certified(Identity),
}

impl CallerSource {
    /// Development: a silent caller is the operator "operator/dev".
    ///
    /// # Errors
    /// Never in practice: the name is a valid one.
    pub fn development() -> Result<Self, Error> {
        let default = "operator/dev".parse().map_err(|_| unknown(RULE))?;
        Ok(Self::Stated { default })
    }

    /// The service's own certificate, where there are certificates.
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Stated { .. } => None,
            Self::Certified(identity) => Some(identity),
        }
    }

    pub(super) fn identify(
        &self,
        headers: &HeaderMap,
        connection: &Extensions,
        now: Timestamp,
    ) -> Result<Caller, Error> {
        match self {
            Self::Stated { default } => stated(headers, default),
            Self::Certified(identity) => {
                let peer = connection.get::<Arc<Peer>>();
                let peer = peer.ok_or(Error::LayersMissing)?;
                let caller = certified(headers, peer, now)?;
                peer.kept_out(identity, now).map_or(Ok(caller), |why| {
                    Err(unknown(format!("your connection is not trusted any more: {why}")))
                })
            }
        }
    }
}

fn stated(headers: &HeaderMap, default: &CallerName) -> Result<Caller, Error> {
    let name = match headers.get(CALLER_HEADER) {
        None => default.clone(),
        Some(stated) => {
            let text = stated.to_str().map_err(|_| unknown(RULE))?;
            text.parse().map_err(|_| unknown(RULE))?
        }
    };
    Ok(Caller {
        name,
        thumbprint: None,
    })
}

fn certified(headers: &HeaderMap, peer: &Peer, now: Timestamp) -> Result<Caller, Error> {
    // Whoever believes that it counts what they say there must learn that it does not.
    if headers.contains_key(CALLER_HEADER) {
        return Err(unknown(
            "your certificate says who you are: leave out the metadata \"hubkeep-caller\"",
        ));
    }
    // A connection may outlive the certificate that opened it.
    if now >= peer.not_after {
        return Err(unknown("your certificate has expired: connect with a new one"));
    }
    let name = peer.name.clone().map_err(|error| unknown(error.to_string()))?;
    let thumbprint = Some(Thumbprint(Arc::clone(&peer.thumbprint)));
    Ok(Caller { name, thumbprint })
}

fn unknown(why: impl Into<Cow<'static, str>>) -> Error {
    Error::CallerUnknown(why.into())
}

const RULE: &str = "a caller's name is 1 to 128 of a-z, A-Z, 0-9 and '.', '_', '-', '/', '@'";
