//! `hubkeep grants put`: one grant from the command line, or many from a file.

use std::path::PathBuf;

use clap::{ArgGroup, Args, builder::NonEmptyStringValueParser};
use hubkeep_proto::credential::v1::{
    Grant, HandleBudget, HandleOperation, HandleScope, PortalSelection, PutGrantRequest, PutGrantResponse,
    access_service_client::AccessServiceClient, grant::Holder,
};
use serde_json::{Value, json};

use super::{file, handles};
use crate::{
    channel::Service,
    commands::handle::operation,
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output},
    wire_json, wording,
};

/// Make a grant, or put one in the place of the one with its id.
///
/// Handles that were issued under the old one live on if the new one is nowhere narrower; else all of them end at once.
/// --dry-run says which it would be. With --file, each table of a TOML file is a grant, by its id; one that is refused
/// stands in no other's way, and the command ends with 3 then.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("holder").args(["caller", "person"]))]
pub(super) struct PutArgs {
    /// Its id: 1 to 64 of a-z, 0-9, '-' and '.'.
    #[arg(required_unless_present = "file", requires = "holder", requires = "allow")]
    id: Option<String>,
    /// Who has it: a caller's name, 'PREFIX/*' for all below it, '*' for everybody.
    #[arg(long, value_name = "NAME", requires = "id")]
    caller: Option<String>,
    /// Or a person, by the id that `hubkeep people` shows.
    #[arg(long, value_name = "ID", requires = "id")]
    person: Option<String>,
    /// For which portals, by slug. They need not be onboarded yet.
    #[arg(long, value_delimiter = ',', value_name = "SLUG,…", requires = "id")]
    portals: Vec<String>,
    /// For each portal that has one of these tags, as long as it has.
    #[arg(long, value_delimiter = ',', value_name = "TAG,…", requires = "id")]
    tags: Vec<String>,
    /// For every portal.
    #[arg(long, requires = "id")]
    all_portals: bool,
    /// The most that a handle may allow: get, list, search, create, update, archive, merge, erase, associate,
    /// read-audit, quota, report, write-schema.
    #[arg(long, value_delimiter = ',', value_parser = operation, value_name = "OPERATION,…", requires = "id")]
    allow: Vec<HandleOperation>,
    /// On which object types: contacts, companies, owners, …; '*' for all.
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…", value_parser = NonEmptyStringValueParser::new(), requires = "id")]
    types: Vec<String>,
    /// The only properties; all if none is named.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…", value_parser = NonEmptyStringValueParser::new(), requires = "id")]
    properties: Vec<String>,
    /// The only pipelines of records, by HubSpot's id; all if none is named.
    #[arg(long, value_delimiter = ',', value_name = "ID,…", value_parser = NonEmptyStringValueParser::new(), requires = "id")]
    pipelines: Vec<String>,
    /// The only owners of records, by HubSpot's id; all if none is named.
    #[arg(long, value_delimiter = ',', value_name = "ID,…", value_parser = NonEmptyStringValueParser::new(), requires = "id")]
    owners: Vec<String>,
    /// The longest life of a handle, 15m at most; without it, what the deployment allows.
    #[arg(long, value_name = "TIME", requires = "id")]
    max_lifetime: Option<humantime::Duration>,
    /// The most calls that one handle may make; any number without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "id")]
    max_calls: Option<u64>,
    /// The most records that one handle may read or write; any number without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "id")]
    max_records: Option<u64>,
    /// Each write is proposed, and made when a human has approved it.
    #[arg(long, requires = "id")]
    writes_need_approval: bool,
    /// Grants in a TOML file: a table for each, by its id, with the names of these options ('_' for '-').
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    file: Option<PathBuf>,
    /// Check it, say what would end, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: PutArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let dry_run = args.dry_run;
    if let Some(file) = &args.file {
        return many(file::read(file)?, dry_run, service, output).await;
    }
    let answer = put(grant(args)?, dry_run, service).await?;
    if output.is_json() {
        output.document(&as_json(&answer)?)?;
    } else {
        tell(&answer, dry_run, output)?;
    }
    Ok(Exit::Done)
}

/// Puts one after another. One that is refused stands in nobody's way; a service that is not reached does, and one that
/// refuses whoever runs the command.
async fn many(grants: Vec<Grant>, dry_run: bool, service: &Service, output: &Output) -> Result<Exit, Error> {
    let (mut done, mut refused): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut cut_short = None;
    for grant in grants {
        let grant_id = grant.grant_id.clone();
        match put(grant, dry_run, service).await {
            Ok(answer) => {
                if !output.is_json() {
                    tell(&answer, dry_run, output)?;
                }
                done.push(as_json(&answer)?);
            }
            Err(error) if is_of_one_grant(&error) => {
                let refusal = error.refusal();
                if !output.is_json() {
                    let (reason, message) = (&refusal.reason, wording::typed(&refusal.message));
                    output.line(&format!("{BAD}{grant_id} is refused{BAD:#}: {reason}: {message}"))?;
                }
                refused.push(json!({ "grant_id": grant_id, "error": refusal }));
            }
            Err(error) => {
                cut_short = Some(error);
                break;
            }
        }
    }
    let exit = if refused.is_empty() {
        Exit::Done
    } else {
        Exit::RowsRefused
    };
    match cut_short {
        Some(error) if !output.is_json() => Err(error),
        cut_short => {
            if output.is_json() {
                let mut document = json!({ "put": done, "refused": refused });
                if let (Some(document), Some(error)) = (document.as_object_mut(), &cut_short) {
                    document.insert("error".to_owned(), json!(error.refusal()));
                }
                output.document(&document)?;
            }
            Ok(cut_short.map_or(exit, |error| error.exit()))
        }
    }
}

/// Whether the next one may be taken all the same.
fn is_of_one_grant(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => {
            !["PERMISSION_DENIED", "UNAUTHENTICATED", "UNAVAILABLE"].contains(&refusal.code.as_str())
        }
        _ => false,
    }
}

async fn put(grant: Grant, validate_only: bool, service: &Service) -> Result<PutGrantResponse, Error> {
    let request = PutGrantRequest {
        grant: Some(grant),
        validate_only,
    };
    let mut client = AccessServiceClient::new(service.connection());
    let answer = client.put_grant(request).await;
    Ok(answer.map_err(|status| service.ended(status))?.into_inner())
}

fn as_json(answer: &PutGrantResponse) -> Result<Value, Error> {
    wire_json::of("hubkeep.credential.v1.PutGrantResponse", answer)
}

fn tell(answer: &PutGrantResponse, dry_run: bool, output: &Output) -> Result<(), Error> {
    let grant = answer.grant.clone().unwrap_or_default();
    let (id, revision) = (&grant.grant_id, grant.revision);
    let done = if dry_run { "would be put" } else { "is put" };
    let ended = match (answer.ended_handles, answer.revocation_seq, dry_run) {
        (0, 0, _) => String::new(),
        (count, _, true) => format!("; {} would end", handles(count)),
        (0, seq, false) => format!("; handles issued under it before end (revocation {seq})"),
        (count, seq, false) => format!("; {} ended (revocation {seq})", handles(count)),
    };
    output.line(&format!("{GOOD}{id} {done}{GOOD:#} (revision {revision}){ended}"))
}

fn grant(args: PutArgs) -> Result<Grant, Error> {
    let max_lifetime = args
        .max_lifetime
        .map(|time| prost_types::Duration::try_from(*time))
        .transpose()
        .map_err(|_| Error::Usage("--max-lifetime is out of range".to_owned()))?;
    let holder = match (args.caller, args.person) {
        (Some(caller), _) => Some(Holder::Caller(caller)),
        (None, person) => person.map(Holder::PersonId),
    };
    Ok(Grant {
        grant_id: args.id.unwrap_or_default(),
        holder,
        portals: Some(PortalSelection {
            client_slugs: args.portals,
            tags: args.tags,
            all: args.all_portals,
        }),
        scope: Some(HandleScope {
            operations: args.allow.into_iter().map(Into::into).collect(),
            object_types: args.types,
            properties: args.properties,
            pipelines: args.pipelines,
            owner_ids: args.owners,
        }),
        max_lifetime,
        budget: budget(args.max_calls, args.max_records),
        writes_need_approval: args.writes_need_approval,
        ..Grant::default()
    })
}

/// What one handle may do, where anything is said of it.
pub(super) fn budget(max_calls: Option<u64>, max_records: Option<u64>) -> Option<HandleBudget> {
    (max_calls.is_some() || max_records.is_some()).then(|| HandleBudget {
        max_calls: max_calls.unwrap_or_default(),
        max_records: max_records.unwrap_or_default(),
    })
}
