//! A little HubSpot on loopback that keeps a journal of what it received.
//!
//! [`Simulator::start`] serves a [`World`] of accounts over HTTP as HubSpot would: tokens and scopes, records of HubSpot's
//! types and of an account's own, their associations, properties, pipelines and history, owners, rate limits, error bodies.
//! [`Control`] is the hand on it while it runs: it revokes tokens, uninstalls apps, changes records as people do, makes
//! things go wrong ([`Fault`]), and reads the journal ([`JournalEntry`]).
//!
//! ```no_run
//! use hubspot_sim::{Fault, FaultRule, Simulator, World};
//!
//! # fn main() -> std::io::Result<()> {
//! let hubspot = Simulator::start(World::demo())?;
//! hubspot.inject(FaultRule::new(Fault::Status { status: 503 }).times(2));
//! // … call `hubspot.base_url()` …
//! assert!(hubspot.journal().iter().all(|entry| entry.status.is_some()));
//! # Ok(())
//! # }
//! ```
//!
//! Where to look: `exchange` is the life of a request, with what goes wrong with it in `faults`, `spoil` and `wire`; `api`
//! the endpoints, `objects` the CRM behind them, `limits` the counting, `world` what exists at the start, `control` the
//! hand.

mod accounts;
mod api;
mod clock;
mod control;
mod errors;
mod exchange;
mod faults;
mod journal;
mod limits;
mod lock;
mod oauth;
mod objects;
mod reply;
mod server;
mod simulator;
mod spoil;
mod state;
mod tls;
mod wire;
mod world;

pub use accounts::WorldError;
pub use control::{Control, Expire, PortalSummary, TokenSummary};
pub use faults::{Fault, FaultId, FaultRule};
pub use journal::{JournalEntry, fingerprint};
pub use limits::{Limits, Policy};
pub use objects::kind::ObjectType;
pub use objects::properties::{PropertyDef, PropertyKind, PropertyOption};
pub use simulator::Simulator;
pub use tls::Identity;
pub use world::{
    ALL_SCOPES, AccountDetails, AppSpec, Condition, CustomObjectSpec, InstallSpec, Owner, PortalSpec,
    SeedAssociation, SeedRecord, TokenKind, TokenSpec, User, World,
};
