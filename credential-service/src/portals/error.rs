//! What onboarding, reading or verifying a portal can end with.

use std::time::Duration;

use hubkeep_core::{
    database,
    error::{ErrorKind, ErrorReason, FieldViolation, QuotaViolation, ServiceError},
    id::{ClientSlug, CredentialName, PortalId},
    random::RandomError,
};
use thiserror::Error;

use crate::{access_tokens, store_version, vault};

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

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) | Self::CredentialUnknown { .. } => ErrorKind::NotFound,
            Self::TokenForm => ErrorKind::InvalidArgument,
            Self::SlugTaken { .. }
            | Self::AlreadyOnboarded { .. }
            | Self::TokenDiffers { .. }
            | Self::TokenHeld { .. }
            | Self::RowDuplicate { .. } => ErrorKind::AlreadyExists,
            Self::TokenOfAnotherPortal { .. } | Self::IdentityUnclear { .. } | Self::TokenUnknown => {
                ErrorKind::FailedPrecondition
            }
            Self::Suspended(_)
            | Self::Erased(_)
            | Self::NotAgain { .. }
            | Self::RollbackSuspected(_)
            | Self::Altered(_) => ErrorKind::FailedPrecondition,
            Self::RowKeyMissing => ErrorKind::Unavailable,
            Self::StoreVersion(error) => error.kind(),
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
            Self::Erased(_) | Self::NotAgain { .. } => ErrorReason::PortalErased,
            Self::RollbackSuspected(_) => ErrorReason::PortalRollbackSuspected,
            Self::Altered(_) => ErrorReason::PortalAltered,
            Self::RowKeyMissing => ErrorReason::KeyUnavailable,
            Self::StoreVersion(error) => error.reason(),
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
        match self {
            Self::Unknown(slug) => format!("there is no portal {slug}: onboard it first"),
            Self::Suspended(slug) => format!("{slug} is suspended: resume it first"),
            Self::Erased(slug) => format!("{slug} was erased: nothing of it is left, and it stays so"),
            Self::NotAgain {
                client_slug,
                portal_id,
            } => format!(
                "HubSpot portal {portal_id} was erased here as {client_slug}: its keys are destroyed in both services, and \
                 none is made for it again. Onboard another portal under another slug; onboard this one in a deployment \
                 of its own (docs/operations/erasure.md)"
            ),
            Self::RollbackSuspected(slug) => format!(
                "{slug} is older in the vault than the log knows it: a backup was restored; rotate its tokens and resume \
                 it, or erase it again"
            ),
            Self::Altered(portal) => format!(
                "{portal}: its rows in the vault were altered, or moved there from elsewhere; it is refused until the \
                 vault is restored from a backup"
            ),
            Self::RowKeyMissing => {
                "the key that authenticates the vault's rows is gone: restore the vault from a newer backup"
                    .to_owned()
            }
            Self::StoreVersion(error) => error.public_message(),
            Self::CredentialUnknown { client_slug, name } => {
                format!("portal {client_slug} has no credential {name}: name one that it has")
            }
            Self::TokenForm => format!("portal_token: {TOKEN_RULE}"),
            Self::SlugTaken {
                client_slug,
                portal_id,
            } => {
                format!("the slug {client_slug} belongs to portal {portal_id}: choose another")
            }
            Self::AlreadyOnboarded {
                client_slug,
                portal_id,
            } => {
                format!("portal {portal_id} is onboarded already, as {client_slug}")
            }
            Self::TokenDiffers {
                client_slug,
                portal_id,
            } => format!(
                "portal {portal_id} ({client_slug}) holds a different token already: replacing it is a rotation, and \
                 a token beside it needs a credential name of its own"
            ),
            Self::TokenHeld {
                client_slug,
                credential,
                ..
            } => format!("{client_slug} holds this token already, as its credential {credential}"),
            Self::TokenOfAnotherPortal { expected, actual } => format!(
                "the token belongs to portal {actual}, not to {expected}: check which client it was made for"
            ),
            Self::IdentityUnclear { account, token } => format!(
                "HubSpot names portal {account} for the account and {token} for the token: make a new token"
            ),
            Self::TokenUnknown => "HubSpot does not know this token: make a new one".to_owned(),
            Self::RowDuplicate { first_row, .. } => {
                format!("the slug, portal or token stands in row {first_row} already: keep one of them")
            }
            Self::BudgetExhausted { wait } => format!(
                "HubSpot was asked often about this token just now: try again in {} s",
                wait.as_secs().saturating_add(1)
            ),
            Self::HubSpot(error) if error.reason() == ErrorReason::TokenRefused => {
                "HubSpot refuses this token: it was revoked, has expired, or never was one; make a new one"
                    .to_owned()
            }
            Self::HubSpot(error) => error.public_message(),
            Self::AccessTokens(error) => error.public_message(),
            Self::Vault(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::Storage(_) | Self::Contended(_) => {
                "the service's database did not answer: try again".to_owned()
            }
            Self::BrokenRow(_) | Self::Random(_) => "an internal error; the request id finds it".to_owned(),
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unknown(slug)
            | Self::Suspended(slug)
            | Self::Erased(slug)
            | Self::RollbackSuspected(slug) => vec![("client_slug", slug.to_string())],
            Self::Altered(portal) => vec![("portal", portal.clone())],
            Self::CredentialUnknown { client_slug, name } => vec![
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
            } => {
                vec![
                    ("client_slug", client_slug.to_string()),
                    ("portal_id", portal_id.to_string()),
                ]
            }
            Self::TokenHeld {
                client_slug,
                portal_id,
                credential,
            } => {
                vec![
                    ("client_slug", client_slug.to_string()),
                    ("portal_id", portal_id.to_string()),
                    ("credential_name", credential.to_string()),
                ]
            }
            Self::TokenOfAnotherPortal { expected, actual } => {
                vec![
                    ("expected_portal_id", expected.to_string()),
                    ("actual_portal_id", actual.to_string()),
                ]
            }
            Self::IdentityUnclear { account, token } => {
                vec![
                    ("account_portal_id", account.to_string()),
                    ("token_portal_id", token.to_string()),
                ]
            }
            Self::RowDuplicate { row, first_row } => {
                vec![("row", row.to_string()), ("first_row", first_row.to_string())]
            }
            Self::BudgetExhausted { .. } => vec![("bucket", BUCKET.to_owned())],
            Self::HubSpot(error) => error.metadata(),
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
            Self::TokenForm => {
                vec![FieldViolation {
                    field: "portal_token".to_owned(),
                    description: TOKEN_RULE.to_owned(),
                }]
            }
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

#[cfg(test)]
mod tests;
