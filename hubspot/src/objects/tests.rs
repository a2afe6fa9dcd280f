use super::*;
use crate::{associations::AssociationType, request::Effect};

const VERSION: ApiVersion = ApiVersion::V2026_09;

fn contact(id: &str) -> Key<'_> {
    Key {
        object_type: "contacts",
        id,
        id_property: None,
    }
}

fn body<T>(ask: &Ask<T>) -> Value {
    serde_json::from_slice(ask.body.as_ref().expect("a body")).expect("JSON")
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_last_page_has_no_next() {
    let page = |body: &str| wire::page::<WireObject, Object>(body.as_bytes());
    let read = |body: &str| page(body).expect("reads").value.after;
    assert_eq!(
        read(r#"{"results":[],"paging":{"next":{"after":"20"}}}"#),
        Some("20".to_owned())
    );
    assert_eq!(read(r#"{"results":[],"total":0}"#), None);
    assert_eq!(read(r#"{"results":[],"paging":null}"#), None);
    for array in [r#"[["20"]]"#, r#"[{"after":"20"}]"#, r#"{"next":["20"]}"#] {
        let body = format!(r#"{{"results":[],"paging":{array}}}"#);
        assert!(page(&body).is_err(), "an array is no cursor: {array}");
    }
}

#[test]
fn what_is_wanted_of_a_record_stands_in_the_query() {
    let (properties, history, associations) =
        (names(&["a", "b"]), names(&["c"]), names(&["deals", "companies"]));
    let wanted = Wanted {
        properties: &properties,
        history: &history,
        archived: true,
    };
    let expected = [
        ("properties", "a,b"),
        ("propertiesWithHistory", "c"),
        ("archived", "true"),
        ("associations", "deals,companies"),
    ];
    let of = |query: Vec<(&'static str, String)>, expected: &[(&'static str, &str)]| {
        let query: Vec<_> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        assert_eq!(query, expected);
    };
    of(
        get_with(VERSION, &contact("7"), &wanted, &associations).query,
        &expected,
    );
    let mut of_list = vec![("limit", "5"), ("after", "9")];
    of_list.extend(expected);
    of(
        list_with(VERSION, "contacts", &wanted, &associations, 5, Some("9")).query,
        &of_list,
    );
    of(get(VERSION, &contact("7"), &[], false).query, &[]);
}

#[test]
fn a_record_is_made_with_what_it_belongs_to() {
    let properties = BTreeMap::from([("hs_note_body".to_owned(), "text".to_owned())]);
    let link = Link {
        to_id: "301".to_owned(),
        types: vec![AssociationType::hubspot(202)],
    };
    let expected = json!({
        "properties": { "hs_note_body": "text" },
        "associations": [{
            "to": { "id": "301" },
            "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202 }]
        }]
    });
    assert_eq!(
        body(&create_with(VERSION, "notes", &properties, &[link])),
        expected
    );
    let without = create(VERSION, "notes", &properties);
    assert_eq!(
        body(&without),
        json!({ "properties": { "hs_note_body": "text" } })
    );
}

#[test]
fn each_call_says_what_sending_it_twice_does_and_which_limit_it_draws_from() {
    let none = BTreeMap::new();
    let search = search(VERSION, "contacts", &Search::default());
    assert_eq!(
        (search.effect(), search.repeat(), search.bucket()),
        (Effect::Read, Repeat::Reads, Bucket::Search)
    );
    let create = create(VERSION, "contacts", &none);
    assert_eq!(
        (create.effect(), create.repeat(), create.bucket()),
        (Effect::Write, Repeat::ActsAgain, Bucket::General)
    );
    assert_eq!(update(VERSION, &contact("7"), &none).repeat(), Repeat::SameState);
    assert_eq!(archive(VERSION, &contact("7")).repeat(), Repeat::SameState);
    assert_eq!(merge(VERSION, "contacts", "1", "2").repeat(), Repeat::ActsAgain);
    let erased = gdpr_delete(VERSION, &contact("7"));
    assert_eq!(
        (erased.effect(), erased.repeat()),
        (Effect::Write, Repeat::SameState)
    );
    assert_eq!(get(VERSION, &contact("7"), &[], false).repeat(), Repeat::Reads);
}

#[test]
fn a_merge_and_an_erasure_name_their_records_in_the_body_and_nowhere_else() {
    let merged = merge(VERSION, "contacts", "1", "2");
    assert_eq!(merged.path.template(), "/crm/objects/2026-09/contacts/merge");
    assert_eq!(
        body(&merged),
        json!({ "primaryObjectId": "1", "objectIdToMerge": "2" })
    );
    let address = Key {
        id: "a@b.example",
        id_property: Some("email"),
        ..contact("")
    };
    let erased = gdpr_delete(ApiVersion::V3, &address);
    assert_eq!(erased.path.template(), "/crm/v3/objects/contacts/gdpr-delete");
    assert_eq!(
        body(&erased),
        json!({ "objectId": "a@b.example", "idProperty": "email" })
    );
    assert_eq!(
        body(&gdpr_delete(VERSION, &contact("7"))),
        json!({ "objectId": "7" })
    );
}

#[test]
fn a_page_of_html_is_no_proof_that_a_record_is_gone() {
    assert!(wire::nothing(b"").is_ok());
    assert!(wire::nothing(b"{}").is_ok());
    for other in [
        &b"<html>Sign in to the wireless network</html>"[..],
        b"[]",
        b"null",
        b"{",
    ] {
        assert!(wire::nothing(other).is_err());
    }
}
