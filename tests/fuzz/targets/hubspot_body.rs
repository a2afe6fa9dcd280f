//! The body of a success from HubSpot, on its way to a caller. Promise: what is read is what HubSpot's JSON says, held
//! against a second reader; callers are given as many records as are put on record; and every message survives its
//! own encoding.

#![no_main]

use hubkeep_crm_service::api::fuzzing::{object, owner};
use hubkeep_hubspot::{
    ApiVersion,
    associations::{
        self, Record,
        batch::{Labelled, Pair, archive_labels, create, create_default},
    },
    fuzzing,
    objects::{
        self, Key, Object, Page, Search, Wanted,
        batch::{self, Change, NewRecord},
    },
    owners, pipelines, properties, schemas, usage,
};
use libfuzzer_sys::fuzz_target;
use prost::Message;
use serde_json::Value;

const VERSION: ApiVersion = ApiVersion::V2026_09;
/// The inputs of a batch.
const INPUTS: usize = 3;

fuzz_target!(|data: &[u8]| {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    match kind {
        b'o' => one(body),
        b'l' => page(body, &objects::list(VERSION, "contacts", &[], 100, None, false)),
        b's' => page(body, &objects::search(VERSION, "contacts", &Search::default())),
        b'w' => owner_pages(body),
        b'a' => accounts(body),
        b'b' => {
            batches(body);
            pairs(body);
        }
        b'm' => made_of(body),
        _ => {}
    }
});

fn one(body: &[u8]) {
    let key = Key {
        object_type: "contacts",
        id: "1",
        id_property: None,
    };
    let ask = objects::get(VERSION, &key, &[], false);
    if let Some(read) = fuzzing::decode(&ask, body) {
        assert_eq!(read.record_count, 1);
        record(read.value, &json(body));
    }
}

fn page(body: &[u8], ask: &hubkeep_hubspot::Ask<Page<Object>>) {
    let Some(read) = fuzzing::decode(ask, body) else {
        return;
    };
    let json = json(body);
    let results = json["results"].as_array().expect("a page has results");
    assert_eq!(read.record_count as usize, results.len());
    assert_eq!(read.value.items.len(), results.len());
    assert_eq!(read.value.total, json["total"].as_i64());
    let after = &json["paging"]["next"]["after"];
    assert_eq!(read.value.after, (!after.is_null()).then(|| id(after)));
    for (item, json) in read.value.items.into_iter().zip(results) {
        record(item, json);
    }
}

/// A record, as callers are given it, says what HubSpot's JSON says.
fn record(read: Object, json: &Value) {
    let given = object(read);
    assert_eq!(given.object_id, id(&json["id"]));
    assert_eq!(given.archived, json["archived"].as_bool().unwrap_or(false));
    let empty = serde_json::Map::new();
    let properties = json["properties"].as_object().unwrap_or(&empty);
    let said = properties
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let given_properties = given
        .properties
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    assert!(said.eq(given_properties), "{json} {given:?}");
    for time in [&given.create_time, &given.update_time].into_iter().flatten() {
        // From year 1 to year 9999: other times are none to a client in Go, Python or TypeScript.
        assert!(
            (-62_135_596_800..=253_402_300_799).contains(&time.seconds),
            "{time:?}"
        );
        assert!((0..1_000_000_000).contains(&time.nanos), "{time:?}");
    }
    survives(&given);
}

fn owner_pages(body: &[u8]) {
    if let Some(read) = fuzzing::decode(&owners::get(VERSION, "1"), body) {
        survives(&owner(read.value));
    }
    let Some(read) = fuzzing::decode(&owners::list(VERSION, None, 100, None, false), body) else {
        return;
    };
    let json = json(body);
    let results = json["results"].as_array().expect("a page has results");
    assert_eq!(read.record_count as usize, results.len());
    for (item, json) in read.value.items.into_iter().zip(results) {
        let given = owner(item);
        assert_eq!(given.owner_id, id(&json["id"]));
        assert_eq!(given.email, json["email"].as_str().unwrap_or_default());
        survives(&given);
    }
}

/// Whatever the answer to a batch says, each input has one, and as many count as carried out as have a record.
fn batches(body: &[u8]) {
    let ids: Vec<String> = (0..INPUTS).map(|id| id.to_string()).collect();
    let change = |id: &String| Change {
        id: id.clone(),
        properties: [("name".to_owned(), format!("n-{id}"))].into(),
    };
    let changes: Vec<Change> = ids.iter().map(change).collect();
    let new = |change: &Change| NewRecord {
        properties: change.properties.clone(),
        associations: Vec::new(),
    };
    let records: Vec<NewRecord> = changes.iter().map(new).collect();
    let wanted = Wanted::default();
    let asks = [
        batch::read(VERSION, "contacts", &ids, None, &wanted),
        batch::read(VERSION, "contacts", &ids, Some("name"), &wanted),
        batch::create(VERSION, "contacts", &records),
        batch::update(VERSION, "contacts", &changes, None),
        batch::update(VERSION, "contacts", &changes, Some("name")),
    ];
    for ask in asks {
        let ask = ask.expect("it fits");
        if let Some(read) = fuzzing::decode(&ask, body) {
            assert_eq!(read.value.len(), INPUTS);
            assert_eq!(read.record_count as usize, read.value.iter().flatten().count());
        }
    }
}

/// The same of pairs of records.
fn pairs(body: &[u8]) {
    const TYPES: (&str, &str) = ("contacts", "companies");
    let pair = |id: usize| Pair {
        from_id: id.to_string(),
        to_id: (id + INPUTS).to_string(),
    };
    let pairs: Vec<Pair> = (0..INPUTS).map(pair).collect();
    let ask = create_default(VERSION, TYPES, &pairs).expect("it fits");
    if let Some(read) = fuzzing::decode(&ask, body) {
        assert_eq!(read.value.len(), INPUTS);
        assert_eq!(read.record_count as usize, read.value.iter().flatten().count());
        assert!(read.value.iter().flatten().all(|types| !types.is_empty()));
    }
    let new = |pair: &Pair| Labelled {
        pair: pair.clone(),
        types: Vec::new(),
    };
    let new: Vec<Labelled> = pairs.iter().map(new).collect();
    let ask = archive_labels(VERSION, TYPES, &new).expect("it fits");
    if let Some(read) = fuzzing::decode(&ask, body) {
        assert_eq!(read.value.len(), INPUTS);
        assert_eq!(read.record_count as usize, read.value.iter().flatten().count());
    }
    let ask = create(VERSION, TYPES, &new).expect("it fits");
    if let Some(read) = fuzzing::decode(&ask, body) {
        assert_eq!(read.value.len(), INPUTS);
        assert_eq!(read.record_count as usize, read.value.iter().flatten().count());
    }
}

/// Each thing that records are made of has the name, or the id, that HubSpot's JSON gives it.
fn made_of(body: &[u8]) {
    let named = |names: Option<Vec<String>>, key: &str| {
        let Some(names) = names else { return };
        let json = json(body);
        let results = json["results"].as_array().expect("a list");
        assert!(results.iter().map(|result| id(&result[key])).eq(names), "{json}");
    };
    let properties = fuzzing::decode(&properties::list(VERSION, "contacts", false), body);
    named(
        properties.map(|read| read.value.into_iter().map(|one| one.name).collect()),
        "name",
    );
    let pipelines = fuzzing::decode(&pipelines::list(VERSION, "deals"), body);
    named(
        pipelines.map(|read| read.value.into_iter().map(|one| one.id).collect()),
        "id",
    );
    let schemas = fuzzing::decode(&schemas::list(VERSION, false), body);
    named(
        schemas.map(|read| read.value.into_iter().map(|one| one.object_type_id).collect()),
        "objectTypeId",
    );
    let from = Record {
        object_type: "contacts",
        id: "1",
    };
    let associations = fuzzing::decode(&associations::list(VERSION, from, "deals", 500, None), body);
    named(
        associations.map(|read| read.value.items.into_iter().map(|one| one.to_id).collect()),
        "toObjectId",
    );
}

fn accounts(body: &[u8]) {
    if let Some(account) = fuzzing::account_details(body) {
        let json = json(body);
        assert_eq!(
            Some(account.portal_id.get()),
            json["portalId"].as_u64(),
            "another portal"
        );
    }
    if let Some(token) = fuzzing::token_info(body) {
        let json = json(body);
        assert_eq!(
            Some(token.portal_id.get()),
            json["hubId"].as_u64(),
            "another portal"
        );
        assert!(token.scopes.is_sorted());
    }
    if let Some(today) = fuzzing::decode(&usage::daily(VERSION), body) {
        assert!(
            json(body)["results"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|result| {
                    (result["usageLimit"].as_u64(), result["currentUsage"].as_u64())
                        == (Some(today.value.limit), Some(today.value.used))
                })
        );
    }
}

/// The body by a reader of its own: an object, for nothing else is an answer of HubSpot's.
fn json(body: &[u8]) -> Value {
    // What nobody reads may be anything between its quotes.
    let text = String::from_utf8_lossy(body);
    let json: Value = serde_json::from_str(&text).expect("what was read is JSON");
    assert!(json.is_object(), "{json} was taken for an answer");
    json
}

fn id(json: &Value) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn survives<M: Message + Default + PartialEq + std::fmt::Debug>(message: &M) {
    let read = M::decode(&*message.encode_to_vec()).expect("what was written reads");
    assert_eq!(&read, message);
}
