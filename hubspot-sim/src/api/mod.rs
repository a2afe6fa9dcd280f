//! The endpoints: what HubSpot answers to an authenticated call.
//!
//! `route` and `route_crm` tell which endpoint a path names. Records: `objects`, `merge`, `batch`, with what they share in
//! `rows` and `linked`. What is around them: `associations`, `association_batch`, `labels`, `properties`, `pipelines`,
//! `schemas`, `owners`. The account itself: `account_info`, `token_info`.

mod account_info;
mod association_batch;
mod associations;
mod batch;
mod labels;
mod linked;
mod merge;
mod objects;
mod owners;
mod pipelines;
mod properties;
mod property_body;
pub(crate) mod query;
pub(crate) mod rate_limited;
pub(crate) mod route;
mod route_crm;
mod rows;
mod schemas;
mod token_info;

use serde_json::Value;

use crate::accounts::{Accounts, Portal, Token};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::history::Source;
use crate::objects::kind::ObjectType;
use crate::objects::table::Stamp;
use crate::reply::Reply;
use query::Query;
use route::Route;

/// An authenticated call.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) query: Query,
    pub(crate) body: &'a Payload,
    pub(crate) token: &'a Token,
    /// The account whose data answers: the token's, unless a fault confuses them.
    pub(crate) portal: &'a Portal,
    pub(crate) accounts: &'a Accounts,
    /// Arrival in microseconds since 1970.
    pub(crate) now: i64,
    /// Whether the version of the path enforces what administrators demand.
    pub(crate) enforces: bool,
}

/// The body of a request.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    /// Its JSON, if it is JSON.
    pub(crate) json: Option<Value>,
    /// Its length in characters, which is how HubSpot limits searches.
    pub(crate) chars: usize,
}

impl Call<'_> {
    /// The JSON body, without which the call makes no sense.
    pub(crate) fn json(&self) -> Result<&Value, Problem> {
        self.body
            .json
            .as_ref()
            .ok_or_else(|| errors::invalid("Invalid input JSON on line 1, column 1"))
    }

    /// The type that a path names.
    pub(crate) fn kind(&self, segment: &str) -> Result<ObjectType, Problem> {
        let known = lock(&self.portal.crm).resolve(segment);
        known.ok_or_else(|| errors::unknown_object_type(segment))
    }

    /// Refuses a token with none of these scopes.
    pub(crate) fn need(&self, any_of: &[&str]) -> Result<(), Problem> {
        if self.token.may(any_of) {
            Ok(())
        } else {
            Err(errors::missing_scopes(any_of))
        }
    }

    /// Refuses a token that may not read records of this type.
    pub(crate) fn reading(&self, kind: ObjectType) -> Result<(), Problem> {
        self.need(kind.facts().read)
    }

    /// Refuses a token that may not write records of this type.
    pub(crate) fn writing(&self, kind: ObjectType) -> Result<(), Problem> {
        self.need(kind.facts().write)
    }

    /// When this call writes, and for which app.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            at: self.now,
            source: Source::App(self.token.app_id),
        }
    }
}

/// Answers a call.
pub(crate) fn answer(call: &Call<'_>, route: &Route) -> Result<Reply, Problem> {
    match route {
        Route::Objects { kind, action } => objects::answer(call, call.kind(kind)?, action),
        Route::Partners { from, id, action } => associations::answer(call, call.kind(from)?, id, action),
        Route::Associations { from, to, action } => {
            association_batch::answer(call, (call.kind(from)?, call.kind(to)?), action)
        }
        Route::Properties { kind, action } => properties::answer(call, call.kind(kind)?, action),
        Route::Pipelines { kind, action } => pipelines::answer(call, call.kind(kind)?, action),
        Route::Schemas(kind) => schemas::answer(call, kind.as_deref()),
        Route::Owners(id) => owners::answer(call, id.as_deref()),
        Route::AccountDetails { with_name } => account_info::details(call, *with_name),
        Route::ApiUsage => account_info::api_usage(call),
        Route::TokenInfo => token_info::answer(call),
        // Answered before a token is asked for.
        Route::OAuth(_) | Route::Consent(_) => Err(errors::not_found()),
    }
}
