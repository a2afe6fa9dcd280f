//! A report as it comes from the service: in parts where one answer does not hold it, put together and held to what it says of itself.

use aws_lc_rs::digest::{SHA256, digest};
use hubkeep_proto::crm::v1::{
    GetProcessingRecordRequest, GetScopeReportRequest, GetServiceProviderReportRequest,
    GetSubjectReportRequest, GetSunsetReportRequest, GetUsageReportRequest, Report, ReportScope,
    report_service_client::ReportServiceClient,
};

use crate::{channel::Service, errors::Error};

/// Room for an answer: a part of a report holds up to 3 MiB.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Which report.
pub(super) enum Asked {
    Processing,
    ServiceProvider,
    Usage,
    /// About a record: its type and its id.
    Subject((String, String)),
    Scope,
    Sunset,
}

impl Asked {
    /// The whole report.
    ///
    /// # Errors
    /// If the service refuses or is not reached, or the parts are not those of one report.
    pub(super) async fn whole(&self, service: &Service, scope: ReportScope) -> Result<Report, Error> {
        let mut whole = self.part(service, scope.clone()).await?;
        for part in 2..=whole.part_count {
            // As of the same positions and of the same period, or it would be another report.
            let further = ReportScope {
                as_of: whole.as_of,
                start_time: whole.start_time,
                end_time: whole.end_time,
                expected_portal_id: whole.portal_id,
                part,
                ..scope.clone()
            };
            let further = self.part(service, further).await?;
            whole.content.extend(further.content);
        }
        held(&whole)?;
        Ok(whole)
    }

    async fn part(&self, service: &Service, scope: ReportScope) -> Result<Report, Error> {
        let scope = Some(scope);
        let mut client = ReportServiceClient::new(service.connection()).max_decoding_message_size(MOST_BYTES);
        let report = match self {
            Self::Processing => {
                let asked = client.get_processing_record(GetProcessingRecordRequest { scope });
                asked.await.map(|answer| answer.into_inner().report)
            }
            Self::ServiceProvider => {
                let asked = client.get_service_provider_report(GetServiceProviderReportRequest { scope });
                asked.await.map(|answer| answer.into_inner().report)
            }
            Self::Usage => {
                let asked = client.get_usage_report(GetUsageReportRequest { scope });
                asked.await.map(|answer| answer.into_inner().report)
            }
            Self::Subject((object_type, object_id)) => {
                let asked = client.get_subject_report(GetSubjectReportRequest {
                    scope,
                    object_type: object_type.clone(),
                    object_id: object_id.clone(),
                });
                asked.await.map(|answer| answer.into_inner().report)
            }
            Self::Scope => {
                let asked = client.get_scope_report(GetScopeReportRequest { scope });
                asked.await.map(|answer| answer.into_inner().report)
            }
            Self::Sunset => {
                let asked = client.get_sunset_report(GetSunsetReportRequest { scope });
                asked.await.map(|answer| answer.into_inner().report)
            }
        };
        Ok(report
            .map_err(|status| service.ended(status))?
            .unwrap_or_default())
    }
}

/// Whether what was put together is what every part says that it is of.
fn held(report: &Report) -> Result<(), Error> {
    let sha256 = hex::encode(digest(&SHA256, &report.content).as_ref());
    if sha256 == report.sha256 {
        return Ok(());
    }
    Err(Error::Failed(format!(
        "the report came in {} parts that are not of one report: something else was stated of the portal or of the processor \
         meanwhile, or the services were upgraded; ask again",
        report.part_count
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_not_of_one_report_are_not_taken_for_it() {
        let mut report = Report {
            content: b"a report".to_vec(),
            part_count: 2,
            ..Report::default()
        };
        report.sha256 = hex::encode(digest(&SHA256, &report.content).as_ref());
        assert!(held(&report).is_ok());
        report.content.push(b'!');
        let told = held(&report).expect_err("another").to_string();
        assert!(told.contains("2 parts") && told.contains("ask again"), "{told}");
    }
}
