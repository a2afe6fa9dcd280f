//! Containment at credential-service: of a caller, or of a portal.

use std::{fmt, time::Duration};

use hubkeep_core::id::{CallerName, ClientSlug};
use hubkeep_proto::credential::v1::{
    ContainRequest, HandleHolder, containment_service_client::ContainmentServiceClient, handle_holder::Holder,
};

use super::{error::Error, redeem::Credentials, wire};

/// credential-service waits 10 s at most until all have stopped.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who or what is contained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contained {
    /// A caller, everywhere.
    Caller(CallerName),
    /// A portal, for all callers.
    Portal(ClientSlug),
}

impl fmt::Display for Contained {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(name) => write!(formatter, "the caller {name}"),
            Self::Portal(slug) => write!(formatter, "the portal {slug}"),
        }
    }
}

impl Credentials {
    /// Contains, and returns when every redeemer has stopped, or cannot serve anything. Gives whether credential-service knows
    /// whom or what is meant.
    ///
    /// # Errors
    /// If it is not known whether it is contained: asking again does no harm.
    pub async fn contain(&self, whom: &Contained, reason: &str) -> Result<bool, Error> {
        let holder = match whom {
            Contained::Caller(name) => Holder::Caller(name.to_string()),
            Contained::Portal(slug) => Holder::ClientSlug(slug.to_string()),
        };
        let mut request = self.link().request(ContainRequest {
            target: Some(HandleHolder { holder: Some(holder) }),
            reason: reason.to_owned(),
            wait: None,
        });
        request.set_timeout(PATIENCE);
        let mut client = ContainmentServiceClient::new(self.link().channel());
        let answer = client.contain(request).await;
        Ok(answer
            .map_err(|status| wire::refusal(&status))?
            .into_inner()
            .known)
    }
}
