//! credential-service's own calls to HubSpot, by several replicas: an app has a few places for all of them together.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_proto::credential::v1::{VerifyPortalRequest, portal_service_client::PortalServiceClient};
use hubkeep_tests::{
    Fleet, Refused, Service, World,
    support::{handles::named, portals::OPERATOR},
};
use tonic::Status;

const A: &str = "client-0001";
/// Places of an app that crm-service leaves to credential-service.
const PLACES: usize = 4;
/// Less than a place takes to be free again: who finds none is refused at once.
const PATIENCE: Duration = Duration::from_secs(5);

async fn verify(fleet: &Fleet) -> Result<(), Status> {
    let mut client = PortalServiceClient::new(fleet.channel(Service::Credential));
    let request = VerifyPortalRequest {
        client_slug: A.to_owned(),
    };
    let mut request = named(OPERATOR, request);
    request.set_timeout(PATIENCE);
    client.verify_portal(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replicas_of_credential_service_together_make_no_more_calls_of_their_own_than_are_left_to_them() {
    let fleet = Fleet::start(World::of_portals(1), 3).await;
    fleet.onboard_all().await;
    let questions = || {
        let journal = fleet.hubspot.journal();
        let questions = journal.iter().filter(|call| !call.path.starts_with("/crm/"));
        questions.count()
    };
    let before = questions();
    let verified = join_all((0..9).map(|_| verify(&fleet))).await;
    let asked = questions() - before;
    assert!(asked <= PLACES, "{asked} of {PLACES}");
    let refused: Vec<_> = verified.into_iter().filter_map(Result::err).collect();
    assert!(refused.len() >= 7, "each verification makes two calls");
    for status in refused {
        let refused = Refused::of(&status);
        assert_eq!(refused.reason, "BUDGET_EXHAUSTED");
        assert!(refused.retry_after.is_some(), "it is told when there is room");
    }
}
