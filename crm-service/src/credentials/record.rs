//! What credential-service knows of a portal, and what its log holds of it: for reports.

use hubkeep_audit_log::Event;
use hubkeep_core::{
    clock::Timestamp,
    error::ErrorReason,
    grpc::Caller,
    handle_token::HandleToken,
    id::{CallId, CallerName, ClientSlug},
};
use hubkeep_proto::audit::v1::Beginning;
use hubkeep_proto::credential::v1::{
    PortalRecord, PresentedHandle, ReadPortalRecordRequest, ReadPortalRecordResponse,
    portal_record_service_client::PortalRecordServiceClient, read_portal_record_request,
    read_portal_record_response::Message,
};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{error::Error, redeem::Credentials, wire};

/// For whom a portal's record is read. credential-service judges that itself.
#[derive(Clone, Debug)]
pub enum Reader {
    /// Whoever presented this handle here.
    Handle(HandleToken, Caller),
    /// An operator, by the name that is known here.
    Operator(CallerName),
}

/// Which record, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct RecordOf<'a> {
    /// The portal.
    pub client_slug: &'a ClientSlug,
    /// From when, and until when, entries were made.
    pub period: (Timestamp, Timestamp),
    /// Up to which position of credential-service's log; 0 for the newest.
    pub until_position: u64,
    /// The call for which it is read.
    pub call_id: CallId,
}

/// A portal's record, being read.
#[derive(Debug)]
pub struct RecordReading {
    /// What is known of the portal.
    pub record: PortalRecord,
    /// Where that service's log begins, if something of the period may be gone: known behind the last event.
    pub beginning: Option<Beginning>,
    events: Streaming<ReadPortalRecordResponse>,
}

impl Credentials {
    /// Reads the record of a portal; `None` if there is no such portal.
    ///
    /// # Errors
    /// If the reader may not have it, or credential-service does not answer.
    pub async fn read_portal_record(
        &self,
        of: RecordOf<'_>,
        reader: Reader,
    ) -> Result<Option<RecordReading>, Error> {
        let mut client = PortalRecordServiceClient::new(self.link().channel());
        let request = self.link().request(ReadPortalRecordRequest {
            client_slug: of.client_slug.to_string(),
            reader: Some(on_the_wire(reader)),
            call_id: of.call_id.to_string(),
            start_time: Some(of.period.0.into()),
            end_time: Some(of.period.1.into()),
            until_position: of.until_position,
        });
        let mut events = match client.read_portal_record(request).await {
            Ok(opened) => opened.into_inner(),
            Err(status) if says(&status, ErrorReason::PortalUnknown) => return Ok(None),
            Err(status) => return Err(refusal(&status)),
        };
        let first = events.message().await.map_err(|status| refusal(&status))?;
        match first.and_then(|first| first.message) {
            Some(Message::Record(record)) => Ok(Some(RecordReading {
                record,
                beginning: None,
                events,
            })),
            _ => Err(Error::unavailable("a record that does not begin with the portal")),
        }
    }
}

impl RecordReading {
    /// The next event; `None` behind the last.
    ///
    /// # Errors
    /// If the stream breaks off.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        match self.events.message().await.map_err(|status| refusal(&status))? {
            None => Ok(None),
            Some(ReadPortalRecordResponse {
                message: Some(Message::Event(event)),
            }) => Ok(Some(event)),
            Some(ReadPortalRecordResponse {
                message: Some(Message::Beginning(beginning)),
            }) => {
                self.beginning = Some(beginning);
                Ok(None)
            }
            Some(_) => Err(Error::unavailable("a record with something that is no event")),
        }
    }
}

fn on_the_wire(reader: Reader) -> read_portal_record_request::Reader {
    match reader {
        Reader::Operator(name) => read_portal_record_request::Reader::Operator(name.to_string()),
        Reader::Handle(handle, caller) => read_portal_record_request::Reader::Handle(PresentedHandle {
            handle: handle.expose().to_owned(),
            presented_thumbprint: wire::thumbprint(&caller),
            presented_by: caller.name.to_string(),
        }),
    }
}

/// Whoever may not read everything here must hear so; the rest is as of a handle.
fn refusal(status: &Status) -> Error {
    match status.code() {
        Code::PermissionDenied if says(status, ErrorReason::CallerNotAllowed) => {
            let details = status.get_error_details();
            let info = details.error_info();
            let caller = info.and_then(|info| info.metadata.get("caller"));
            Error::ReaderRefused {
                caller: caller.cloned().unwrap_or_default(),
                said: status.message().to_owned(),
            }
        }
        _ => wire::refusal(status),
    }
}

fn says(status: &Status, reason: ErrorReason) -> bool {
    let details = status.get_error_details();
    details
        .error_info()
        .is_some_and(|info| info.reason == reason.wire_name())
}
