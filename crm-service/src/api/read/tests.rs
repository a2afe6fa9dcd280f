use hubkeep_core::error::ServiceError as _;

use super::*;

fn search(groups: Vec<FilterGroup>) -> SearchObjectsRequest {
    SearchObjectsRequest {
        client_slug: "acme".to_owned(),
        object_type: "contacts".to_owned(),
        filter_groups: groups,
        ..SearchObjectsRequest::default()
    }
}

fn group(filters: usize) -> FilterGroup {
    let filter = Filter {
        property: "email".to_owned(),
        operator: FilterOperator::Eq.into(),
        value: "a@b.example".to_owned(),
        ..Filter::default()
    };
    FilterGroup {
        filters: vec![filter; filters],
    }
}

/// The fields that a message is refused for.
fn refused(read: Read) -> Vec<String> {
    let error = read.expect_err("refused");
    error
        .field_violations()
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

#[test]
fn a_search_within_hubspots_limits_is_read() {
    let read = search_objects(&search(vec![group(6), group(6), group(6)]));
    assert!(read.is_ok(), "{read:?}");
}

#[test]
fn seven_conditions_in_a_group_are_refused() {
    assert_eq!(
        refused(search_objects(&search(vec![group(7)]))),
        ["filter_groups[0].filters"]
    );
}

#[test]
fn nineteen_conditions_or_six_groups_are_refused() {
    let eighteen_and_one = vec![group(6), group(6), group(6), group(1)];
    assert_eq!(
        refused(search_objects(&search(eighteen_and_one))),
        ["filter_groups"]
    );
    assert_eq!(
        refused(search_objects(&search(vec![group(1); 6]))),
        ["filter_groups"]
    );
}

#[test]
fn a_search_body_of_more_than_three_thousand_characters_is_refused() {
    let message = SearchObjectsRequest {
        query: "x".repeat(3_000),
        ..search(Vec::new())
    };
    assert_eq!(refused(search_objects(&message)), ["query"]);
}

#[test]
fn all_faults_of_a_message_are_told_at_once() {
    let message = ListObjectsRequest {
        client_slug: "Not A Slug".to_owned(),
        object_type: "unicorns".to_owned(),
        properties: vec!["fine".to_owned(), "not fine".to_owned()],
        page_size: -1,
        page_token: "bogus".to_owned(),
        ..ListObjectsRequest::default()
    };
    let fields = refused(list_objects(&message));
    assert_eq!(
        fields,
        [
            "client_slug",
            "object_type",
            "properties[1]",
            "page_size",
            "page_token"
        ]
    );
}

#[test]
fn a_create_without_values_is_refused() {
    let message = CreateObjectRequest {
        client_slug: "acme".to_owned(),
        object_type: "contacts".to_owned(),
        ..CreateObjectRequest::default()
    };
    assert_eq!(refused(create_object(&message)), ["properties"]);
}

#[test]
fn an_operator_that_nobody_named_is_refused() {
    let filter = Filter {
        property: "email".to_owned(),
        ..Filter::default()
    };
    let fields = refused(search_objects(&search(vec![FilterGroup {
        filters: vec![filter],
    }])));
    assert!(
        fields.contains(&"filter_groups[0].filters[0].operator".to_owned()),
        "{fields:?}"
    );
}

#[test]
fn an_operator_without_what_it_compares_with_is_refused() {
    let between = Filter {
        property: "amount".to_owned(),
        operator: FilterOperator::Between.into(),
        value: "1".to_owned(),
        ..Filter::default()
    };
    let equal = Filter {
        property: "email".to_owned(),
        operator: FilterOperator::Eq.into(),
        ..Filter::default()
    };
    let group = FilterGroup {
        filters: vec![between, equal],
    };
    assert_eq!(
        refused(search_objects(&search(vec![group]))),
        [
            "filter_groups[0].filters[0].high_value",
            "filter_groups[0].filters[1].value"
        ]
    );
}
