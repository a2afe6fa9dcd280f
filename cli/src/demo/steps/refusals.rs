//! What must not work: another portal's data, more than the handle allows, a cut handle, a revoked one. HubSpot must
//! not hear of any of it.

use std::time::Duration;

use hubkeep_proto::{
    credential::v1::{
        HandleOperation, RevokeHandleRequest, handle_service_client::HandleServiceClient,
        revoke_handle_request::Target,
    },
    crm::v1::{ListObjectsRequest, object_service_client::ObjectServiceClient},
};

use super::issue::{self, Handles};
use crate::{
    demo::{narrator::Narrator, promises::Promises, stage::Stage},
    errors::Error,
};

pub(in crate::demo) async fn run(
    stage: &Stage,
    handles: &Handles,
    narrator: &Narrator,
    promises: &mut Promises,
) -> Result<(), Error> {
    narrator.step(4, "Try what must not work: HubSpot hears of none of it")?;
    let narrow = issue::issue(
        stage,
        "acme",
        &[HandleOperation::List],
        &["deals"],
        Duration::from_secs(60),
    )
    .await?;
    let cut: String = handles.acme.chars().take(30).collect();
    let mut attempts = vec![
        (
            "globex's contacts with acme's handle",
            "globex",
            handles.acme.as_str(),
            "PORTAL_MISMATCH",
        ),
        (
            "contacts with a handle for deals",
            "acme",
            narrow.handle.as_str(),
            "OPERATION_NOT_ALLOWED",
        ),
        ("half of a handle", "acme", cut.as_str(), "HANDLE_MALFORMED"),
    ];
    revoke(stage, &handles.globex).await?;
    attempts.push((
        "a handle that was just revoked",
        "globex",
        handles.globex.as_str(),
        "HANDLE_INVALID",
    ));
    for (what, slug, handle, reason) in attempts {
        promises.refusals_expected += 1;
        let before = stage.hubspot().journal_len();
        let told = attempt(stage, slug, handle).await?;
        let heard = stage.hubspot().journal_len().saturating_sub(before);
        promises.requests_of_refused_calls += heard;
        promises.refusals += usize::from(told == reason);
        narrator.refused(&format!("{what}: {told}; HubSpot received {heard} requests"))?;
    }
    Ok(())
}

/// Lists contacts and gives the reason for which that was refused.
async fn attempt(stage: &Stage, slug: &str, handle: &str) -> Result<String, Error> {
    let service = stage.crm().clone().with_handle(handle)?;
    let request = ListObjectsRequest {
        client_slug: slug.to_owned(),
        object_type: "contacts".to_owned(),
        ..ListObjectsRequest::default()
    };
    let answer = ObjectServiceClient::new(service.connection())
        .list_objects(request)
        .await;
    match answer.map_err(|status| service.ended(status)) {
        Ok(_) => Ok("answered, and must not be".to_owned()),
        Err(Error::Refused(refusal)) => Ok(refusal.reason),
        Err(error) => Err(error),
    }
}

async fn revoke(stage: &Stage, handle: &str) -> Result<(), Error> {
    let service = stage.credential();
    let request = RevokeHandleRequest {
        target: Some(Target::Handle(handle.to_owned())),
        ..RevokeHandleRequest::default()
    };
    let answer = HandleServiceClient::new(service.connection())
        .revoke_handle(request)
        .await;
    answer.map(|_| ()).map_err(|status| service.ended(status))
}
