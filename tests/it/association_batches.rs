//! Many associations in one request: each input has its result, in its place, and labels that are there are kept.

mod again;
mod turned_round;

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::{
    crm::v1::{AssociationLabel, AssociationsToRead, BatchReadAssociationsRequest},
    error::v1::ErrorReason,
};
use hubkeep_tests::{
    Allow, Crm, Hubkeep, Limits, ObjectType, PortalSpec, Refused, Service, TokenSpec, World,
    support::{
        limited::{Limited, Wish},
        pairs::{Labelled, kinds, pages},
    },
};
use tonic::Code;

const A: &str = "acme";
const ID: u64 = 4_242;
const TYPES: (&str, &str) = ("contacts", "companies");
/// HubSpot's own: a contact's primary company.
const PRIMARY: u32 = 1;
/// And the one without a label.
const CONTACT_TO_COMPANY: u32 = 279;
const FIRST_CONTACT: u64 = 101;
const FIRST_COMPANY: u64 = 10_000_101;

fn world(contacts: u64, companies: u64) -> World {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-pairsof-0001");
    let mut portal = PortalSpec::new(A, ID).token(token).limits(Limits::unlimited());
    for number in 0..contacts {
        let email = format!("c{number}@acme.example");
        portal = portal.record(ObjectType::Contacts, &[("email", &email)]);
    }
    for number in 0..companies {
        let name = format!("Company {number}");
        portal = portal.record(ObjectType::Companies, &[("name", &name)]);
    }
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

async fn hubkeep(contacts: u64, companies: u64) -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(world(contacts, companies)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    (hubkeep, crm)
}

fn contact(number: u64) -> String {
    (FIRST_CONTACT + number).to_string()
}

fn company(number: u64) -> String {
    (FIRST_COMPANY + number).to_string()
}

fn label(type_id: u32) -> AssociationLabel {
    AssociationLabel {
        type_id,
        ..AssociationLabel::default()
    }
}

/// How often HubSpot was asked at a path that ends so.
fn asked(hubkeep: &Hubkeep, end: &str) -> usize {
    let calls = hubkeep.hubspot_calls();
    calls.iter().filter(|call| call.path.ends_with(end)).count()
}

/// The companies of a contact, each with the kinds by which it is one.
async fn companies_of(crm: &Crm, contact: &str) -> Vec<(String, Vec<u32>)> {
    let read = crm.associated_many(TYPES, &[contact]).await.expect("answered");
    let mut found: Vec<_> = pages(&read.results)[0]
        .expect("a page")
        .records
        .iter()
        .map(|record| {
            let mut kinds: Vec<u32> = record.labels.iter().map(|label| label.type_id).collect();
            kinds.sort_unstable();
            (record.object_id.clone(), kinds)
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn each_pair_has_its_result_in_its_place_whatever_becomes_of_the_others() {
    let (hubkeep, crm) = hubkeep(3, 2).await;
    let (nobody, first, second) = ("999".to_owned(), company(0), company(1));
    let (ann, bob) = (contact(0), contact(1));
    let made = crm
        .associate_many(
            TYPES,
            &[
                (&ann, &first, vec![label(PRIMARY)]),
                (&nobody, &first, vec![]),
                (&bob, &second, vec![]),
                (&nobody, &second, vec![label(PRIMARY)]),
            ],
        )
        .await
        .expect("answered");
    let missing = Err(ErrorReason::HubspotValidation);
    assert_eq!(
        kinds(&made.results),
        [
            Ok(vec![PRIMARY]),
            missing.clone(),
            Ok(vec![CONTACT_TO_COMPANY]),
            missing
        ]
    );
    assert_eq!(made.replies.len(), 2, "with labels apart from those without");
    assert_eq!(asked(&hubkeep, "/batch/create"), 1);
    assert_eq!(asked(&hubkeep, "/batch/associate/default"), 1);

    let read = crm
        .associated_many(TYPES, &[&bob, &nobody, &ann])
        .await
        .expect("answered");
    let counts: Vec<usize> = pages(&read.results)
        .into_iter()
        .map(|page| page.expect("a page").records.len())
        .collect();
    assert_eq!(counts, [1, 0, 1], "who is not there is associated with nothing");

    let ended = crm
        .dissociate_many(TYPES, &[(&ann, &first), (&bob, &second)])
        .await
        .expect("answered");
    assert_eq!(kinds(&ended.results), [Ok(vec![]), Ok(vec![])]);
    for id in [&ann, &bob] {
        assert!(companies_of(&crm, id).await.is_empty());
    }
    let mut found = Vec::new();
    for entry in hubkeep.entries(Service::Crm, Phase::Intent).await {
        found.push(entry.operation());
    }
    for operation in [
        Operation::AssociationBatchRead,
        Operation::AssociationBatchCreate,
        Operation::AssociationBatchRemove,
    ] {
        assert!(found.contains(&operation), "{operation:?} in {found:?}");
    }
}

#[tokio::test]
async fn labels_that_are_there_are_kept_when_others_are_given_to_many() {
    let (hubkeep, crm) = hubkeep(2, 2).await;
    let sides = (ObjectType::Contacts, ObjectType::Companies);
    let own = hubkeep
        .hubspot
        .define_label(ID, sides, "Advisor")
        .expect("defined");
    let advisor = || AssociationLabel {
        type_id: own,
        category: "USER_DEFINED".to_owned(),
        label: String::new(),
    };
    let (ann, bob, acme, globex) = (contact(0), contact(1), company(0), company(1));
    let advisors: [Labelled<'_>; 2] = [(&ann, &acme, vec![advisor()]), (&ann, &globex, vec![advisor()])];
    crm.associate_many(TYPES, &advisors).await.expect("associated");
    let primary: [Labelled<'_>; 2] = [
        (&ann, &globex, vec![label(PRIMARY)]),
        (&bob, &acme, vec![label(PRIMARY)]),
    ];
    let both = crm.associate_many(TYPES, &primary).await.expect("associated");
    let mut together = vec![PRIMARY, own];
    together.sort_unstable();
    assert_eq!(kinds(&both.results), [Ok(together), Ok(vec![PRIMARY])]);
    let there = companies_of(&crm, &ann).await;
    let of = |id: &str| {
        there
            .iter()
            .find(|(company, _)| company == id)
            .expect("there")
            .1
            .clone()
    };
    assert!(
        of(&globex).contains(&own) && of(&globex).contains(&PRIMARY),
        "{there:?}"
    );
    assert!(of(&acme).contains(&own), "{there:?}");

    // Without a label nothing is read, and nothing is lost.
    let before = asked(&hubkeep, "/batch/read");
    crm.associate_many(TYPES, &[(&ann, &globex, vec![])])
        .await
        .expect("associated");
    assert_eq!(asked(&hubkeep, "/batch/read"), before);
    let there = companies_of(&crm, &ann).await;
    let kept = there
        .iter()
        .find(|(company, _)| *company == globex)
        .expect("there");
    assert!(kept.1.contains(&own) && kept.1.contains(&PRIMARY), "{kept:?}");
}

#[tokio::test]
async fn more_than_hubspot_takes_at_once_are_asked_in_parts_and_answered_as_one() {
    let (hubkeep, crm) = hubkeep(50, 50).await;
    let ids: Vec<(String, String)> = (0..50)
        .flat_map(|from| (0..50).map(move |to| (contact(from), company(to))))
        .collect();
    let pairs: Vec<Labelled<'_>> = ids
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str(), vec![]))
        .collect();
    let made = crm.associate_many(TYPES, &pairs).await.expect("made");
    assert_eq!((made.results.len(), made.replies.len()), (2_500, 2));
    assert!(
        kinds(&made.results)
            .iter()
            .all(|one| *one == Ok(vec![CONTACT_TO_COMPANY]))
    );
    assert_eq!(asked(&hubkeep, "/batch/associate/default"), 2);
    let ends: Vec<(&str, &str)> = ids
        .iter()
        .map(|(from, to)| (from.as_str(), to.as_str()))
        .collect();
    let ended = crm.dissociate_many(TYPES, &ends).await.expect("ended");
    assert_eq!((ended.results.len(), ended.replies.len()), (2_500, 3));
    assert_eq!(asked(&hubkeep, "/batch/archive"), 3);
    assert!(companies_of(&crm, &contact(49)).await.is_empty());
    let many: Vec<String> = (0..1_500)
        .map(|number| (1_000_000 + number).to_string())
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let read = crm.associated_many(TYPES, &many).await.expect("answered");
    assert_eq!((read.results.len(), read.replies.len()), (1_500, 2));
}

#[tokio::test]
async fn a_page_token_goes_on_where_the_page_ended_and_is_good_for_its_record_only() {
    let (hubkeep, crm) = hubkeep(2, 600).await;
    let ann = contact(0);
    let ids: Vec<String> = (0..600).map(company).collect();
    let pairs: Vec<Labelled<'_>> = ids.iter().map(|to| (ann.as_str(), to.as_str(), vec![])).collect();
    crm.associate_many(TYPES, &pairs).await.expect("made");
    let first = crm.associated_many(TYPES, &[&ann]).await.expect("answered");
    let first = pages(&first.results)[0].expect("a page").clone();
    assert_eq!(first.records.len(), 500);
    let next = |id: &str| BatchReadAssociationsRequest {
        client_slug: A.to_owned(),
        object_type: TYPES.0.to_owned(),
        to_object_type: TYPES.1.to_owned(),
        inputs: vec![AssociationsToRead {
            object_id: id.to_owned(),
            page_token: first.next_page_token.clone(),
        }],
        expected_portal_id: 0,
    };
    let rest = crm.associated_many_by(next(&ann)).await.expect("answered");
    let rest = pages(&rest.results)[0].expect("a page").clone();
    assert_eq!((rest.records.len(), rest.next_page_token.as_str()), (100, ""));
    let mut all: Vec<String> = [first.records.clone(), rest.records]
        .concat()
        .into_iter()
        .map(|record| record.object_id)
        .collect();
    all.sort();
    assert_eq!(all, ids);
    let refused = Refused::in_place_of(crm.associated_many_by(next(&contact(1))).await);
    assert_eq!(refused.fields, ["inputs[0].page_token"]);

    // A label goes to a record that is on the second page only.
    let last = ids.last().expect("one").clone();
    let before = asked(&hubkeep, "/batch/read");
    let made = crm
        .associate_many(TYPES, &[(&ann, &last, vec![label(PRIMARY)])])
        .await;
    assert_eq!(kinds(&made.expect("made").results), [Ok(vec![PRIMARY])]);
    assert_eq!(asked(&hubkeep, "/batch/read") - before, 2, "both pages");
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_with_the_place_of_each_fault() {
    let (hubkeep, crm) = hubkeep(1, 1).await;
    let (ann, acme) = (contact(0), company(0));
    let before = hubkeep.hubspot_calls().len();
    let nothing = Refused::in_place_of(crm.associate_many(TYPES, &[]).await);
    assert_eq!(nothing.fields, ["inputs"]);
    let twice: [Labelled<'_>; 2] = [(&ann, &acme, vec![]), (&ann, &acme, vec![label(PRIMARY)])];
    let refused = Refused::in_place_of(crm.associate_many(TYPES, &twice).await);
    assert_eq!(refused.fields, ["inputs[1].to_object_id"]);
    let wrong: [Labelled<'_>; 1] = [("x", &acme, vec![label(0)])];
    let refused = Refused::in_place_of(crm.associate_many(TYPES, &wrong).await);
    assert_eq!(
        refused.fields,
        ["inputs[0].labels[0].type_id", "inputs[0].object_id"]
    );
    let refused = Refused::in_place_of(crm.associated_many(TYPES, &[&ann, &ann]).await);
    assert_eq!(refused.fields, ["inputs[1].object_id"]);
    let many = vec![(ann.as_str(), acme.as_str()); 5_001];
    let refused = Refused::in_place_of(crm.dissociate_many(TYPES, &many).await);
    assert_eq!(refused.fields, ["inputs"]);
    assert_eq!(hubkeep.hubspot_calls().len(), before);
}

#[tokio::test]
async fn many_associations_need_the_rights_that_one_needs() {
    let (hubkeep, _) = hubkeep(1, 1).await;
    let (ann, acme) = (contact(0), company(0));
    let pair: [Labelled<'_>; 1] = [(&ann, &acme, vec![])];
    let labelled: [Labelled<'_>; 1] = [(&ann, &acme, vec![label(PRIMARY)])];
    let reader = hubkeep.handle(A).allow([Allow::Get]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&reader);
    crm.associated_many(TYPES, &[&ann]).await.expect("read");
    for refusal in [
        crm.associate_many(TYPES, &pair).await.map(drop),
        crm.dissociate_many(TYPES, &[(&ann, &acme)]).await.map(drop),
    ] {
        assert_eq!(Refused::in_place_of(refusal).metadata["operation"], "ASSOCIATE");
    }
    let writer = hubkeep.handle(A).allow([Allow::Associate]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&writer);
    let refused = Refused::in_place_of(crm.associate_many(TYPES, &labelled).await);
    assert_eq!(
        refused.metadata["operation"], "GET",
        "what is there must be read first"
    );
    assert_eq!(asked(&hubkeep, "/batch/create"), 0);
    crm.associate_many(TYPES, &pair).await.expect("without a label");
    let contacts_only = hubkeep.handle(A).types(["contacts"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&contacts_only);
    for refusal in [
        crm.associated_many(TYPES, &[&ann]).await.map(drop),
        crm.associate_many(TYPES, &pair).await.map(drop),
        crm.dissociate_many(TYPES, &[(&ann, &acme)]).await.map(drop),
    ] {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
        assert_eq!(refused.metadata["object_type"], "companies");
    }
}

#[tokio::test]
async fn a_handle_for_some_owners_records_neither_reads_nor_changes_many_associations() {
    let limited = Limited::start(world(1, 1)).await;
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
    let crm = limited.holder(A, &wish);
    let (ann, acme) = (contact(0), company(0));
    for refusal in [
        crm.associated_many(TYPES, &[&ann]).await.map(drop),
        crm.associate_many(TYPES, &[(&ann, &acme, vec![])])
            .await
            .map(drop),
        crm.dissociate_many(TYPES, &[(&ann, &acme)]).await.map(drop),
    ] {
        let refused = Refused::in_place_of(refusal);
        assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    }
    assert!(limited.sent().is_empty());
}
