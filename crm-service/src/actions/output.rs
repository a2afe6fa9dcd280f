//! An answer, told: of each record its id, its times, and the fields that were asked for. Nothing else, whatever HubSpot sent.

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{
    objects::{Object, Page},
    owners::{Owner, OwnerKind},
};
use serde_json::{Map, Value, json};

use crate::crm::{Answer, PropertyNames, Question};

/// What the output schema of the action describes; `None` for an answer of another kind than was asked for.
pub(super) fn told(
    answer: Answer,
    portal: &ProvenPortal,
    shown: &PropertyNames,
    question: Option<&Question>,
) -> Option<Value> {
    let mut told = Map::new();
    told.insert(
        "portal".to_owned(),
        json!({ "client_slug": portal.client_slug().as_str(), "hub_id": portal.portal_id().get() }),
    );
    match answer {
        Answer::Object(object) => {
            told.insert("record".to_owned(), record(object, shown));
        }
        Answer::Objects(page) => {
            let items = page_into(&mut told, page, question);
            let records = items.into_iter().map(|object| record(object, shown)).collect();
            told.insert("records".to_owned(), Value::Array(records));
        }
        Answer::Owners(page) => {
            let items = page_into(&mut told, page, question);
            let owners = items.into_iter().map(|item| owner(&item)).collect();
            told.insert("owners".to_owned(), Value::Array(owners));
        }
        _ => return None,
    }
    Some(Value::Object(told))
}

/// Tells where the next page begins, and how many there are in all; gives the items of this one.
fn page_into<T>(told: &mut Map<String, Value>, page: Page<T>, question: Option<&Question>) -> Vec<T> {
    let token = question.map(|question| question.token(page.after.as_deref()));
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        told.insert("next_page_token".to_owned(), token.into());
    }
    if let Some(total) = page.total {
        told.insert("total".to_owned(), total.into());
    }
    page.items
}

fn record(object: Object, shown: &PropertyNames) -> Value {
    let is_shown = |name: &str| shown.iter().any(|shown| shown.as_str() == name);
    let fields: Map<String, Value> = object
        .properties
        .into_iter()
        .filter(|(name, _)| is_shown(name))
        .map(|(name, value)| (name, value.into()))
        .collect();
    let mut told = Map::new();
    told.insert("id".to_owned(), object.id.into());
    told.insert("fields".to_owned(), fields.into());
    for (name, time) in [("created_at", object.created), ("updated_at", object.updated)] {
        if let Some(time) = time.and_then(written) {
            told.insert(name.to_owned(), time.into());
        }
    }
    Value::Object(told)
}

fn owner(owner: &Owner) -> Value {
    let kind = match owner.kind {
        OwnerKind::Person => "PERSON",
        OwnerKind::Queue => "QUEUE",
        OwnerKind::Other => "OTHER",
    };
    let name = format!("{} {}", owner.first_name, owner.last_name);
    let mut told = json!({ "id": owner.id, "type": kind });
    if let Some(told) = told.as_object_mut() {
        for (key, value) in [("email", owner.email.as_str()), ("name", name.trim())] {
            if !value.is_empty() {
                told.insert(key.to_owned(), value.into());
            }
        }
    }
    told
}

/// A time as RFC 3339 writes it.
fn written(time: Timestamp) -> Option<String> {
    let time = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
    Some(time.to_string())
}
