//! Why the service could not be started.

use hubkeep_core::{database, grpc, id::InvalidName};
use hubkeep_hubspot::AppError;
use hubkeep_seal::KeksError;
use thiserror::Error;

use crate::{fleet, handles, holders::MirrorError, portals, secret_store, sessions, store_version};

/// The service could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The key-encryption keys cannot be used.
    #[error(transparent)]
    Kek(#[from] KeksError),
    /// The vault's database cannot be used.
    #[error("the vault's database cannot be used")]
    Database(#[from] database::Error),
    /// A secret store cannot be used.
    #[error(transparent)]
    Secrets(#[from] secret_store::BuildError),
    /// The audit log cannot be used; without it nothing may be done.
    #[error("the audit log cannot be used")]
    AuditLog(#[from] hubkeep_audit_log::Error),
    /// The door to HubSpot cannot be built.
    #[error("HubSpot's client cannot be built")]
    HubSpot(#[from] hubkeep_hubspot::StartError),
    /// The OAuth app cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// Consumers could not be told of rotations.
    #[error(transparent)]
    Webhook(#[from] hubkeep_webhook::StartError),
    /// The name of this service is none.
    #[error("the service's own name is not one that can stand in entries: {0}")]
    Name(#[from] InvalidName),
    /// The room of handles cannot be built.
    #[error("the handles cannot be opened")]
    Handles(#[from] handles::Error),
    /// The room of sessions cannot be built.
    #[error(transparent)]
    Sessions(#[from] sessions::BuildError),
    /// The vault's own version cannot be read.
    #[error("the store version cannot be read")]
    StoreVersion(#[from] store_version::Error),
    /// The room of portals cannot be built.
    #[error("the portals cannot be opened")]
    Portals(#[from] portals::Error),
    /// Who is contained cannot be read.
    #[error("who is contained cannot be read")]
    Contained(#[from] MirrorError),
    /// Vault and log cannot be compared.
    #[error("the vault cannot be compared with the log")]
    Fleet(#[from] fleet::Error),
    /// The server cannot be started.
    #[error(transparent)]
    Server(#[from] grpc::StartError),
}
