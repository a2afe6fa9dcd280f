//! Writing records.

use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, CreateObjectRequest, UpdateObjectRequest,
    object_service_client::ObjectServiceClient,
};

use super::{ArchiveArgs, CreateArgs, UpdateArgs, show};
use crate::{
    channel::Service,
    errors::Error,
    output::{GOOD, Output, printable},
    wire_json,
};

pub(super) async fn create(args: CreateArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = CreateObjectRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        properties: args.set.into_iter().collect(),
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
        properties: args.set.into_iter().collect(),
        id_property: args.id_property.unwrap_or_default(),
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

pub(super) async fn archive(args: ArchiveArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = ArchiveObjectRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        object_id: args.id.clone(),
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
