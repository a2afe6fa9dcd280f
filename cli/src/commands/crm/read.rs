//! Reading records and owners.

use hubkeep_proto::crm::v1::{
    GetObjectRequest, GetOwnerRequest, ListObjectsRequest, ListOwnersRequest, SearchObjectsRequest, Sort,
    object_service_client::ObjectServiceClient, owner_service_client::OwnerServiceClient,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::{GetArgs, ListArgs, OwnersArgs, SearchArgs, show};
use crate::{channel::Service, errors::Error, output::Output, wire_json};

pub(super) async fn get(args: GetArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let request = GetObjectRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        object_id: args.id,
        properties: args.properties,
        id_property: args.id_property.unwrap_or_default(),
        archived: args.archived,
        history_properties: args.beside.history,
        associated_types: args.beside.associated,
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.get_object(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.GetObjectResponse", &answer)?);
    }
    show::object(&answer.object.unwrap_or_default(), output)?;
    show::reply(answer.reply.as_ref(), output)
}

/// One page, or with `--all` every page: in JSON each on its own line, for people in one table.
pub(super) async fn list(args: ListArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut request = ListObjectsRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        properties: args.properties,
        page_size: args.page.size(args.all.then_some(100)),
        page_token: args.page.token.unwrap_or_default(),
        archived: args.archived,
        history_properties: args.beside.history,
        associated_types: args.beside.associated,
    };
    let mut client = ObjectServiceClient::new(service.connection());
    let mut found = Vec::new();
    let counter = counter(args.all);
    loop {
        let page = client.list_objects(request.clone()).await;
        let mut page = page.map_err(|status| service.ended(status))?.into_inner();
        if output.is_json() {
            let document = wire_json::of("hubkeep.crm.v1.ListObjectsResponse", &page)?;
            if args.all {
                output.json_line(&document)?
            } else {
                output.document(&document)?
            }
        }
        counter.inc(u64::try_from(page.objects.len()).unwrap_or(0));
        found.append(&mut page.objects);
        if args.all && !page.next_page_token.is_empty() {
            request.page_token = page.next_page_token;
            continue;
        }
        counter.finish_and_clear();
        if output.is_json() {
            return Ok(());
        }
        show::objects(&found, &request.properties, output)?;
        show::reply(page.reply.as_ref(), output)?;
        return show::more(&page.next_page_token, output);
    }
}

pub(super) async fn search(args: SearchArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let sort = args.sort.map(|property| Sort {
        property,
        descending: args.descending,
    });
    let request = SearchObjectsRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        filter_groups: args.filters.groups,
        query: args.query.unwrap_or_default(),
        properties: args.properties,
        sort,
        page_size: args.page.size(None),
        page_token: args.page.token.unwrap_or_default(),
    };
    let asked = request.properties.clone();
    let mut client = ObjectServiceClient::new(service.connection());
    let answer = client.search_objects(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.SearchObjectsResponse", &answer)?);
    }
    show::objects(&answer.objects, &asked, output)?;
    output.note(&format!("{} in all", answer.total_count))?;
    show::reply(answer.reply.as_ref(), output)?;
    show::more(&answer.next_page_token, output)
}

pub(super) async fn owners(args: OwnersArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = OwnerServiceClient::new(service.connection());
    if args.id.is_some() || args.user.is_some() {
        let request = GetOwnerRequest {
            expected_portal_id: args.expected.stated(),
            client_slug: args.slug,
            owner_id: args.id.unwrap_or_default(),
            user_id: args.user.unwrap_or_default(),
            archived: args.archived,
        };
        let answer = client.get_owner(request).await;
        let answer = answer.map_err(|status| service.ended(status))?.into_inner();
        if output.is_json() {
            return output.document(&wire_json::of("hubkeep.crm.v1.GetOwnerResponse", &answer)?);
        }
        show::owners(answer.owner.as_slice(), output)?;
        return show::reply(answer.reply.as_ref(), output);
    }
    let request = ListOwnersRequest {
        expected_portal_id: args.expected.stated(),
        client_slug: args.slug,
        email: args.email.unwrap_or_default(),
        page_size: args.page.size(None),
        page_token: args.page.token.unwrap_or_default(),
        archived: args.archived,
    };
    let answer = client.list_owners(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ListOwnersResponse", &answer)?);
    }
    show::owners(&answer.owners, output)?;
    show::reply(answer.reply.as_ref(), output)?;
    show::more(&answer.next_page_token, output)
}

/// Counts records on a terminal while pages are followed.
fn counter(shown: bool) -> ProgressBar {
    let counter = if shown {
        ProgressBar::no_length()
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {pos} records") {
        counter.set_style(style);
    }
    counter
}
