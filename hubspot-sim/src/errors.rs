//! What HubSpot says when it refuses: status codes and bodies.

use serde_json::{Map, Value, json};

/// A refusal. Its body gets the correlation id of the request when it is turned into a reply.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body without its correlation id.
    pub(crate) body: Map<String, Value>,
}

impl Problem {
    /// A refusal with a status and a message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("status".to_owned(), json!("error"));
        body.insert("message".to_owned(), json!(message.into()));
        Self { status, body }
    }

    /// Adds or replaces a field of the body.
    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.body.insert(field.to_owned(), value);
        self
    }

    fn category(self, category: &str) -> Self {
        self.with("category", json!(category))
    }
}

/// 400: the request does not hold together.
pub(crate) fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(400, message).category("VALIDATION_ERROR")
}

/// 400: one or more property values are not acceptable. Like HubSpot's, the message quotes the account's id.
pub(crate) fn invalid_properties(portal_id: u64, faults: &[PropertyFault]) -> Problem {
    let quoted: Vec<Value> = faults
        .iter()
        .map(|fault| {
            json!({
                "isValid": false,
                "message": fault.message,
                "error": fault.code,
                "name": fault.name,
                "localizedErrorMessage": fault.message,
                "portalId": portal_id,
            })
        })
        .collect();
    let details: Vec<Value> = faults
        .iter()
        .map(|fault| {
            json!({ "message": fault.message, "code": fault.code, "context": { "propertyName": [fault.name] } })
        })
        .collect();
    invalid(format!(
        "Property values were not valid: {}",
        Value::Array(quoted)
    ))
    .with("errors", json!(details))
}

/// One property value that is not acceptable.
#[derive(Debug, Clone)]
pub(crate) struct PropertyFault {
    /// The property.
    pub(crate) name: String,
    /// `PROPERTY_DOESNT_EXIST`, `READ_ONLY_VALUE`, …
    pub(crate) code: &'static str,
    /// The same in a sentence.
    pub(crate) message: String,
}

/// 400: the path names an object type that does not exist.
pub(crate) fn unknown_object_type(segment: &str) -> Problem {
    invalid(format!("Unable to infer object type from: {segment}"))
}

/// 401: no token, or one that HubSpot does not know or no longer accepts.
pub(crate) fn unauthenticated() -> Problem {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication.";
    Problem::new(401, message).category("INVALID_AUTHENTICATION")
}

/// 401: an OAuth access token past its time.
pub(crate) fn expired(seconds_ago: u64, expired_at: String) -> Problem {
    let message = format!("The OAuth token used to make this call expired {seconds_ago} second(s) ago.");
    Problem::new(401, message)
        .category("EXPIRED_AUTHENTICATION")
        .with("context", json!({ "expire time": [expired_at] }))
}

/// 403: the token has none of the scopes of which one is needed.
pub(crate) fn missing_scopes(any_of: &[&str]) -> Problem {
    let page = "https://developers.hubspot.com/scopes";
    let message = format!(
        "This app hasn't been granted all required scopes to make this call. \
         Read more about required scopes here: {page}."
    );
    let detail = json!({
        "message": "One or more of the following scopes are required.",
        "context": { "requiredGranularScopes": any_of },
    });
    Problem::new(403, message)
        .category("MISSING_SCOPES")
        .with("errors", json!([detail]))
        .with("links", json!({ "scopes": page }))
}

/// 404: no such path or record.
pub(crate) fn not_found() -> Problem {
    Problem::new(404, "resource not found").category("OBJECT_NOT_FOUND")
}

/// 405: the path exists, the method does not.
pub(crate) fn method_not_allowed() -> Problem {
    Problem::new(405, "HTTP 405 Method Not Allowed")
}

/// 409: another contact has this e-mail address.
pub(crate) fn contact_exists(existing: u64) -> Problem {
    Problem::new(409, format!("Contact already exists. Existing ID: {existing}")).category("CONFLICT")
}

/// 409: there is one of this name already.
pub(crate) fn name_taken(what: &str, name: &str, sub_category: &str) -> Problem {
    Problem::new(409, format!("A {what} named '{name}' already exists."))
        .category("OBJECT_ALREADY_EXISTS")
        .with("subCategory", json!(sub_category))
}

/// 400: another record has this value of a property that is unique.
pub(crate) fn value_taken(name: &str, value: &str) -> Problem {
    let message = format!("Another record has the value {value} of {name}, which must be unique.");
    let detail = json!({
        "message": message,
        "code": "CONFLICTING_UNIQUE_VALUE",
        "context": { "propertyName": [name] },
    });
    invalid(message).with("errors", json!([detail]))
}

/// 414: too many records are one already.
pub(crate) fn too_many_merges(id: u64, most: usize) -> Problem {
    Problem::new(414, format!("Record {id} has been merged more than {most} times"))
        .category("VALIDATION_ERROR")
}

/// 400: an association names a record that is not there. `label` is `CONTACT`.
pub(crate) fn not_associable(label: &str, id: &str) -> Problem {
    let mut context = Map::new();
    context.insert(label.to_owned(), json!([id]));
    invalid(format!("{label}={id} is not valid"))
        .with("subCategory", json!("crm.associations.INVALID_OBJECT_IDS"))
        .with("context", Value::Object(context))
}

/// 400: there is no such type of association between these two types of records.
pub(crate) fn no_such_association(from: &str, to: &str, number: Option<u32>) -> Problem {
    let which = number.map_or_else(String::new, |number| format!(" {number}"));
    invalid(format!("There is no association type{which} from {from} to {to}"))
        .with("subCategory", json!("crm.associations.INVALID_ASSOCIATION_TYPE"))
}

/// 404, as a row of a batch: this record is associated with nothing of that type.
pub(crate) fn not_associated(from: &str, id: &str, to: &str) -> Problem {
    Problem::new(404, format!("No {to} is associated with {from} {id}."))
        .category("OBJECT_NOT_FOUND")
        .with("subCategory", json!("crm.associations.NO_ASSOCIATIONS_FOUND"))
        .with(
            "context",
            json!({ "fromObjectId": [id], "fromObjectType": [from], "toObjectType": [to] }),
        )
}

/// 423: somebody else is writing the same thing.
pub(crate) fn locked() -> Problem {
    Problem::new(
        423,
        "The resource is locked by another request. Try again in a few seconds.",
    )
    .category("LOCKED")
}

/// 477: the account is moving to another data centre.
pub(crate) fn migrating() -> Problem {
    Problem::new(
        477,
        "This account is being migrated to another data hosting location.",
    )
    .category("MIGRATION_IN_PROGRESS")
}

/// A refusal known by its status only.
pub(crate) fn by_status(status: u16) -> Problem {
    match status {
        401 => unauthenticated(),
        403 => missing_scopes(&[]),
        404 => not_found(),
        423 => locked(),
        477 => migrating(),
        500 => Problem::new(500, "internal error"),
        502 => Problem::new(502, "bad gateway"),
        503 => Problem::new(503, "service unavailable"),
        504 => Problem::new(504, "gateway timeout"),
        521 => Problem::new(521, "web server is down"),
        522 => Problem::new(522, "connection timed out"),
        523 => Problem::new(523, "origin is unreachable"),
        524 => Problem::new(524, "a timeout occurred"),
        525 => Problem::new(525, "SSL handshake failed"),
        526 => Problem::new(526, "invalid SSL certificate"),
        other => Problem::new(other, format!("HTTP {other}")),
    }
}
