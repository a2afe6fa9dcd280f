//! Events as OCSF 1.8.0, API Activity (class 6003), one line of JSON each. What OCSF has no word for is in `unmapped`.

use std::io::Write;

use hubkeep_proto::audit::v1::{Entry, Event, Phase, Result as EntryResult};
use serde_json::{Map, Value, json};

use super::{Writer, activity::Activity, row};
use crate::errors::Error;

const VERSION: &str = "1.8.0";
const CLASS: i64 = 6003;
const CATEGORY: i64 = 6;

/// Lines under way.
pub(super) struct Lines<W>(pub(super) W);

impl<W: Write> Writer for Lines<W> {
    fn write(&mut self, event: &Event) -> Result<(), Error> {
        Ok(writeln!(self.0, "{}", of(event))?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        Ok(self.0.flush()?)
    }
}

/// An object without what is empty: OCSF leaves out what is not known.
struct Object(Map<String, Value>);

impl Object {
    fn of<const N: usize>(attributes: [(&str, Value); N]) -> Self {
        let attributes = attributes
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Self(attributes.collect())
    }

    fn text(mut self, name: &str, text: &str) -> Self {
        if !text.is_empty() {
            self.0.insert(name.to_owned(), text.into());
        }
        self
    }

    fn number(mut self, name: &str, number: Option<i64>) -> Self {
        if let Some(number) = number {
            self.0.insert(name.to_owned(), number.into());
        }
        self
    }

    fn object(mut self, name: &str, object: Self) -> Self {
        if !object.0.is_empty() {
            self.0.insert(name.to_owned(), object.0.into());
        }
        self
    }

    fn list(mut self, name: &str, list: Vec<Value>) -> Self {
        if !list.is_empty() {
            self.0.insert(name.to_owned(), list.into());
        }
        self
    }
}

/// A number that is there if it is not zero.
fn unless_zero(number: impl TryInto<i64>) -> Option<i64> {
    number.try_into().ok().filter(|number| *number != 0)
}

/// An event.
pub(super) fn of(event: &Event) -> Value {
    let nothing = Entry::default();
    let entry = event.entry.as_ref().unwrap_or(&nothing);
    let activity = Activity::of(entry.operation());
    let activity_name = match activity {
        Activity::Other => row::operation(entry.operation()),
        known => known.caption().to_owned(),
    };
    let (status_id, status) = status(entry);
    let severity = entry.severity();
    let made = entry.entry_time.unwrap_or_default();
    let millis = made
        .seconds
        .saturating_mul(1_000)
        .saturating_add(i64::from(made.nanos) / 1_000_000);
    let object = Object::of([
        ("activity_id", activity.number().into()),
        ("activity_name", activity_name.into()),
        ("category_uid", CATEGORY.into()),
        ("category_name", "Application Activity".into()),
        ("class_uid", CLASS.into()),
        ("class_name", "API Activity".into()),
        ("type_uid", (CLASS * 100 + activity.number()).into()),
        ("severity_id", i32::from(severity).into()),
        ("status_id", status_id.into()),
        ("status", status.into()),
        ("time", millis.into()),
    ]);
    let object = object
        .text("status_code", &status_code(entry))
        .text("status_detail", &row::cause(entry))
        .number(
            "count",
            unless_zero(entry.occurrence_count).filter(|count| *count > 1),
        )
        .object("metadata", metadata(event, entry))
        .object("actor", actor(entry))
        .object("src_endpoint", source(entry))
        .object("api", api(event, entry))
        .object("http_request", http_request(entry))
        .object("http_response", http_response(entry))
        .list("resources", resources(entry))
        .object("unmapped", unmapped(event, entry));
    Value::Object(object.0)
}

/// An intent has no status yet.
const fn status_of(result: EntryResult) -> (i64, &'static str) {
    match result {
        EntryResult::Ok => (1, "Success"),
        EntryResult::Refused | EntryResult::Failed => (2, "Failure"),
        EntryResult::Unspecified | EntryResult::Unknown => (0, "Unknown"),
    }
}

fn status(entry: &Entry) -> (i64, &'static str) {
    match entry.phase() {
        Phase::Denied => (2, "Failure"),
        _ => status_of(entry.result()),
    }
}

/// The reason that the caller was given, else what HubSpot answered.
fn status_code(entry: &Entry) -> String {
    match (row::reason(entry), entry.status_code) {
        ("", 0) => String::new(),
        ("", code) => code.to_string(),
        (reason, _) => reason.to_owned(),
    }
}

fn metadata(event: &Event, entry: &Entry) -> Object {
    let service = event.log.rsplit('/').nth(1).unwrap_or_default();
    let product = Object::of([("name", "Hubkeep".into()), ("vendor_name", "Hubkeep".into())]);
    let labels = (!entry.client_slug.is_empty()).then(|| entry.client_slug.clone().into());
    let portal = unless_zero(entry.portal_id).map(|id| id.to_string());
    Object::of([("version", VERSION.into())])
        .object("product", product)
        .text("uid", &entry.entry_id)
        .number("sequence", i64::try_from(event.index).ok())
        .text("tenant_uid", &portal.unwrap_or_default())
        .text("correlation_uid", &entry.call_id)
        .text("event_code", &row::phase(entry.phase()))
        .text("log_name", &event.log)
        .text("log_provider", service)
        .list("labels", labels.into_iter().collect())
}

/// Strangers whose name nobody knows have this one.
fn caller(entry: &Entry) -> &str {
    match entry.caller.as_str() {
        "" => "unknown",
        caller => caller,
    }
}

fn actor(entry: &Entry) -> Object {
    let decision = match entry.phase() {
        Phase::Denied => "Denied",
        _ => "Allowed",
    };
    Object::of([
        ("app_name", caller(entry).into()),
        ("authorizations", json!([{"decision": decision}])),
    ])
    .object("session", Object::of([]).text("uid", &entry.handle_id))
    .object("user", Object::of([]).text("uid", &entry.actor_ref))
}

fn source(entry: &Entry) -> Object {
    Object::of([("svc_name", caller(entry).into())])
}

fn api(event: &Event, entry: &Entry) -> Object {
    let service = event.log.rsplit('/').nth(1).unwrap_or_default();
    Object::of([("operation", row::operation(entry.operation()).into())])
        .object("request", Object::of([]).text("uid", &entry.request_id))
        .object("service", Object::of([]).text("name", service))
}

fn http_request(entry: &Entry) -> Object {
    Object::of([])
        .text("http_method", &entry.http_method)
        .number("length", unless_zero(entry.request_bytes))
        .object("url", Object::of([]).text("path", &entry.path_template))
}

fn http_response(entry: &Entry) -> Object {
    let Some(code) = unless_zero(entry.status_code) else {
        return Object::of([]);
    };
    Object::of([("code", code.into())])
        .number("latency", row::micros(entry).map(|micros| micros / 1_000))
        .number("length", unless_zero(entry.response_bytes))
}

/// The records that an entry names, by their keyed hashes.
fn resources(entry: &Entry) -> Vec<Value> {
    let own = (!entry.object_ref.is_empty()).then(|| entry.object_ref.clone());
    let others = entry.record_refs.chunks_exact(16).map(row::hex);
    let named: Vec<Value> = own
        .into_iter()
        .chain(others)
        .map(|uid| json!({"type": entry.object_type, "uid": uid}))
        .collect();
    match (named.is_empty(), entry.object_type.as_str()) {
        (true, "") => Vec::new(),
        (true, object_type) => vec![json!({"type": object_type, "name": object_type})],
        (false, _) => named,
    }
}

fn unmapped(event: &Event, entry: &Entry) -> Object {
    let quota = entry.quota_left.unwrap_or_default();
    Object::of([])
        .number("position", unless_zero(event.position))
        .text("phase", &row::phase(entry.phase()))
        .text("result", &row::result(entry.result()))
        .text("grpc_method", &entry.grpc_method)
        .number("attempt", unless_zero(entry.attempt))
        .number("record_count", unless_zero(entry.record_count))
        .number("duration_us", row::micros(entry))
        .text("purpose_code", &entry.purpose_code)
        .number("credential_version", unless_zero(entry.credential_version))
        .number("rl_daily_remaining", quota.daily)
        .number("rl_interval_remaining", quota.interval)
        .text("hubspot_correlation_id", &entry.hubspot_correlation_id)
        .text("physical_id", &entry.physical_id)
        .text("token_fingerprint", &entry.token_fingerprint)
        .text("subject", &entry.subject)
        .text("payload_sha256", &row::hex(&entry.payload_sha256))
        .text("trace_id", &entry.trace_id)
        .text("instance", &entry.instance)
}

#[cfg(test)]
mod tests;
