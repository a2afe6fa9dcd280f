//! HubSpot's refusals, sorted into what a caller can act upon. Every field of an error body is optional, and some
//! bodies are not JSON at all.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::wire;

/// The longest part of HubSpot's own sentence that is passed on.
const MAX_MESSAGE_CHARS: usize = 300;
/// The longest word of HubSpot's that is passed on, in characters: a category, a code, the name of a limit, a property or a
/// scope. What callers are told travels in HTTP/2 headers, and must fit there.
const MAX_WORD_CHARS: usize = 64;
/// The longest name of a property.
const MAX_PROPERTY_CHARS: usize = 128;
/// The most scopes that are passed on.
const MAX_SCOPES: usize = 16;
/// The longest id of a record.
const MAX_ID_DIGITS: usize = 20;
/// How long HubSpot keeps its lock on a record (423).
const LOCK: Duration = Duration::from_secs(2);
/// When HubSpot does not say how long a migration takes (477).
const MIGRATION: Duration = Duration::from_secs(3_600);

/// HubSpot said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What it amounts to.
    pub kind: RefusalKind,
    /// HubSpot's own word for it, for example "VALIDATION_ERROR".
    pub category: String,
    /// HubSpot's own sentence, cut short. It may hold data of the account.
    pub message: String,
    /// HubSpot's id of the exchange, for its support.
    pub correlation_id: String,
}

/// What a refusal amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The token is not valid, or not any more.
    TokenRefused,
    /// The refresh token is refused for good: the app was uninstalled, the consent taken back, the account closed, or the
    /// token is another app's. Only whoever manages the account can connect it again.
    ConsentLost,
    /// HubSpot does not know our app, or its secret, or refuses what it asks for: a matter of configuration, which says
    /// nothing of any portal.
    AppRefused,
    /// The token lacks every one of these scopes; one would do.
    ScopeMissing(Vec<String>),
    /// There is no such record.
    NotFound,
    /// There is such a record already; its id, where HubSpot names it.
    Conflict(Option<String>),
    /// The values are not valid.
    Validation {
        /// HubSpot's code, for example "PROPERTY_DOESNT_EXIST".
        code: Option<String>,
        /// The property at fault.
        property: Option<String>,
    },
    /// A limit of HubSpot's.
    RateLimited {
        /// Which: "TEN_SECONDLY_ROLLING", "SECONDLY" or "DAILY".
        policy: String,
        /// When it may be tried again; `None` for the daily limit, which ends at the portal's midnight.
        retry_after: Option<Duration>,
    },
    /// The record is locked.
    Locked(Duration),
    /// The portal is moving to another data centre.
    Migrating(Duration),
    /// HubSpot failed, or something before it answered in its place.
    ServerFailed,
    /// None of these.
    Other,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    message: String,
    category: String,
    correlation_id: String,
    policy_name: String,
    errors: Vec<Detail>,
    context: BTreeMap<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    message: String,
    code: Option<String>,
    #[serde(rename = "in")]
    place: Option<String>,
    context: BTreeMap<String, serde_json::Value>,
}

/// What the token endpoint says: the fields of RFC 6749, and HubSpot's own word for it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AppBody {
    error: String,
    status: String,
}

impl Refusal {
    /// Reads a refusal of what our app asked for. HubSpot's sentence is left out: what was asked held secrets, and
    /// something in between may have repeated it.
    pub(crate) fn of_app(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let app: AppBody = serde_json::from_slice(body).unwrap_or_default();
        let general = Self::of(status, headers, body);
        Self {
            kind: kind_of_app(general.kind, &app),
            category: word(&app.status),
            message: String::new(),
            ..general
        }
    }

    /// Reads a refusal.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body: Body = wire::object(body).unwrap_or_default();
        let detail = body.errors.first();
        let message = detail
            .map(|detail| detail.message.as_str())
            .filter(|text| !text.is_empty());
        Self {
            status: status.as_u16(),
            kind: kind(status, headers, &body),
            message: message
                .unwrap_or(&body.message)
                .chars()
                .take(MAX_MESSAGE_CHARS)
                .collect(),
            correlation_id: correlation_id(headers, &body),
            category: plain(&body.category),
        }
    }

    /// How long to wait before the same call may succeed; `None` if waiting is no help, or nobody knows.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.kind {
            RefusalKind::RateLimited { retry_after, .. } => *retry_after,
            RefusalKind::Locked(wait) | RefusalKind::Migrating(wait) => Some(*wait),
            RefusalKind::ServerFailed => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

fn kind(status: StatusCode, headers: &HeaderMap, body: &Body) -> RefusalKind {
    match status.as_u16() {
        401 => RefusalKind::TokenRefused,
        403 if body.category == "MISSING_SCOPES" => RefusalKind::ScopeMissing(scopes(body)),
        404 => RefusalKind::NotFound,
        409 => RefusalKind::Conflict(existing_id(&body.message)),
        400 | 414 => validation(body),
        423 => RefusalKind::Locked(retry_after(headers).unwrap_or(LOCK)),
        429 => rate_limited(headers, body),
        477 => RefusalKind::Migrating(retry_after(headers).unwrap_or(MIGRATION)),
        500..=599 => RefusalKind::ServerFailed,
        _ => RefusalKind::Other,
    }
}

/// What is not known is taken for a matter of configuration: no consent must be given up for it.
fn kind_of_app(general: RefusalKind, app: &AppBody) -> RefusalKind {
    let lost = app.error == "invalid_grant" || matches!(app.status.as_str(), "BAD_REFRESH_TOKEN" | "BAD_HUB");
    match general {
        RefusalKind::RateLimited { .. }
        | RefusalKind::Locked(_)
        | RefusalKind::Migrating(_)
        | RefusalKind::ServerFailed => general,
        _ if lost => RefusalKind::ConsentLost,
        _ => RefusalKind::AppRefused,
    }
}

/// One of HubSpot's words, and nothing else.
fn word(text: &str) -> String {
    let letters = text
        .chars()
        .filter(|letter| letter.is_ascii_uppercase() || *letter == '_');
    letters.take(64).collect()
}

/// Whether the limit of this name is that of a day.
pub(crate) fn lasts_all_day(policy: &str) -> bool {
    policy == "DAILY"
}

fn rate_limited(headers: &HeaderMap, body: &Body) -> RefusalKind {
    let policy = match body.policy_name.as_str() {
        "" if body.message.contains("secondly limit") => "SECONDLY".to_owned(),
        "" => "TEN_SECONDLY_ROLLING".to_owned(),
        named => plain(named),
    };
    let by_policy = match policy.as_str() {
        "DAILY" => None,
        "SECONDLY" => Some(Duration::from_secs(1)),
        _ => Some(Duration::from_secs(10)),
    };
    RefusalKind::RateLimited {
        retry_after: retry_after(headers).or(by_policy),
        policy,
    }
}

fn validation(body: &Body) -> RefusalKind {
    let detail = body.errors.first();
    let named = detail.and_then(|detail| text(&detail.context, "propertyName"));
    let property = named.or_else(|| detail.and_then(|detail| detail.place.clone()));
    RefusalKind::Validation {
        code: detail.and_then(|detail| detail.code.as_deref()).map(plain),
        property: property.map(|name| name.chars().take(MAX_PROPERTY_CHARS).collect()),
    }
}

fn scopes(body: &Body) -> Vec<String> {
    let contexts = body
        .errors
        .iter()
        .map(|detail| &detail.context)
        .chain([&body.context]);
    let keys = ["requiredGranularScopes", "requiredScopes", "missingScopes"];
    contexts
        .flat_map(|context| keys.iter().filter_map(|key| context.get(*key)))
        .flat_map(texts)
        .map(|scope| plain(&scope))
        .take(MAX_SCOPES)
        .collect()
}

/// One of HubSpot's words, cut to a length that no word of its own has.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_graphic);
    letters.take(MAX_WORD_CHARS).collect()
}

fn texts(value: &serde_json::Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn text(context: &BTreeMap<String, serde_json::Value>, key: &str) -> Option<String> {
    context.get(key).and_then(|value| texts(value).into_iter().next())
}

/// "Contact already exists. Existing ID: 123"
fn existing_id(message: &str) -> Option<String> {
    let (_, after) = message.split_once("Existing ID:")?;
    let digits = after.trim().chars().take_while(char::is_ascii_digit);
    let digits: String = digits.take(MAX_ID_DIGITS).collect();
    (!digits.is_empty()).then_some(digits)
}

/// Seconds, where HubSpot or something before it says so. Capped at a day.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = wire::number(headers, header::RETRY_AFTER.as_str())?;
    Some(Duration::from_secs(seconds.min(86_400)))
}

fn correlation_id(headers: &HeaderMap, body: &Body) -> String {
    let from_header = || correlation_id_of(headers);
    if body.correlation_id.is_empty() {
        from_header()
    } else {
        bounded_id(&body.correlation_id)
    }
}

/// HubSpot's id of the exchange, from the headers of any answer; empty where there is none.
pub(crate) fn correlation_id_of(headers: &HeaderMap) -> String {
    let value = headers
        .get("x-hubspot-correlation-id")
        .and_then(|value| value.to_str().ok());
    value.map(bounded_id).unwrap_or_default()
}

/// What is recorded must be an id and nothing else.
fn bounded_id(text: &str) -> String {
    text.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Refusal {
        Refusal::of(
            StatusCode::from_u16(status).expect("a status"),
            &HeaderMap::new(),
            body.as_bytes(),
        )
    }

    #[test]
    fn a_missing_scope_names_the_scopes() {
        let refusal = read(
            403,
            r#"{"category":"MISSING_SCOPES","errors":[{"message":"m","context":{"requiredGranularScopes":["a","b"]}}]}"#,
        );
        assert_eq!(
            refusal.kind,
            RefusalKind::ScopeMissing(vec!["a".to_owned(), "b".to_owned()])
        );
    }

    #[test]
    fn a_conflict_names_the_existing_record() {
        let refusal = read(
            409,
            r#"{"message":"Contact already exists. Existing ID: 123","category":"CONFLICT"}"#,
        );
        assert_eq!(refusal.kind, RefusalKind::Conflict(Some("123".to_owned())));
    }

    #[test]
    fn the_daily_limit_is_not_waited_for_but_the_others_are() {
        let wait = |policy: &str| read(429, &format!(r#"{{"policyName":"{policy}"}}"#)).retry_after();
        assert_eq!(wait("DAILY"), None);
        assert_eq!(wait("TEN_SECONDLY_ROLLING"), Some(Duration::from_secs(10)));
        assert_eq!(wait("SECONDLY"), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_body_that_is_no_json_is_still_sorted_by_its_status() {
        assert_eq!(
            read(502, "<html>Bad gateway</html>").kind,
            RefusalKind::ServerFailed
        );
        assert_eq!(read(401, "").kind, RefusalKind::TokenRefused);
        assert_eq!(read(418, "").kind, RefusalKind::Other);
        let migrating = read(477, "");
        assert_eq!(migrating.retry_after(), Some(MIGRATION));
    }

    #[test]
    fn a_lost_consent_is_told_from_a_refused_app_and_from_what_passes() {
        let read = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            Refusal::of_app(status, &HeaderMap::new(), body.as_bytes())
        };
        let kind = |status, body| read(status, body).kind;
        for lost in [
            r#"{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN","message":"refresh token is invalid"}"#,
            r#"{"status":"BAD_HUB","message":"missing or unknown hub id","error":"access_denied"}"#,
        ] {
            assert_eq!(kind(400, lost), RefusalKind::ConsentLost, "{lost}");
        }
        for app in [
            r#"{"error":"invalid_client","status":"BAD_CLIENT_SECRET"}"#,
            r#"{"status":"BAD_CLIENT_ID"}"#,
            "",
            "<html>",
        ] {
            assert_eq!(kind(400, app), RefusalKind::AppRefused, "{app}");
        }
        assert_eq!(kind(401, ""), RefusalKind::AppRefused);
        assert_eq!(kind(502, "<html>"), RefusalKind::ServerFailed);
        assert!(matches!(kind(429, "{}"), RefusalKind::RateLimited { .. }));
        let repeated = read(400, r#"{"status":"BAD_x_1","message":"client_secret=s3cret"}"#);
        assert_eq!(
            (repeated.category.as_str(), repeated.message.as_str()),
            ("BAD__", "")
        );
    }

    #[test]
    fn a_property_that_does_not_exist_is_named() {
        let refusal = read(
            400,
            r#"{"category":"VALIDATION_ERROR","message":"x","errors":[{"message":"Property \"foo\" does not exist",
               "code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["foo"]}}]}"#,
        );
        let expected = RefusalKind::Validation {
            code: Some("PROPERTY_DOESNT_EXIST".to_owned()),
            property: Some("foo".to_owned()),
        };
        assert_eq!(refusal.kind, expected);
        assert_eq!(refusal.message, "Property \"foo\" does not exist");
    }
}
