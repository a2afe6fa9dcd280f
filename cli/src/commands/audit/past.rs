//! Reads the past of a log: everything up to where it ends now.

use hubkeep_proto::audit::v1::{
    Event, EventFilter, StreamEventsRequest, audit_service_client::AuditServiceClient,
    stream_events_response::Message,
};

use crate::{channel::Service, errors::Error};

/// The events after a position that are there now, at most `limit`, oldest first.
///
/// # Errors
/// If the service refuses or is not reached.
pub(super) async fn events(
    service: &Service,
    filter: EventFilter,
    after: u64,
    limit: usize,
) -> Result<Vec<Event>, Error> {
    let request = StreamEventsRequest {
        after_position: after,
        from_now: false,
        filter: Some(filter),
    };
    let mut client = AuditServiceClient::new(service.connection());
    let opened = client.stream_events(request).await;
    let mut stream = opened.map_err(|status| service.ended(status))?.into_inner();
    let mut found = Vec::new();
    while found.len() < limit {
        let next = stream.message().await.map_err(|status| service.ended(status))?;
        match next.and_then(|response| response.message) {
            Some(Message::Event(event)) => found.push(event),
            // The past has been given: what would come now is the future.
            Some(Message::ReachedPosition(_)) | None => break,
        }
    }
    Ok(found)
}
