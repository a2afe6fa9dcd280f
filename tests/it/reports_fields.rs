//! What the law or a contract asks a report to say stands in it, or is told to be missing: nothing is left empty without a word.

use std::collections::BTreeSet;

use hubkeep_crm_service::reports::{Categories, Config, Ground, Party, Subprocessor, Term, Transfer};
use hubkeep_proto::{
    audit::v1::{
        ErasePayloadsRequest, PayloadSubject, audit_service_client::AuditServiceClient,
        erase_payloads_request::Of,
    },
    credential::v1::{Grant, HandleScope, PortalDetails, UpdatePortalRequest},
    crm::v1::{Report, ReportScope},
};
use hubkeep_tests::{
    Hubkeep, Service, World,
    support::{
        audit::Reader,
        grants::{of_everything, put},
        portals::OPERATOR,
        reports::{Kind, json, of},
    },
};
use serde_json::Value;

const A: &str = "client-0001";

/// Of GDPR Art. 30(2), 28(2) and 28(3), with the evidence: what nobody has told, and what Hubkeep cannot know. What stands in
/// every report of itself is not among them: the measures, the retention, where HubSpot has the data.
const OF_ART_30: [&str; 24] = [
    "annex.data_subjects",
    "annex.dpa_date",
    "annex.dpa_reference",
    "annex.instructions_reference",
    "annex.properties",
    "annex.stated_purposes",
    "annex.subprocessors",
    "controller.contact",
    "controller.data_protection_officer",
    "controller.name",
    "controller.region",
    "controller.representative",
    "data_protection_officer.name",
    "evidence.approvals",
    "processing_region",
    "processor.address",
    "processor.email",
    "processor.name",
    "processor.phone",
    "representative.name",
    "security_measures of credential-service",
    "transfers",
    "transfers[].mechanism",
    "transfers[].reference",
];

/// The same of the CCPA and 11 CCR 7051, but for the terms of the contract.
const OF_CCPA: [&str; 16] = [
    "business.contact",
    "business.name",
    "business.region",
    "business_purposes",
    "categories[].is_sensitive",
    "consumer_requests outside Hubkeep",
    "contract.date",
    "contract.reference",
    "contract.terms_reference",
    "last_audit_date",
    "security_measures of credential-service",
    "service_provider.address",
    "service_provider.email",
    "service_provider.name",
    "service_provider.phone",
    "subcontractors",
];

/// What Hubkeep cannot know, whatever it is told.
const UNKNOWABLE: [(Kind, &[&str]); 2] = [
    (
        Kind::Processing,
        &["evidence.approvals", "security_measures of credential-service"],
    ),
    (
        Kind::ServiceProvider,
        &[
            "consumer_requests outside Hubkeep",
            "security_measures of credential-service",
        ],
    ),
];

fn missing(report: &Report) -> BTreeSet<String> {
    let paths = report.gaps.iter().filter_map(|gap| gap.split_once(": "));
    paths.map(|(path, _)| path.to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn made(hubkeep: &Hubkeep, kind: Kind, scope: ReportScope) -> Report {
    let scope = ReportScope {
        expected_portal_id: hubkeep.portal_id(A),
        ..scope
    };
    let made = hubkeep.report(Reader::Operator(OPERATOR), kind, scope).await;
    made.expect("an auditor")
}

async fn a_call(hubkeep: &Hubkeep) {
    let wish = hubkeep.handle(A).types(["contacts"]);
    let handle = wish.properties(["firstname", "email"]).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_portal_for_which_nothing_was_told_every_field_is_told_to_be_missing() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    a_call(&hubkeep).await;
    let terms = Term::ALL.map(|term| format!("contract.terms.{}", term.name()));
    let ccpa = set(&OF_CCPA).into_iter().chain(terms).collect();
    for (kind, expected) in [(Kind::Processing, set(&OF_ART_30)), (Kind::ServiceProvider, ccpa)] {
        let report = made(&hubkeep, kind, of(A)).await;
        assert_eq!(missing(&report), expected, "{kind:?}");
        let listed = json(&report)["gaps"].as_array().expect("listed").len();
        assert_eq!(listed, report.gaps.len());
    }
}

fn somebody(name: &str) -> Party {
    Party {
        name: name.to_owned(),
        address: "Hauptstr. 1, 10115 Berlin".to_owned(),
        email: "privacy@agency.example".to_owned(),
        phone: "+49 30 1234".to_owned(),
    }
}

fn all_stated() -> Config {
    let text = str::to_owned;
    Config {
        processor: somebody("Agency GmbH"),
        representative: somebody("none needed: established in the Union"),
        data_protection_officer: somebody("Example Counsel"),
        region: text("eu-central"),
        transfers: vec![Transfer {
            recipient: text("Example Support Inc."),
            country: text("US"),
            mechanism: text("DPF"),
            reference: text("annex 3"),
        }],
        hubspot_transfer: Ground {
            mechanism: text("SCC"),
            reference: text("HubSpot's data processing agreement"),
        },
        subprocessors: vec![Subprocessor {
            name: text("Example Hosting"),
            purpose: text("runs the machines"),
            country: text("DE"),
            authorized_date: text("2026-01-15"),
        }],
        last_audit_date: text("2026-10-01"),
        contract_terms: text("service agreement, section 7"),
        terms: Term::ALL.map(|term| (term, text("section 7.1"))).into(),
        categories: vec![Categories {
            object_type: text("contacts"),
            letters: vec![text("A"), text("G")],
            is_sensitive: false,
        }],
        ..Config::default()
    }
}

async fn state(hubkeep: &Hubkeep) {
    let text = str::to_owned;
    let request = UpdatePortalRequest {
        client_slug: text(A),
        details: Some(PortalDetails {
            controller_name: text("ACME"),
            controller_contact: text("privacy@acme.example"),
            controller_representative: text("none needed"),
            controller_data_protection_officer: text("Ann Example"),
            dpa_reference: text("DPA-7"),
            dpa_date: text("2026-01-15"),
            instructions_reference: text("annex 1"),
            purposes: vec![text("nightly sync")],
            data_subjects: vec![text("customers")],
            region: text("DE"),
            tags: Vec::new(),
        }),
    };
    let updated = hubkeep
        .portals()
        .update_portal(hubkeep.by_operator(request))
        .await;
    updated.expect("updated");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_told_nothing_is_missing_but_what_hubkeep_cannot_know() {
    let setup = Hubkeep::over(World::of_portals(1))
        .without_grants()
        .crm(|config| config.reports = all_stated());
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    state(&hubkeep).await;
    let everything = of_everything("some-properties", "*");
    let grant = Grant {
        scope: everything.scope.map(|scope| HandleScope {
            properties: vec!["firstname".to_owned(), "email".to_owned()],
            object_types: vec!["contacts".to_owned()],
            ..scope
        }),
        ..everything
    };
    put(hubkeep.door(Service::Credential), grant).await.expect("put");
    a_call(&hubkeep).await;
    for (kind, unknowable) in UNKNOWABLE {
        let report = made(&hubkeep, kind, of(A)).await;
        assert_eq!(missing(&report), set(unknowable), "{kind:?}: {:?}", report.gaps);
    }
    let told = json(&made(&hubkeep, Kind::Processing, of(A)).await);
    let told = &told["report"];
    assert_eq!(
        told["annex"]["properties"],
        serde_json::json!(["email", "firstname"])
    );
    assert_eq!(told["annex"]["dpa_date"], "2026-01-15");
    assert_eq!(told["controller"]["data_protection_officer"], "Ann Example");
    assert_eq!(told["transfers"][0]["mechanism"], "SCC");
    let told = json(&made(&hubkeep, Kind::ServiceProvider, of(A)).await);
    let told = &told["report"];
    assert_eq!(told["contract"]["terms"][9]["reference"], "section 7.1");
    let contacts = &told["categories"][0];
    assert_eq!(contacts["object_type"], "contacts");
    assert_eq!(contacts["letters"], serde_json::json!(["A", "G"]));
    assert_eq!(contacts["is_sensitive"], false);
}

fn proofs<'a>(told: &'a Value, name: &str) -> Vec<(&'a str, &'a str)> {
    let listed = told[name].as_array().expect("listed").iter();
    listed
        .map(|one| {
            let what = one.get("operation").or(one.get("type"));
            let what = what.and_then(Value::as_str).expect("what it was");
            (what, one["proof"]["entry_id"].as_str().expect("proven"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_deletion_and_each_request_of_a_consumer_is_told_with_the_entry_that_proves_it() {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "102").await.expect("read");
    crm.erase("101", "").await.expect("erased");
    made(&hubkeep, Kind::Subject("contacts", "102"), of(A)).await;
    let mut client = AuditServiceClient::new(hubkeep.door(Service::Crm).of(OPERATOR));
    let erase = ErasePayloadsRequest {
        of: Some(Of::Subject(PayloadSubject {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: "102".to_owned(),
        })),
        reason: "Art. 17 request".to_owned(),
    };
    let erased = client.erase_payloads(hubkeep.by_operator(erase)).await;
    erased.expect("erased");

    let report = json(&made(&hubkeep, Kind::Processing, of(A)).await);
    let deletions = proofs(&report["report"]["annex"], "deletions");
    let what: Vec<&str> = deletions.iter().map(|(what, _)| *what).collect();
    assert_eq!(what, ["CONTACT_ERASE", "PAYLOAD_ERASE"]);
    let report = json(&made(&hubkeep, Kind::ServiceProvider, of(A)).await);
    let requests = proofs(&report["report"], "consumer_requests");
    let what: Vec<&str> = requests.iter().map(|(what, _)| *what).collect();
    assert_eq!(what, ["delete", "know", "delete"]);
    let events = hubkeep.audit_events(Service::Crm).await;
    let of_portal = hubkeep
        .audit_log(Service::Crm)
        .log_of(hubkeep_core::id::PortalId::new(hubkeep.portal_id(A)).expect("an id"));
    for (what, entry_id) in deletions.iter().chain(&requests) {
        let proof = events.iter().find(|event| {
            event
                .entry
                .as_ref()
                .is_some_and(|entry| entry.entry_id == *entry_id)
        });
        assert_eq!(proof.expect("it is on the log").log, of_portal, "{what}");
    }
    let all = report["report"]["consumer_requests"].as_array().expect("listed");
    assert!(all.iter().all(|one| one["completed"] != ""), "{all:?}");
}
