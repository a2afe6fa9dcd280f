//! Many associations from a file: what became of each row is told.

use clap::Args;
use hubkeep_proto::{
    crm::v1::{
        AssociationLabelsToRemove, AssociationPage, AssociationPageResult, AssociationResult,
        AssociationToCreate, AssociationToRemove, AssociationsToRead, BatchCreateAssociationsRequest,
        BatchReadAssociationsRequest, BatchRemoveAssociationLabelsRequest, BatchRemoveAssociationsRequest,
        ItemError, association_page_result::Result as Found, association_result::Result as Became,
        association_service_client::AssociationServiceClient,
    },
    error::v1::ErrorReason,
};
use serde_json::json;
use tonic::Status;

use super::{
    super::{
        Again, Of,
        pairs::{PairRow, PairsArgs},
        relate::named,
        rows::{FileArgs, Wants},
    },
    MOST, in_one_request, stopped, told,
};
use crate::{
    channel::{Connection, Service},
    errors::Error,
    exit::Exit,
    output::{Output, printable},
    wire_json,
};

/// The type at the other end.
#[derive(Args, Debug)]
struct To {
    /// The type at the other end.
    #[arg(value_name = "TO_TYPE")]
    to_type: String,
}

/// The pairs of a file, which are written.
#[derive(Args, Debug)]
pub(in crate::commands::crm) struct WriteArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    file: PairsArgs,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(in crate::commands::crm) struct AssociationsArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    to: To,
    #[command(flatten)]
    file: FileArgs,
}

/// What is done with each pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Associate,
    Dissociate,
    Unlabel,
}

struct Run<'a> {
    service: &'a Service,
    of: Of,
    to_object_type: String,
    request_id: String,
    work: Work,
}

pub(super) async fn associate(args: WriteArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let pairs = args.file.read(true)?;
    run(Work::Associate, args, pairs, service, output).await
}

pub(super) async fn dissociate(args: WriteArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let pairs = args.file.read(false)?;
    run(Work::Dissociate, args, pairs, service, output).await
}

/// Takes labels off: every row says which. One that says none is refused, for it could mean all.
pub(super) async fn unlabel(args: WriteArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let pairs = args.file.read(true)?;
    if let Some(bare) = pairs.iter().find(|pair| pair.labels.is_empty()) {
        return Err(Error::Usage(format!(
            "row {}: labels is empty: name those that are to be taken off",
            bare.number
        )));
    }
    run(Work::Unlabel, args, pairs, service, output).await
}

async fn run(
    work: Work,
    args: WriteArgs,
    pairs: Vec<PairRow>,
    service: &Service,
    output: &Output,
) -> Result<Exit, Error> {
    let run = Run {
        service,
        of: args.of,
        to_object_type: args.to.to_type,
        request_id: args.again.stated(),
        work,
    };
    run.carry_out(&pairs, output).await
}

impl Run<'_> {
    async fn carry_out(&self, pairs: &[PairRow], output: &Output) -> Result<Exit, Error> {
        in_one_request(&self.request_id, pairs.len())?;
        let mut client = AssociationServiceClient::new(self.service.connection());
        let mut told = Vec::new();
        for some in pairs.chunks(MOST) {
            let results = match self.send(&mut client, some).await {
                Ok(results) => results,
                Err(status) => {
                    self.show(&told, output)?;
                    stopped(some.first().map(|pair| pair.number), output)?;
                    return Err(self.service.write_ended(status));
                }
            };
            told::whole(self.service, results.len(), some.len())?;
            for (pair, result) in some.iter().zip(results) {
                if output.is_json() {
                    let became = wire_json::of("hubkeep.crm.v1.AssociationResult", &result)?;
                    output.json_line(
                        &json!({ "row": pair.number, "from": pair.from, "to": pair.to, "result": became }),
                    )?;
                }
                told.push((pair.clone(), result));
            }
        }
        self.show(&told, output)?;
        Ok(told::exit(told.iter().filter_map(
            |(_, result)| match &result.result {
                Some(Became::Kinds(_)) => None,
                Some(Became::Error(error)) => Some(error.reason()),
                None => Some(ErrorReason::Unspecified),
            },
        )))
    }

    async fn send(
        &self,
        client: &mut AssociationServiceClient<Connection>,
        pairs: &[PairRow],
    ) -> Result<Vec<AssociationResult>, Status> {
        let (client_slug, object_type) = (self.of.slug.clone(), self.of.object_type.clone());
        let (to_object_type, request_id) = (self.to_object_type.clone(), self.request_id.clone());
        let expected_portal_id = self.of.expected.stated();
        Ok(match self.work {
            Work::Associate => {
                let input = |pair: &PairRow| AssociationToCreate {
                    object_id: pair.from.clone(),
                    to_object_id: pair.to.clone(),
                    labels: pair.labels.clone(),
                };
                let request = BatchCreateAssociationsRequest {
                    client_slug,
                    object_type,
                    to_object_type,
                    inputs: pairs.iter().map(input).collect(),
                    expected_portal_id,
                    request_id,
                };
                client
                    .batch_create_associations(request)
                    .await?
                    .into_inner()
                    .results
            }
            Work::Dissociate => {
                let input = |pair: &PairRow| AssociationToRemove {
                    object_id: pair.from.clone(),
                    to_object_id: pair.to.clone(),
                };
                let request = BatchRemoveAssociationsRequest {
                    client_slug,
                    object_type,
                    to_object_type,
                    inputs: pairs.iter().map(input).collect(),
                    expected_portal_id,
                    request_id,
                };
                client
                    .batch_remove_associations(request)
                    .await?
                    .into_inner()
                    .results
            }
            Work::Unlabel => {
                let input = |pair: &PairRow| AssociationLabelsToRemove {
                    object_id: pair.from.clone(),
                    to_object_id: pair.to.clone(),
                    labels: pair.labels.clone(),
                };
                let request = BatchRemoveAssociationLabelsRequest {
                    client_slug,
                    object_type,
                    to_object_type,
                    inputs: pairs.iter().map(input).collect(),
                    expected_portal_id,
                    request_id,
                };
                client
                    .batch_remove_association_labels(request)
                    .await?
                    .into_inner()
                    .results
            }
        })
    }

    /// For people: what became of each row.
    fn show(&self, told: &[(PairRow, AssociationResult)], output: &Output) -> Result<(), Error> {
        if output.is_json() || told.is_empty() {
            return Ok(());
        }
        let done = match self.work {
            Work::Associate => "associated",
            Work::Dissociate => "taken apart",
            Work::Unlabel => "taken off",
        };
        let row = |(pair, result): &(PairRow, AssociationResult)| {
            let (became, why) = match &result.result {
                Some(Became::Kinds(_)) => (done.to_owned(), String::new()),
                Some(Became::Error(error)) => refused(error),
                None => ("?".to_owned(), String::new()),
            };
            vec![
                pair.number.to_string(),
                pair.from.clone(),
                pair.to.clone(),
                became,
                why,
            ]
        };
        let rows = told.iter().map(row).collect();
        output.table(&["row", "from", "to", "", "why"], rows, "")
    }
}

fn refused(error: &ItemError) -> (String, String) {
    let reason = error.reason().wire_name();
    (reason.to_owned(), printable(&error.message))
}

/// A record of a file, and where its next page begins.
struct Asked {
    number: usize,
    id: String,
    page_token: String,
}

/// Everything that the records of a file are associated with: pages are followed to their ends.
pub(super) async fn associations(
    args: AssociationsArgs,
    service: &Service,
    output: &Output,
) -> Result<Exit, Error> {
    let rows = args.file.read(Wants::Ids)?;
    let mut client = AssociationServiceClient::new(service.connection());
    let mut reasons = Vec::new();
    let mut lines = Vec::new();
    for some in rows.chunks(MOST) {
        let mut asked: Vec<Asked> = some
            .iter()
            .map(|row| Asked {
                number: row.number,
                id: row.id.clone(),
                page_token: String::new(),
            })
            .collect();
        while !asked.is_empty() {
            let request = BatchReadAssociationsRequest {
                client_slug: args.of.slug.clone(),
                object_type: args.of.object_type.clone(),
                to_object_type: args.to.to_type.clone(),
                inputs: asked.iter().map(input).collect(),
                expected_portal_id: args.of.expected.stated(),
            };
            let results = match client.batch_read_associations(request).await {
                Ok(answer) => answer.into_inner().results,
                Err(status) => {
                    stopped(some.first().map(|row| row.number), output)?;
                    return Err(service.ended(status));
                }
            };
            told::whole(service, results.len(), asked.len())?;
            let mut more = Vec::new();
            for (asked, result) in asked.into_iter().zip(results) {
                if output.is_json() {
                    let found = wire_json::of("hubkeep.crm.v1.AssociationPageResult", &result)?;
                    output.json_line(&json!({ "row": asked.number, "id": asked.id, "result": found }))?;
                }
                let next = found(&asked, result, &mut lines, &mut reasons);
                more.extend(next);
            }
            asked = more;
        }
    }
    if !output.is_json() {
        output.table(
            &["row", "id", "associated with", "as", "why"],
            lines,
            "associated with none",
        )?;
    }
    Ok(told::exit(reasons.into_iter()))
}

fn input(asked: &Asked) -> AssociationsToRead {
    AssociationsToRead {
        object_id: asked.id.clone(),
        page_token: asked.page_token.clone(),
    }
}

/// Keeps what was found, and says what is to be asked for next.
fn found(
    asked: &Asked,
    result: AssociationPageResult,
    lines: &mut Vec<Vec<String>>,
    reasons: &mut Vec<ErrorReason>,
) -> Option<Asked> {
    let mut line = |with: String, kinds: String, why: String| {
        lines.push(vec![asked.number.to_string(), asked.id.clone(), with, kinds, why]);
    };
    match result.result {
        Some(Found::Page(AssociationPage {
            records,
            next_page_token,
        })) => {
            for record in records {
                let kinds: Vec<String> = record.labels.iter().map(named).collect();
                line(record.object_id, kinds.join(", "), String::new());
            }
            (!next_page_token.is_empty()).then(|| Asked {
                number: asked.number,
                id: asked.id.clone(),
                page_token: next_page_token,
            })
        }
        Some(Found::Error(error)) => {
            let (reason, why) = refused(&error);
            line(String::new(), reason, why);
            reasons.push(error.reason());
            None
        }
        None => {
            line(String::new(), "?".to_owned(), String::new());
            reasons.push(ErrorReason::Unspecified);
            None
        }
    }
}
