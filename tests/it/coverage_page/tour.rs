//! A walk through every RPC that calls HubSpot.

use hubkeep_proto::crm::v1::{
    AssociationLabel, Filter, FilterGroup, FilterOperator, GetObjectTypeRequest, GetPipelineRequest,
    GetPropertyRequest, ListAssociationLabelsRequest, ListObjectTypesRequest, ListPipelinesRequest,
    ListPropertiesRequest, StreamObjectsRequest,
};
use hubkeep_tests::{Crm, Limits, ObjectType, PortalSpec, TokenSpec, World, support::pipelines::stage};
use hubspot_sim::{CustomObjectSpec, Owner};

pub(super) const A: &str = "acme";

pub(super) fn world() -> World {
    let owner = Owner {
        id: 900,
        user_id: 9_000,
        email: "olga@acme.example".to_owned(),
        first_name: "Olga".to_owned(),
        last_name: "Owner".to_owned(),
        archived: false,
    };
    let mut portal = PortalSpec::new(A, 4_242)
        .token(TokenSpec::private_app("pat-na1-0000aaaa-coverage-0001"))
        .limits(Limits::unlimited())
        .owner(owner)
        .custom_object(CustomObjectSpec::new(7, "car"))
        .record(ObjectType::Companies, &[("name", "Acme")]);
    for number in 0..9 {
        let email = format!("c{number}@acme.example");
        portal = portal.record(ObjectType::Contacts, &[("email", &email)]);
    }
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

/// Calls every RPC of the services, in every way in which it calls another endpoint.
pub(super) async fn everything(crm: &Crm) {
    const COMPANY: (&str, &str) = ("companies", "10000101");
    const TYPES: (&str, &str) = ("contacts", "companies");
    let label = || AssociationLabel {
        type_id: 1,
        ..AssociationLabel::default()
    };
    crm.get("contacts", "101").await.expect("read");
    crm.list("contacts").await.expect("listed");
    crm.search("contacts", "email", "c1@acme.example")
        .await
        .expect("found");
    for filters in [
        Vec::new(),
        vec![Filter {
            property: "email".to_owned(),
            operator: FilterOperator::HasProperty.into(),
            ..Filter::default()
        }],
    ] {
        let groups = match filters.is_empty() {
            true => Vec::new(),
            false => vec![FilterGroup { filters }],
        };
        let walk = StreamObjectsRequest {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            filter_groups: groups,
            ..StreamObjectsRequest::default()
        };
        let mut walk = crm.walk_by(walk).await.expect("walks");
        while walk.message().await.expect("a page").is_some() {}
    }
    crm.create("contacts", &[("email", "new@acme.example")])
        .await
        .expect("made");
    crm.update("contacts", "101", &[("firstname", "Ann")])
        .await
        .expect("changed");
    crm.archive("contacts", "102").await.expect("archived");
    crm.read_many("contacts", &["101"]).await.expect("read");
    crm.create_many("contacts", &[vec![("email", "more@acme.example")]])
        .await
        .expect("made");
    crm.update_many("contacts", &[("101", vec![("firstname", "Bo")])])
        .await
        .expect("changed");
    let change = [("c3@acme.example", vec![("firstname", "Cy")])];
    crm.upsert("contacts", "email", &change).await.expect("written");
    crm.archive_many("contacts", &["103"]).await.expect("archived");
    crm.merge("contacts", "104", "105").await.expect("merged");
    crm.erase("106", "").await.expect("erased");

    crm.associated(("contacts", "101"), "companies")
        .await
        .expect("read");
    let pair = (("contacts", "101"), COMPANY);
    crm.associate(pair, vec![]).await.expect("made");
    crm.associate(pair, vec![label()]).await.expect("made");
    crm.dissociate(pair).await.expect("ended");
    let labels = ListAssociationLabelsRequest {
        client_slug: A.to_owned(),
        object_type: TYPES.0.to_owned(),
        to_object_type: TYPES.1.to_owned(),
        ..ListAssociationLabelsRequest::default()
    };
    let mut associations = crm.associations();
    associations
        .list_association_labels(crm.request(labels))
        .await
        .expect("read");
    crm.associated_many(TYPES, &["101"]).await.expect("read");
    let pairs = [("101", COMPANY.1, vec![]), ("107", COMPANY.1, vec![label()])];
    crm.associate_many(TYPES, &pairs).await.expect("made");
    let labelled = [("107", COMPANY.1, vec![label()])];
    crm.unlabel_many(TYPES, &labelled).await.expect("taken off");
    crm.dissociate_many(TYPES, &[("101", COMPANY.1)])
        .await
        .expect("ended");

    crm.owners().await.expect("listed");
    crm.owner("900").await.expect("read");
    schemas(crm).await;
}

async fn schemas(crm: &Crm) {
    let mut client = crm.schemas();
    let (client_slug, object_type) = (A.to_owned(), "deals".to_owned());
    let properties = ListPropertiesRequest {
        client_slug: client_slug.clone(),
        object_type: object_type.clone(),
        ..ListPropertiesRequest::default()
    };
    client
        .list_properties(crm.request(properties))
        .await
        .expect("listed");
    let property = GetPropertyRequest {
        client_slug: client_slug.clone(),
        object_type: object_type.clone(),
        name: "amount".to_owned(),
        ..GetPropertyRequest::default()
    };
    client.get_property(crm.request(property)).await.expect("read");
    crm.create_property("contacts", "tier").await.expect("made");
    crm.relabel_property("contacts", "tier", "Level")
        .await
        .expect("changed");
    crm.archive_property("contacts", "tier").await.expect("archived");
    let pipelines = ListPipelinesRequest {
        client_slug: client_slug.clone(),
        object_type: object_type.clone(),
        ..ListPipelinesRequest::default()
    };
    client
        .list_pipelines(crm.request(pipelines))
        .await
        .expect("listed");
    let pipeline = GetPipelineRequest {
        client_slug: client_slug.clone(),
        object_type,
        pipeline_id: "default".to_owned(),
        ..GetPipelineRequest::default()
    };
    client.get_pipeline(crm.request(pipeline)).await.expect("read");
    let made = crm
        .create_pipeline("Renewals")
        .await
        .expect("made")
        .pipeline
        .expect("told");
    let id = made.pipeline_id.as_str();
    crm.relabel_pipeline(id, "Upgrades").await.expect("changed");
    let added = crm.create_stage(id, stage("Lost", "0.0")).await.expect("added");
    let added = added.stage.expect("told").stage_id;
    crm.relabel_stage((id, &added), "Gone").await.expect("changed");
    crm.archive_stage((id, &added)).await.expect("archived");
    crm.archive_pipeline(id).await.expect("archived");
    let types = ListObjectTypesRequest {
        client_slug: client_slug.clone(),
        ..ListObjectTypesRequest::default()
    };
    client
        .list_object_types(crm.request(types))
        .await
        .expect("listed");
    let one = GetObjectTypeRequest {
        client_slug,
        object_type: "2-7".to_owned(),
        ..GetObjectTypeRequest::default()
    };
    client.get_object_type(crm.request(one)).await.expect("read");
}
