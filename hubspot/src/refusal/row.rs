//! A part of a batch that HubSpot refused, while others of it were carried out.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use hubkeep_core::error::{ErrorReason, ServiceError as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Refusal, RefusalKind,
    body::{Body, Context},
};
use crate::{error::Error, limits::Limits, request::Effect};

/// Why an input of a batch has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Whether HubSpot has passed it over, for a limit or a lock: it was not carried out, and may be sent again later.
    pub fn is_passed_over(&self) -> bool {
        let Self::Refused(refusal) = self else {
            return false;
        };
        matches!(
            refusal.kind,
            RefusalKind::RateLimited { .. } | RefusalKind::Locked(_)
        )
    }

    /// After which time it may succeed, if it was passed over for what ends soon: the limit of a day does not.
    pub fn passes_after(&self) -> Option<Duration> {
        let Self::Refused(refusal) = self else {
            return None;
        };
        let error = Error::Refused(refusal.clone(), Limits::default());
        error
            .is_passing_for_a_write()
            .then(|| refusal.retry_after().unwrap_or_default())
    }

    /// What a reader of this input alone is told of it.
    pub fn reason(&self) -> ErrorReason {
        match self {
            Self::Refused(refusal) => Error::Refused(refusal.clone(), Limits::default()).reason(),
            Self::Unknown => ErrorReason::HubspotUnavailable,
        }
    }

    /// The same as an error of a call that was about this input alone.
    pub fn into_error(self, effect: Effect, call_id: hubkeep_core::id::CallId) -> Error {
        let detail = "the answer does not say what became of it".to_owned();
        match (self, effect) {
            (Self::Refused(refusal), _) => Error::Refused(refusal, Limits::default()),
            (Self::Unknown, Effect::Write) => Error::OutcomeUnknown {
                call_id,
                hubspot_failed: false,
                detail,
                receipt: None,
            },
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

    /// The same of the input that it is about. Where HubSpot says that it has failed, nobody knows what became of that.
    pub(crate) fn into_refusal(self) -> RowRefusal {
        match self.refusal.kind {
            RefusalKind::ServerFailed => RowRefusal::Unknown,
            _ => RowRefusal::Refused(self.refusal),
        }
    }

    /// All words that it has, under whatever names.
    pub(crate) fn all_words(&self) -> Vec<String> {
        self.body.contexts().flat_map(Context::all_words).collect()
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
            "INTERNAL_ERROR" | "SERVER_ERROR" | "TIMEOUT" | "UNKNOWN" => StatusCode::INTERNAL_SERVER_ERROR,
            _ if body.sentence_with(super::EXISTING).is_some() => StatusCode::CONFLICT,
            _ => StatusCode::MULTI_STATUS,
        };
        Self::read(status, &HeaderMap::new(), &body)
    }
}
