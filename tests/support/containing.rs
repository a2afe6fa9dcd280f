//! What an operator does in an incident, and how far it has come.

use std::time::Duration;

pub use hubkeep_proto::credential::v1::handle_holder::Holder;
use hubkeep_proto::credential::v1::{
    ContainRequest, ContainResponse, HandleHolder, LiftContainmentRequest, RevocationReach,
    RevokeHandleRequest, containment_service_client::ContainmentServiceClient,
    handle_service_client::HandleServiceClient, revoke_handle_request::Target,
};
use tonic::{Request, Status, transport::Channel};

use super::{
    fleet::Fleet,
    handles::{Handle, named},
    hubkeep::{Hubkeep, Service},
    portals::OPERATOR,
};

/// The longest that redeemers are waited for.
const WAIT: Duration = Duration::from_secs(10);

/// A portal.
pub fn portal(client_slug: &str) -> Holder {
    Holder::ClientSlug(client_slug.to_owned())
}

/// So many redeemers have acknowledged, lapsed, or are waited for.
pub fn reach(acknowledged: u32, lapsed: u32, waiting: u32) -> Option<RevocationReach> {
    Some(RevocationReach {
        acknowledged,
        lapsed,
        waiting,
    })
}

fn request(holder: Holder) -> ContainRequest {
    ContainRequest {
        target: Some(HandleHolder { holder: Some(holder) }),
        reason: "an incident".to_owned(),
        wait: None,
    }
}

impl Hubkeep {
    /// Containment, as the operator reaches it.
    pub fn containments(&self) -> ContainmentServiceClient<Channel> {
        ContainmentServiceClient::new(self.door(Service::Credential).of(OPERATOR))
    }

    /// Contains something, waiting as long as may be.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn contain(&self, holder: Holder) -> Result<ContainResponse, Status> {
        let request = self.by_operator(request(holder));
        Ok(self.containments().contain(request).await?.into_inner())
    }

    /// Lifts a containment.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn lift(&self, holder: Holder) -> Result<(), Status> {
        let request = LiftContainmentRequest {
            target: Some(HandleHolder { holder: Some(holder) }),
            reason: "it is over".to_owned(),
        };
        let request = self.by_operator(request);
        self.containments().lift_containment(request).await.map(drop)
    }

    /// Ends a handle, and waits until that has arrived everywhere. Panics if that is refused.
    pub async fn revoke_and_wait(&self, handle: &Handle) -> Option<RevocationReach> {
        let request = RevokeHandleRequest {
            target: Some(Target::Handle(handle.token.clone())),
            wait: Some(WAIT.try_into().expect("fits")),
            ..RevokeHandleRequest::default()
        };
        let door = self.door(Service::Credential);
        let mut client = HandleServiceClient::new(door.of(&handle.caller));
        let revoked = client.revoke_handle(door.request(&handle.caller, request)).await;
        revoked.expect("revoked").into_inner().reach
    }
}

impl Fleet {
    /// Contains something at whichever replica answers, waiting as long as may be.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn contain(&self, holder: Holder) -> Result<ContainResponse, Status> {
        let mut containments = ContainmentServiceClient::new(self.channel(Service::Credential));
        let request: Request<ContainRequest> = named(OPERATOR, request(holder));
        Ok(containments.contain(request).await?.into_inner())
    }
}
