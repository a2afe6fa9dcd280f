//! Why the service could not start.

use hubkeep_core::{database, grpc, id::InvalidName, random::RandomError};
use thiserror::Error;

use crate::{alerts, credentials, notify, quota};

/// The service could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The key-encryption keys cannot be used.
    #[error(transparent)]
    Kek(#[from] hubkeep_seal::KeksError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Database(#[from] database::Error),
    /// The audit log cannot be opened; without it nothing starts.
    #[error("the audit log cannot be opened")]
    AuditLog(#[from] hubkeep_audit_log::Error),
    /// The address of credential-service is none.
    #[error("credential-service cannot be addressed")]
    Credentials(#[from] credentials::Error),
    /// The shares of portals' limits cannot be had.
    #[error("the shares of portals' limits cannot be had")]
    Quota(#[from] quota::ShareError),
    /// The account of alerts cannot be used.
    #[error("the account of alerts cannot be used")]
    Alerts(#[from] alerts::Error),
    /// Who is told of alerts cannot be told.
    #[error(transparent)]
    Notify(#[from] notify::StartError),
    /// The door to HubSpot cannot be opened.
    #[error("the client of HubSpot cannot be built")]
    HubSpot(#[from] hubkeep_hubspot::StartError),
    /// Our secret at a provider that people sign in with cannot be used.
    #[error("people cannot be led to the provider that they sign in with")]
    SignIn(#[from] hubkeep_seal::remote::RemoteError),
    /// A name of this service's own breaks the rule of names.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The server cannot listen.
    #[error(transparent)]
    Server(#[from] grpc::StartError),
}
