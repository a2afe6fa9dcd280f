use hubkeep_core::error::ServiceError as _;
use serde_json::{Value, json};

use super::{Config, Does, Fields, Kind, catalogue, read};
use crate::{
    call::Meant,
    crm::{Ask, Error},
};

fn meant() -> Meant {
    Meant {
        client_slug: "acme".parse().expect("valid"),
        expected_portal_id: 0,
    }
}

fn fields() -> Fields {
    let config = Config {
        fields: [("deals".to_owned(), vec!["our_margin".to_owned()])].into(),
    };
    Fields::with(&config)
}

fn asked(does: Does, given: Value) -> Result<Ask, Error> {
    let given = given.as_object().cloned().expect("an object");
    read::ask(does, given, &meant(), &fields()).map(|asked| asked.ask)
}

/// The fields at fault.
fn faults(does: Does, given: Value) -> Vec<String> {
    let error = asked(does, given).expect_err("refused");
    let violations = error.field_violations().into_iter();
    violations.map(|violation| violation.field).collect()
}

#[test]
fn an_id_may_be_text_or_a_number() {
    for id in [json!("101"), json!(101), json!(" 101 ")] {
        let Ask::GetObject { key, .. } = asked(Does::Get(Kind::Contacts), json!({ "id": id })).expect("read")
        else {
            panic!("another ask");
        };
        assert_eq!(key.id.as_str(), "101");
    }
    for id in [
        json!("../101"),
        json!(1.5),
        json!(-1),
        json!(true),
        json!(""),
        Value::Null,
    ] {
        assert_eq!(
            faults(Does::Get(Kind::Contacts), json!({ "id": id }))
                .last()
                .map(String::as_str),
            Some("id"),
            "{id}"
        );
    }
}

#[test]
fn every_fault_is_told_at_once_and_what_is_unknown_is_one() {
    let given = json!({
        "query": 7,
        "filters": [{ "field": "secret_note", "operator": "EQ", "value": "x" }, { "field": "email", "operator": "LIKE" }, { "field": "email", "operator": "EQ" }],
        "sort": { "field": "password" },
        "fields": ["email", "ssn"],
        "page_size": 100_000,
        "path": "/crm/v3/objects/contacts",
    });
    let found = faults(Does::Search(Kind::Contacts), given);
    for field in [
        "query",
        "filters[0].field",
        "filters[1].operator",
        "filters[2].value",
        "sort.field",
        "fields[1]",
        "page_size",
        "path",
    ] {
        assert!(found.iter().any(|known| known == field), "{field} in {found:?}");
    }
}

#[test]
fn null_is_left_out_and_fields_of_the_configuration_are_known() {
    let given = json!({ "fields": null, "page_size": null, "page_token": null });
    asked(Does::List(Kind::Deals), given).expect("as if nothing was said");
    let given = json!({ "fields": ["our_margin"], "page_size": "5" });
    let Ask::ListObjects { wanted, limit, .. } = asked(Does::List(Kind::Deals), given).expect("known") else {
        panic!("another ask");
    };
    assert_eq!((wanted.properties.len(), limit), (1, 5));
    assert_eq!(
        faults(Does::List(Kind::Contacts), json!({ "fields": ["our_margin"] })),
        ["fields[0]"]
    );
}

#[test]
fn filters_become_one_group_that_must_hold_whole() {
    let given = json!({
        "filters": [
            { "field": "amount", "operator": "gte", "value": 100 },
            { "field": "closedate", "operator": "BETWEEN", "value": "2026-01-01", "high_value": "2026-02-01" },
            { "field": "dealstage", "operator": "IN", "values": ["won", "lost"] },
            { "field": "hubspot_owner_id", "operator": "HAS_PROPERTY" },
        ],
        "sort": { "field": "amount", "descending": true },
    });
    let Ask::SearchObjects(search) = asked(Does::Search(Kind::Deals), given).expect("read") else {
        panic!("another ask");
    };
    let [group] = search.groups.as_slice() else {
        panic!("one group");
    };
    let operators: Vec<&str> = group.iter().map(|condition| condition.operator).collect();
    assert_eq!(operators, ["GTE", "BETWEEN", "IN", "HAS_PROPERTY"]);
    assert_eq!(
        group.first().and_then(|first| first.value.as_deref()),
        Some("100")
    );
    assert!(search.sort.as_ref().is_some_and(|(_, descending)| *descending));
}

#[test]
fn actions_have_distinct_names_and_take_no_path() {
    let all = catalogue::all(&fields());
    let mut names: Vec<&str> = all.iter().map(|action| action.name.as_str()).collect();
    assert_eq!(names.len(), 13);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 13);
    for action in &all {
        let arguments = action.input.get("properties").and_then(Value::as_object);
        let arguments = arguments.expect("an object");
        for free in ["path", "url", "object_type", "body", "method"] {
            assert!(!arguments.contains_key(free), "{} takes {free}", action.name);
        }
        assert_eq!(action.input.get("additionalProperties"), Some(&json!(false)));
    }
}
