//! Each line is what OCSF 1.8.0 wants of API Activity: what must be there is there, and numbers are of their lists.

use hubkeep_proto::{
    audit::v1::{Cause, Operation, QuotaLeft},
    error::v1::ErrorReason,
};

use super::*;

/// What an object must have, of what one must be there, and what it may have besides.
struct Shape {
    required: &'static [&'static str],
    one_of: &'static [&'static str],
    optional: &'static [&'static str],
}

const EVENT: Shape = Shape {
    required: &[
        "activity_id",
        "category_uid",
        "class_uid",
        "type_uid",
        "severity_id",
        "time",
        "metadata",
        "actor",
        "api",
        "src_endpoint",
    ],
    one_of: &["activity_id"],
    optional: &[
        "activity_name",
        "category_name",
        "class_name",
        "status",
        "status_id",
        "status_code",
        "status_detail",
        "count",
        "http_request",
        "http_response",
        "resources",
        "unmapped",
    ],
};

/// By the name of the attribute that holds it.
fn shape(name: &str) -> Shape {
    let (required, one_of, optional): (&[_], &[_], &[_]) = match name {
        "metadata" => (
            &["product", "version"],
            &["version"],
            &[
                "uid",
                "sequence",
                "tenant_uid",
                "correlation_uid",
                "event_code",
                "log_name",
                "log_provider",
                "labels",
            ],
        ),
        "product" => (&[], &["name", "uid"], &["vendor_name"]),
        "actor" => (&[], &["app_name", "user", "session"], &["authorizations"]),
        "session" => (&[], &["uid"], &[]),
        "authorizations" => (&[], &["decision"], &[]),
        "src_endpoint" => (&[], &["svc_name", "name", "ip", "uid"], &[]),
        "api" => (&["operation"], &["operation"], &["request", "service"]),
        "request" => (&["uid"], &["uid"], &[]),
        "service" => (&[], &["name", "uid"], &[]),
        "http_request" => (&[], &["http_method"], &["length", "url"]),
        "url" => (&[], &["path", "url_string"], &[]),
        "http_response" => (&["code"], &["code"], &["latency", "length"]),
        "resources" => (&[], &["name", "uid"], &["type"]),
        other => panic!("no shape is known of {other}"),
    };
    Shape {
        required,
        one_of,
        optional,
    }
}

fn check(name: &str, value: &Value, shape: &Shape) {
    let object = value.as_object().unwrap_or_else(|| panic!("{name} is an object"));
    for required in shape.required {
        assert!(object.contains_key(*required), "{name} has no {required}");
    }
    assert!(
        shape.one_of.iter().any(|one| object.contains_key(*one)),
        "{name} is empty: {value}"
    );
    for (attribute, value) in object {
        let known = [shape.required, shape.one_of, shape.optional].concat();
        assert!(
            known.contains(&attribute.as_str()),
            "{name} has no attribute {attribute}"
        );
        of_its_type(attribute, value);
    }
}

fn of_its_type(attribute: &str, value: &Value) {
    let of_enum = |numbers: &[i64]| {
        assert!(
            numbers.contains(&value.as_i64().expect("a number")),
            "{attribute}: {value}"
        )
    };
    match attribute {
        // Whatever a source has besides.
        "unmapped" => assert!(value.is_object()),
        "activity_id" => of_enum(&[0, 1, 2, 3, 4, 99]),
        "category_uid" => of_enum(&[6]),
        "class_uid" => of_enum(&[6003]),
        "type_uid" => of_enum(&[600_300, 600_301, 600_302, 600_303, 600_304, 600_399]),
        "severity_id" => of_enum(&[0, 1, 2, 3, 4, 5, 6, 99]),
        "status_id" => of_enum(&[0, 1, 2, 99]),
        "time" | "sequence" | "count" | "code" | "latency" | "length" => {
            assert!(value.is_i64() || value.is_u64(), "{attribute}")
        }
        "labels" => assert!(value.as_array().expect("a list").iter().all(Value::is_string)),
        "authorizations" | "resources" => {
            for one in value.as_array().expect("a list") {
                check(attribute, one, &shape(attribute));
            }
        }
        _ if value.is_object() => check(attribute, value, &shape(attribute)),
        _ => assert!(
            value.as_str().is_some_and(|text| !text.is_empty()),
            "{attribute}: {value}"
        ),
    }
}

/// An entry of each operation, phase and result, with everything in it, and with nothing.
fn events() -> Vec<Event> {
    let full = Entry {
        entry_id: "019ab".to_owned(),
        entry_time: Some(prost_types::Timestamp {
            seconds: 1_795_369_525,
            nanos: 123_456_789,
        }),
        call_id: "019ac".to_owned(),
        attempt: 2,
        portal_id: 1001,
        client_slug: "acme".to_owned(),
        caller: "nightly-sync".to_owned(),
        handle_id: "h".to_owned(),
        purpose_code: "nightly".to_owned(),
        credential_version: 3,
        object_type: "contacts".to_owned(),
        object_ref: "0a".repeat(16),
        http_method: "GET".to_owned(),
        path_template: "/crm/objects/2026-09/contacts/{id}".to_owned(),
        status_code: 404,
        cause: Cause::Timeout.into(),
        reason: ErrorReason::Internal.into(),
        duration: Some(prost_types::Duration {
            seconds: 1,
            nanos: 2_000_000,
        }),
        record_count: 2,
        request_bytes: 10,
        response_bytes: 20,
        hubspot_correlation_id: "c".to_owned(),
        quota_left: Some(QuotaLeft {
            daily: Some(5),
            interval: Some(0),
        }),
        occurrence_count: 4,
        token_fingerprint: "f".to_owned(),
        request_id: "r".to_owned(),
        grpc_method: "/hubkeep.crm.v1.ObjectService/GetObject".to_owned(),
        physical_id: "p".to_owned(),
        record_refs: vec![7; 32],
        payload_sha256: vec![7; 32],
        subject: "s".to_owned(),
        ..Entry::default()
    };
    let operations = (0..=300).filter_map(|number| Operation::try_from(number).ok());
    let mut events = Vec::new();
    for operation in operations {
        for phase in (0..=4).filter_map(|number| Phase::try_from(number).ok()) {
            for result in (0..=4).filter_map(|number| EntryResult::try_from(number).ok()) {
                for entry in [full.clone(), Entry::default()] {
                    events.push(Event {
                        position: 9,
                        index: 8,
                        log: "dev/crm-service/1001".to_owned(),
                        entry: Some(Entry {
                            phase: phase.into(),
                            operation: operation.into(),
                            result: result.into(),
                            ..entry
                        }),
                        leaf: Vec::new(),
                    });
                }
            }
        }
    }
    assert!(events.len() > 4_000, "every operation is there");
    events
}

#[test]
fn every_event_is_one_of_api_activity() {
    let named = |event: &Event| {
        event
            .entry
            .as_ref()
            .is_some_and(|entry| entry.operation() != Operation::Unspecified)
    };
    for event in events().iter().filter(|event| named(event)) {
        let line = of(event);
        check("the event", &line, &EVENT);
        let (class, activity) = (line["class_uid"].as_i64(), line["activity_id"].as_i64());
        let kind = class
            .zip(activity)
            .map(|(class, activity)| class * 100 + activity);
        assert_eq!(line["type_uid"].as_i64(), kind);
    }
}

#[test]
fn what_was_recorded_is_told_in_ocsfs_words() {
    let event = events().into_iter().find(|event| {
        let entry = event.entry.as_ref().expect("an entry");
        entry.operation() == Operation::ObjectUpdate
            && entry.phase() == Phase::Outcome
            && entry.result() == EntryResult::Refused
    });
    let line = of(&event.expect("one"));
    assert_eq!(line["time"], 1_795_369_525_123_i64);
    assert_eq!(
        (&line["activity_name"], &line["status"]),
        (&json!("Update"), &json!("Failure"))
    );
    assert_eq!(line["metadata"]["tenant_uid"], "1001");
    assert_eq!(line["metadata"]["labels"], json!(["acme"]));
    assert_eq!(
        line["http_response"],
        json!({"code": 404, "latency": 1_002, "length": 20})
    );
    assert_eq!(line["resources"].as_array().expect("three").len(), 3);
    assert_eq!(line["resources"][2]["uid"], "07".repeat(16));
    assert_eq!(line["unmapped"]["rl_interval_remaining"], 0);
    assert_eq!(line["count"], 4);
}

#[test]
fn each_event_is_one_line() {
    let mut bytes = Vec::new();
    let mut lines = Box::new(Lines(&mut bytes));
    for event in events().iter().take(3) {
        lines.write(event).expect("writes");
    }
    lines.finish().expect("ends");
    let text = String::from_utf8(bytes).expect("text");
    let read: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(read.len(), 3);
}
