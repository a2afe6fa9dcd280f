//! Reports of what is used: every interface that either service asked HubSpot for, every scope that something needs, and what is not
//! known of that.

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_proto::{
    audit::v1::EventFilter,
    credential::v1::{
        Grant, Person, PutPersonRequest, VerifyPortalRequest, access_service_client::AccessServiceClient,
        grant::Holder,
    },
    crm::v1::{ListObjectTypesRequest, ReportScope},
};
use hubkeep_tests::{
    Allow, Hubkeep, Service, World,
    support::{
        audit::Reader,
        grants::{of_everything, put},
        portals::OPERATOR,
        reports::{Kind, json, of},
    },
};
use serde_json::Value;

const A: &str = "client-0001";

async fn report(hubkeep: &Hubkeep, kind: Kind) -> Value {
    let scope = ReportScope {
        expected_portal_id: hubkeep.portal_id(A),
        ..of(A)
    };
    let made = hubkeep.report(Reader::Operator(OPERATOR), kind, scope).await;
    json(&made.expect("an auditor"))
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let listed = value[name]
        .as_array()
        .unwrap_or_else(|| panic!("{name} in {value}"));
    listed.iter().map(|one| one.as_str().expect("text")).collect()
}

fn gaps(report: &Value) -> String {
    texts(report, "gaps").join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn interfaces_that_credential_service_asked_for_are_among_those_that_end() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let request = VerifyPortalRequest {
        client_slug: A.to_owned(),
    };
    let verified = hubkeep
        .portals()
        .verify_portal(hubkeep.by_operator(request))
        .await;
    verified.expect("verified");
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");

    let of_portal = |entry: &hubkeep_audit_log::Entry| entry.portal_id == hubkeep.portal_id(A);
    let asked = hubkeep.entries(Service::Credential, Phase::Outcome).await;
    let token_info = "/oauth/v2/private-apps/get/access-token-info";
    let times = asked
        .iter()
        .filter(|entry| of_portal(entry) && entry.path_template == token_info)
        .count();
    assert!(times > 0, "it asks when a portal is verified");
    let report = report(&hubkeep, Kind::Sunset).await;
    let interfaces = report["report"]["interfaces"].as_array().expect("listed");
    let told = interfaces
        .iter()
        .find(|one| one["path"] == token_info)
        .unwrap_or_else(|| panic!("{interfaces:?}"));
    assert_eq!(told["service"], "credential-service");
    assert_eq!(told["unsupported_from"], "2027-09-01");
    assert_eq!(told["requests"], times);
    assert!(
        interfaces
            .iter()
            .any(|one| one["service"] == "crm-service" && one["unsupported_from"] == "2028-03-01"),
        "{interfaces:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_that_nothing_needed_are_told_apart_from_those_of_which_it_is_not_known() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let told = report(&hubkeep, Kind::Scope).await;
    let credential = &told["report"]["credentials"][0];
    assert_eq!(texts(credential, "used_scopes"), ["crm.objects.contacts.read"]);
    let unused = texts(credential, "unused_scopes");
    for scope in ["crm.objects.contacts.write", "crm.objects.deals.read", "tickets"] {
        assert!(unused.contains(&scope), "{scope} in {unused:?}");
    }
    let unknown = texts(credential, "unknown_scopes");
    assert!(
        unknown.contains(&"sales-email-read") && !unused.contains(&"sales-email-read"),
        "{unknown:?}"
    );
    assert!(gaps(&told).contains("sales-email-read"), "{}", gaps(&told));
    assert!(texts(&told["report"], "uses_without_known_scope").is_empty());

    crm.update("contacts", "101", &[("firstname", "Ann")])
        .await
        .expect("written");
    let types = ListObjectTypesRequest {
        client_slug: A.to_owned(),
        ..ListObjectTypesRequest::default()
    };
    let listed = crm.schemas().list_object_types(crm.request(types)).await;
    listed.expect("listed");
    let told = report(&hubkeep, Kind::Scope).await;
    let credential = &told["report"]["credentials"][0];
    assert!(texts(credential, "used_scopes").contains(&"crm.objects.contacts.write"));
    let not_known = texts(&told["report"], "uses_without_known_scope");
    assert_eq!(not_known, ["OBJECT_TYPE_LIST schemas"]);
    assert!(gaps(&told).contains("OBJECT_TYPE_LIST schemas"));
}

fn unused<'a>(told: &'a Value, grant_id: &str) -> Vec<&'a str> {
    let grants = told["report"]["grants"].as_array().expect("listed").iter();
    let mut grants = grants.filter(|grant| grant["grant_id"] == grant_id);
    texts(grants.next().expect("is there"), "unused_operations")
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_of_logs_quotas_and_reports_counts_as_use_of_a_grant() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let told = report(&hubkeep, Kind::Scope).await;
    for operation in ["READ_AUDIT", "QUOTA", "REPORT"] {
        let unused = unused(&told, "everybody");
        assert!(
            unused.contains(&operation),
            "{operation} in {unused:?}: an operator's use is not the grant's"
        );
    }
    let wish = hubkeep
        .handle(A)
        .allow([Allow::ReadAudit, Allow::Report, Allow::Quota]);
    let handle = wish.types([]).issue().await;
    let filter = EventFilter {
        client_slug: A.to_owned(),
        ..EventFilter::default()
    };
    let listed = hubkeep.list_events(Service::Crm, Reader::Holder(&handle), filter);
    listed.await.expect("listed");
    let made = hubkeep.report(Reader::Holder(&handle), Kind::Usage, of(A)).await;
    made.expect("made");
    let left = hubkeep.quota(Reader::Holder(&handle), A).await;
    left.expect("told");
    let told = report(&hubkeep, Kind::Scope).await;
    for operation in ["READ_AUDIT", "QUOTA", "REPORT"] {
        let unused = unused(&told, "everybody");
        assert!(!unused.contains(&operation), "{operation} in {unused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_persons_grant_hides_is_told_to_be_missing() {
    let setup = Hubkeep::over(World::of_portals(1)).without_grants();
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let person = Person {
        person_id: "bob".to_owned(),
        certificate_names: vec!["bob".to_owned()],
        ..Person::default()
    };
    let request = PutPersonRequest { person: Some(person) };
    let mut client = AccessServiceClient::new(hubkeep.door(Service::Credential).of(OPERATOR));
    let known = client.put_person(hubkeep.by_operator(request)).await;
    known.expect("put");
    let of_bob = Grant {
        holder: Some(Holder::PersonId("bob".to_owned())),
        ..of_everything("bobs", "*")
    };
    let door = hubkeep.door(Service::Credential);
    put(door, of_everything("syncs", "sync")).await.expect("put");
    let told = report(&hubkeep, Kind::Scope).await;
    assert!(!gaps(&told).contains("callers_without_grant"), "{}", gaps(&told));
    put(door, of_bob).await.expect("put");
    let handle = hubkeep.handle(A).for_caller("bob").issue().await;
    let crm = hubkeep.crm_as("bob").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let told = report(&hubkeep, Kind::Scope).await;
    assert_eq!(texts(&told["report"], "callers_without_grant"), ["bob"]);
    let gaps = gaps(&told);
    assert!(
        gaps.contains("callers_without_grant") && gaps.contains("bobs"),
        "{gaps}"
    );
    let entries = hubkeep.entries(Service::Crm, Phase::Outcome).await;
    assert!(
        entries
            .iter()
            .any(|entry| entry.operation() == Operation::ObjectGet)
    );
}
