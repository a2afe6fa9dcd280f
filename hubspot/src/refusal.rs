//! HubSpot's refusals, sorted into what a caller can act upon. Every field of an error body is optional, and some
//! bodies are not JSON at all.

mod body;
mod row;
mod token;

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use hubkeep_audit_log::Receipt;
use serde::{Deserialize, Serialize};

use crate::wire;
use body::{Body, Context};
pub use row::RowRefusal;
pub(crate) use row::WireRow;
pub use token::TokenFault;

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

/// So much of the beginning of a secret is a secret, in bytes: what is longer than what is passed on stands there in part.
const SECRET_PREFIX: usize = 16;
/// What is shorter stands in every other sentence, and is no token of HubSpot's.
const SHORTEST_SECRET: usize = 8;
/// How HubSpot names the record that is in the way.
const EXISTING: &str = "Existing ID:";
/// Where HubSpot names the property that is at fault, or is missing.
const PROPERTIES: [&str; 3] = ["propertyName", "properties", "missingRequiredProperties"];
/// Where HubSpot names the scopes of which one would do.
const SCOPES: [&str; 3] = ["requiredGranularScopes", "requiredScopes", "missingScopes"];

/// HubSpot said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Of a write that was refused as a whole, the receipt for the entry that says so.
    #[serde(skip)]
    pub receipt: Option<Receipt>,
}

/// What a refusal amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The values are not valid, one is missing that the account requires, or the address is too long.
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

/// What the token endpoint says: a word of RFC 6749, and HubSpot's own for it.
#[derive(Default)]
struct AppBody {
    error: String,
    status: String,
}

impl AppBody {
    fn read(body: &[u8]) -> Self {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let word = |key: &str| json.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        Self {
            error: word("error").to_owned(),
            status: word("status").to_owned(),
        }
    }
}

impl Refusal {
    /// Reads a refusal of what our app asked for. HubSpot's sentence is left out: what was asked held secrets, and
    /// something in between may have repeated it.
    pub(crate) fn of_app(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let app = AppBody::read(body);
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
        Self::read(status, headers, &Body::read(body))
    }

    fn read(status: StatusCode, headers: &HeaderMap, body: &Body) -> Self {
        let detail = body.detail().map(|detail| detail.message.as_str());
        let message = detail.filter(|text| !text.is_empty());
        Self {
            status: status.as_u16(),
            kind: kind(status, headers, body),
            message: message
                .unwrap_or(&body.message)
                .chars()
                .take(MAX_MESSAGE_CHARS)
                .collect(),
            correlation_id: correlation_id(headers, body),
            receipt: None,
            category: plain(&body.category),
        }
    }

    /// Whether anything that is passed on of it has this in it, whole or cut off at an end.
    pub(crate) fn repeats(&self, secret: &str) -> bool {
        let begins = secret.get(..SECRET_PREFIX).unwrap_or(secret);
        let words = format!(
            "{:?} {} {} {}",
            self.kind, self.category, self.message, self.correlation_id
        );
        begins.len() >= SHORTEST_SECRET && words.contains(begins)
    }

    /// Whether HubSpot says that it passes by itself, so that asking again may help. What does not pass is for HubSpot's
    /// support: its front does not reach it (522), or does not trust it (525, 526).
    pub(crate) const fn is_for_support(&self) -> bool {
        matches!(self.status, 522 | 525 | 526)
    }

    /// Whether HubSpot, or something in its place, sent the call elsewhere. That is never followed.
    pub(crate) const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }

    /// How long to wait before the same call may succeed; `None` if waiting is no help, or nobody knows.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.kind {
            RefusalKind::RateLimited { retry_after, .. } => *retry_after,
            RefusalKind::Locked(wait) | RefusalKind::Migrating(wait) => Some(*wait),
            RefusalKind::ServerFailed if !self.is_for_support() => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

fn kind(status: StatusCode, headers: &HeaderMap, body: &Body) -> RefusalKind {
    match status.as_u16() {
        401 => RefusalKind::TokenRefused,
        403 if body.category == "MISSING_SCOPES" => RefusalKind::ScopeMissing(scopes(body)),
        404 => RefusalKind::NotFound,
        409 => RefusalKind::Conflict(body.sentence_with(EXISTING).and_then(existing_id)),
        400 | 414 => validation(body),
        423 => RefusalKind::Locked(retry_after(headers).map_or(LOCK, |wait| wait.max(LOCK))),
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
    let detail = body.detail();
    let named = |context: &Context| {
        PROPERTIES
            .iter()
            .find_map(|key| context.words(key).into_iter().next())
    };
    let property = detail
        .and_then(|detail| named(&detail.context).or_else(|| detail.place.clone()))
        .or_else(|| named(&body.context));
    RefusalKind::Validation {
        code: detail.and_then(|detail| detail.code.as_deref()).map(plain),
        property: property.map(|name| name.chars().take(MAX_PROPERTY_CHARS).collect()),
    }
}

fn scopes(body: &Body) -> Vec<String> {
    let of = |context: &Context| {
        SCOPES
            .iter()
            .flat_map(|key| context.words(key))
            .collect::<Vec<_>>()
    };
    let all = body.contexts().flat_map(of);
    all.map(|scope| plain(&scope)).take(MAX_SCOPES).collect()
}

/// One of HubSpot's words, cut to a length that no word of its own has.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_graphic);
    letters.take(MAX_WORD_CHARS).collect()
}

/// "Contact already exists. Existing ID: 123"
fn existing_id(message: &str) -> Option<String> {
    let (_, after) = message.split_once(EXISTING)?;
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
mod tests;
