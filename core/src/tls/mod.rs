//! Certificates: who a service is, who its callers are, and how both are proven.
//!
//! | module | holds |
//! |---|---|
//! | [`Config`] | which files |
//! | `files` | PEM files read, and what is wrong with them |
//! | `certificate` | a certificate read: names, hosts, validity |
//! | `own`, `trust` | a service's certificate with its key; CAs with their lists of what is revoked |
//! | `material` | both checked against each other, ready for TLS |
//! | [`Identity`] | what of that a service goes by, from its start on |
//! | `renewal` | the files looked at again while it runs |
//! | [`Line`] | a service's connection to another, with the certificate of the hour |
//! | [`ClientFiles`] | the same for somebody who only calls |
//! | [`RevocationList`] | a CA's list, read to be continued |
//! | [`Dialer`] | connections of somebody who only calls |
//! | `acceptor`, `crowd`, `stranger`, `stream`, `complaints` | handshakes, none of which can stop another |
//! | [`why_refused`], [`failed_handshake`], [`refused_connection`], [`plainly`] | what a handshake failed of, in a sentence |
//!
//! A caller's name is the only URI name of its certificate, `spiffe://<trust domain>/<name>`, or where there is no URI
//! name, its only DNS name.

mod acceptor;
mod certificate;
mod client;
mod complaints;
mod config;
mod crowd;
mod dial;
mod files;
mod identity;
mod line;
mod material;
mod own;
mod refused;
mod renewal;
mod revocations;
mod stranger;
mod stream;
mod trust;

pub(crate) use acceptor::{Expected, incoming};
pub use certificate::{Certificate, UnusableName};
pub use client::ClientFiles;
pub use config::{Config, DEFAULT_TRUST_DOMAIN};
pub use dial::Dialer;
pub use identity::Identity;
pub use line::Line;
pub use refused::{failed_handshake, plainly, refused_connection, why_refused};
pub(crate) use renewal::follow;
pub use revocations::{RevocationList, Revoked};
pub use stream::Peer;
pub(crate) use stream::Secured;
