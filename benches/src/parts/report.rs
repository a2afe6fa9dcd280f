//! A usage statement of one portal over a million entries, as a client asks for it.

use std::time::Duration;

use hubkeep_proto::crm::v1::{
    GetUsageReportRequest, ReportFormat, ReportScope, report_service_client::ReportServiceClient,
};
use prost_types::Timestamp;
use serde_json::Value;

use super::{
    Measured, Place,
    entries::open,
    filled::{BEGAN, Of, PACE, fill},
};
use crate::{
    Failure,
    figures::REPORT_1M,
    stage::{Keeping, OPERATOR, Stage, named},
};

const ENTRIES: u64 = 1_000_000;
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start_with(place, 1, Keeping::Sqlite, |config| {
        // What is measured is the report alone.
        config.audit.proofs.enabled = false;
    })
    .await?;
    stage.onboard_all().await?;
    let portal = stage.portals().first().ok_or("there is no portal")?;
    let of = Of {
        portal_id: portal.portal_id,
        slug: portal.slug.clone(),
    };
    let scope = scope_of(&of)?;
    let stage = stage.with_crm_stopped(place, async |config| filled(place, config, &of).await);
    let stage = stage.await?;
    let mut client = ReportServiceClient::new(stage.to_crm().await?);
    let mut request = named(OPERATOR, GetUsageReportRequest { scope: Some(scope) })?;
    request.set_timeout(PATIENCE);
    let begun = place.clock.tick();
    let given = client.get_usage_report(request).await?.into_inner().report;
    let took = place.clock.tick().since(begun);
    let told: Value = serde_json::from_slice(&given.unwrap_or_default().content)?;
    if told.pointer("/report/total/calls").and_then(Value::as_u64) != Some(ENTRIES / 2) {
        return Err("the report is about other calls than were recorded".into());
    }
    stage.stop().await;
    Ok(vec![(REPORT_1M, took.as_secs_f64())])
}

/// All entries, and everything that a service has made of them while it runs.
async fn filled(place: &Place, config: &hubkeep_audit_log::Config, of: &Of) -> Result<(), Failure> {
    let file = config.sqlite_file().ok_or("the log is in no file")?;
    fill(file, "dev", ENTRIES, |_| of.clone())?;
    let log = open(place, config).await?;
    log.bring_index_up_to_date().await?;
    log.stop().await;
    Ok(())
}

fn scope_of(of: &Of) -> Result<ReportScope, Failure> {
    let at = |seconds| Timestamp { seconds, nanos: 0 };
    let length = i64::try_from(ENTRIES / PACE)?;
    Ok(ReportScope {
        client_slug: of.slug.clone(),
        start_time: Some(at(BEGAN)),
        end_time: Some(at(BEGAN + length + 1)),
        format: ReportFormat::Json.into(),
        ..ReportScope::default()
    })
}
