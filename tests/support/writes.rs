//! Writes that are asked for again, and the list of them.

use hubkeep_proto::crm::v1::{
    ListWritesRequest, ListWritesResponse, SettleWriteRequest, SettleWriteResponse, Write, WriteState,
    write_service_client::WriteServiceClient,
};
use hubspot_sim::JournalEntry;
use tonic::{Status, transport::Channel};

use super::{crm::Crm, handles::named, portals::OPERATOR};

/// A request id, a different one for each number.
pub fn write_id(number: u64) -> String {
    format!("01890a5d-ac96-774b-bcce-{number:012x}")
}

impl Crm {
    /// The writes of its portal in these states; without any, those that are unknown.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn writes(&self, states: &[WriteState]) -> Result<Vec<Write>, Status> {
        let message = ListWritesRequest {
            client_slug: self.slug(),
            states: states.iter().map(|state| (*state).into()).collect(),
            ..ListWritesRequest::default()
        };
        let mut client = WriteServiceClient::new(self.channel());
        Ok(client
            .list_writes(self.request(message))
            .await?
            .into_inner()
            .writes)
    }

    /// Says what became of a write, by its handle.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn settle(&self, message: SettleWriteRequest) -> Result<SettleWriteResponse, Status> {
        let mut client = WriteServiceClient::new(self.channel());
        Ok(client.settle_write(self.request(message)).await?.into_inner())
    }
}

/// Says what became of a write, as an operator.
///
/// # Errors
/// With the refusal.
pub async fn settle(channel: Channel, message: SettleWriteRequest) -> Result<SettleWriteResponse, Status> {
    let mut client = WriteServiceClient::new(channel);
    Ok(client.settle_write(named(OPERATOR, message)).await?.into_inner())
}

/// A page of all writes, as an operator asks for it.
///
/// # Errors
/// With the refusal.
pub async fn all_writes(channel: Channel, message: ListWritesRequest) -> Result<ListWritesResponse, Status> {
    let mut client = WriteServiceClient::new(channel);
    Ok(client.list_writes(named(OPERATOR, message)).await?.into_inner())
}

/// What HubSpot received that may have changed something.
pub fn sent_writes(mut journal: Vec<JournalEntry>) -> Vec<JournalEntry> {
    journal.retain(|entry| {
        let reads = ["/batch/read", "/search"];
        let is_read = entry.method == "GET" || reads.iter().any(|end| entry.path.ends_with(end));
        entry.path.starts_with("/crm/") && !is_read
    });
    journal
}
