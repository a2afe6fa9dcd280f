//! How a portal's records are made is changed by who has a right of its own for it, and by nobody else.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::crm::v1::{
    CreatePropertyRequest, GetPropertyRequest, ListPropertiesRequest, Property, PropertyOption,
    PropertyOptions, UpdatePropertyRequest,
};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, PortalSpec, Refused, Service, TokenSpec, World,
    support::{
        handles::EVERYTHING,
        limited::{Limited, Wish},
        writes::write_id,
    },
};
use tonic::Code;

const A: &str = "acme";
const PATH: &str = "/crm/properties/2026-09/contacts";

fn world() -> World {
    let portal = PortalSpec::new(A, 4_242)
        .token(TokenSpec::private_app("pat-na1-0000aaaa-propert-0001"))
        .limits(Limits::unlimited());
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

async fn hubkeep() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(world()).await;
    hubkeep.onboard_all().await;
    let allow = [Allow::Get, Allow::List, Allow::WriteSchema];
    let handle = hubkeep.handle(A).allow(allow).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn option(value: &str, label: &str) -> PropertyOption {
    PropertyOption {
        value: value.to_owned(),
        label: label.to_owned(),
        ..PropertyOption::default()
    }
}

fn tier(crm: &Crm) -> CreatePropertyRequest {
    CreatePropertyRequest {
        label: "Tier".to_owned(),
        r#type: "enumeration".to_owned(),
        field_type: "select".to_owned(),
        description: "What they pay for".to_owned(),
        options: vec![option("gold", "Gold"), option("silver", "Silver")],
        ..crm.text_property("contacts", "tier")
    }
}

async fn read(crm: &Crm, name: &str) -> Result<Property, Refused> {
    let request = GetPropertyRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        name: name.to_owned(),
        ..GetPropertyRequest::default()
    };
    let answer = crm.schemas().get_property(crm.request(request)).await;
    let answer = answer.map_err(|status| Refused::of(&status))?;
    Ok(answer.into_inner().property.expect("told"))
}

/// What HubSpot received that changes properties.
fn written(hubkeep: &Hubkeep) -> Vec<String> {
    let calls = hubkeep.hubspot_calls().into_iter();
    calls
        .filter(|call| call.path.starts_with(PATH) && call.method != "GET")
        .map(|call| call.method)
        .collect()
}

#[tokio::test]
async fn a_property_is_made_changed_and_archived() {
    let (hubkeep, crm) = hubkeep().await;
    let made = crm.create_property_by(tier(&crm)).await.expect("made");
    let made = made.property.expect("told");
    assert_eq!(
        (made.name.as_str(), made.r#type.as_str()),
        ("tier", "enumeration")
    );
    assert_eq!(read(&crm, "tier").await.expect("there"), made);
    let values: Vec<&str> = made.options.iter().map(|option| option.value.as_str()).collect();
    assert_eq!(values, ["gold", "silver"]);

    let conflict = Refused::in_place_of(crm.create_property_by(tier(&crm)).await);
    assert_eq!(conflict.reason, "OBJECT_CONFLICT");

    let changed = crm
        .update_property_by(UpdatePropertyRequest {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            name: "tier".to_owned(),
            label: Some("Level".to_owned()),
            options: Some(PropertyOptions {
                options: vec![option("silver", "Silver"), option("bronze", "Bronze")],
            }),
            ..UpdatePropertyRequest::default()
        })
        .await
        .expect("changed")
        .property
        .expect("told");
    assert_eq!(changed.label, "Level");
    assert_eq!(
        changed.description, "What they pay for",
        "what is not named stays"
    );
    let values: Vec<&str> = changed
        .options
        .iter()
        .map(|option| option.value.as_str())
        .collect();
    assert_eq!(values, ["silver", "bronze"]);

    crm.archive_property("contacts", "tier").await.expect("archived");
    assert_eq!(
        read(&crm, "tier").await.expect_err("gone").reason,
        "OBJECT_NOT_FOUND"
    );
    let archived = ListPropertiesRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        archived: true,
        ..ListPropertiesRequest::default()
    };
    let archived = crm.schemas().list_properties(crm.request(archived)).await;
    let archived = archived.expect("listed").into_inner().properties;
    assert!(
        archived
            .iter()
            .any(|property| property.name == "tier" && property.archived)
    );
    assert_eq!(written(&hubkeep), ["POST", "POST", "PATCH", "DELETE"]);

    let mut found = Vec::new();
    for entry in hubkeep.entries(Service::Crm, Phase::Intent).await {
        found.push((entry.operation(), entry.object_type.clone()));
    }
    for operation in [
        Operation::PropertyCreate,
        Operation::PropertyUpdate,
        Operation::PropertyArchive,
    ] {
        assert!(
            found.contains(&(operation, "contacts".to_owned())),
            "{operation:?}"
        );
    }
}

#[tokio::test]
async fn nobody_changes_properties_without_the_right_to() {
    let (hubkeep, _) = hubkeep().await;
    let everything_else = hubkeep.handle(A).allow(EVERYTHING).issue().await;
    let crm = hubkeep.crm_as("sync").with(&everything_else);
    let refusals = |crm: Crm| async move {
        [
            crm.create_property("contacts", "plan").await.map(drop),
            crm.relabel_property("contacts", "plan", "P").await.map(drop),
            crm.archive_property("contacts", "plan").await.map(drop),
        ]
    };
    for refusal in refusals(crm).await {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["operation"], "WRITE_SCHEMA");
    }
    let of_deals = hubkeep
        .handle(A)
        .allow([Allow::WriteSchema])
        .types(["deals"])
        .issue()
        .await;
    for refusal in refusals(hubkeep.crm_as("sync").with(&of_deals)).await {
        assert_eq!(Refused::in_place_of(refusal).metadata["object_type"], "contacts");
    }
    let of_one = hubkeep
        .handle(A)
        .allow([Allow::WriteSchema])
        .properties(["tier"])
        .issue()
        .await;
    let crm = hubkeep.crm_as("sync").with(&of_one);
    for refusal in refusals(crm.clone()).await {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "FIELD_NOT_ALLOWED"));
    }
    assert!(written(&hubkeep).is_empty());
    crm.create_property("contacts", "tier").await.expect("this one");
}

#[tokio::test]
async fn a_handle_for_some_records_changes_no_property_and_one_that_needs_approval_none_at_once() {
    let limited = Limited::start(world()).await;
    let wish = Wish {
        properties: &[],
        pipelines: &[],
        owner_ids: &["7"],
        max_calls: 0,
        max_records: 0,
        slice: 1_000,
        keep_for: std::time::Duration::from_secs(60),
        writes_need_approval: false,
    };
    let refused = Refused::in_place_of(limited.holder(A, &wish).create_property("contacts", "tier").await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    let wish = Wish {
        owner_ids: &[],
        writes_need_approval: true,
        ..wish
    };
    let refused = Refused::in_place_of(limited.holder(A, &wish).create_property("contacts", "tier").await);
    assert_eq!(refused.reason, "APPROVAL_REQUIRED");
    assert!(limited.sent().is_empty());
}

#[tokio::test]
async fn what_hubspot_could_not_mean_is_refused_before_anything_is_sent() {
    let (hubkeep, crm) = hubkeep().await;
    let sound = || tier(&crm);
    for (message, field) in [
        (
            CreatePropertyRequest {
                name: "Tier".to_owned(),
                ..sound()
            },
            "name",
        ),
        (
            CreatePropertyRequest {
                label: String::new(),
                ..sound()
            },
            "label",
        ),
        (
            CreatePropertyRequest {
                r#type: "money".to_owned(),
                ..sound()
            },
            "type",
        ),
        (
            CreatePropertyRequest {
                field_type: "text".to_owned(),
                ..sound()
            },
            "field_type",
        ),
        (
            CreatePropertyRequest {
                options: Vec::new(),
                ..sound()
            },
            "options",
        ),
        (
            CreatePropertyRequest {
                options: vec![option("a", "A"), option("a", "B")],
                ..sound()
            },
            "options[1].value",
        ),
        (
            CreatePropertyRequest {
                request_id: "mine".to_owned(),
                ..sound()
            },
            "request_id",
        ),
    ] {
        let refused = Refused::in_place_of(crm.create_property_by(message).await);
        assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
        assert_eq!(refused.fields, [field]);
    }
    let nothing = UpdatePropertyRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        name: "tier".to_owned(),
        ..UpdatePropertyRequest::default()
    };
    let refused = Refused::in_place_of(crm.update_property_by(nothing).await);
    assert_eq!(refused.fields, ["label"]);
    assert!(written(&hubkeep).is_empty());
}

#[tokio::test]
async fn the_same_request_id_makes_a_property_once() {
    let (hubkeep, crm) = hubkeep().await;
    let crm = crm.under(&write_id(1));
    let first = crm.create_property("contacts", "tier").await.expect("made");
    let again = crm.create_property("contacts", "tier").await.expect("kept");
    assert_eq!(again.property, first.property);
    assert!(again.reply.expect("told").kept);
    assert_eq!(written(&hubkeep), ["POST"]);
}

#[tokio::test]
async fn a_lost_answer_is_found_out_by_reading_and_never_sent_again() {
    let (hubkeep, crm) = hubkeep().await;
    type Asked = fn(Crm) -> std::pin::Pin<Box<dyn Future<Output = Result<(), tonic::Status>> + Send>>;
    let steps: [(u64, &str, Asked); 3] = [
        (1, "POST", |crm| {
            Box::pin(async move { crm.create_property("contacts", "tier").await.map(drop) })
        }),
        (2, "PATCH", |crm| {
            Box::pin(async move { crm.relabel_property("contacts", "tier", "Level").await.map(drop) })
        }),
        (3, "DELETE", |crm| {
            Box::pin(async move { crm.archive_property("contacts", "tier").await.map(drop) })
        }),
    ];
    for (number, method, asked) in steps {
        let crm = crm.clone().under(&write_id(number));
        let lost = FaultRule::new(Fault::CutConnection).method(method).after_effect();
        hubkeep.hubspot.inject(lost);
        let refused = Refused::in_place_of(asked(crm.clone()).await);
        assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"), "{method}");
        hubkeep.hubspot.clear_faults();
        asked(crm).await.expect("it was done");
    }
    assert_eq!(written(&hubkeep), ["POST", "PATCH", "DELETE"], "each sent once");
}
