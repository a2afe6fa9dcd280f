//! What records have to do with each other.

use clap::Args;
use hubkeep_proto::{
    crm::v1::{
        AssociatedRecord, AssociationLabel, AssociationLabelsToRemove, BatchRemoveAssociationLabelsRequest,
        CreateAssociationRequest, ListAssociationLabelsRequest, ListAssociationsRequest,
        RemoveAssociationRequest, association_result::Result as Became,
        association_service_client::AssociationServiceClient,
    },
    error::v1::ErrorReason,
};

use super::{Again, Expected, Page, show};
use crate::{
    channel::Service,
    commands::shown_handle::ShownHandle,
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output, printable},
    wire_json,
};

/// Two records.
#[derive(Args, Debug)]
struct Pair {
    /// The portal's slug. It must be the handle's.
    slug: String,
    /// The record from which it goes out: its type and HubSpot's id, as contacts/101.
    #[arg(value_name = "TYPE/ID", value_parser = record)]
    from: (String, String),
    /// The record at the other end, likewise.
    #[arg(value_name = "TYPE/ID", value_parser = record)]
    to: (String, String),
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

#[derive(Args, Debug)]
pub(super) struct AssociateArgs {
    #[command(flatten)]
    pair: Pair,
    /// A label, by HubSpot's id of it; behind a colon who has made it, if not HubSpot: 1, or 7:USER_DEFINED. Labels that are
    /// there already are kept. Without any: the association without a label.
    #[arg(long, value_delimiter = ',', value_name = "ID[:WHO],…", value_parser = label)]
    label: Vec<AssociationLabel>,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct DissociateArgs {
    #[command(flatten)]
    pair: Pair,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct UnlabelArgs {
    #[command(flatten)]
    pair: Pair,
    /// The labels, by HubSpot's ids of them; behind a colon who has made one, if not HubSpot: 1, or 7:USER_DEFINED. With the
    /// one without a label all of them end.
    #[arg(long, required = true, value_delimiter = ',', value_name = "ID[:WHO],…", value_parser = label)]
    label: Vec<AssociationLabel>,
    #[command(flatten)]
    again: Again,
}

#[derive(Args, Debug)]
pub(super) struct AssociationsArgs {
    /// The portal's slug. It must be the handle's.
    slug: String,
    /// The record: its type and HubSpot's id, as contacts/101; or a type alone, to list the labels that there are.
    #[arg(value_name = "TYPE[/ID]")]
    from: String,
    /// The type at the other end.
    #[arg(value_name = "TYPE")]
    to: String,
    #[command(flatten)]
    page: Page,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

impl AssociateArgs {
    pub(super) const fn shown(&self) -> &ShownHandle {
        &self.pair.shown
    }
}

impl DissociateArgs {
    pub(super) const fn shown(&self) -> &ShownHandle {
        &self.pair.shown
    }
}

impl UnlabelArgs {
    pub(super) const fn shown(&self) -> &ShownHandle {
        &self.pair.shown
    }
}

impl AssociationsArgs {
    pub(super) const fn shown(&self) -> &ShownHandle {
        &self.shown
    }
}

pub(super) async fn associate(args: AssociateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let Pair {
        slug,
        from,
        to,
        expected,
        ..
    } = args.pair;
    let told = between(&from, &to);
    let request = CreateAssociationRequest {
        client_slug: slug,
        object_type: from.0,
        object_id: from.1,
        to_object_type: to.0,
        to_object_id: to.1,
        labels: args.label,
        expected_portal_id: expected.stated(),
        request_id: args.again.stated(),
    };
    let mut client = AssociationServiceClient::new(service.connection());
    let answer = client.create_association(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.crm.v1.CreateAssociationResponse",
            &answer,
        )?);
    }
    output.line(&format!("{GOOD}associated{GOOD:#} {told}"))?;
    show::reply(answer.reply.as_ref(), output)
}

pub(super) async fn dissociate(
    args: DissociateArgs,
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let Pair {
        slug,
        from,
        to,
        expected,
        ..
    } = args.pair;
    let told = between(&from, &to);
    let request = RemoveAssociationRequest {
        client_slug: slug,
        object_type: from.0,
        object_id: from.1,
        to_object_type: to.0,
        to_object_id: to.1,
        expected_portal_id: expected.stated(),
        request_id: args.again.stated(),
    };
    let mut client = AssociationServiceClient::new(service.connection());
    let answer = client.remove_association(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.crm.v1.RemoveAssociationResponse",
            &answer,
        )?);
    }
    output.line(&format!("{GOOD}taken apart{GOOD:#} {told}"))?;
    show::reply(answer.reply.as_ref(), output)
}

/// Takes labels off two records. HubSpot knows that of many pairs only: this is one of them.
pub(super) async fn unlabel(args: UnlabelArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let Pair {
        slug,
        from,
        to,
        expected,
        ..
    } = args.pair;
    let told = between(&from, &to);
    let request = BatchRemoveAssociationLabelsRequest {
        client_slug: slug,
        object_type: from.0,
        to_object_type: to.0,
        inputs: vec![AssociationLabelsToRemove {
            object_id: from.1,
            to_object_id: to.1,
            labels: args.label,
        }],
        expected_portal_id: expected.stated(),
        request_id: args.again.stated(),
    };
    let mut client = AssociationServiceClient::new(service.connection());
    let answer = client.batch_remove_association_labels(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    let result = answer.results.first().and_then(|result| result.result.as_ref());
    let exit = match result {
        Some(Became::Kinds(_)) => Exit::Done,
        Some(Became::Error(error)) if error.reason() == ErrorReason::OutcomeUnknown => Exit::OutcomeUnknown,
        Some(Became::Error(_)) | None => Exit::RowsRefused,
    };
    if output.is_json() {
        let name = "hubkeep.crm.v1.BatchRemoveAssociationLabelsResponse";
        output.document(&wire_json::of(name, &answer)?)?;
        return Ok(exit);
    }
    match result {
        Some(Became::Kinds(_)) => output.line(&format!("{GOOD}taken off{GOOD:#} {told}"))?,
        Some(Became::Error(error)) => {
            let (reason, message) = (error.reason().wire_name(), printable(&error.message));
            output.note(&format!("{BAD}{reason}{BAD:#}: {message}"))?;
        }
        None => {}
    }
    show::reply(answer.replies.first(), output)?;
    Ok(exit)
}

/// The records at the other end of one, or the labels between two types.
pub(super) async fn associations(
    args: AssociationsArgs,
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let Ok((object_type, object_id)) = record(&args.from) else {
        return labels(args, service, output).await;
    };
    let request = ListAssociationsRequest {
        client_slug: args.slug,
        object_type,
        object_id,
        to_object_type: args.to,
        page_size: args.page.size(None),
        page_token: args.page.token.unwrap_or_default(),
        expected_portal_id: args.expected.stated(),
    };
    let mut client = AssociationServiceClient::new(service.connection());
    let answer = client.list_associations(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of(
            "hubkeep.crm.v1.ListAssociationsResponse",
            &answer,
        )?);
    }
    let row = |record: &AssociatedRecord| {
        let labels: Vec<String> = record.labels.iter().map(named).collect();
        vec![record.object_id.clone(), labels.join(", ")]
    };
    let rows = answer.records.iter().map(row).collect();
    output.table(&["id", "associated as"], rows, "associated with none")?;
    show::reply(answer.reply.as_ref(), output)?;
    show::more(&answer.next_page_token, output)
}

async fn labels(args: AssociationsArgs, service: &Service, output: &Output) -> Result<(), Error> {
    if args.page.size.is_some() || args.page.token.is_some() {
        return Err(Error::Usage(
            "labels have no pages: name a record, as contacts/101, or leave --page-size and --page-token out"
                .to_owned(),
        ));
    }
    let request = ListAssociationLabelsRequest {
        client_slug: args.slug,
        object_type: args.from,
        to_object_type: args.to,
        expected_portal_id: args.expected.stated(),
    };
    let mut client = AssociationServiceClient::new(service.connection());
    let answer = client.list_association_labels(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        let name = "hubkeep.crm.v1.ListAssociationLabelsResponse";
        return output.document(&wire_json::of(name, &answer)?);
    }
    let row = |label: &AssociationLabel| {
        let shown = match label.label.as_str() {
            "" => "(without a label)".to_owned(),
            label => label.to_owned(),
        };
        vec![label.type_id.to_string(), label.category.clone(), shown]
    };
    let rows = answer.labels.iter().map(row).collect();
    output.table(&["id", "made by", "label"], rows, "no such associations")?;
    show::reply(answer.reply.as_ref(), output)
}

fn between(from: &(String, String), to: &(String, String)) -> String {
    let one = |(object_type, id): &(String, String)| format!("{}/{}", printable(object_type), printable(id));
    format!("{} and {}", one(from), one(to))
}

/// A kind of association, for people.
pub(super) fn named(label: &AssociationLabel) -> String {
    match label.label.as_str() {
        "" => format!("{} (without a label)", label.type_id),
        text => format!("{} {text}", label.type_id),
    }
}

/// "contacts/101".
fn record(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((object_type, id)) if !object_type.is_empty() && !id.is_empty() => {
            Ok((object_type.to_owned(), id.to_owned()))
        }
        _ => Err("expected a type and an id, such as contacts/101".to_owned()),
    }
}

/// "1", or "7:USER_DEFINED".
pub(super) fn label(text: &str) -> Result<AssociationLabel, String> {
    let (id, category) = text.split_once(':').unwrap_or((text, ""));
    let type_id = id.trim().parse().map_err(|_| {
        "expected HubSpot's id of the label, a number, as crm associations SLUG TYPE TYPE lists it".to_owned()
    })?;
    Ok(AssociationLabel {
        type_id,
        category: category.trim().to_uppercase(),
        label: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_number_and_perhaps_who_has_made_it() {
        let read = label("7:user_defined").expect("reads");
        assert_eq!((read.type_id, read.category.as_str()), (7, "USER_DEFINED"));
        assert_eq!(label("1").expect("reads").category, "");
        assert!(label("Primary").is_err() && label(":X").is_err());
    }

    #[test]
    fn a_record_is_a_type_and_an_id() {
        let read = ("contacts".to_owned(), "101".to_owned());
        assert_eq!(record("contacts/101"), Ok(read));
        assert!(record("contacts").is_err() && record("/101").is_err() && record("contacts/").is_err());
    }
}
