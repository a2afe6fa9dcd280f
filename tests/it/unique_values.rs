//! Values of unique properties in an id's place: HubSpot takes any text in a body, and Hubkeep puts none into a path that could
//! leave its segment.

use hubkeep_proto::{
    crm::v1::{
        BatchReadObjectsRequest, BatchUpdateObjectsRequest, GetObjectRequest, ObjectToUpdate,
        UpdateObjectRequest, object_service_client::ObjectServiceClient,
    },
    error::v1::ErrorReason,
};
use hubkeep_tests::{
    Crm, Hubkeep, Limits, ObjectType, Refused, Service, World,
    support::many::{ids, rows},
};
use hubspot_sim::{PropertyDef, PropertyKind};
use tonic::{Code, transport::Channel};

const A: &str = "client-0001";
const KEY: &str = "external_key";
const KEYS: [&str; 4] = ["ACME / DE 17", "..", "50 % #1; b?", "Zürich\\Süd"];

/// A portal whose companies have a key, no two the same.
async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let key = PropertyDef::new(KEY, PropertyKind::Text).unique();
    let id = hubkeep.portal_id(A);
    let defined = hubkeep.hubspot.define_property(id, ObjectType::Companies, key);
    defined.expect("defined");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn objects(hubkeep: &Hubkeep) -> ObjectServiceClient<Channel> {
    ObjectServiceClient::new(hubkeep.channel(Service::Crm))
}

fn read(keys: &[&str]) -> BatchReadObjectsRequest {
    BatchReadObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "companies".to_owned(),
        object_ids: keys.iter().map(|key| (*key).to_owned()).collect(),
        id_property: KEY.to_owned(),
        properties: vec!["name".to_owned()],
        ..BatchReadObjectsRequest::default()
    }
}

fn update(key: &str, name: &str) -> BatchUpdateObjectsRequest {
    BatchUpdateObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "companies".to_owned(),
        id_property: KEY.to_owned(),
        inputs: vec![ObjectToUpdate {
            object_id: key.to_owned(),
            properties: [("name".to_owned(), name.to_owned())].into(),
        }],
        ..BatchUpdateObjectsRequest::default()
    }
}

#[tokio::test]
async fn a_batch_goes_by_any_text_that_hubspot_takes_for_a_value() {
    let (hubkeep, crm) = hubkeep().await;
    let inputs = KEYS.map(|key| (key, vec![("name", "Acme")]));
    let made = crm.upsert("companies", KEY, &inputs).await.expect("written");
    let made = made.results;
    assert!(made.iter().all(|row| row.created), "{made:?}");
    let again = crm.upsert("companies", KEY, &inputs).await.expect("written");
    assert_eq!(ids(&again.results), ids(&made), "the same records");

    for key in KEYS {
        let changed = objects(&hubkeep)
            .batch_update_objects(crm.request(update(key, key)))
            .await;
        let changed = changed.expect("answered").into_inner().results;
        assert_eq!(rows(&changed)[0].expect("changed").properties["name"], key);
    }
    let missing = [&KEYS[..], &["no / such key"]].concat();
    let found = crm.read_many_by(read(&missing)).await.expect("answered").results;
    let found = rows(&found);
    for (place, key) in KEYS.iter().enumerate() {
        assert_eq!(&found[place].expect("found").properties["name"], key);
    }
    assert_eq!(found[KEYS.len()], Err(ErrorReason::ObjectNotFound));
}

#[tokio::test]
async fn what_is_no_value_is_refused_and_so_is_one_in_a_path_that_could_leave_its_place() {
    let (hubkeep, crm) = hubkeep().await;
    let before = hubkeep.hubspot_calls().len();
    let long = "x".repeat(65_537);
    for bad in [
        "",
        " ",
        " A",
        "A ",
        "A\n",
        "A\tB",
        "A\0B",
        "A\u{85}B",
        long.as_str(),
    ] {
        let inputs = [(bad, vec![("name", "Acme")])];
        let refusals = [
            (crm.read_many_by(read(&[bad])).await.map(drop), "object_ids[0]"),
            (
                crm.upsert("companies", KEY, &inputs).await.map(drop),
                "inputs[0].object_id",
            ),
            (
                objects(&hubkeep)
                    .batch_update_objects(crm.request(update(bad, "Acme")))
                    .await
                    .map(drop),
                "inputs[0].object_id",
            ),
        ];
        for (refusal, field) in refusals {
            let refused = Refused::in_place_of(refusal);
            let start: String = bad.chars().take(8).collect();
            assert_eq!(
                refused.said(),
                (Code::InvalidArgument, "INVALID_FIELD"),
                "{start:?}"
            );
            assert_eq!(refused.fields, [field], "{start:?}");
        }
    }
    let longer = "x".repeat(257);
    for bad in KEYS.into_iter().chain(["", "a b", "a\nb", longer.as_str()]) {
        let get = GetObjectRequest {
            client_slug: A.to_owned(),
            object_type: "companies".to_owned(),
            object_id: bad.to_owned(),
            id_property: KEY.to_owned(),
            ..GetObjectRequest::default()
        };
        let update = UpdateObjectRequest {
            client_slug: A.to_owned(),
            object_type: "companies".to_owned(),
            object_id: bad.to_owned(),
            id_property: KEY.to_owned(),
            properties: [("name".to_owned(), "Acme".to_owned())].into(),
            ..UpdateObjectRequest::default()
        };
        let updated = objects(&hubkeep).update_object(crm.request(update)).await;
        for refusal in [crm.get_by(get).await.map(drop), updated.map(drop)] {
            let refused = Refused::in_place_of(refusal);
            assert_eq!(refused.fields, ["object_id"], "{bad:?}");
        }
    }
    assert_eq!(hubkeep.hubspot_calls().len(), before, "nothing is sent");
}
