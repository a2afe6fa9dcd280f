//! What onboarding, reading or verifying a portal can end with.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{ClientSlug, CredentialName, PortalId},
    random::RandomError,
};
use thiserror::Error;

use super::{Portal, PortalCredential, import::Repeated};
use crate::{access_tokens, revocations, store_version, vault};

/// A portal was not onboarded, found or verified.
#[derive(Debug, Error)]
pub enum Error {
    /// No portal with this slug.
    #[error("there is no portal {0}")]
    Unknown(ClientSlug),
    /// The portal has no credential of this name.
    #[error("portal {client_slug} has no credential {name}")]
    CredentialUnknown {
        /// The portal.
        client_slug: ClientSlug,
        /// The name.
        name: CredentialName,
    },
    /// What was sent cannot be a token. Nothing of it is repeated.
    #[error("what was sent as a token cannot be one")]
    TokenForm,
    /// The slug belongs to another portal.
    #[error("slug {client_slug} belongs to portal {portal_id}")]
    SlugTaken {
        /// The slug.
        client_slug: ClientSlug,
        /// Whose it is.
        portal_id: PortalId,
    },
    /// The portal has another slug.
    #[error("portal {portal_id} is onboarded as {client_slug}")]
    AlreadyOnboarded {
        /// Its slug.
        client_slug: ClientSlug,
        /// The portal.
        portal_id: PortalId,
    },
    /// The portal has another token.
    #[error("portal {portal_id} ({client_slug}) holds another token")]
    TokenDiffers {
        /// Its slug.
        client_slug: ClientSlug,
        /// The portal.
        portal_id: PortalId,
    },
    /// The portal has this token already, under another name.
    #[error("portal {portal_id} ({client_slug}) holds this token as {credential}")]
    TokenHeld {
        /// Its slug.
        client_slug: ClientSlug,
        /// The portal.
        portal_id: PortalId,
        /// The credential that has the token.
        credential: CredentialName,
    },
    /// It is suspended.
    #[error("portal {0} is suspended")]
    Suspended(ClientSlug),
    /// It is contained.
    #[error("portal {0} is contained")]
    Contained(ClientSlug),
    /// It was erased.
    #[error("portal {0} was erased")]
    Erased(ClientSlug),
    /// It was to be onboarded again, or its slug to be used again, after it was erased.
    #[error("portal {portal_id} was erased here as {client_slug}: neither is taken again")]
    NotAgain {
        /// The slug under which it was erased.
        client_slug: ClientSlug,
        /// The portal.
        portal_id: PortalId,
    },
    /// What is sealed of a token, or the key to it, was altered, moved or is gone.
    #[error("portal {client_slug}: the token of credential {name} cannot be opened")]
    TokenUnreadable {
        /// The portal.
        client_slug: ClientSlug,
        /// The credential.
        name: CredentialName,
        /// What was found.
        source: Box<Error>,
    },
    /// No credential that may serve a handle covers what it shall allow.
    #[error("portal {client_slug}: no credential covers that; {name} lacks {}", .missing.join(", "))]
    ScopesNotCovered {
        /// The portal.
        client_slug: ClientSlug,
        /// The credential that lacks least.
        name: CredentialName,
        /// What it lacks.
        missing: Vec<&'static str>,
    },
    /// A backup was restored, and the vault holds a token that was replaced since it was made.
    #[error("portal {client_slug}: the token of credential {name} in the vault was replaced since")]
    TokenReplaced {
        /// The portal.
        client_slug: ClientSlug,
        /// The credential.
        name: CredentialName,
    },
    /// The log knows a newer state of it than the vault holds.
    #[error("portal {0} is older in the vault than the log knows it: a backup was restored")]
    RollbackSuspected(ClientSlug),
    /// Its rows are not what was written. What was asked for: a slug or an id.
    #[error("the rows of portal {0} in the vault were altered, or moved there from elsewhere: it is refused")]
    Altered(String),
    /// The log knows that rows are authenticated, and the key for it is gone.
    #[error(
        "the key that authenticates rows is not the one that the log knows: the vault was altered, or restored from \
             a backup from before there was one"
    )]
    RowKeyMissing,
    /// The store version could not be moved, or the log not told of it.
    #[error(transparent)]
    StoreVersion(#[from] store_version::Error),
    /// Others changed the portal each time that it was tried.
    #[error("portal {0} was changed by others each time")]
    Contended(ClientSlug),
    /// The token is of another portal than expected.
    #[error("the token belongs to portal {actual}, and {expected} was expected")]
    TokenOfAnotherPortal {
        /// What was expected.
        expected: PortalId,
        /// What HubSpot says.
        actual: PortalId,
    },
    /// HubSpot's two answers name two portals.
    #[error("HubSpot names portal {account} for the account and {token} for the token")]
    IdentityUnclear {
        /// The account's answer.
        account: PortalId,
        /// The token's answer.
        token: PortalId,
    },
    /// HubSpot does not know the token, though it let it in.
    #[error("HubSpot has no token like this one")]
    TokenUnknown,
    /// Slug, portal or token stand in an earlier row of the same import.
    #[error("row {row} repeats row {first_row}")]
    RowDuplicate {
        /// This row.
        row: u32,
        /// The earlier one.
        first_row: u32,
        /// What both have.
        what: Repeated,
    },
    /// This service has asked HubSpot often about this token just now.
    #[error("the calls to HubSpot about this token are used up for {wait:?}")]
    BudgetExhausted {
        /// Until there is room again.
        wait: Duration,
    },
    /// HubSpot refused or did not answer.
    #[error("HubSpot could not say whose the token is")]
    HubSpot(#[from] hubkeep_hubspot::Error),
    /// Whoever acts may not.
    #[error(transparent)]
    Revocations(#[from] revocations::Error),
    /// There is no access token.
    #[error(transparent)]
    AccessTokens(#[from] access_tokens::Error),
    /// What is known of its client could not be sealed or opened.
    #[error("what is known of a portal's client could not be sealed or opened")]
    Seal(#[from] hubkeep_seal::Error),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The database failed.
    #[error("the table of portals failed")]
    Storage(#[from] database::Error),
    /// A row of the table cannot be read.
    #[error("the row of portal {0} cannot be read")]
    BrokenRow(i64),
    /// No randomness for an id.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl Error {
    /// The same, said of a credential's token if that is what cannot be opened.
    pub(super) fn of_token(self, portal: &Portal, credential: &PortalCredential) -> Self {
        let is_unreadable = match &self {
            Self::Vault(error) => error.is_unreadable(),
            Self::AccessTokens(error) => error.is_unreadable(),
            _ => false,
        };
        if !is_unreadable {
            return self;
        }
        Self::TokenUnreadable {
            client_slug: portal.client_slug.clone(),
            name: credential.name.clone(),
            source: Box::new(self),
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) | Self::CredentialUnknown { .. } => ErrorKind::NotFound,
            Self::TokenForm => ErrorKind::InvalidArgument,
            Self::Contained(_) => ErrorKind::PermissionDenied,
            Self::SlugTaken { .. }
            | Self::AlreadyOnboarded { .. }
            | Self::TokenDiffers { .. }
            | Self::TokenHeld { .. }
            | Self::RowDuplicate { .. } => ErrorKind::AlreadyExists,
            Self::TokenOfAnotherPortal { .. }
            | Self::IdentityUnclear { .. }
            | Self::TokenUnknown
            | Self::Suspended(_)
            | Self::Erased(_)
            | Self::NotAgain { .. }
            | Self::RollbackSuspected(_)
            | Self::TokenReplaced { .. }
            | Self::ScopesNotCovered { .. }
            | Self::TokenUnreadable { .. }
            | Self::Altered(_) => ErrorKind::FailedPrecondition,
            Self::RowKeyMissing => ErrorKind::Unavailable,
            Self::StoreVersion(error) => error.kind(),
            Self::Revocations(error) => error.kind(),
            Self::BudgetExhausted { .. } => ErrorKind::ResourceExhausted,
            Self::HubSpot(error) => error.kind(),
            Self::AccessTokens(error) => error.kind(),
            Self::Vault(error) => error.kind(),
            Self::Seal(error) => error.kind(),
            Self::Storage(_) | Self::Contended(_) => ErrorKind::Unavailable,
            Self::BrokenRow(_) | Self::Random(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> ErrorReason {
        match self {
            Self::Unknown(_) => ErrorReason::PortalUnknown,
            Self::CredentialUnknown { .. } => ErrorReason::CredentialUnknown,
            Self::TokenForm => ErrorReason::InvalidField,
            Self::SlugTaken { .. } => ErrorReason::ClientSlugTaken,
            Self::AlreadyOnboarded { .. } => ErrorReason::PortalAlreadyOnboarded,
            Self::TokenDiffers { .. } => ErrorReason::TokenDiffers,
            Self::TokenHeld { .. } => ErrorReason::TokenHeld,
            Self::TokenOfAnotherPortal { .. } => ErrorReason::TokenOfAnotherPortal,
            Self::IdentityUnclear { .. } => ErrorReason::TokenIdentityUnclear,
            Self::TokenUnknown => ErrorReason::TokenRefused,
            Self::RowDuplicate { .. } => ErrorReason::ImportRowDuplicate,
            Self::Suspended(_) => ErrorReason::PortalSuspended,
            Self::Contained(_) => ErrorReason::PortalContained,
            Self::Erased(_) | Self::NotAgain { .. } => ErrorReason::PortalErased,
            Self::RollbackSuspected(_) | Self::TokenReplaced { .. } => ErrorReason::PortalRollbackSuspected,
            Self::ScopesNotCovered { .. } => ErrorReason::ScopesNotCovered,
            Self::Altered(_) => ErrorReason::PortalAltered,
            Self::TokenUnreadable { .. } => ErrorReason::TokenUnreadable,
            Self::RowKeyMissing => ErrorReason::KeyUnavailable,
            Self::StoreVersion(error) => error.reason(),
            Self::Revocations(error) => error.reason(),
            Self::BudgetExhausted { .. } => ErrorReason::BudgetExhausted,
            Self::HubSpot(error) => error.reason(),
            Self::AccessTokens(error) => error.reason(),
            Self::Vault(error) => error.reason(),
            Self::Seal(error) => error.reason(),
            Self::Storage(_) | Self::Contended(_) => ErrorReason::StorageUnavailable,
            Self::BrokenRow(_) | Self::Random(_) => ErrorReason::Internal,
        }
    }

    fn public_message(&self) -> String {
        self.said()
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unknown(slug)
            | Self::Suspended(slug)
            | Self::Contained(slug)
            | Self::Erased(slug)
            | Self::RollbackSuspected(slug) => vec![("client_slug", slug.to_string())],
            Self::Altered(portal) => vec![("portal", portal.clone())],
            Self::ScopesNotCovered {
                client_slug,
                name,
                missing,
            } => vec![
                ("client_slug", client_slug.to_string()),
                ("credential_name", name.to_string()),
                ("missing_scopes", missing.join(",")),
            ],
            Self::CredentialUnknown { client_slug, name }
            | Self::TokenReplaced { client_slug, name }
            | Self::TokenUnreadable {
                client_slug, name, ..
            } => vec![
                ("client_slug", client_slug.to_string()),
                ("credential_name", name.to_string()),
            ],
            Self::SlugTaken {
                client_slug,
                portal_id,
            }
            | Self::AlreadyOnboarded {
                client_slug,
                portal_id,
            }
            | Self::NotAgain {
                client_slug,
                portal_id,
            }
            | Self::TokenDiffers {
                client_slug,
                portal_id,
            } => vec![
                ("client_slug", client_slug.to_string()),
                ("portal_id", portal_id.to_string()),
            ],
            Self::TokenHeld {
                client_slug,
                portal_id,
                credential,
            } => vec![
                ("client_slug", client_slug.to_string()),
                ("portal_id", portal_id.to_string()),
                ("credential_name", credential.to_string()),
            ],
            Self::TokenOfAnotherPortal { expected, actual } => vec![
                ("expected_portal_id", expected.to_string()),
                ("actual_portal_id", actual.to_string()),
            ],
            Self::IdentityUnclear { account, token } => vec![
                ("account_portal_id", account.to_string()),
                ("token_portal_id", token.to_string()),
            ],
            Self::RowDuplicate { row, first_row, what } => vec![
                ("row", row.to_string()),
                ("first_row", first_row.to_string()),
                ("repeated", what.name().to_owned()),
            ],
            Self::BudgetExhausted { .. } => vec![("bucket", BUCKET.to_owned())],
            Self::HubSpot(error) => error.metadata(),
            Self::Revocations(error) => error.metadata(),
            Self::AccessTokens(error) => error.metadata(),
            _ => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::BudgetExhausted { wait } => Some(*wait),
            Self::HubSpot(error) => error.retry_after(),
            Self::AccessTokens(error) => error.retry_after(),
            _ => None,
        }
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::TokenForm => vec![FieldViolation {
                field: "portal_token".to_owned(),
                description: TOKEN_RULE.to_owned(),
            }],
            _ => Vec::new(),
        }
    }

    fn quota_violation(&self) -> Option<QuotaViolation> {
        match self {
            Self::BudgetExhausted { .. } => Some(QuotaViolation {
                subject: BUCKET.to_owned(),
                description: self.public_message(),
            }),
            Self::HubSpot(error) => error.quota_violation(),
            Self::AccessTokens(error) => error.quota_violation(),
            _ => None,
        }
    }
}

const TOKEN_RULE: &str = "a token is 1 to 1,024 visible ASCII characters, without spaces or line ends";
const BUCKET: &str = "verification";

mod said;
#[cfg(test)]
mod tests;
