use hubkeep_core::error::ErrorReason;
use proptest::prelude::*;

use super::*;
use crate::{
    refusal::{Refusal, RefusalKind},
    request::Bucket,
};

const VERSION: ApiVersion = ApiVersion::V2026_09;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn sent_body<T>(ask: &Ask<T>) -> Value {
    serde_json::from_slice(ask.body.as_ref().expect("a body")).expect("JSON")
}

fn answer<T>(ask: &Ask<Vec<Row<T>>>, body: &Value) -> Vec<Row<T>> {
    let decoded = (ask.decode)(body.to_string().as_bytes()).expect("reads");
    assert_eq!(decoded.record_count, rows::done(&decoded.value));
    decoded.value
}

fn values(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    let values = values.iter();
    values
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn record(values_of: &[(&str, &str)]) -> NewRecord {
    NewRecord {
        properties: values(values_of),
        associations: Vec::new(),
    }
}

fn change(id: &str, values_of: &[(&str, &str)]) -> Change {
    Change {
        id: id.to_owned(),
        properties: values(values_of),
    }
}

/// What became of each row: the record's id, "=" and HubSpot's status for a refusal, "?" for what is not known.
fn told(rows: &[Row<Object>]) -> Vec<String> {
    let tell = |row: &Row<Object>| match row {
        Ok(object) => object.id.clone(),
        Err(RowRefusal::Refused(refusal)) => format!("={}", refusal.status),
        Err(RowRefusal::Unknown) => "?".to_owned(),
    };
    rows.iter().map(tell).collect()
}

fn read_of(ids: &[&str], id_property: Option<&str>) -> Ask<Vec<Row<Object>>> {
    let wanted = ["firstname".to_owned()];
    let wanted = Wanted {
        properties: &wanted,
        ..Wanted::default()
    };
    read(VERSION, "contacts", &texts(ids), id_property, &wanted).expect("fits")
}

#[test]
fn records_are_found_by_their_ids_in_whatever_order_they_come() {
    let ask = read_of(&["1", "2", "3", "2"], None);
    let rows = answer(
        &ask,
        &json!({
            "status": "COMPLETE",
            "results": [{ "id": 2 }, { "id": "1" }],
            "numErrors": 1,
            "errors": [{
                "status": "error", "category": "OBJECT_NOT_FOUND",
                "message": "Could not get some CONTACT objects, they may be deleted or not exist.",
                "context": { "ids": ["3"] }
            }]
        }),
    );
    assert_eq!(told(&rows), ["1", "2", "=404", "2"]);
    assert_eq!((ask.repeat(), ask.bucket()), (Repeat::Reads, Bucket::General));
}

#[test]
fn a_record_that_a_reading_does_not_have_is_not_found_unless_another_is_there_in_its_place() {
    let ask = read_of(&["1", "2"], None);
    let rows = answer(&ask, &json!({ "results": [{ "id": "1" }] }));
    assert_eq!(told(&rows), ["1", "=404"]);
    let Err(RowRefusal::Refused(refusal)) = &rows[1] else {
        panic!("a refusal");
    };
    assert_eq!(refusal.kind, RefusalKind::NotFound);
    let rows = answer(&ask, &json!({ "results": [{ "id": "1" }, { "id": "99" }] }));
    assert_eq!(
        told(&rows),
        ["1", "?"],
        "a record that nobody asked for is nobody's"
    );
    assert!((ask.decode)(b"{}").is_err(), "silence is no answer");
}

#[test]
fn by_an_address_records_are_found_but_for_case_and_the_address_stays_hidden_if_it_was_not_wanted() {
    let ask = read_of(&["A@b.example", "c@d.example", "a@B.example"], Some("email"));
    let body = sent_body(&ask);
    assert_eq!(body["idProperty"], "email");
    assert_eq!(body["properties"], json!(["firstname", "email"]));
    let results = json!([
        { "id": "7", "properties": { "email": "a@b.example", "firstname": "Ann" } },
        { "id": "8", "properties": { "email": "c@d.example" } }
    ]);
    let rows = answer(&ask, &json!({ "results": results }));
    assert_eq!(told(&rows), ["7", "8", "7"]);
    let first = rows[0].as_ref().expect("found");
    assert_eq!(first.properties, values(&[("firstname", "Ann")]));
}

#[test]
fn an_exact_name_comes_before_one_that_is_like_it() {
    let ask = read_of(&["abc", "ABC"], Some("code"));
    let one = json!({ "id": "1", "properties": { "code": "abc" } });
    let errors = json!([{ "category": "OBJECT_NOT_FOUND", "context": { "ids": ["ABC"] } }]);
    let rows = answer(&ask, &json!({ "results": [one], "errors": errors }));
    assert_eq!(told(&rows), ["1", "=404"]);
}

#[test]
fn each_input_of_a_write_carries_a_trace_and_is_answered_by_it() {
    let records = [
        record(&[("email", "a@x.example")]),
        record(&[("email", "b@x.example")]),
        record(&[("email", "c@x.example")]),
    ];
    let ask = create(VERSION, "contacts", &records).expect("fits");
    let traces: Vec<_> = sent_body(&ask)["inputs"]
        .as_array()
        .expect("inputs")
        .iter()
        .map(|input| input["objectWriteTraceId"].as_str().expect("a trace").to_owned())
        .collect();
    assert_eq!(traces, ["row-0", "row-1", "row-2"]);
    let rows = answer(
        &ask,
        &json!({
            "status": "COMPLETE",
            "results": [
                { "id": "30", "objectWriteTraceId": "row-2" },
                { "id": "10", "objectWriteTraceId": "row-0" }
            ],
            "numErrors": 1,
            "errors": [{
                "status": "error", "category": "CONFLICT",
                "message": "Contact already exists. Existing ID: 123",
                "context": { "objectWriteTraceId": ["row-1"] }
            }]
        }),
    );
    assert_eq!(told(&rows), ["10", "=409", "30"]);
    let Err(RowRefusal::Refused(refusal)) = &rows[1] else {
        panic!("a refusal");
    };
    assert_eq!(refusal.kind, RefusalKind::Conflict(Some("123".to_owned())));
    assert_eq!(ask.repeat(), Repeat::ActsAgain);
}

#[test]
fn what_hubspot_leaves_unsaid_is_not_known_and_never_left_out() {
    let records = [record(&[("name", "a")]), record(&[("name", "b")]), record(&[])];
    let ask = create(VERSION, "companies", &records).expect("fits");
    let rows = answer(
        &ask,
        &json!({ "results": [{ "id": "1", "objectWriteTraceId": "row-1" }] }),
    );
    assert_eq!(told(&rows), ["?", "1", "?"]);
    let rows = answer(&ask, &json!({ "status": "PENDING", "results": [] }));
    assert_eq!(told(&rows), ["?", "?", "?"]);
    let both = json!({
        "results": [{ "id": "1", "objectWriteTraceId": "row-0" }],
        "errors": [{ "category": "CONFLICT", "context": { "objectWriteTraceId": ["row-0"] } }]
    });
    assert_eq!(told(&answer(&ask, &both)), ["?", "?", "?"], "two things are none");
}

#[test]
fn where_no_trace_comes_back_a_new_record_is_known_by_what_it_alone_has() {
    let records = [
        record(&[("email", "A@x.example"), ("city", "Rome")]),
        record(&[("email", "b@x.example"), ("city", "Rome")]),
        record(&[("city", "Rome")]),
    ];
    let ask = create(VERSION, "contacts", &records).expect("fits");
    let results = json!([
        { "id": "3", "properties": { "city": "Rome" } },
        { "id": "2", "properties": { "email": "b@x.example", "city": "Rome" } },
        { "id": "1", "properties": { "email": "a@x.example", "city": "Rome" } }
    ]);
    let rows = answer(&ask, &json!({ "results": results }));
    assert_eq!(told(&rows), ["1", "2", "3"], "the last is what is left");
}

#[test]
fn the_documented_answer_of_a_batch_in_part_is_read() {
    let records = [record(&[("hs_pipeline_stage", "1")]), record(&[("missing", "1")])];
    let ask = create(VERSION, "tickets", &records).expect("fits");
    let rows = answer(
        &ask,
        &json!({
            "status": "COMPLETE",
            "results": [{ "id": "1145814089", "properties": { "hs_pipeline": "0", "hs_pipeline_stage": "1" } }],
            "numErrors": 1,
            "errors": [{
                "status": "error", "category": "VALIDATION_ERROR",
                "message": "Property values were not valid: [{\"isValid\":false,\"error\":\"PROPERTY_DOESNT_EXIST\",\
                            \"message\":\"Property \\\"missing\\\" does not exist\",\"name\":\"missing\"}]",
                "context": { "objectWriteTraceId": ["row-1"] }
            }]
        }),
    );
    assert_eq!(told(&rows), ["1145814089", "=400"]);
}

#[test]
fn new_records_that_nothing_tells_apart_are_not_guessed() {
    let records = [record(&[("name", "same")]), record(&[("name", "same")])];
    let ask = create(VERSION, "companies", &records).expect("fits");
    let like = |id: &str| json!({ "id": id, "properties": { "name": "same" } });
    let rows = answer(&ask, &json!({ "results": [like("1"), like("2")] }));
    assert_eq!(told(&rows), ["?", "?"]);
    let records = [record(&[("name", "a")]), record(&[("name", "b")])];
    let ask = create(VERSION, "companies", &records).expect("fits");
    let one = json!({ "id": "1", "properties": { "name": "a" } });
    let rows = answer(&ask, &json!({ "results": [one] }));
    assert_eq!(told(&rows), ["?", "?"], "the answer has fewer parts than inputs");
}

#[test]
fn a_change_is_answered_by_its_id_where_no_trace_comes_back() {
    let changes = [change("1", &[("a", "x")]), change("2", &[("a", "")])];
    let ask = update(VERSION, "deals", &changes, None).expect("fits");
    assert_eq!(
        sent_body(&ask)["inputs"][1],
        json!({ "id": "2", "properties": { "a": "" }, "objectWriteTraceId": "row-1" })
    );
    let rows = answer(
        &ask,
        &json!({
            "results": [{ "id": "2" }],
            "errors": [{ "category": "OBJECT_NOT_FOUND", "context": { "ids": ["1"] } }]
        }),
    );
    assert_eq!(told(&rows), ["=404", "2"]);
    let rows = answer(&ask, &json!({ "results": [{ "id": "2" }, { "id": "3" }] }));
    assert_eq!(
        told(&rows),
        ["?", "2"],
        "another record's answer is not this one's"
    );
    assert_eq!(ask.repeat(), Repeat::SameState);
}

#[test]
fn an_upsert_says_which_records_are_new() {
    let changes = [
        change("A@x.example", &[("phone", "1")]),
        change("b@x.example", &[("phone", "2")]),
    ];
    let ask = upsert(VERSION, "contacts", &changes, "email").expect("fits");
    assert_eq!(sent_body(&ask)["inputs"][0]["idProperty"], "email");
    let rows = answer(
        &ask,
        &json!({
            "results": [
                { "id": "2", "new": true, "properties": { "email": "b@x.example" } },
                { "id": "1", "new": false, "properties": { "email": "a@x.example" } }
            ]
        }),
    );
    let new: Vec<_> = rows
        .iter()
        .map(|row| {
            row.as_ref()
                .map(|upserted| (upserted.object.id.as_str(), upserted.new))
        })
        .collect();
    assert_eq!(new, [Ok(("1", Some(false))), Ok(("2", Some(true)))]);
}

#[test]
fn a_batch_is_never_empty_and_never_larger_than_hubspot_takes() {
    let ids = |count: usize| (0..count).map(|id| id.to_string()).collect::<Vec<_>>();
    let wanted = Wanted::default();
    let most = MAX_INPUTS;
    for given in [0, most + 1] {
        let size = BatchSize { given, most };
        let read = read(VERSION, "contacts", &ids(given), None, &wanted);
        assert_eq!(read.err(), Some(size));
        assert_eq!(archive(VERSION, "contacts", &ids(given)).err(), Some(size));
        let records = vec![NewRecord::default(); given];
        assert_eq!(create(VERSION, "contacts", &records).err(), Some(size));
        let changes = vec![Change::default(); given];
        assert_eq!(update(VERSION, "contacts", &changes, None).err(), Some(size));
        assert_eq!(upsert(VERSION, "contacts", &changes, "email").err(), Some(size));
    }
    assert!(archive(VERSION, "contacts", &ids(most)).is_ok());
    let all = ids(250);
    let lengths: Vec<usize> = chunks(&all).map(<[String]>::len).collect();
    assert_eq!(lengths, [100, 100, 50]);
}

#[test]
fn an_archived_batch_counts_its_records_and_a_page_of_html_is_no_proof_of_it() {
    let ask = archive(VERSION, "contacts", &texts(&["1", "2"])).expect("fits");
    assert_eq!((ask.decode)(b"").expect("reads").record_count, 2);
    assert!((ask.decode)(b"<html>").is_err());
    assert_eq!(ask.path.template(), "/crm/objects/2026-09/contacts/batch/archive");
}

/// A part of an answer, as odd as answers get: about a row that there is or not, by its trace, its id, or nothing.
fn part() -> impl Strategy<Value = Value> {
    let name = (0_usize..6, 0_u8..4);
    (name, any::<bool>()).prop_map(|((row, by), refused)| {
        let (trace, id) = (format!("row-{row}"), format!("id-{row}"));
        match (refused, by) {
            (false, 0) => json!({ "id": id, "objectWriteTraceId": trace }),
            (false, 1) => json!({ "id": id }),
            (false, _) => json!({ "id": "9", "properties": { "name": format!("n-{row}") } }),
            (true, 0) => json!({ "category": "CONFLICT", "context": { "objectWriteTraceId": [trace] } }),
            (true, 1) => json!({ "category": "OBJECT_NOT_FOUND", "context": { "ids": [id, "id-0"] } }),
            (true, _) => json!({ "category": "VALIDATION_ERROR" }),
        }
    })
}

proptest! {
    #[test]
    fn whatever_comes_every_input_has_one_answer_and_no_record_is_given_twice(
        parts in proptest::collection::vec(part(), 0..9)
    ) {
        let records: Vec<NewRecord> = (0..4).map(|row| record(&[("name", &format!("n-{row}"))])).collect();
        let changes: Vec<Change> = (0..4).map(|row| change(&format!("id-{row}"), &[])).collect();
        let (refused, results): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.get("category").is_some());
        let given = results.len();
        let body = json!({ "results": results, "errors": refused });
        for ask in [
            create(VERSION, "contacts", &records).expect("fits"),
            update(VERSION, "contacts", &changes, None).expect("fits"),
        ] {
            let rows = answer(&ask, &body);
            prop_assert_eq!(rows.len(), 4);
            prop_assert!(rows.iter().flatten().count() <= given, "{} became {:?}", body, told(&rows));
        }
    }

    #[test]
    fn a_body_of_any_bytes_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let ask = read_of(&["1"], None);
        let _ = (ask.decode)(&body);
        let _ = Refusal::of(http::StatusCode::CONFLICT, &http::HeaderMap::new(), &body);
    }
}

#[test]
fn an_answer_stands_for_all_of_a_batch_for_a_part_for_nothing_or_leaves_it_open() {
    use crate::answer::Standing;
    let refused = |category: &str| {
        Err(RowRefusal::Refused(Box::new(Refusal::of_row(
            &json!({ "category": category }),
        ))))
    };
    let (missing, taken) = (ErrorReason::ObjectNotFound, ErrorReason::ObjectConflict);
    for (rows, standing) in [
        (vec![], Standing::All),
        (vec![Ok(()), Ok(())], Standing::All),
        (
            vec![Ok(()), refused("OBJECT_NOT_FOUND"), refused("CONFLICT")],
            Standing::Part(missing),
        ),
        (
            vec![refused("CONFLICT"), refused("OBJECT_NOT_FOUND")],
            Standing::None(taken),
        ),
        (
            vec![Ok(()), refused("CONFLICT"), Err(RowRefusal::Unknown)],
            Standing::Open,
        ),
    ] {
        assert_eq!(rows::standing(&rows), standing, "{rows:?}");
    }
}
