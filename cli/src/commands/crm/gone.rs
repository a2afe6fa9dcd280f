//! What cannot be undone: records merged, and contacts erased.

use clap::Args;
use hubkeep_proto::crm::v1::{
    EraseContactRequest, MergeObjectsRequest, object_service_client::ObjectServiceClient,
};

use super::{Again, Expected, Of, show};
use crate::{
    channel::Service,
    commands::{confirm, shown_handle::ShownHandle},
    errors::Error,
    output::{GOOD, Output, printable},
    wire_json,
};

#[derive(Args, Debug)]
pub(super) struct MergeArgs {
    #[command(flatten)]
    pub(super) of: Of,
    #[command(flatten)]
    again: Again,
    /// The id of the record that stays.
    primary: String,
    /// The id of the record that becomes part of it.
    merged: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
pub(super) struct EraseArgs {
    /// The portal's slug. It must be the handle's.
    slug: String,
    /// The contact's id, or with --by-email its address.
    contact: String,
    /// What is given is the contact's e-mail address; one that HubSpot does not know is kept away too.
    #[arg(long)]
    by_email: bool,
    #[command(flatten)]
    again: Again,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    pub(super) shown: ShownHandle,
}

pub(super) async fn merge(args: MergeArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let (primary, merged) = (printable(&args.primary), printable(&args.merged));
    let of = format!(
        "{} of {}",
        printable(&args.of.object_type),
        printable(&args.of.slug)
    );
    let question = format!("Merging {merged} into {primary}, {of}, cannot be undone.");
    confirm::sure(&question, args.yes, output)?;
    let request = MergeObjectsRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        primary_object_id: args.primary,
        merged_object_id: args.merged,
        request_id: args.again.stated(),
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.merge_objects(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.MergeObjectsResponse", &answer)?);
    }
    show::object(&answer.object.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

pub(super) async fn erase(args: EraseArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let contact = printable(&args.contact);
    let slug = printable(&args.slug);
    let question = format!("Erasing the contact {contact} of {slug} for good cannot be undone.");
    confirm::sure(&question, args.yes, output)?;
    let request = EraseContactRequest {
        expected_portal_id: args.expected.stated(),
        client_slug: args.slug,
        object_id: args.contact,
        id_property: if args.by_email {
            "email".to_owned()
        } else {
            String::new()
        },
        request_id: args.again.stated(),
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.erase_contact(request).await;
    let answer = answer.map_err(|status| service.write_ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.EraseContactResponse", &answer)?);
    }
    output.line(&format!("{GOOD}erased{GOOD:#} {contact}"))?;
    show::reply(answer.reply.as_ref(), output)
}
