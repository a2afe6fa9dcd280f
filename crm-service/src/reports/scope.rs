//! What callers and tokens may do, beside what was done.

mod shown;

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_proto::credential::v1::{Grant, grant::Holder};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    acts::Acts,
    counted::{Counted, counted},
    error::Error,
    page::Page,
    scopes,
    source::Source,
    tally::Tally,
};

/// What a report of permissions says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    grants: Vec<Granted>,
    used: Vec<Used>,
    credentials: Vec<Credential>,
    /// What was done in the period and of which it is not known which scope it needs: an operation and a type each.
    uses_without_known_scope: Vec<String>,
    /// Callers who called in the period and whom no grant names now as callers. Some of them may be a person's who has a grant.
    callers_without_grant: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Granted {
    grant_id: String,
    /// A caller, a prefix of callers, all of them, or a person.
    holder: String,
    operations: Vec<String>,
    object_types: Vec<String>,
    /// Operations that it allows and nobody of its callers used in the period; of a person's grant, nobody at all.
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
    /// Those that something that was done in the period needs, with this token or another of the portal.
    used_scopes: Vec<String>,
    /// Those that nothing that was done needs. Not known to be so while something was done of which the scope is not known.
    unused_scopes: Vec<String>,
    /// Those of which it is not known what they are for.
    unknown_scopes: Vec<String>,
}

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source) -> Result<(Page, Value), Error> {
    let Counted { tally, acts, .. } = counted(source).await?;
    let used_by = used_by(&tally, &acts);
    let grants = source.known().grants.iter();
    let grants: Vec<Granted> = grants.map(|grant| granted(grant, &used_by)).collect();
    let needs = Needs::of(&tally);
    let body = Body {
        callers_without_grant: without_grant(&used_by, &grants),
        grants,
        used: used(&tally),
        credentials: credentials(source, &needs),
        uses_without_known_scope: needs.unknown.into_iter().collect(),
    };
    let mut page = shown::page(&body);
    page.gaps = gaps(&body);
    Ok((page, serde_json::to_value(body)?))
}

/// What is not known.
fn gaps(body: &Body) -> Vec<String> {
    let of_people: Vec<&str> = body
        .grants
        .iter()
        .filter(|grant| grant.holder.starts_with(PERSON))
        .map(|grant| grant.grant_id.as_str())
        .collect();
    let unknown: BTreeSet<&str> = body
        .credentials
        .iter()
        .flat_map(|credential| credential.unknown_scopes.iter().map(String::as_str))
        .collect();
    let mut gaps = Vec::new();
    if !of_people.is_empty() {
        gaps.push(format!(
            "grants[].unused_operations, callers_without_grant: which callers a person's are is not known here, so that of the grants \
             {} only what nobody at all used is told, and who has no grant may be theirs: `hubkeep people` tells them",
            of_people.join(", ")
        ));
    }
    if !body.uses_without_known_scope.is_empty() {
        gaps.push(format!(
            "credentials[].unused_scopes: it is not known which scopes these need: {}",
            body.uses_without_known_scope.join(", ")
        ));
    }
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.into_iter().collect();
        gaps.push(format!(
            "credentials[].unknown_scopes: it is not known what these let a token do: {}",
            unknown.join(", ")
        ));
    }
    if body
        .credentials
        .iter()
        .any(|credential| credential.scopes.is_empty())
    {
        gaps.push(
            "credentials[].scopes: HubSpot has not said which scopes a token has: `hubkeep portals verify`"
                .to_owned(),
        );
    }
    gaps
}

/// Which scopes what was done needs.
#[derive(Debug, Default)]
struct Needs {
    /// Each list is needed: one of its scopes suffices.
    known: Vec<&'static [&'static str]>,
    /// An operation and a type each of which it is not known.
    unknown: BTreeSet<String>,
}

impl Needs {
    fn of(tally: &Tally) -> Self {
        let mut needs = Self::default();
        for ((operation, object_type), line) in
            tally.by(|key| (key.operation.clone(), key.object_type.clone()))
        {
            if line.counts.calls == 0 {
                continue;
            }
            match scopes::needed(&operation, &object_type) {
                Some(list) => needs.known.push(list),
                None => {
                    let use_of = format!("{operation} {object_type}");
                    needs.unknown.insert(use_of.trim_end().to_owned());
                }
            }
        }
        needs
    }

    fn has(&self, scope: &str) -> bool {
        self.known.iter().any(|list| list.contains(&scope))
    }
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
        "AUDIT_STREAM" | "AUDIT_LIST" | "AUDIT_EXPORT" | "AUDIT_CHECKPOINT" | "AUDIT_PROOF"
        | "WRITE_LIST" => "READ_AUDIT",
        "QUOTA_GET" | "QUOTA_WATCH" => "QUOTA",
        "REPORT_GET" => "REPORT",
        _ => return None,
    })
}

/// What each caller used, in words of handles.
fn used_by(tally: &Tally, acts: &Acts) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut used: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for ((caller, operation), line) in tally.by(|key| (key.caller.clone(), key.operation.clone())) {
        let needed = needs(&operation).filter(|_| line.counts.calls > 0);
        let of_caller = used.entry(caller).or_default();
        of_caller.extend(needed);
        if operation == "OBJECT_UPSERT" && line.counts.calls > 0 {
            of_caller.insert("UPDATE");
        }
    }
    // What is read of logs, quotas and reports reaches no HubSpot, and is on record where a handle allowed it.
    for (caller, operation) in &acts.by_handle {
        let of_caller = used.entry(caller.clone()).or_default();
        of_caller.extend(needs(operation));
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
    Granted {
        grant_id: grant.grant_id.clone(),
        unused_operations: operations
            .iter()
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

fn credentials(source: &Source, needs: &Needs) -> Vec<Credential> {
    let credentials = source.portal().credentials.iter();
    credentials
        .map(|credential| {
            let (used, unused): (Vec<String>, Vec<String>) = credential
                .scopes
                .iter()
                .cloned()
                .partition(|scope| needs.has(scope));
            let (unused, unknown) = unused.into_iter().partition(|scope| scopes::is_known(scope));
            Credential {
                name: credential.credential_name.clone(),
                scopes: credential.scopes.clone(),
                used_scopes: used,
                unused_scopes: unused,
                unknown_scopes: unknown,
            }
        })
        .collect()
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
