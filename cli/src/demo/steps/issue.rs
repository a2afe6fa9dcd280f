//! A handle for each of two portals, and one that is narrower.

use std::time::Duration;

use hubkeep_proto::credential::v1::{
    HandleOperation, HandleScope, IssueHandleRequest, IssueHandleResponse,
    handle_service_client::HandleServiceClient,
};

use crate::{
    demo::{narrator::Narrator, stage::Stage},
    errors::Error,
};

/// Every CRM operation.
const CRM: [HandleOperation; 6] = [
    HandleOperation::Get,
    HandleOperation::List,
    HandleOperation::Search,
    HandleOperation::Create,
    HandleOperation::Update,
    HandleOperation::Archive,
];

/// The handles of the demo.
pub(in crate::demo) struct Handles {
    pub(in crate::demo) acme: String,
    pub(in crate::demo) globex: String,
}

pub(in crate::demo) async fn run(stage: &Stage, narrator: &Narrator) -> Result<Handles, Error> {
    narrator.step(
        2,
        "Issue a handle for acme and one for globex: no token leaves the vault",
    )?;
    let types = ["contacts", "owners"];
    let acme = issue(stage, "acme", &CRM, &types, Duration::from_secs(300)).await?;
    tell(&acme, narrator)?;
    let globex = issue(stage, "globex", &CRM, &types, Duration::from_secs(300)).await?;
    tell(&globex, narrator)?;
    Ok(Handles {
        acme: acme.handle,
        globex: globex.handle,
    })
}

/// Issues a handle to the demo's operator.
pub(in crate::demo) async fn issue(
    stage: &Stage,
    slug: &str,
    operations: &[HandleOperation],
    types: &[&str],
    lifetime: Duration,
) -> Result<IssueHandleResponse, Error> {
    let service = stage.credential();
    let request = IssueHandleRequest {
        client_slug: slug.to_owned(),
        scope: Some(HandleScope {
            operations: operations.iter().map(|operation| (*operation).into()).collect(),
            object_types: types.iter().map(|name| (*name).to_owned()).collect(),
            properties: Vec::new(),
            ..HandleScope::default()
        }),
        lifetime: prost_types::Duration::try_from(lifetime).ok(),
        purpose_code: "demo".to_owned(),
        ..IssueHandleRequest::default()
    };
    let answer = HandleServiceClient::new(service.connection())
        .issue_handle(request)
        .await;
    Ok(answer.map_err(|status| service.ended(status))?.into_inner())
}

fn tell(issued: &IssueHandleResponse, narrator: &Narrator) -> Result<(), Error> {
    let description = issued.description.clone().unwrap_or_default();
    let beginning: String = issued.handle.chars().take(8).collect();
    narrator.done(&format!(
        "{}: {beginning}… for portal {}, contacts and owners, 300 s, for {} alone",
        description.client_slug, description.portal_id, description.caller
    ))
}
