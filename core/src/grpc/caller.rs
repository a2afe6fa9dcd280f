//! Who asks, and how that is known.

use std::{fmt, sync::Arc};

use http::HeaderMap;

use super::Error;
use crate::id::CallerName;

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
}

impl CallerSource {
    /// Development: a silent caller is the operator "operator/dev".
    ///
    /// # Errors
    /// Never in practice: the name is a valid one.
    pub fn development() -> Result<Self, Error> {
        let default = "operator/dev".parse().map_err(|_| Error::CallerUnknown(RULE))?;
        Ok(Self::Stated { default })
    }

    pub(super) fn identify(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let Self::Stated { default } = self;
        let name = match headers.get(CALLER_HEADER) {
            None => default.clone(),
            Some(stated) => {
                let text = stated.to_str().map_err(|_| Error::CallerUnknown(RULE))?;
                text.parse().map_err(|_| Error::CallerUnknown(RULE))?
            }
        };
        Ok(Caller {
            name,
            thumbprint: None,
        })
    }
}

const RULE: &str = "a caller's name is 1 to 128 of a-z, A-Z, 0-9 and '.', '_', '-', '/', '@'";
