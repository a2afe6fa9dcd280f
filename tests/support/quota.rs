//! Quotas, read as holders of handles and operators read them.

use hubkeep_core::clock::SystemClock;
use hubkeep_proto::crm::v1::{
    GetQuotaRequest, Quota, WatchQuotaRequest, WatchQuotaResponse, quota_service_client::QuotaServiceClient,
};
use tonic::{Status, Streaming};

use super::{
    audit::Reader,
    hubkeep::{Hubkeep, Service},
    wait::BOUND,
};

impl Hubkeep {
    /// What a portal may still do.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn quota(&self, reader: Reader<'_>, client_slug: &str) -> Result<Quota, Status> {
        let client_slug = client_slug.to_owned();
        let request = reader.request(
            self,
            GetQuotaRequest {
                client_slug,
                ..GetQuotaRequest::default()
            },
        );
        let mut client = QuotaServiceClient::new(self.door(Service::Crm).of(reader.name()));
        let answer = client.get_quota(request).await?.into_inner();
        Ok(answer.quota.expect("it says what is left"))
    }

    /// The same, and again whenever it has changed.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn watch_quota(
        &self,
        reader: Reader<'_>,
        client_slug: &str,
    ) -> Result<Streaming<WatchQuotaResponse>, Status> {
        let client_slug = client_slug.to_owned();
        let request = reader.request(
            self,
            WatchQuotaRequest {
                client_slug,
                ..WatchQuotaRequest::default()
            },
        );
        let mut client = QuotaServiceClient::new(self.door(Service::Crm).of(reader.name()));
        Ok(client.watch_quota(request).await?.into_inner())
    }
}

/// What a watcher is told next, within the bound of all waiting.
///
/// # Errors
/// With what the stream ended with.
pub async fn next_quota(stream: &mut Streaming<WatchQuotaResponse>) -> Result<Quota, Status> {
    let clock = SystemClock::shared();
    let told = clock.timeout(BOUND, stream.message()).await;
    let response = told
        .expect("something comes in time")?
        .expect("the stream does not end silently");
    Ok(response.quota.expect("it says what is left"))
}
