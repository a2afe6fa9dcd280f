//! What is not as it should be.

use hubkeep_core::{error::ServiceError, id::CredentialName};

use crate::portals::PortalCredential;

/// What sort of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The token belongs to another portal than before.
    IdentityChanged,
    /// HubSpot refuses the token.
    TokenRefused,
    /// HubSpot keeps the data elsewhere than before.
    DataMoved,
    /// The token may do more or less than before.
    ScopesDrifted,
    /// The token is older than it should be.
    TokenOld,
    /// Little is left of the day's calls.
    QuotaLow,
    /// The portal is suspended.
    Suspended,
    /// The portal is contained.
    Contained,
    /// The portal is older in the vault than the log knows it.
    RollbackSuspected,
    /// HubSpot, or this service, could not say.
    NotExamined,
    /// The version of HubSpot's API that is spoken ends soon.
    ApiVersionSunset,
    /// A token was replaced or given up, and is not known to be refused.
    OldTokenAlive,
    /// Consumers have not acknowledged the token in force.
    ConsumersBehind,
    /// The portal's rows in the vault are not what was written.
    Altered,
    /// The log knows the portal, and the vault has no row of it.
    Missing,
    /// What is sealed of the token, or its key, was altered or is gone.
    TokenUnreadable,
    /// No portal has this slug.
    Unknown,
}

/// What is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What sort of thing.
    pub kind: Kind,
    /// In words, with what to do where that is known. Never holds a token.
    pub message: String,
    /// The credential that it is about; `None` if it is about the portal, or the service.
    pub credential: Option<CredentialName>,
}

impl Finding {
    pub(super) fn new(kind: Kind, message: &str) -> Self {
        Self {
            kind,
            message: message.to_owned(),
            credential: None,
        }
    }

    /// That a portal's rows were altered, as it is told to whoever wants it served.
    pub fn altered(refused: &impl ServiceError) -> Self {
        Self::new(Kind::Altered, &refused.public_message())
    }

    /// That the log knows a portal which the vault does not.
    pub fn missing() -> Self {
        let what = "the log knows this portal, and the vault has no row of it: that was deleted, or a backup was \
                    restored; import it again with a token, or restore a newer backup";
        Self::new(Kind::Missing, what)
    }

    /// That no portal has the slug that was asked about.
    pub fn unknown(refused: &impl ServiceError) -> Self {
        Self::new(Kind::Unknown, &refused.public_message())
    }

    /// The same, about a credential.
    pub(super) fn with(self, credential: &PortalCredential) -> Self {
        self.about(&credential.name)
    }

    /// The same, about the credential of this name.
    pub(super) fn about(self, credential: &CredentialName) -> Self {
        Self {
            credential: Some(credential.clone()),
            ..self
        }
    }

    pub(super) const fn is_of_the_portal(&self) -> bool {
        self.credential.is_none()
    }
}
