//! Pages that say what is wrong, and what to do.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use hubkeep_core::{
    error::{ErrorKind, ServiceError as _},
    grpc::{AUDITOR, Context},
};
use maud::{Markup, html};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{
    LIST,
    asked::{Asked, Fault},
    layout, list,
};

/// As much of a value that breaks a rule is shown again.
const SHOWN: usize = 200;

/// A page that is not shown, and why.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    title: &'static str,
    message: String,
    reason: String,
    request_id: String,
    more: Box<More>,
}

/// What only some say.
#[derive(Clone, Debug, Default)]
struct More {
    retry_after: Option<Duration>,
    faults: Vec<Fault>,
    /// The question, to be put again.
    asked: Option<Asked>,
    /// Where somebody goes on who was led here.
    onwards: Option<String>,
}

impl Refusal {
    /// Without a word for machines.
    pub(super) fn plain(status: StatusCode, title: &'static str, message: String) -> Self {
        Self {
            status,
            title,
            message,
            reason: String::new(),
            request_id: String::new(),
            more: Box::default(),
        }
    }

    pub(super) fn defect() -> Self {
        let told = "an internal error; the service's own log has it".to_owned();
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, "Something is broken", told)
    }

    pub(super) fn late(context: &Context) -> Self {
        let told = "the log did not answer in time: try again".to_owned();
        Self {
            request_id: context.request_id.to_string(),
            ..Self::plain(StatusCode::SERVICE_UNAVAILABLE, "Not now", told)
        }
    }

    /// Of a kind that gRPC knows, too.
    pub(super) fn of(kind: ErrorKind, reason: &str, message: String, request_id: String) -> Self {
        let (status, title) = match kind {
            ErrorKind::InvalidArgument => (StatusCode::BAD_REQUEST, "That cannot be asked"),
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
                (StatusCode::FORBIDDEN, "Not for you")
            }
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "Not there"),
            ErrorKind::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "Too much at once"),
            ErrorKind::Unavailable | ErrorKind::DeadlineExceeded => {
                (StatusCode::SERVICE_UNAVAILABLE, "Not now")
            }
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "Something is broken"),
        };
        Self {
            reason: reason.to_owned(),
            request_id,
            ..Self::plain(status, title, message)
        }
    }

    /// What `AuditService` has refused, on record; it has said why.
    pub(super) fn told(status: &Status, asked: &Asked, context: &Context) -> Self {
        let kind = match status.code() {
            Code::InvalidArgument => ErrorKind::InvalidArgument,
            Code::Unauthenticated => ErrorKind::Unauthenticated,
            Code::PermissionDenied => ErrorKind::PermissionDenied,
            Code::NotFound => ErrorKind::NotFound,
            Code::ResourceExhausted => ErrorKind::ResourceExhausted,
            Code::Unavailable | Code::DeadlineExceeded => ErrorKind::Unavailable,
            _ => ErrorKind::Internal,
        };
        let details = status.get_error_details();
        let reason = details.error_info().map_or("", |info| info.reason.as_str());
        let message = match kind {
            // Handles are no way in here, so that nobody is told to bring one.
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied if !context.has_role(AUDITOR) => {
                format!(
                    "the audit viewer takes the role {AUDITOR}, which {} has not: ask whoever runs this service to name it under \
                     [roles] {AUDITOR}. That you asked is on record",
                    context.caller.name
                )
            }
            _ => status.message().to_owned(),
        };
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
        let faults = violations.unwrap_or_default().iter();
        let faults = faults
            .map(|one| asked.fault(&one.field, &one.description))
            .collect();
        let more = More {
            faults,
            asked: (kind == ErrorKind::InvalidArgument).then(|| asked.clone()),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            onwards: None,
        };
        Self {
            more: Box::new(more),
            ..Self::of(kind, reason, message, context.request_id.to_string())
        }
    }

    /// That the log could not be read.
    pub(super) fn of_log(error: &hubkeep_audit_log::Error, context: &Context) -> Self {
        tracing::warn!(request_id = %context.request_id, %error, "a page could not be made");
        let request_id = context.request_id.to_string();
        let more = More {
            retry_after: error.retry_after(),
            ..More::default()
        };
        Self {
            more: Box::new(more),
            ..Self::of(
                error.kind(),
                error.reason().wire_name(),
                error.public_message(),
                request_id,
            )
        }
    }

    /// Fields that break their rules.
    pub(super) fn faulty(faults: Vec<Fault>, asked: &Asked, context: &Context) -> Self {
        let told = match faults.len() {
            1 => "one field is not what is expected of it".to_owned(),
            number => format!("{number} fields are not what is expected of them"),
        };
        let request_id = context.request_id.to_string();
        let more = More {
            faults,
            asked: Some(asked.clone()),
            ..More::default()
        };
        Self {
            more: Box::new(more),
            ..Self::of(ErrorKind::InvalidArgument, "INVALID_FIELD", told, request_id)
        }
    }

    /// With a link to the same page.
    #[must_use]
    pub(super) fn going_on_to(mut self, uri: &Uri) -> Self {
        let path = uri.path_and_query().map_or(LIST, |path| path.as_str());
        // A path that begins with two slashes would lead to another host.
        let own = path.starts_with('/') && !path.starts_with("//");
        self.more.onwards = own.then(|| path.to_owned());
        self
    }

    fn page(&self) -> Markup {
        html! {
            section class="refusal" {
                p class="status" { (self.status.as_u16()) }
                h1 { (self.title) }
                p class="message" { (self.message) "." }
                @if !self.more.faults.is_empty() { (faults(&self.more.faults)) }
                @if let Some(onwards) = &self.more.onwards {
                    p { a class="button" href=(onwards) { "Go on to this page" } }
                } @else {
                    p { a class="button" href=(LIST) { "To the list" } }
                }
                @if !self.reason.is_empty() || !self.request_id.is_empty() {
                    p class="soft" {
                        @if !self.reason.is_empty() { code { (self.reason) } " " }
                        @if !self.request_id.is_empty() { "request " code { (self.request_id) } }
                    }
                }
            }
            @if let Some(asked) = &self.more.asked { (list::form(asked)) }
        }
    }
}

fn faults(faults: &[Fault]) -> Markup {
    html! {
        table class="faults" {
            thead { tr { th scope="col" { "Field" } th scope="col" { "Given" } th scope="col" { "Expected" } } }
            tbody {
                @for fault in faults {
                    tr {
                        th scope="row" { (fault.label) " " code { (fault.name) } }
                        td { @if fault.given.is_empty() { "nothing" } @else { code { (fault.given.chars().take(SHOWN).collect::<String>()) } } }
                        td { (fault.expected) }
                    }
                }
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let page = layout::page(self.title, None, &self.page());
        let mut response = (self.status, Html(page.into_string())).into_response();
        if let Some(delay) = self.more.retry_after {
            let seconds = HeaderValue::from(delay.as_secs().max(1));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
