//! A part of a batch that HubSpot refused, while others of it were carried out.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{Refusal, body::Body};
use crate::{error::Error, limits::Limits, request::Effect};

/// Why an input of a batch has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowRefusal {
    /// HubSpot refused this input, and says why: it was not carried out. The status is the one that HubSpot gives where the
    /// same happens to a call of its own.
    Refused(Box<Refusal>),
    /// The answer says nothing that can be told to be of this input, or says two things of it. A write may or may not have
    /// happened.
    Unknown,
}

impl RowRefusal {
    /// There is no such record.
    pub(crate) fn not_found() -> Self {
        let not_found = serde_json::json!({ "category": "OBJECT_NOT_FOUND" });
        Self::Refused(Box::new(Refusal::of_row(&not_found)))
    }

    /// The same as an error of a call that was about this input alone.
    pub fn into_error(self, effect: Effect, call_id: hubkeep_core::id::CallId) -> Error {
        let detail = "the answer does not say what became of it".to_owned();
        match (self, effect) {
            (Self::Refused(refusal), _) => Error::Refused(refusal, Limits::default()),
            (Self::Unknown, Effect::Write) => Error::OutcomeUnknown { call_id, detail },
            (Self::Unknown, Effect::Read) => Error::NoAnswer {
                cause: hubkeep_audit_log::Cause::ConnectionLost,
                detail,
            },
        }
    }
}

/// A refusal in the answer to a batch, and what it says of the inputs it is about.
pub(crate) struct WireRow {
    pub(crate) refusal: Box<Refusal>,
    /// More exact than the category, for example "crm.associations.NO_ASSOCIATIONS_FOUND".
    pub(crate) sub_category: String,
    body: Body,
}

impl WireRow {
    pub(crate) fn of(json: &Value) -> Self {
        Self {
            refusal: Box::new(Refusal::of_row(json)),
            sub_category: json
                .get("subCategory")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            body: Body::of(json),
        }
    }

    /// The words that it has under one of these names.
    pub(crate) fn words(&self, keys: &[&str]) -> Vec<String> {
        let words = |key: &&str| {
            let contexts = self.body.contexts();
            contexts.flat_map(|context| context.words(key)).collect()
        };
        let mut named = keys.iter().map(words);
        named
            .find(|words: &Vec<String>| !words.is_empty())
            .unwrap_or_default()
    }
}

impl Refusal {
    /// Reads a refusal in the answer to a batch, which has a category, and no status.
    pub(crate) fn of_row(json: &Value) -> Self {
        let body = Body::of(json);
        let status = match body.category.as_str() {
            "OBJECT_NOT_FOUND" => StatusCode::NOT_FOUND,
            "CONFLICT" | "OBJECT_ALREADY_EXISTS" => StatusCode::CONFLICT,
            "VALIDATION_ERROR" | "PROPERTY_VALIDATION_ERROR" => StatusCode::BAD_REQUEST,
            "MISSING_SCOPES" => StatusCode::FORBIDDEN,
            "RATE_LIMIT" | "RATE_LIMITS" => StatusCode::TOO_MANY_REQUESTS,
            _ if body.sentence_with(super::EXISTING).is_some() => StatusCode::CONFLICT,
            _ => StatusCode::MULTI_STATUS,
        };
        Self::read(status, &HeaderMap::new(), &body)
    }
}
