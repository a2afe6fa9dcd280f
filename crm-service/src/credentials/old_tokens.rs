//! Which tokens are older than they should be, as credential-service knows it.

use std::time::Duration;

use hubkeep_core::id::{CallId, ClientSlug, PortalId};
use hubkeep_proto::credential::v1::{
    ListOldTokensRequest, OldToken as WireToken, portal_record_service_client::PortalRecordServiceClient,
};

use super::{error::Error, redeem::Credentials, wire};

/// A token that is older than it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldToken {
    /// The portal.
    pub portal_id: PortalId,
    /// Its slug.
    pub client_slug: ClientSlug,
    /// The operator's name for the credential.
    pub credential_name: String,
    /// How long ago it came into the vault.
    pub age: Duration,
}

impl Credentials {
    /// All tokens that are older than this, by slug.
    ///
    /// # Errors
    /// If credential-service does not answer, or not as it should.
    pub async fn old_tokens(&self, max_age: Duration, call_id: CallId) -> Result<Vec<OldToken>, Error> {
        let mut client = PortalRecordServiceClient::new(self.link().channel());
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = self.link().request(ListOldTokensRequest {
                max_age: prost_types::Duration::try_from(max_age).ok(),
                page_token: page_token.clone(),
                call_id: call_id.to_string(),
            });
            let answer = client.list_old_tokens(request).await;
            let page = answer.map_err(|status| wire::refusal(&status))?.into_inner();
            for token in page.tokens {
                all.push(read(token)?);
            }
            // What does not go forward is the end.
            if page.next_page_token <= page_token {
                return Ok(all);
            }
            page_token = page.next_page_token;
        }
    }
}

fn read(token: WireToken) -> Result<OldToken, Error> {
    let unreadable = || Error::unavailable("a token that is none");
    let age = token.age.and_then(|age| Duration::try_from(age).ok());
    Ok(OldToken {
        portal_id: PortalId::new(token.portal_id).ok_or_else(unreadable)?,
        client_slug: token.client_slug.parse().map_err(|_| unreadable())?,
        credential_name: token.credential_name,
        age: age.ok_or_else(unreadable)?,
    })
}
