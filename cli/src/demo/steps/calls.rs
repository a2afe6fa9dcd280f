//! Reads and writes on two portals, each with its own handle.

use std::collections::BTreeMap;

use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, CreateObjectRequest, Filter, FilterGroup, FilterOperator, GetObjectRequest,
    ListObjectsRequest, ListOwnersRequest, Object, Reply, SearchObjectsRequest, UpdateObjectRequest,
    object_service_client::ObjectServiceClient, owner_service_client::OwnerServiceClient,
};

use super::issue::Handles;
use crate::{
    channel::{Connection, Service},
    demo::{narrator::Narrator, promises::Promises, stage::Stage},
    errors::Error,
};

const TYPE: &str = "contacts";

pub(in crate::demo) async fn run(
    stage: &Stage,
    handles: &Handles,
    narrator: &Narrator,
    promises: &mut Promises,
) -> Result<(), Error> {
    narrator.step(3, "Read and write on both portals, each with its own handle")?;
    for (slug, handle) in [("acme", &handles.acme), ("globex", &handles.globex)] {
        let (portal_id, _) = stage.client(slug)?;
        let service = stage.crm().clone().with_handle(handle)?;
        let mut client = Client {
            records: ObjectServiceClient::new(service.connection()),
            service,
            slug,
            portal_id,
            narrator,
            promises: &mut *promises,
        };
        client.read().await?;
        client.write().await?;
        client.owners().await?;
    }
    Ok(())
}

/// One portal's calls.
struct Client<'a> {
    service: Service,
    records: ObjectServiceClient<Connection>,
    slug: &'static str,
    portal_id: u64,
    narrator: &'a Narrator,
    promises: &'a mut Promises,
}

impl Client<'_> {
    async fn read(&mut self) -> Result<(), Error> {
        let list = ListObjectsRequest {
            client_slug: self.slug.to_owned(),
            object_type: TYPE.to_owned(),
            properties: names(&["firstname", "lastname", "email"]),
            page_size: 3,
            ..ListObjectsRequest::default()
        };
        let page = self
            .records
            .list_objects(list)
            .await
            .map_err(|status| self.service.ended(status))?
            .into_inner();
        let people: Vec<String> = page.objects.iter().map(name).collect();
        self.answered(page.reply, &format!("list: {}", people.join(", ")))?;
        let first = page.objects.first().cloned().unwrap_or_default();

        let get = GetObjectRequest {
            client_slug: self.slug.to_owned(),
            object_type: TYPE.to_owned(),
            object_id: first.object_id.clone(),
            properties: names(&["firstname", "lastname", "company"]),
            ..GetObjectRequest::default()
        };
        let got = self
            .records
            .get_object(get)
            .await
            .map_err(|status| self.service.ended(status))?
            .into_inner();
        let record = got.object.unwrap_or_default();
        let company = record.properties.get("company").cloned().unwrap_or_default();
        self.answered(
            got.reply,
            &format!("get {}: {} of {company}", record.object_id, name(&record)),
        )?;

        let found = self.records.search_objects(self.search(&first)).await;
        let found = found.map_err(|status| self.service.ended(status))?.into_inner();
        self.answered(
            found.reply,
            &format!("search by e-mail: {} found", found.total_count),
        )
    }

    fn search(&self, record: &Object) -> SearchObjectsRequest {
        let by_email = Filter {
            property: "email".to_owned(),
            operator: FilterOperator::Eq.into(),
            value: record.properties.get("email").cloned().unwrap_or_default(),
            ..Filter::default()
        };
        SearchObjectsRequest {
            client_slug: self.slug.to_owned(),
            object_type: TYPE.to_owned(),
            filter_groups: vec![FilterGroup {
                filters: vec![by_email],
            }],
            ..SearchObjectsRequest::default()
        }
    }

    async fn write(&mut self) -> Result<(), Error> {
        let create = CreateObjectRequest {
            client_slug: self.slug.to_owned(),
            object_type: TYPE.to_owned(),
            properties: values(&[
                ("email", "robin.demo@example.com"),
                ("firstname", "Robin"),
                ("lastname", "Demo"),
            ]),
            ..CreateObjectRequest::default()
        };
        let created = self
            .records
            .create_object(create)
            .await
            .map_err(|status| self.service.ended(status))?
            .into_inner();
        let object_id = created.object.unwrap_or_default().object_id;
        self.answered(created.reply, &format!("create: Robin Demo is {object_id}"))?;

        let update = UpdateObjectRequest {
            client_slug: self.slug.to_owned(),
            object_type: TYPE.to_owned(),
            object_id: object_id.clone(),
            properties: values(&[("phone", "+1 555 0199")]),
            ..UpdateObjectRequest::default()
        };
        let updated = self
            .records
            .update_object(update)
            .await
            .map_err(|status| self.service.ended(status))?
            .into_inner();
        self.answered(updated.reply, &format!("update {object_id}: a phone number"))?;

        let archive = ArchiveObjectRequest {
            client_slug: self.slug.to_owned(),
            object_type: TYPE.to_owned(),
            object_id: object_id.clone(),
            ..ArchiveObjectRequest::default()
        };
        let archived = self
            .records
            .archive_object(archive)
            .await
            .map_err(|status| self.service.ended(status))?
            .into_inner();
        self.answered(archived.reply, &format!("archive {object_id}"))
    }

    async fn owners(&mut self) -> Result<(), Error> {
        let request = ListOwnersRequest {
            client_slug: self.slug.to_owned(),
            page_size: 100,
            ..ListOwnersRequest::default()
        };
        let mut owners = OwnerServiceClient::new(self.service.connection());
        let page = owners
            .list_owners(request)
            .await
            .map_err(|status| self.service.ended(status))?
            .into_inner();
        self.answered(page.reply, &format!("owners: {}", page.owners.len()))
    }

    /// Counts an answer and tells it, if it came from the portal that was meant.
    fn answered(&mut self, reply: Option<Reply>, what: &str) -> Result<(), Error> {
        let reply = reply.unwrap_or_default();
        if reply.portal_id != self.portal_id || reply.client_slug != self.slug {
            let other = format!("{} (portal {})", reply.client_slug, reply.portal_id);
            return Err(Error::Failed(format!(
                "an answer for {} came from {other}",
                self.slug
            )));
        }
        self.promises.calls += 1;
        let text = format!(
            "{:<7} {what}  (audit position {})",
            self.slug, reply.audit_position
        );
        self.narrator.done(&text)
    }
}

fn name(record: &Object) -> String {
    let value = |key: &str| record.properties.get(key).map_or("", String::as_str);
    format!("{} {}", value("firstname"), value("lastname"))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn values(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    values.iter().map(owned).collect()
}
