//! Reports say what the logs say, to whoever may have them, and the same twice.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_audit_log::{CallResult, Entry, Phase};
use hubkeep_crm_service::reports::Party;
use hubkeep_proto::{
    credential::v1::{PortalDetails, UpdatePortalRequest},
    crm::v1::{ReportFormat, ReportScope},
};
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, Service, World,
    support::{
        audit::Reader,
        portals::OPERATOR,
        reports::{KINDS, Kind, again, json, of, text},
    },
};
use serde_json::Value;

const A: &str = "client-0001";
const B: &str = "client-0002";
const FORMS: [ReportFormat; 3] = [ReportFormat::Json, ReportFormat::Csv, ReportFormat::Html];
const EVIL: &str = "=cmd|' /C calc'!A0 <script>alert(1)</script>";

async fn start() -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    hubkeep
}

/// Reads, writes, failures, retries and refusals, of two callers and two portals.
async fn some_calls(hubkeep: &Hubkeep) {
    for (slug, caller) in [(A, "sync"), (A, "billing"), (B, "sync")] {
        let handle = hubkeep.handle(slug).for_caller(caller).issue().await;
        let crm = hubkeep.crm_as(caller).with(&handle);
        crm.get("contacts", "101").await.expect("read");
        crm.list("contacts").await.expect("listed");
        crm.update("contacts", "101", &[("firstname", caller)])
            .await
            .expect("written");
        crm.get("contacts", "999999").await.expect_err("there is none");
        crm.naming("client-0099")
            .get("contacts", "101")
            .await
            .expect_err("another portal");
    }
    hubkeep.hubspot.inject(
        FaultRule::new(Fault::Status { status: 503 })
            .path("/crm/")
            .times(1),
    );
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "102")
        .await
        .expect("read at the second attempt");
}

async fn entries_of(hubkeep: &Hubkeep, slug: &str) -> Vec<Entry> {
    let events = hubkeep.audit_events(Service::Crm).await;
    let entries = events.into_iter().filter_map(|event| event.entry);
    entries
        .filter(|entry| entry.portal_id == hubkeep.portal_id(slug) && entry.client_slug == slug)
        .collect()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

/// The names of the totals, and what they are by the entries.
fn counted_again(entries: &[Entry]) -> BTreeMap<&'static str, u64> {
    let outcomes = || entries.iter().filter(|entry| entry.phase() == Phase::Outcome);
    let calls: BTreeSet<&str> = outcomes().map(|entry| entry.call_id.as_str()).collect();
    let is = |result| outcomes().filter(|entry| entry.result() == result).count();
    let writes = |entry: &&Entry| entry.http_method != "GET" && !entry.path_template.ends_with("/read");
    let records = |entries: &mut dyn Iterator<Item = &Entry>| -> u64 {
        let done = entries.filter(|entry| entry.result() == CallResult::Ok);
        done.map(|entry| u64::from(entry.record_count)).sum()
    };
    let written: BTreeSet<&str> = outcomes()
        .filter(writes)
        .map(|entry| entry.call_id.as_str())
        .collect();
    let denied = entries.iter().filter(|entry| entry.phase() == Phase::Denied);
    [
        ("calls", calls.len()),
        ("requests", outcomes().count()),
        ("refused", is(CallResult::Refused)),
        ("failed", is(CallResult::Failed)),
        ("unknown", is(CallResult::Unknown)),
        ("writes", written.len()),
        ("reads", calls.len() - written.len()),
        ("denied", denied.count()),
    ]
    .into_iter()
    .map(|(name, count)| (name, u64::try_from(count).expect("few")))
    .chain([
        ("records_written", records(&mut outcomes().filter(writes))),
        (
            "records_read",
            records(&mut outcomes().filter(|entry| !writes(entry))),
        ),
    ])
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_those_of_a_count_over_the_entries() {
    let hubkeep = start().await;
    some_calls(&hubkeep).await;
    for slug in [A, B] {
        let counted = counted_again(&entries_of(&hubkeep, slug).await);
        let report = hubkeep
            .report(Reader::Operator(OPERATOR), Kind::Usage, of(slug))
            .await
            .expect("made");
        let report = json(&report);
        let (total, parts) = (&report["report"]["total"], &report["report"]);
        for (name, count) in &counted {
            assert_eq!(number(total, name), *count, "{name} of {slug}");
            for part in [
                "by_day",
                "by_month",
                "by_caller",
                "by_caller_and_day",
                "by_caller_and_month",
                "by_operation",
            ] {
                let lines = parts[part].as_array().expect("lines");
                let sum: u64 = lines.iter().map(|line| number(line, name)).sum();
                assert_eq!(sum, *count, "{name} of {slug} in {part}");
            }
        }
        assert!(
            counted["calls"] >= 3 && counted["denied"] == u64::from(slug == A) + 1,
            "{counted:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_again_as_of_the_same_positions_every_report_is_the_same_to_the_byte() {
    let hubkeep = start().await;
    some_calls(&hubkeep).await;
    let operator = Reader::Operator(OPERATOR);
    for kind in KINDS {
        let scope = ReportScope {
            expected_portal_id: hubkeep.portal_id(A),
            end_time: Some(far()),
            start_time: Some(long_ago()),
            ..of(A)
        };
        let first = hubkeep.report(operator, kind, scope.clone()).await.expect("made");
        some_calls_of(&hubkeep, A).await;
        for form in FORMS {
            let scope = again(&first, &scope, form);
            let one = hubkeep.report(operator, kind, scope.clone()).await.expect("made");
            let other = hubkeep.report(operator, kind, scope).await.expect("made");
            assert_eq!(text(&one), text(&other), "{kind:?} {form:?}");
            assert_eq!((one.sha256.len(), &one.sha256), (64, &other.sha256));
            if form == ReportFormat::Json {
                assert_eq!(one.content, first.content, "{kind:?}");
                fits_its_schema(&json(&one));
            }
        }
        let now = hubkeep.report(operator, kind, scope.clone()).await.expect("made");
        assert_ne!(now.content, first.content, "{kind:?}: more was done since");
    }
}

/// By the schema that it names, as a reader would check it.
fn fits_its_schema(report: &Value) {
    let name = report["schema"].as_str().expect("it names one").replace('/', "-");
    let file = format!("{}/../docs/schemas/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let schema: Value = serde_json::from_slice(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(report)
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?}");
}

async fn some_calls_of(hubkeep: &Hubkeep, slug: &str) {
    let handle = hubkeep.handle(slug).issue().await;
    hubkeep
        .crm_as("sync")
        .with(&handle)
        .get("contacts", "101")
        .await
        .expect("read");
}

fn far() -> prost_types::Timestamp {
    let now = hubkeep_core::clock::SystemClock::shared().now();
    now.plus(std::time::Duration::from_secs(24 * 60 * 60)).into()
}

fn long_ago() -> prost_types::Timestamp {
    let now = hubkeep_core::clock::SystemClock::shared().now();
    now.minus(std::time::Duration::from_secs(24 * 60 * 60)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_stated_is_a_gap_and_what_is_stated_stands_there() {
    let setup = Hubkeep::over(World::of_portals(1)).crm(|config| {
        config.reports.processor = Party {
            name: "Agency GmbH".to_owned(),
            email: "privacy@agency.example".to_owned(),
            ..Party::default()
        };
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let operator = Reader::Operator(OPERATOR);
    for kind in [Kind::Processing, Kind::ServiceProvider] {
        let report = hubkeep.report(operator, kind, of(A)).await.expect("made");
        let gaps = report.gaps.join("\n");
        assert!(
            gaps.contains("controller_name") && gaps.contains("dpa_reference"),
            "{gaps}"
        );
        for stated in [
            "processor.name",
            "service_provider.name",
            "service_provider.email",
        ] {
            assert!(!gaps.contains(&format!("{stated}: ")), "{gaps}");
        }
        assert_eq!(
            json(&report)["gaps"].as_array().expect("listed").len(),
            report.gaps.len()
        );
        assert!(text(&report).contains("Agency GmbH"));
    }
    state(&hubkeep, "ACME Söhne").await;
    let report = hubkeep
        .report(operator, Kind::Processing, of(A))
        .await
        .expect("made");
    let gaps = report.gaps.join("\n");
    assert!(
        !gaps.contains("controller_name") && !gaps.contains("dpa_reference"),
        "{gaps}"
    );
    let report = json(&report);
    assert_eq!(report["report"]["controller"]["name"], "ACME Söhne");
    assert_eq!(report["report"]["annex"]["dpa_reference"], "DPA-7");
}

async fn state(hubkeep: &Hubkeep, controller: &str) {
    let request = UpdatePortalRequest {
        client_slug: A.to_owned(),
        details: Some(PortalDetails {
            controller_name: controller.to_owned(),
            controller_contact: "dpo@acme.example".to_owned(),
            dpa_reference: "DPA-7".to_owned(),
            ..PortalDetails::default()
        }),
    };
    let updated = hubkeep
        .portals()
        .update_portal(hubkeep.by_operator(request))
        .await;
    updated.expect("updated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_markup_or_a_formula_is_neither_in_a_report() {
    let hubkeep = start().await;
    state(&hubkeep, EVIL).await;
    let operator = Reader::Operator(OPERATOR);
    let in_form = |form: ReportFormat| ReportScope {
        format: form.into(),
        ..of(A)
    };
    let page = hubkeep
        .report(operator, Kind::Processing, in_form(ReportFormat::Html))
        .await;
    let page = text(&page.expect("made"));
    assert!(
        !page.contains("<script") && page.contains("&lt;script&gt;"),
        "{page}"
    );
    assert!(page.contains("default-src 'none'") && !page.contains("http://") && !page.contains("https://"));
    let rows = hubkeep
        .report(operator, Kind::Processing, in_form(ReportFormat::Csv))
        .await;
    let rows = text(&rows.expect("made"));
    assert!(rows.contains("'=cmd") && !rows.contains(",=cmd"), "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_access_to_a_record_is_told_and_none_to_another() {
    let hubkeep = start().await;
    some_calls(&hubkeep).await;
    let reporter = hubkeep.reporter(A).await;
    let report = hubkeep
        .report(Reader::Holder(&reporter), Kind::Subject("contacts", "101"), of(A))
        .await
        .expect("made");
    assert!(!text(&report).contains("\"101\""), "its id is in no report");
    let report = json(&report);
    let accesses = report["report"]["accesses"].as_array().expect("listed");
    let told: BTreeSet<(&str, &str)> = accesses
        .iter()
        .map(|access| {
            let part = |name: &str| access[name].as_str().expect("text");
            (part("caller"), part("operation"))
        })
        .collect();
    for caller in ["sync", "billing"] {
        for operation in ["OBJECT_GET", "OBJECT_UPDATE"] {
            assert!(
                told.contains(&(caller, operation)),
                "{caller} {operation} in {told:?}"
            );
        }
    }
    let of_another = hubkeep
        .report(Reader::Holder(&reporter), Kind::Subject("contacts", "103"), of(A))
        .await;
    let of_another = json(&of_another.expect("made"));
    let accesses = of_another["report"]["accesses"].as_array().expect("listed");
    assert!(
        accesses.iter().all(|access| access["operation"] == "OBJECT_LIST"),
        "{accesses:?}"
    );
}
