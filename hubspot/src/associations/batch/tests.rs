use super::*;

const VERSION: ApiVersion = ApiVersion::V2026_09;
const TYPES: (&str, &str) = ("contacts", "companies");

fn of(id: &str) -> Of {
    Of {
        id: id.to_owned(),
        after: None,
    }
}

fn pair(from_id: &str, to_id: &str) -> Pair {
    Pair {
        from_id: from_id.to_owned(),
        to_id: to_id.to_owned(),
    }
}

fn body<T>(ask: &Ask<T>) -> Value {
    serde_json::from_slice(ask.body.as_ref().expect("a body")).expect("JSON")
}

fn answer<T>(ask: &Ask<Vec<Row<T>>>, body: &Value) -> Decoded<Vec<Row<T>>> {
    (ask.decode)(body.to_string().as_bytes()).expect("reads")
}

#[test]
fn a_record_that_belongs_to_nothing_has_an_empty_page_and_one_that_is_not_answered_none() {
    let next = Of {
        after: Some("9".to_owned()),
        ..of("1")
    };
    let ask = read(VERSION, TYPES, &[next, of("2"), of("3"), of("4")]).expect("fits");
    assert_eq!(
        body(&ask)["inputs"],
        json!([{ "id": "1", "after": "9" }, { "id": "2" }, { "id": "3" }, { "id": "4" }])
    );
    let read = answer(
        &ask,
        &json!({
            "status": "COMPLETE",
            "results": [{
                "from": { "id": "1" },
                "to": [{ "toObjectId": 10, "associationTypes": [] }, { "toObjectId": 11 }],
                "paging": { "next": { "after": "12" } }
            }],
            "numErrors": 2,
            "errors": [
                {
                    "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                    "message": "No company is associated with contact 2.",
                    "context": { "fromObjectId": ["2"], "fromObjectType": ["contact"], "toObjectType": ["company"] }
                },
                { "category": "VALIDATION_ERROR", "message": "m", "context": { "fromObjectId": ["3"] } }
            ]
        }),
    );
    assert_eq!(read.record_count, 2);
    let page = read.value[0].as_ref().expect("a page");
    assert_eq!((page.items.len(), page.after.as_deref()), (2, Some("12")));
    let empty = read.value[1].as_ref().expect("a page");
    assert_eq!((empty.items.len(), empty.after.as_deref()), (0, None));
    assert!(matches!(&read.value[2], Err(RowRefusal::Refused(refusal)) if refusal.status == 400));
    assert_eq!(read.value[3], Err(RowRefusal::Unknown));
}

#[test]
fn each_new_pair_is_answered_by_its_two_ids() {
    let new = |from: &str, to: &str| Labelled {
        pair: pair(from, to),
        types: vec![AssociationType::hubspot(279)],
    };
    let all = [
        new("1", "2"),
        new("2", "1"),
        new("1", "9"),
        new("8", "2"),
        new("3", "3"),
    ];
    let ask = create(VERSION, TYPES, &all).expect("fits");
    assert_eq!(
        body(&ask)["inputs"][0],
        json!({
            "from": { "id": "1" }, "to": { "id": "2" },
            "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279 }]
        })
    );
    let read = answer(
        &ask,
        &json!({
            "status": "COMPLETE",
            "results": [
                { "fromObjectTypeId": "0-1", "fromObjectId": 2, "toObjectTypeId": "0-2", "toObjectId": 1, "labels": [] },
                { "fromObjectId": "1", "toObjectId": "2", "labels": ["Chef"] }
            ],
            "errors": [
                { "category": "OBJECT_NOT_FOUND", "context": { "toObjectId": ["9"] } },
                { "category": "VALIDATION_ERROR", "context": { "fromObjectId": ["8"], "toObjectId": ["2"] } }
            ]
        }),
    );
    let told: Vec<_> = read
        .value
        .iter()
        .map(|row| match row {
            Ok(labels) => labels.join(","),
            Err(RowRefusal::Refused(refusal)) => refusal.status.to_string(),
            Err(RowRefusal::Unknown) => "?".to_owned(),
        })
        .collect();
    assert_eq!(told, ["Chef", "", "404", "400", "?"]);
    assert_eq!(read.record_count, 2);
    assert_eq!(
        (ask.repeat(), ask.bucket()),
        (Repeat::SameState, Bucket::Associations)
    );
}

#[test]
fn pairs_are_taken_apart_all_at_once() {
    let ask = archive(ApiVersion::V3, TYPES, &[pair("1", "2"), pair("1", "3")]).expect("fits");
    assert_eq!(
        body(&ask)["inputs"],
        json!([
            { "from": { "id": "1" }, "to": [{ "id": "2" }] },
            { "from": { "id": "1" }, "to": [{ "id": "3" }] }
        ])
    );
    assert_eq!(
        ask.path.template(),
        "/crm/v4/associations/contacts/companies/batch/archive"
    );
    assert_eq!((ask.decode)(b"").expect("reads").record_count, 2);
}

fn labelled(from: &str, to: &str) -> Labelled {
    Labelled {
        pair: pair(from, to),
        types: vec![AssociationType::hubspot(1)],
    }
}

#[test]
fn of_labels_that_are_taken_off_all_is_done_that_is_not_refused() {
    let ask = archive_labels(VERSION, TYPES, &[labelled("1", "2"), labelled("9", "2")]).expect("fits");
    assert_eq!(
        ask.path.template(),
        "/crm/associations/2026-09/contacts/companies/batch/labels/archive"
    );
    assert_eq!(
        body(&ask)["inputs"][1],
        json!({
            "from": { "id": "9" }, "to": { "id": "2" },
            "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1 }]
        })
    );
    let all = (ask.decode)(b"").expect("reads");
    assert_eq!((all.value, all.record_count), (vec![Ok(()), Ok(())], 2));
    for context in [json!({ "CONTACT": ["9"] }), json!({ "fromObjectId": ["9"] })] {
        let refusal = json!({
            "category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_OBJECT_IDS",
            "message": "CONTACT=9 is not valid", "context": context
        });
        let read = answer(&ask, &json!({ "results": [], "errors": [refusal] }));
        assert_eq!(read.value[0], Ok(()), "{context}");
        assert!(matches!(read.value[1], Err(RowRefusal::Refused(_))), "{context}");
    }
    let nameless = json!({ "errors": [{ "category": "VALIDATION_ERROR", "message": "no" }] });
    assert_eq!(
        answer(&ask, &nameless).value,
        [Err(RowRefusal::Unknown), Err(RowRefusal::Unknown)],
        "which of them was refused nobody can say"
    );
}

#[test]
fn an_id_that_records_of_both_sides_have_does_not_say_which_pair_was_refused() {
    let ask = archive_labels(VERSION, TYPES, &[labelled("9", "2"), labelled("1", "9")]).expect("fits");
    let refusal = json!({
        "category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_OBJECT_IDS",
        "message": "CONTACT=9 is not valid", "context": { "CONTACT": ["9"] }
    });
    let read = answer(&ask, &json!({ "errors": [refusal] }));
    assert_eq!(read.value, [Err(RowRefusal::Unknown), Err(RowRefusal::Unknown)]);
}

#[test]
fn each_kind_of_batch_has_the_size_that_hubspot_takes() {
    let pairs = |count: usize| vec![pair("1", "2"); count];
    let news = |count: usize| {
        let new = |pair| Labelled {
            pair,
            types: Vec::new(),
        };
        pairs(count).into_iter().map(new).collect::<Vec<_>>()
    };
    assert!(read(VERSION, TYPES, &vec![of("1"); MAX_READ]).is_ok());
    assert!(read(VERSION, TYPES, &vec![of("1"); MAX_READ + 1]).is_err());
    assert!(create(VERSION, TYPES, &news(MAX_CREATE)).is_ok());
    assert!(create(VERSION, TYPES, &news(MAX_CREATE + 1)).is_err());
    assert!(archive(VERSION, TYPES, &pairs(MAX_ARCHIVE)).is_ok());
    assert!(archive(VERSION, TYPES, &pairs(MAX_ARCHIVE + 1)).is_err());
    assert!(archive_labels(VERSION, TYPES, &news(MAX_ARCHIVE)).is_ok());
    assert!(archive_labels(VERSION, TYPES, &news(MAX_ARCHIVE + 1)).is_err());
    assert!(create(VERSION, TYPES, &[]).is_err());
}

fn told(from: &str, to: &str, type_id: u32) -> Value {
    json!({
        "from": { "id": from },
        "to": { "id": to },
        "associationSpec": { "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id },
    })
}

#[test]
fn of_pairs_without_a_label_each_has_its_own_direction() {
    let ask = create_default(VERSION, TYPES, &[pair("1", "2"), pair("3", "9")]).expect("fits");
    assert_eq!(
        ask.path.template(),
        "/crm/associations/2026-09/contacts/companies/batch/associate/default"
    );
    let sent = json!([{ "from": { "id": "1" }, "to": { "id": "2" } }, { "from": { "id": "3" }, "to": { "id": "9" } }]);
    assert_eq!(body(&ask)["inputs"], sent);
    let read = answer(
        &ask,
        &json!({
            "status": "COMPLETE",
            "results": [told("2", "1", 280), told("1", "2", 279)],
            "errors": [{ "category": "OBJECT_NOT_FOUND", "message": "m", "context": { "toObjectId": ["9"] } }],
        }),
    );
    assert_eq!(read.value[0], Ok(vec![AssociationType::hubspot(279)]));
    assert!(matches!(read.value[1], Err(RowRefusal::Refused(_))));
    assert_eq!(read.record_count, 1);
}

#[test]
fn of_a_pair_and_the_same_turned_round_nothing_is_believed() {
    let ask = create_default(VERSION, TYPES, &[pair("1", "2"), pair("2", "1")]).expect("fits");
    let read = answer(
        &ask,
        &json!({ "results": [told("1", "2", 279), told("2", "1", 280)] }),
    );
    assert_eq!(read.value, [Err(RowRefusal::Unknown), Err(RowRefusal::Unknown)]);
}
