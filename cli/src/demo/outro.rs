//! What to try while the demo stays up: lines that work as they are printed.

use std::time::Duration;

use hubkeep_proto::credential::v1::HandleOperation;
use serde_json::json;

use super::{live::Live, stage::Stage, steps::issue};
use crate::{
    errors::Error,
    output::{COPY, FAINT, Output, STRONG},
};

/// The longest that a handle may live.
const LIFETIME: Duration = Duration::from_secs(900);

const ALLOWED: [HandleOperation; 4] = [
    HandleOperation::Get,
    HandleOperation::List,
    HandleOperation::Search,
    HandleOperation::ReadAudit,
];

/// Issues a handle to try with, and prints the lines.
pub(super) async fn print(stage: &Stage, live: &Live, program: &str, output: &Output) -> Result<(), Error> {
    let issued = issue::issue(stage, "acme", &ALLOWED, &["*"], LIFETIME).await?;
    // So that no event stands between the lines to copy.
    live.catch_up().await;
    let addresses = Addresses {
        credential: stage.credential().address(),
        crm: stage.crm().address(),
    };
    let grpcurl = grpcurl(&addresses, &issued.handle);
    let hubkeep = hubkeep(&addresses, &issued.handle, program);
    if output.is_json() {
        let lines = |list: &[Try]| list.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>();
        return output.json_line(&json!({
            "grpcurl": lines(&grpcurl),
            "hubkeep": lines(&hubkeep),
            "audit_viewer": stage.viewer_address(),
        }));
    }
    output.line(&format!(
        "\n{STRONG}Try it{STRONG:#} {FAINT}(the handle lives 15 minutes){FAINT:#}"
    ))?;
    for (what, line) in grpcurl.iter().chain(&hubkeep) {
        output.line(&format!("  {FAINT}# {what}{FAINT:#}\n  {COPY}{line}{COPY:#}"))?;
    }
    output.line(&format!(
        "  {FAINT}# the audit log, in a browser{FAINT:#}\n  {COPY}{}{COPY:#}",
        stage.viewer_address()
    ))?;
    output.line(&format!(
        "{FAINT}everything is gone when you stop it: ctrl-c{FAINT:#}"
    ))
}

/// What a line shows, and the line.
type Try = (&'static str, String);

/// Where the services are: "http://127.0.0.1:…".
struct Addresses<'a> {
    credential: &'a str,
    crm: &'a str,
}

fn grpcurl(addresses: &Addresses<'_>, handle: &str) -> Vec<Try> {
    let bare = |address: &str| address.trim_start_matches("http://").to_owned();
    let (credential, crm) = (bare(addresses.credential), bare(addresses.crm));
    let with_handle = |request: &str, method: &str| {
        format!("grpcurl -plaintext -H 'authorization: Bearer {handle}' -d '{request}' {crm} {method}")
    };
    let list = "hubkeep.crm.v1.ObjectService/ListObjects";
    let acme = r#"{"client_slug":"acme","object_type":"contacts","page_size":2}"#;
    let globex = r#"{"client_slug":"globex","object_type":"contacts","page_size":2}"#;
    let issue = r#"{"client_slug":"globex","scope":{"operations":["HANDLE_OPERATION_LIST"],"object_types":["deals"]},"purpose_code":"try-out"}"#;
    let audit = r#"{"filter":{"client_slug":"acme"}}"#;
    vec![
        (
            "what crm-service offers",
            format!("grpcurl -plaintext {crm} list"),
        ),
        ("contacts of acme", with_handle(acme, list)),
        ("globex with acme's handle: refused", with_handle(globex, list)),
        (
            "acme's audit log, live",
            with_handle(audit, "hubkeep.audit.v1.AuditService/StreamEvents"),
        ),
        (
            "a handle for globex",
            format!(
                "grpcurl -plaintext -d '{issue}' {credential} hubkeep.credential.v1.HandleService/IssueHandle"
            ),
        ),
        (
            "the portals, never their tokens",
            format!("grpcurl -plaintext {credential} hubkeep.credential.v1.PortalService/ListPortals"),
        ),
    ]
}

fn hubkeep(addresses: &Addresses<'_>, handle: &str, program: &str) -> Vec<Try> {
    let Addresses { credential, crm } = addresses;
    vec![
        (
            "the same with this command",
            format!(
                "export HUBKEEP_CREDENTIAL_SERVICE={credential} HUBKEEP_CRM_SERVICE={crm} HUBKEEP_HANDLE={handle}"
            ),
        ),
        ("the portals", format!("{program} portals")),
        (
            "customers of acme",
            format!(
                "{program} crm search acme contacts --where 'lifecyclestage EQ customer' --properties email,company"
            ),
        ),
        (
            "globex with acme's handle: refused",
            format!("{program} crm list globex contacts"),
        ),
        (
            "acme's audit log, live",
            format!("{program} audit tail --from crm-service --portal acme"),
        ),
    ]
}
