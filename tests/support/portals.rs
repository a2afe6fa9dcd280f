//! Portals, onboarded as an operator does it.

use hubkeep_core::handle_token::LENGTH;
use hubkeep_proto::credential::v1::{
    ImportOutcome, ImportPortalsRequest, ImportPortalsResponse, OnboardPortalRequest, OnboardPortalResponse,
    Portal, portal_service_client::PortalServiceClient,
};
use tonic::{Request, Status, transport::Channel};

use super::hubkeep::{Hubkeep, Service};

/// The operator of all tests.
pub const OPERATOR: &str = "operator/ann";

/// A row of an import.
pub fn row(number: u32, client_slug: &str, token: &str, expected_portal_id: u64) -> ImportPortalsRequest {
    debug_assert!(token.len() != LENGTH, "that is a handle");
    ImportPortalsRequest {
        row: number,
        client_slug: client_slug.to_owned(),
        portal_token: token.to_owned(),
        expected_portal_id,
        ..ImportPortalsRequest::default()
    }
}

impl Hubkeep {
    /// The service of portals.
    pub fn portals(&self) -> PortalServiceClient<Channel> {
        PortalServiceClient::new(self.door(Service::Credential).of(OPERATOR))
    }

    /// A request of the operator.
    pub fn by_operator<T>(&self, message: T) -> Request<T> {
        self.door(Service::Credential).request(OPERATOR, message)
    }

    /// Onboards every portal of the world. Panics if one is refused.
    pub async fn onboard_all(&self) {
        let numbered = (1..).zip(&self.world().portals);
        let rows = numbered.map(|(number, portal)| {
            let token = portal.first_token().expect("it has a token");
            row(number, &portal.slug, token, portal.portal_id)
        });
        for outcome in self.import(rows.collect()).await {
            assert_eq!(outcome.outcome(), ImportOutcome::Onboarded, "{outcome:?}");
        }
    }

    /// Onboards one portal.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn onboard(
        &self,
        client_slug: &str,
        token: &str,
        expected_portal_id: u64,
    ) -> Result<OnboardPortalResponse, Status> {
        let request = OnboardPortalRequest {
            client_slug: client_slug.to_owned(),
            portal_token: token.to_owned(),
            expected_portal_id,
            ..OnboardPortalRequest::default()
        };
        let answer = self.portals().onboard_portal(self.by_operator(request)).await?;
        Ok(answer.into_inner())
    }

    /// Imports rows in one stream; the outcomes in order of the rows.
    pub async fn import(&self, rows: Vec<ImportPortalsRequest>) -> Vec<ImportPortalsResponse> {
        let stream = self.by_operator(futures::stream::iter(rows));
        let opened = self.portals().import_portals(stream).await;
        let mut answers = opened.expect("the import begins").into_inner();
        let mut outcomes = Vec::new();
        while let Some(outcome) = answers.message().await.expect("the import goes on to its end") {
            outcomes.push(outcome);
        }
        outcomes.sort_by_key(|outcome| outcome.row);
        outcomes
    }

    /// The portals that are onboarded.
    pub async fn onboarded(&self) -> Vec<Portal> {
        let request = self.by_operator(hubkeep_proto::credential::v1::ListPortalsRequest {
            page_size: 1_000,
            page_token: String::new(),
        });
        let listed = self.portals().list_portals(request).await;
        listed.expect("listed").into_inner().portals
    }
}
