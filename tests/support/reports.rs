//! Reports, asked for as holders of handles and operators ask.

use hubkeep_proto::crm::v1::{
    GetProcessingRecordRequest, GetScopeReportRequest, GetServiceProviderReportRequest,
    GetSubjectReportRequest, GetSunsetReportRequest, GetUsageReportRequest, Report, ReportFormat,
    ReportPositions, ReportScope, report_service_client::ReportServiceClient,
};
use serde_json::Value;
use tonic::Status;

use super::{
    audit::Reader,
    handles::{Allow, Handle},
    hubkeep::{Hubkeep, Service},
};

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// GDPR Art. 30(2).
    Processing,
    /// CCPA.
    ServiceProvider,
    /// For a bill.
    Usage,
    /// Accesses to this record: its type and its id.
    Subject(&'static str, &'static str),
    /// What may be done.
    Scope,
    /// What ends.
    Sunset,
}

/// All of them.
pub const KINDS: [Kind; 6] = [
    Kind::Processing,
    Kind::ServiceProvider,
    Kind::Usage,
    Kind::Subject("contacts", "101"),
    Kind::Scope,
    Kind::Sunset,
];

/// The last days of a portal, in JSON.
pub fn of(client_slug: &str) -> ReportScope {
    ReportScope {
        client_slug: client_slug.to_owned(),
        ..ReportScope::default()
    }
}

/// The same in another form, as of these positions.
pub fn again(first: &Report, scope: &ReportScope, format: ReportFormat) -> ReportScope {
    ReportScope {
        as_of: first.as_of,
        format: format.into(),
        ..scope.clone()
    }
}

/// Positions.
pub const fn positions(crm_service: u64, credential_service: u64) -> Option<ReportPositions> {
    Some(ReportPositions {
        crm_service,
        credential_service,
    })
}

/// A report in JSON, read.
pub fn json(report: &Report) -> Value {
    serde_json::from_slice(&report.content).expect("JSON")
}

/// A report as text.
pub fn text(report: &Report) -> String {
    String::from_utf8(report.content.clone()).expect("UTF-8")
}

impl Hubkeep {
    /// A handle that makes reports of this portal, and nothing else.
    pub async fn reporter(&self, client_slug: &str) -> Handle {
        let wish = self.handle(client_slug).allow([Allow::Report]).types([]);
        wish.issue().await
    }

    /// A report.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn report(&self, reader: Reader<'_>, kind: Kind, scope: ReportScope) -> Result<Report, Status> {
        let scope = Some(scope);
        let mut client = ReportServiceClient::new(self.door(Service::Crm).of(reader.name()));
        let report = match kind {
            Kind::Processing => {
                let request = reader.request(self, GetProcessingRecordRequest { scope });
                client.get_processing_record(request).await?.into_inner().report
            }
            Kind::ServiceProvider => {
                let request = reader.request(self, GetServiceProviderReportRequest { scope });
                client
                    .get_service_provider_report(request)
                    .await?
                    .into_inner()
                    .report
            }
            Kind::Usage => {
                let request = reader.request(self, GetUsageReportRequest { scope });
                client.get_usage_report(request).await?.into_inner().report
            }
            Kind::Subject(object_type, object_id) => {
                let asked = GetSubjectReportRequest {
                    scope,
                    object_type: object_type.to_owned(),
                    object_id: object_id.to_owned(),
                };
                let request = reader.request(self, asked);
                client.get_subject_report(request).await?.into_inner().report
            }
            Kind::Scope => {
                let request = reader.request(self, GetScopeReportRequest { scope });
                client.get_scope_report(request).await?.into_inner().report
            }
            Kind::Sunset => {
                let request = reader.request(self, GetSunsetReportRequest { scope });
                client.get_sunset_report(request).await?.into_inner().report
            }
        };
        Ok(report.expect("it holds a report"))
    }
}
