//! The types of record that a portal has made for itself.

use clap::Args;
use hubkeep_proto::crm::v1::{
    GetObjectTypeRequest, ListObjectTypesRequest, ObjectTypeSchema,
    schema_service_client::SchemaServiceClient,
};

use super::{Expected, show};
use crate::{
    channel::Service, commands::shown_handle::ShownHandle, errors::Error, output::Output, wire_json,
};

#[derive(Args, Debug)]
pub(super) struct TypesArgs {
    /// The portal's slug. It must be the handle's.
    slug: String,
    /// Only this one, by its id or its full name.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    pub(super) shown: ShownHandle,
}

/// Lists types, or shows one.
pub(super) async fn list(args: TypesArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = SchemaServiceClient::new(service.connection());
    let expected_portal_id = args.expected.stated();
    let client_slug = args.slug;
    let (types, reply) = match args.id {
        Some(object_type) => {
            let request = GetObjectTypeRequest {
                client_slug,
                object_type,
                expected_portal_id,
            };
            let answer = client.get_object_type(request).await;
            let answer = answer.map_err(|status| service.ended(status))?.into_inner();
            if output.is_json() {
                return output.document(&wire_json::of("hubkeep.crm.v1.GetObjectTypeResponse", &answer)?);
            }
            (answer.object_type.into_iter().collect(), answer.reply)
        }
        None => {
            let request = ListObjectTypesRequest {
                client_slug,
                expected_portal_id,
            };
            let answer = client.list_object_types(request).await;
            let answer = answer.map_err(|status| service.ended(status))?.into_inner();
            if output.is_json() {
                return output.document(&wire_json::of("hubkeep.crm.v1.ListObjectTypesResponse", &answer)?);
            }
            (answer.object_types, answer.reply)
        }
    };
    let row = |known: &ObjectTypeSchema| {
        vec![
            known.object_type_id.clone(),
            known.fully_qualified_name.clone(),
            known.singular_label.clone(),
            known.plural_label.clone(),
        ]
    };
    let rows = types.iter().map(row).collect();
    output.table(&["id", "full name", "one", "many"], rows, "no types of its own")?;
    show::reply(reply.as_ref(), output)
}
