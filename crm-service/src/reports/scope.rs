//! What callers and tokens may do, beside what was done.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_proto::credential::v1::{Grant, grant::Holder};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    error::Error,
    page::{Page, number, words},
    processing::counted,
    source::Source,
    tally::Tally,
};

/// What a report of permissions says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    grants: Vec<Granted>,
    used: Vec<Used>,
    credentials: Vec<Credential>,
    /// Callers who called in the period and whom no grant names now.
    callers_without_grant: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Granted {
    grant_id: String,
    /// A caller, a prefix of callers, all of them, or a person.
    holder: String,
    operations: Vec<String>,
    object_types: Vec<String>,
    /// Operations that it allows and nobody of its callers used in the period.
    unused_operations: Vec<String>,
    writes_need_approval: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Used {
    caller: String,
    operation: String,
    object_type: String,
    calls: u64,
    denied: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Credential {
    name: String,
    /// HubSpot's scopes of the token, as HubSpot told them when it was last asked.
    scopes: Vec<String>,
}

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source) -> Result<(Page, Value), Error> {
    let (tally, _) = counted(source).await?;
    let used_by = used_by(&tally);
    let grants = source.known().grants.iter();
    let grants: Vec<Granted> = grants.map(|grant| granted(grant, &used_by)).collect();
    let of_a_person = grants.iter().any(|grant| grant.holder.starts_with(PERSON));
    let body = Body {
        callers_without_grant: match of_a_person {
            // Whose callers a person's are is not told here.
            true => Vec::new(),
            false => without_grant(&used_by, &grants),
        },
        grants,
        used: used(&tally),
        credentials: credentials(source),
    };
    Ok((page(&body), serde_json::to_value(body)?))
}

/// What stands before the id of a person.
const PERSON: &str = "person ";

/// What a handle must allow for an operation of the log.
fn needs(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "OBJECT_GET"
        | "OBJECT_BATCH_READ"
        | "OWNER_GET"
        | "ASSOCIATION_LIST"
        | "ASSOCIATION_BATCH_READ"
        | "PROPERTY_GET"
        | "PIPELINE_GET"
        | "OBJECT_TYPE_GET" => "GET",
        "OBJECT_LIST"
        | "OWNER_LIST"
        | "PROPERTY_LIST"
        | "PIPELINE_LIST"
        | "OBJECT_TYPE_LIST"
        | "ASSOCIATION_LABEL_LIST" => "LIST",
        "OBJECT_SEARCH" => "SEARCH",
        "OBJECT_CREATE" | "OBJECT_BATCH_CREATE" => "CREATE",
        "OBJECT_UPDATE" | "OBJECT_BATCH_UPDATE" => "UPDATE",
        // An upsert needs both; that it was used says so of either.
        "OBJECT_UPSERT" => "CREATE",
        "OBJECT_ARCHIVE" | "OBJECT_BATCH_ARCHIVE" => "ARCHIVE",
        "OBJECT_MERGE" => "MERGE",
        "CONTACT_ERASE" => "ERASE",
        "ASSOCIATION_CREATE"
        | "ASSOCIATION_REMOVE"
        | "ASSOCIATION_BATCH_CREATE"
        | "ASSOCIATION_BATCH_REMOVE"
        | "ASSOCIATION_LABEL_BATCH_REMOVE" => "ASSOCIATE",
        "PROPERTY_CREATE"
        | "PROPERTY_UPDATE"
        | "PROPERTY_ARCHIVE"
        | "PIPELINE_CREATE"
        | "PIPELINE_UPDATE"
        | "PIPELINE_ARCHIVE"
        | "PIPELINE_STAGE_CREATE"
        | "PIPELINE_STAGE_UPDATE"
        | "PIPELINE_STAGE_ARCHIVE" => "WRITE_SCHEMA",
        "AUDIT_STREAM" | "AUDIT_LIST" | "AUDIT_EXPORT" | "WRITE_LIST" => "READ_AUDIT",
        "QUOTA_GET" | "QUOTA_WATCH" => "QUOTA",
        "REPORT_GET" => "REPORT",
        _ => return None,
    })
}

/// What each caller used, in words of handles.
fn used_by(tally: &Tally) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut used: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for ((caller, operation), line) in tally.by(|key| (key.caller.clone(), key.operation.clone())) {
        let needed = needs(&operation).filter(|_| line.counts.calls > 0);
        let of_caller = used.entry(caller).or_default();
        of_caller.extend(needed);
        if operation == "OBJECT_UPSERT" && line.counts.calls > 0 {
            of_caller.insert("UPDATE");
        }
    }
    used
}

fn granted(grant: &Grant, used_by: &BTreeMap<String, BTreeSet<&'static str>>) -> Granted {
    let holder = match &grant.holder {
        Some(Holder::Caller(caller)) => caller.clone(),
        Some(Holder::PersonId(person)) => format!("{PERSON}{person}"),
        None => String::new(),
    };
    let scope = grant.scope.clone().unwrap_or_default();
    let operations: Vec<String> = scope
        .operations()
        .map(|operation| {
            let name = operation.as_str_name();
            name.strip_prefix("HANDLE_OPERATION_").unwrap_or(name).to_owned()
        })
        .collect();
    let used: BTreeSet<&str> = used_by
        .iter()
        .filter(|(caller, _)| holder.starts_with(PERSON) || covers(&holder, caller))
        .flat_map(|(_, used)| used.iter().copied())
        .collect();
    // Nothing here records the reading of logs, quotas and reports by handle and portal alone.
    let on_records = |name: &&String| !["READ_AUDIT", "QUOTA", "REPORT"].contains(&name.as_str());
    let unused = operations.iter().filter(on_records);
    Granted {
        grant_id: grant.grant_id.clone(),
        unused_operations: unused
            .filter(|name| !used.contains(name.as_str()))
            .cloned()
            .collect(),
        operations,
        object_types: scope.object_types,
        writes_need_approval: grant.writes_need_approval,
        holder,
    }
}

/// Whether a grant's holder is, or begins, this caller's name.
fn covers(holder: &str, caller: &str) -> bool {
    match holder.strip_suffix('*') {
        Some(prefix) => caller.starts_with(prefix),
        None => holder == caller,
    }
}

fn without_grant(used_by: &BTreeMap<String, BTreeSet<&'static str>>, grants: &[Granted]) -> Vec<String> {
    let called = used_by.iter().filter(|(_, used)| !used.is_empty());
    called
        .map(|(caller, _)| caller)
        .filter(|caller| !grants.iter().any(|grant| covers(&grant.holder, caller)))
        .cloned()
        .collect()
}

fn used(tally: &Tally) -> Vec<Used> {
    let grouped = tally.by(|key| (key.caller.clone(), key.operation.clone(), key.object_type.clone()));
    grouped
        .into_iter()
        .map(|((caller, operation, object_type), line)| Used {
            caller,
            operation,
            object_type,
            calls: line.counts.calls,
            denied: line.counts.denied,
        })
        .collect()
}

fn credentials(source: &Source) -> Vec<Credential> {
    let credentials = source.portal().credentials.iter();
    credentials
        .map(|credential| Credential {
            name: credential.credential_name.clone(),
            scopes: credential.scopes.clone(),
        })
        .collect()
}

fn page(body: &Body) -> Page {
    let mut page = Page::default();
    page.section(
        "Grants",
        "Who may have handles for the portal now, and what of that nobody used in the period.",
        [
            "Grant",
            "Holder",
            "Operations",
            "Types",
            "Not used",
            "Writes need approval",
        ]
        .map(words)
        .to_vec(),
        body.grants
            .iter()
            .map(|grant| {
                vec![
                    grant.grant_id.clone(),
                    grant.holder.clone(),
                    grant.operations.join(", "),
                    grant.object_types.join(", "),
                    grant.unused_operations.join(", "),
                    if grant.writes_need_approval { "yes" } else { "no" }.to_owned(),
                ]
            })
            .collect(),
    );
    page.section(
        "Used",
        "What callers did, and what they were refused.",
        vec![
            words("Caller"),
            words("Operation"),
            words("Type"),
            number("Calls"),
            number("Denied here"),
        ],
        body.used
            .iter()
            .map(|one| {
                vec![
                    one.caller.clone(),
                    one.operation.clone(),
                    one.object_type.clone(),
                    one.calls.to_string(),
                    one.denied.to_string(),
                ]
            })
            .collect(),
    );
    page.section(
        "Tokens",
        "What HubSpot lets the portal's tokens do: take away what nothing needs.",
        vec![words("Credential"), words("Scopes")],
        body.credentials
            .iter()
            .map(|one| vec![one.name.clone(), one.scopes.join(", ")])
            .collect(),
    );
    page.section(
        "Callers without a grant",
        "They called in the period, and no grant names them now.",
        vec![words("Caller")],
        body.callers_without_grant
            .iter()
            .map(|one| vec![one.clone()])
            .collect(),
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_whom_it_names_and_no_other() {
        assert!(covers("sync", "sync") && covers("*", "sync") && covers("jobs/*", "jobs/nightly"));
        assert!(!covers("sync", "sync-2") && !covers("jobs/*", "jobless"));
    }
}
