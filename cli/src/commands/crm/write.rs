//! Writing records.

use std::collections::BTreeMap;

use clap::Args;
use hubkeep_proto::{
    crm::v1::{
        ArchiveObjectRequest, CreateObjectRequest, ObjectToUpdate, UpdateObjectRequest, UpsertObjectsRequest,
        object_result::Result as Became, object_service_client::ObjectServiceClient,
    },
    error::v1::ErrorReason,
};

use super::{Again, Of, show};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{BAD, GOOD, Output, printable},
    wire_json,
};

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    again: Again,
    /// A value; repeat it for more.
    #[arg(long, value_name = "NAME=VALUE", required = true, value_parser = assignment)]
    set: Vec<(String, String)>,
}

#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    again: Again,
    /// The record's id, or a value of --id-property.
    id: String,
    /// A value; repeat it for more. An empty one clears the property.
    #[arg(long, value_name = "NAME=VALUE", required = true, value_parser = assignment)]
    set: Vec<(String, String)>,
    /// A unique property that the id is a value of.
    #[arg(long, value_name = "NAME")]
    id_property: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct UpsertArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    again: Again,
    /// The value of --id-property, for example ann@b.example.
    id: String,
    /// The unique property that decides which record it is, for example email.
    #[arg(long, value_name = "NAME")]
    id_property: String,
    /// A value; repeat it for more. An empty one clears the property.
    #[arg(long, value_name = "NAME=VALUE", required = true, value_parser = assignment)]
    set: Vec<(String, String)>,
}

#[derive(Args, Debug)]
pub(super) struct ArchiveArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    again: Again,
    /// The record's id.
    id: String,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, for example email=ann@b.example".to_owned()),
    }
}

/// The values to write. Of two for one property nobody knows which is meant.
fn properties(set: Vec<(String, String)>) -> Result<BTreeMap<String, String>, Error> {
    let mut properties = BTreeMap::new();
    for (name, value) in set {
        if properties.contains_key(&name) {
            let name = printable(&name);
            return Err(Error::Usage(format!(
                "--set states {name} twice: state one value"
            )));
        }
        properties.insert(name, value);
    }
    Ok(properties)
}

pub(super) async fn create(args: CreateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = CreateObjectRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        properties: properties(args.set)?,
        request_id: args.again.stated(),
        ..CreateObjectRequest::default()
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.create_object(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.CreateObjectResponse", &answer)?);
    }
    show::object(&answer.object.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

pub(super) async fn update(args: UpdateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = UpdateObjectRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        object_id: args.id,
        properties: properties(args.set)?,
        id_property: args.id_property.unwrap_or_default(),
        request_id: args.again.stated(),
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.update_object(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.UpdateObjectResponse", &answer)?);
    }
    show::object(&answer.object.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

/// One record, of which HubSpot decides whether it is there: what became of it is told as of a batch of one.
pub(super) async fn upsert(args: UpsertArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    let request = UpsertObjectsRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        id_property: args.id_property,
        inputs: vec![ObjectToUpdate {
            object_id: args.id,
            properties: properties(args.set)?,
        }],
        request_id: args.again.stated(),
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.upsert_objects(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    let result = answer.results.first().and_then(|result| result.result.as_ref());
    let exit = match result {
        Some(Became::Object(_)) => Exit::Done,
        Some(Became::Error(error)) if error.reason() == ErrorReason::OutcomeUnknown => Exit::OutcomeUnknown,
        Some(Became::Error(_)) | None => Exit::RowsRefused,
    };
    if output.is_json() {
        output.document(&wire_json::of("hubkeep.crm.v1.UpsertObjectsResponse", &answer)?)?;
        return Ok(exit);
    }
    match result {
        Some(Became::Object(object)) => show::object(object, output)?,
        Some(Became::Error(error)) => {
            let (reason, message) = (error.reason().wire_name(), printable(&error.message));
            output.note(&format!("{BAD}{reason}{BAD:#}: {message}"))?;
        }
        None => {}
    }
    if answer.results.first().is_some_and(|result| result.created) {
        output.note("it is new")?;
    }
    show::reply(answer.replies.first(), output)?;
    Ok(exit)
}

pub(super) async fn archive(args: ArchiveArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = ArchiveObjectRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        object_id: args.id.clone(),
        request_id: args.again.stated(),
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.archive_object(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ArchiveObjectResponse", &answer)?);
    }
    output.line(&format!("{GOOD}archived{GOOD:#} {}", printable(&args.id)))?;
    show::reply(answer.reply.as_ref(), output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_splits_at_the_first_equals_sign_and_may_clear() {
        assert_eq!(assignment("note=a=b"), Ok(("note".to_owned(), "a=b".to_owned())));
        assert_eq!(assignment("phone="), Ok(("phone".to_owned(), String::new())));
        assert!(assignment("phone").is_err() && assignment("=x").is_err());
    }

    #[test]
    fn two_values_for_one_property_are_refused() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let set = vec![pair("email", "a@b.example"), pair("email", "c@d.example")];
        let error = properties(set).expect_err("which one?");
        assert!(
            matches!(&error, Error::Usage(said) if said.contains("email")),
            "{error}"
        );
        let both = properties(vec![pair("email", "a@b.example"), pair("city", "Bern")]);
        assert_eq!(both.expect("two").len(), 2);
    }
}
