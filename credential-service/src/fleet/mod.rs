//! What touches many rooms at once: a portal suspended, resumed, contained, or erased in both services.
//!
//! | file | does |
//! |---|---|
//! | `suspend` | suspends and resumes |
//! | `contain` | contains and lifts, ends all handles of somebody, and says how far that has come |
//! | `describe` | says what is known of a portal's client |
//! | `erase` | destroys a portal's keys, tells crm-service, and waits until it has done the same |
//! | `certificate` | says in words, and signed, that nothing is left |
//! | `signer`, `note` | the service's own key, and the form in which it signs |
//! | `doctor` | looks at every portal with HubSpot, and says what is not as it should be |
//! | `watch` | looks each minute whether the vault is older than the log knows it |
//! | `store` | the tables `portal_erasure`, `portal_containment` and `signing_key` |

mod certificate;
mod contain;
mod describe;
pub mod doctor;
mod erase;
mod error;
mod note;
mod signer;
mod store;
mod suspend;
mod watch;

use std::sync::Arc;

use hubkeep_audit_log::AuditLog;
use hubkeep_core::{clock::SharedClock, database::Database, random::SharedRandom};
use hubkeep_seal::Keyring;
use tokio::sync::watch as channel;

pub use certificate::Tombstone;
pub use contain::{Containment, Ended, Target};
pub use erase::Erased;
pub use error::Error;

use crate::{
    access::Access, handles::Handles, holders::Holders, portals::Portals, revocations::Revocations,
    rotation::Rotations,
};
use signer::Signer;

/// What the fleet is looked after with.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The deployment's name, which stands in certificates.
    pub deployment: String,
    /// Where the tables are.
    pub database: Database,
    /// The keys of portals, and of the service.
    pub keyring: Keyring,
    /// The portals.
    pub portals: Portals,
    /// Their handles.
    pub handles: Handles,
    /// Whose names are whose.
    pub access: Access,
    /// Callers and people.
    pub holders: Holders,
    /// The rotations of their tokens.
    pub rotations: Rotations,
    /// Where it is announced.
    pub revocations: Revocations,
    /// Where tombstones stand.
    pub log: AuditLog,
    /// The time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
}

/// The whole fleet of portals.
#[derive(Clone, Debug)]
pub struct Fleet {
    database: Database,
    keyring: Keyring,
    portals: Portals,
    handles: Handles,
    access: Access,
    holders: Holders,
    rotations: Rotations,
    revocations: Revocations,
    log: AuditLog,
    clock: SharedClock,
    signer: Signer,
    /// Wakes who waits for crm-service to confirm an erasure.
    confirmed: Arc<channel::Sender<u64>>,
}

impl Fleet {
    /// The fleet in this database. What is older than the log knows it is looked for until the last clone is gone.
    ///
    /// # Errors
    /// If vault and log cannot be compared.
    pub async fn build(deps: Deps) -> Result<Self, Error> {
        let Deps {
            deployment,
            database,
            keyring,
            portals,
            handles,
            access,
            holders,
            rotations,
            revocations,
            log,
            clock,
            random,
        } = deps;
        let signer = Signer::new(
            deployment,
            database.clone(),
            keyring.clone(),
            clock.clone(),
            random,
        );
        let fleet = Self {
            database,
            keyring,
            portals,
            handles,
            access,
            holders,
            rotations,
            revocations,
            log,
            clock,
            signer,
            confirmed: Arc::new(channel::Sender::new(0)),
        };
        fleet.look().await?;
        Ok(fleet)
    }
}
