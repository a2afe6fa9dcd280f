//! What callers are told of a portal that was not onboarded, found or verified. Each sentence says what to do.

use hubkeep_core::error::{ErrorReason, ServiceError as _};

use super::{Error, TOKEN_RULE};

impl Error {
    /// What the caller is told, with what to do about it.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Unknown(slug) => format!("there is no portal {slug}: onboard it first"),
            Self::Suspended(slug) => format!("{slug} is suspended: resume it first"),
            Self::Contained(slug) => format!(
                "{slug} is contained: it makes no call, and nobody gets a handle for it, until an operator lifts that"
            ),
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
                "{slug} is older in the vault than the log knows it: a backup was restored; rotate its tokens, or \
                 import them again, and resume it; or erase it again"
            ),
            Self::TokenUnreadable {
                client_slug, name, ..
            } => format!(
                "{client_slug}: the sealed token of its credential {name}, or the key to it, was altered or is gone; \
                 rotate the credential, and if that is refused too, restore the vault from a backup"
            ),
            Self::ScopesNotCovered {
                client_slug,
                name,
                missing,
            } => format!(
                "no credential of {client_slug} covers that, and one that can write is not given to who only reads where \
                 there is one that cannot; {name} lacks least: {}; give it these scopes in HubSpot, and verify the portal",
                missing.join(", ")
            ),
            Self::TokenReplaced { client_slug, name } => format!(
                "{client_slug}: a backup was restored, and the token of its credential {name} was replaced after that was \
                 made; rotate it too, or import the token that is in force, and resume {client_slug} then"
            ),
            Self::Altered(portal) => format!(
                "{portal}: its rows in the vault were altered, or moved there from elsewhere; it is refused until it \
                 is imported again with its portalId, or the vault is restored from a backup"
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
            Self::RowDuplicate { first_row, what, .. } => {
                format!(
                    "this {} stands in row {first_row} already: keep one of them",
                    what.name()
                )
            }
            Self::BudgetExhausted { wait } => format!(
                "HubSpot was asked often about this token just now: try again in {} s",
                wait.as_secs().saturating_add(1)
            ),
            Self::HubSpot(error) if error.reason() == ErrorReason::TokenRefused => {
                "HubSpot refuses this token: it was revoked, has expired, or never was one; make a new one"
                    .to_owned()
            }
            Self::HubSpot(error) => match error.reason() {
                ErrorReason::ScopeMissing => {
                    "HubSpot does not let this token say whose it is (403): give the key or app any \
                                              scope, or make a new one"
                        .to_owned()
                }
                ErrorReason::ObjectNotFound => {
                    "HubSpot knows no account by this token (404): make a new one".to_owned()
                }
                _ => error.public_message(),
            },
            Self::Revocations(error) => error.public_message(),
            Self::AccessTokens(error) => error.public_message(),
            Self::Vault(error) => error.public_message(),
            Self::Seal(error) => error.public_message(),
            Self::Storage(_) | Self::Contended(_) => {
                "the service's database did not answer: try again".to_owned()
            }
            Self::BrokenRow(_) | Self::Random(_) => "an internal error; the request id finds it".to_owned(),
        }
    }
}
