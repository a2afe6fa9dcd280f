//! The three ways to the same contact: straight to HubSpot, through a bare forwarder, and through Hubkeep. Each caller
//! reads a portal of its own.

mod audited;
mod direct;
mod forwarder;

pub(super) use audited::Audited;
pub(super) use direct::Direct;
pub(super) use forwarder::Forwarder;
use http::HeaderValue;
use hubspot_sim::PortalSpec;

use crate::{Failure, stage::CONTACT};

/// Connections to each gRPC server: callers are several processes.
const CONNECTIONS: usize = 4;
/// The most callers at once.
pub(super) const CALLERS: usize = 64;

/// The URL of a portal's contact in HubSpot, as crm-service asks for it.
fn contact_url(hubspot: &str) -> String {
    format!("{hubspot}/crm/objects/2026-09/contacts/{CONTACT}")
}

/// A portal's token as HubSpot wants it.
fn bearer(portal: &PortalSpec) -> Result<HeaderValue, Failure> {
    let token = portal.first_token().ok_or("a portal has no token")?;
    Ok(HeaderValue::from_str(&format!("Bearer {token}"))?)
}

/// The one of several that is this caller's.
fn of_caller<T>(several: &[T], caller: usize) -> Result<&T, Failure> {
    let place = caller.checked_rem(several.len()).ok_or("nothing to call")?;
    Ok(several.get(place).ok_or("nothing to call")?)
}
