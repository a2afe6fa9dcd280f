//! How a portal's records are made, told to who may know.

use hubkeep_proto::crm::v1::{
    GetObjectTypeRequest, GetPipelineRequest, GetPropertyRequest, ListObjectTypesRequest,
    ListPipelinesRequest, ListPropertiesRequest,
};
use hubkeep_tests::{Crm, Hubkeep, Limits, ObjectType, PortalSpec, Refused, TokenSpec, World};
use hubspot_sim::{CustomObjectSpec, PropertyDef, PropertyKind};
use tonic::Code;

const A: &str = "acme";

async fn hubkeep() -> Hubkeep {
    let portal = PortalSpec::new(A, 4_242)
        .token(TokenSpec::private_app("pat-na1-0000aaaa-schemas-0001"))
        .limits(Limits::unlimited())
        .property(
            ObjectType::Contacts,
            PropertyDef::new("tier", PropertyKind::Choice).options(&["gold", "silver"]),
        )
        .custom_object(CustomObjectSpec::new(7, "car"));
    let hubkeep = Hubkeep::start(World {
        portals: vec![portal],
        apps: Vec::new(),
    })
    .await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn properties(crm: &Crm, object_type: &str) -> Result<Vec<String>, Refused> {
    let request = ListPropertiesRequest {
        client_slug: A.to_owned(),
        object_type: object_type.to_owned(),
        ..ListPropertiesRequest::default()
    };
    let answer = crm.schemas().list_properties(crm.request(request)).await;
    let answer = answer.map_err(|status| Refused::of(&status))?.into_inner();
    Ok(answer
        .properties
        .into_iter()
        .map(|property| property.name)
        .collect())
}

fn property(name: &str) -> GetPropertyRequest {
    GetPropertyRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        name: name.to_owned(),
        ..GetPropertyRequest::default()
    }
}

#[tokio::test]
async fn properties_pipelines_and_types_are_read() {
    let hubkeep = hubkeep().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let names = properties(&crm, "contacts").await.expect("read");
    assert!(names.iter().any(|name| name == "email"));
    let stage = crm
        .schemas()
        .get_property(crm.request(property("tier")))
        .await
        .expect("read")
        .into_inner()
        .property
        .expect("told");
    assert_eq!(stage.r#type, "enumeration");
    assert!(stage.options.iter().any(|option| option.value == "gold"));
    let missing = crm.schemas().get_property(crm.request(property("nothing"))).await;
    assert_eq!(Refused::in_place_of(missing).reason, "OBJECT_NOT_FOUND");

    let pipelines = ListPipelinesRequest {
        client_slug: A.to_owned(),
        object_type: "deals".to_owned(),
        ..ListPipelinesRequest::default()
    };
    let all = crm.schemas().list_pipelines(crm.request(pipelines)).await;
    let all = all.expect("read").into_inner().pipelines;
    assert!(all.iter().all(|pipeline| !pipeline.stages.is_empty()) && !all.is_empty());
    let one = GetPipelineRequest {
        client_slug: A.to_owned(),
        object_type: "deals".to_owned(),
        pipeline_id: all[0].pipeline_id.clone(),
        ..GetPipelineRequest::default()
    };
    let one = crm.schemas().get_pipeline(crm.request(one)).await.expect("read");
    assert_eq!(one.into_inner().pipeline.as_ref(), Some(&all[0]));

    let types = ListObjectTypesRequest {
        client_slug: A.to_owned(),
        ..ListObjectTypesRequest::default()
    };
    let types = crm.schemas().list_object_types(crm.request(types)).await;
    let types = types.expect("read").into_inner().object_types;
    assert_eq!(types[0].object_type_id, "2-7");
    assert_eq!(types[0].required_properties, ["name"]);
    let by_name = GetObjectTypeRequest {
        client_slug: A.to_owned(),
        object_type: types[0].fully_qualified_name.clone(),
        ..GetObjectTypeRequest::default()
    };
    let one = crm.schemas().get_object_type(crm.request(by_name)).await;
    assert_eq!(
        one.expect("read").into_inner().object_type.as_ref(),
        Some(&types[0])
    );
    assert!(
        properties(&crm, "2-7")
            .await
            .expect("read")
            .contains(&"name".to_owned())
    );
}

#[tokio::test]
async fn records_of_a_portals_own_type_are_made_and_read() {
    let hubkeep = hubkeep().await;
    let handle = hubkeep.handle(A).types(["2-7"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let made = crm.create("2-7", &[("name", "Beetle")]).await.expect("made");
    let id = made.object.expect("told").object_id;
    let read = crm.get("2-7", &id).await.expect("read").object.expect("told");
    assert_eq!(read.properties["name"], "Beetle");
    let refused = properties(&crm, "contacts").await.expect_err("another type");
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
}

#[tokio::test]
async fn a_handle_for_some_properties_is_told_of_no_others() {
    let hubkeep = hubkeep().await;
    let handle = hubkeep.handle(A).properties(["email"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    assert_eq!(properties(&crm, "contacts").await.expect("read"), ["email"]);
    let other = crm.schemas().get_property(crm.request(property("phone"))).await;
    let refused = Refused::in_place_of(other);
    assert_eq!(refused.said(), (Code::PermissionDenied, "FIELD_NOT_ALLOWED"));
}
