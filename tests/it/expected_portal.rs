//! A caller who knows the portal's id says so, and is never taken to another portal.

use hubkeep_audit_log::Phase;
use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, BatchArchiveObjectsRequest, BatchCreateObjectsRequest, BatchReadObjectsRequest,
    BatchUpdateObjectsRequest, CreateAssociationRequest, CreateObjectRequest, EraseContactRequest,
    GetObjectRequest, GetOwnerRequest, GetPipelineRequest, GetPropertyRequest, GetQuotaRequest,
    ListAssociationLabelsRequest, ListAssociationsRequest, ListObjectTypesRequest, ListObjectsRequest,
    ListOwnersRequest, ListPipelinesRequest, ListPropertiesRequest, MergeObjectsRequest, ObjectToCreate,
    ObjectToUpdate, RemoveAssociationRequest, SearchObjectsRequest, StreamObjectsRequest,
    UpdateObjectRequest, UpsertObjectsRequest, WatchQuotaRequest,
    association_service_client::AssociationServiceClient, object_service_client::ObjectServiceClient,
    owner_service_client::OwnerServiceClient, quota_service_client::QuotaServiceClient,
    schema_service_client::SchemaServiceClient,
};
use hubkeep_tests::{Allow, Crm, Hubkeep, Refused, Service, World};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";

/// Makes every call of crm-service with this id stated.
async fn every_call(hubkeep: &Hubkeep, crm: &Crm, expected_portal_id: u64) -> Vec<Result<(), Refused>> {
    let channel = hubkeep.channel(Service::Crm);
    let (client_slug, object_type) = (A.to_owned(), "contacts".to_owned());
    let object_id = "101".to_owned();
    let properties = || [("firstname".to_owned(), "x".to_owned())].into();
    let mut objects = ObjectServiceClient::new(channel.clone());
    let mut owners = OwnerServiceClient::new(channel.clone());
    let mut associations = AssociationServiceClient::new(channel.clone());
    let mut schemas = SchemaServiceClient::new(channel.clone());
    let change = || ObjectToUpdate {
        object_id: "101".to_owned(),
        properties: properties(),
    };
    let mut quota = QuotaServiceClient::new(channel);
    macro_rules! made {
        ($client:ident.$method:ident($message:ident { $($field:ident: $value:expr,)* $(..$rest:expr)? })) => {{
            let message = $message {
                client_slug: client_slug.clone(),
                expected_portal_id,
                $($field: $value,)*
                $(..$rest)?
            };
            let answer = $client.$method(crm.request(message)).await;
            answer.map(drop).map_err(|status| Refused::of(&status))
        }};
    }
    vec![
        made!(objects.get_object(GetObjectRequest {
            object_type: object_type.clone(),
            object_id: object_id.clone(),
            ..GetObjectRequest::default()
        })),
        made!(objects.list_objects(ListObjectsRequest {
            object_type: object_type.clone(),
            ..ListObjectsRequest::default()
        })),
        made!(objects.stream_objects(StreamObjectsRequest {
            object_type: object_type.clone(),
            ..StreamObjectsRequest::default()
        })),
        made!(objects.search_objects(SearchObjectsRequest {
            object_type: object_type.clone(),
            ..SearchObjectsRequest::default()
        })),
        made!(objects.create_object(CreateObjectRequest {
            object_type: object_type.clone(),
            properties: properties(),
            ..CreateObjectRequest::default()
        })),
        made!(objects.update_object(UpdateObjectRequest {
            object_type: object_type.clone(),
            object_id: object_id.clone(),
            properties: properties(),
            ..UpdateObjectRequest::default()
        })),
        made!(objects.archive_object(ArchiveObjectRequest {
            object_type: object_type.clone(),
            object_id: "105".to_owned(),
            request_id: String::new(),
        })),
        made!(objects.merge_objects(MergeObjectsRequest {
            object_type: object_type.clone(),
            primary_object_id: "101".to_owned(),
            merged_object_id: "104".to_owned(),
            request_id: String::new(),
        })),
        made!(objects.batch_read_objects(BatchReadObjectsRequest {
            object_type: object_type.clone(),
            object_ids: vec![object_id.clone()],
            ..BatchReadObjectsRequest::default()
        })),
        made!(objects.batch_create_objects(BatchCreateObjectsRequest {
            object_type: object_type.clone(),
            inputs: vec![ObjectToCreate {
                properties: properties(),
                ..ObjectToCreate::default()
            }],
            request_id: String::new(),
        })),
        made!(objects.batch_update_objects(BatchUpdateObjectsRequest {
            object_type: object_type.clone(),
            inputs: vec![change()],
            ..BatchUpdateObjectsRequest::default()
        })),
        made!(objects.upsert_objects(UpsertObjectsRequest {
            object_type: object_type.clone(),
            id_property: "email".to_owned(),
            inputs: vec![ObjectToUpdate {
                object_id: "contact1@client-0001.example".to_owned(),
                ..change()
            }],
            request_id: String::new(),
        })),
        made!(objects.batch_archive_objects(BatchArchiveObjectsRequest {
            object_type: object_type.clone(),
            object_ids: vec!["103".to_owned()],
            request_id: String::new(),
        })),
        made!(objects.erase_contact(EraseContactRequest {
            object_id: "102".to_owned(),
            ..EraseContactRequest::default()
        })),
        made!(associations.list_associations(ListAssociationsRequest {
            object_type: object_type.clone(),
            object_id: object_id.clone(),
            to_object_type: object_type.clone(),
            ..ListAssociationsRequest::default()
        })),
        made!(associations.create_association(CreateAssociationRequest {
            object_type: object_type.clone(),
            object_id: object_id.clone(),
            to_object_type: object_type.clone(),
            to_object_id: object_id.clone(),
            ..CreateAssociationRequest::default()
        })),
        made!(associations.remove_association(RemoveAssociationRequest {
            object_type: object_type.clone(),
            object_id: object_id.clone(),
            to_object_type: object_type.clone(),
            to_object_id: object_id.clone(),
            request_id: String::new(),
        })),
        made!(
            associations.list_association_labels(ListAssociationLabelsRequest {
                object_type: object_type.clone(),
                to_object_type: object_type.clone(),
            })
        ),
        made!(schemas.list_properties(ListPropertiesRequest {
            object_type: object_type.clone(),
            ..ListPropertiesRequest::default()
        })),
        made!(schemas.get_property(GetPropertyRequest {
            object_type: object_type.clone(),
            name: "email".to_owned(),
        })),
        made!(schemas.list_pipelines(ListPipelinesRequest {
            object_type: "deals".to_owned(),
        })),
        made!(schemas.get_pipeline(GetPipelineRequest {
            object_type: "deals".to_owned(),
            pipeline_id: "default".to_owned(),
        })),
        made!(schemas.list_object_types(ListObjectTypesRequest {})),
        made!(owners.list_owners(ListOwnersRequest {
            ..ListOwnersRequest::default()
        })),
        made!(owners.get_owner(GetOwnerRequest {
            owner_id: "501".to_owned(),
            user_id: String::new(),
            archived: false,
        })),
        made!(quota.get_quota(GetQuotaRequest {})),
        made!(quota.watch_quota(WatchQuotaRequest {})),
    ]
}

#[tokio::test]
async fn a_call_that_expects_another_portal_is_refused_before_anything_is_sent() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let mut allowed = hubkeep_tests::support::handles::EVERYTHING.to_vec();
    allowed.push(Allow::Quota);
    let handle = hubkeep.handle(A).allow(allowed).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let other = hubkeep.portal_id(B);
    let before = hubkeep.journal().len();
    let answers = every_call(&hubkeep, &crm, other).await;
    for answer in &answers {
        let refused = answer.as_ref().expect_err("refused");
        assert_eq!(refused.said(), (Code::PermissionDenied, "PORTAL_MISMATCH"));
        assert_eq!(refused.metadata["requested_client_slug"], A);
        assert_eq!(refused.metadata["expected_portal_id"], other.to_string());
    }
    assert_eq!(hubkeep.journal().len(), before, "nothing was sent");
    let denied = hubkeep.entries(Service::Crm, Phase::Denied).await;
    assert_eq!(denied.len(), answers.len(), "each refusal is on record");
    for entry in denied {
        assert_eq!(entry.client_slug, A);
        assert_eq!(entry.reason().wire_name(), "PORTAL_MISMATCH");
    }

    let own = hubkeep.portal_id(A);
    let table = every_call(&hubkeep, &crm, own).await;
    for answer in table {
        if let Err(refused) = answer {
            let reasons = ["OBJECT_NOT_FOUND", "HUBSPOT_VALIDATION"];
            assert!(
                reasons.contains(&refused.reason.as_str()),
                "HubSpot's own: {refused:?}"
            );
        }
    }
}
