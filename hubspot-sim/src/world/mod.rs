//! What exists when the simulator starts: accounts, their tokens, owners and records.

mod app;
mod custom;
mod demo;
mod demo_names;
mod load;
mod portal;
mod token;

use serde::{Deserialize, Serialize};

pub use app::{AppSpec, InstallSpec};
pub use custom::{Condition, CustomObjectSpec};
pub use portal::{AccountDetails, Owner, PortalSpec, SeedAssociation, SeedRecord, User};
pub use token::{ALL_SCOPES, TokenKind, TokenSpec};

use crate::limits::Limits;

/// A set of accounts to start with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct World {
    /// The accounts.
    pub portals: Vec<PortalSpec>,
    /// The OAuth apps that accounts can install.
    #[serde(default)]
    pub apps: Vec<AppSpec>,
}

impl World {
    /// No account at all; add them with [`World::with`].
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds an account.
    #[must_use]
    pub fn with(mut self, portal: PortalSpec) -> Self {
        self.portals.push(portal);
        self
    }

    /// Adds an OAuth app.
    #[must_use]
    pub fn app(mut self, app: AppSpec) -> Self {
        self.apps.push(app);
        self
    }

    /// The same limits for every account.
    #[must_use]
    pub fn limits(mut self, limits: &Limits) -> Self {
        for portal in &mut self.portals {
            portal.limits = limits.clone();
        }
        self
    }

    /// Five clients of an agency (acme, globex, initech, umbra, wayne) with twenty contacts, companies, deals, tickets and
    /// notes each, which are associated with one another. Their tokens have every scope; the token of umbra is revoked.
    pub fn demo() -> Self {
        demo::world()
    }

    /// `n` accounts `client-0001`, `client-0002`, … with a few contacts each, for load tests.
    pub fn of_portals(n: u32) -> Self {
        load::world(n)
    }

    /// The account of this name.
    pub fn portal(&self, slug: &str) -> Option<&PortalSpec> {
        self.portals.iter().find(|portal| portal.slug == slug)
    }

    /// The account of this name, to change it before the start.
    pub fn portal_mut(&mut self, slug: &str) -> Option<&mut PortalSpec> {
        self.portals.iter_mut().find(|portal| portal.slug == slug)
    }
}
