//! Certificates: who a service is, who its callers are, and how both are proven.
//!
//! | module | holds |
//! |---|---|
//! | [`Config`] | which files |
//! | `files` | PEM files read, and what is wrong with them |
//! | `certificate` | a certificate read: names, hosts, validity |
//! | [`Identity`] | a service's own certificate and the CA it trusts, checked at start |
//! | [`ClientFiles`] | the same for somebody who only calls |
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
mod refused;
mod stranger;
mod stream;

pub(crate) use acceptor::incoming;
pub use certificate::{Certificate, UnusableName};
pub use client::ClientFiles;
pub use config::{Config, DEFAULT_TRUST_DOMAIN};
pub use dial::Dialer;
pub use identity::Identity;
pub use refused::{failed_handshake, plainly, refused_connection, why_refused};
pub use stream::Peer;
