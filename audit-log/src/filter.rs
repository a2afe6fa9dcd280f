//! Which events a reader asks for.

use hubkeep_core::id::{CallId, CallerName, ClientSlug, PortalId};

use crate::{Operation, Phase};

/// Which events a reader asks for. What is unset or empty excludes nothing; what is set must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only the log of this portal. Events of the service's own log are then never given.
    pub portal_id: Option<PortalId>,
    /// Only events that carry this slug.
    pub client_slug: Option<ClientSlug>,
    /// Only what this caller asked for.
    pub caller: Option<CallerName>,
    /// Any of these phases.
    pub phases: Vec<Phase>,
    /// Any of these operations.
    pub operations: Vec<Operation>,
    /// Only the entries of this call.
    pub call_id: Option<CallId>,
}

impl Filter {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }
}
