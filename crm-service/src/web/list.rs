//! Entries, newest first, and the form that narrows them.

use axum::{
    extract::{Request, State},
    http::request::Parts,
    response::{Html, IntoResponse as _, Response},
};
use hubkeep_audit_log::{CallResult, Event, Operation, Severity};
use hubkeep_core::grpc::Context;
use hubkeep_proto::audit::v1::{
    Beginning, EventOrder, ListEventsRequest, ListEventsResponse, audit_service_server::AuditService as _,
};
use maud::{Markup, html};

use super::{
    LIST, Viewer,
    asked::{Asked, FIELDS, phases},
    layout, method,
    refusal::Refusal,
    row::{COLUMNS, Row},
    words,
};

/// Entries on a page.
const PAGE: i32 = 50;

pub(super) async fn page(State(viewer): State<Viewer>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match answered(&viewer, &parts).await {
        Ok(page) => Html(page.into_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn answered(viewer: &Viewer, parts: &Parts) -> Result<Markup, Refusal> {
    let context = viewer.admitted(parts, method::LIST).await?;
    let asked = Asked::of(&parts.uri);
    let filter = asked.filter();
    let filter = filter.map_err(|faults| Refusal::faulty(faults, &asked, &context))?;
    let request = ListEventsRequest {
        filter: Some(filter),
        page_size: PAGE,
        page_token: asked.first("page").unwrap_or_default().to_owned(),
        order: EventOrder::NewestFirst.into(),
        ..ListEventsRequest::default()
    };
    let read = async {
        // Before the list: what comes meanwhile may be in it, and is not followed from here then.
        let end = viewer
            .0
            .log
            .end()
            .await
            .map_err(|error| Refusal::of_log(&error, &context))?;
        Ok((end, listed(viewer, &context, request, &asked).await?))
    };
    let (end, listed) = viewer.in_time(&context, read).await?;
    let newest = listed.events.first().map_or(0, |event| event.position);
    let content = List {
        asked: &asked,
        events: &listed.events,
        beginnings: &listed.beginnings,
        next: &listed.next_page_token,
        after: newest.max(end.get()),
    };
    let caller = context.caller.name.to_string();
    Ok(layout::page("Audit log", Some(&caller), &content.drawn()))
}

/// Asks for events as any client of `AuditService` does.
pub(super) async fn listed(
    viewer: &Viewer,
    context: &Context,
    request: ListEventsRequest,
    asked: &Asked,
) -> Result<ListEventsResponse, Refusal> {
    let mut request = tonic::Request::new(request);
    request.extensions_mut().insert(context.asking(method::LIST));
    let listed = viewer.0.audit.list_events(request).await;
    let listed = listed.map_err(|status| Refusal::told(&status, asked, context))?;
    Ok(listed.into_inner())
}

struct List<'a> {
    asked: &'a Asked,
    events: &'a [Event],
    /// The logs of which entries are gone that might be on this page.
    beginnings: &'a [Beginning],
    next: &'a str,
    /// Everything up to here that is asked for is on this page, or on one behind it.
    after: u64,
}

impl List<'_> {
    fn drawn(&self) -> Markup {
        let first = self.asked.first("page").is_none();
        html! {
            h1 class="visually-hidden" { "Audit log" }
            (presets(self.asked))
            (form(self.asked))
            div class="bar" {
                p class="soft" {
                    @match self.events.len() { 0 => "No entry", 1 => "1 entry", number => { (number) " entries" } }
                    ", newest first"
                    @if !first { ", further back" }
                }
                @if first { (self.follow()) }
            }
            (self.table())
            @for begins in self.beginnings {
                p class="soft" {
                    (begins.log) " begins with index " (begins.first_index)
                    ": what was before was older than entries are kept."
                }
            }
            nav class="pages" aria-label="Pages" {
                @if !first { a class="button" href=(self.asked.first_page().link()) { "Newest" } }
                @if !self.next.is_empty() {
                    a class="button" rel="next" href=(self.asked.first_page().with("page", self.next).link()) { "Older" }
                }
            }
        }
    }

    /// Nothing of it is seen where no script runs.
    fn follow(&self) -> Markup {
        let after = self.after.to_string();
        html! {
            p class="following" {
                span id="follow-status" role="status" {}
                button id="follow" type="button" hidden aria-pressed="false" data-after=(after)
                    data-events=(self.asked.first_page().at("/audit/follow")) { "Follow live" }
            }
        }
    }

    fn table(&self) -> Markup {
        html! {
            div class="scroll" tabindex="0" role="region" aria-label="Entries" {
                table class="entries" {
                    thead { tr { @for (class, name) in COLUMNS { th scope="col" class=(class) { (name) } } } }
                    tbody id="entries" {
                        @for event in self.events { (Row::of(event).drawn()) }
                        @if self.events.is_empty() {
                            tr id="none" { td colspan="9" class="none" { "Nothing that is asked for is on record." } }
                        }
                    }
                }
            }
        }
    }
}

/// Questions that are put often.
fn presets(asked: &Asked) -> Markup {
    let portal = asked.first("portal");
    let of_portal = |more: &[(&str, &str)]| {
        let own = portal.map_or_else(Asked::default, |slug| Asked::default().with("portal", slug));
        more.iter()
            .fold(own, |asked, (name, value)| asked.with(name, *value))
    };
    let all: [(&str, &[(&str, &str)]); 5] = [
        ("Everything", &[]),
        ("Calls to HubSpot", &[("phase", "OUTCOME")]),
        ("Refused by Hubkeep", &[("phase", "DENIED")]),
        ("Wants a look", &[("severity", "MEDIUM")]),
        ("Administration", &[("phase", "ADMIN")]),
    ];
    html! {
        nav class="presets" aria-label="Often asked" {
            @for (name, question) in all {
                @let link = of_portal(question);
                a href=(link.link()) aria-current=[(link == asked.first_page()).then_some("true")] { (name) }
            }
        }
    }
}

/// The form, with what was asked in it.
pub(super) fn form(asked: &Asked) -> Markup {
    let text = |name: &'static str, placeholder: &'static str| input(asked, name, "text", placeholder);
    html! {
        form class="filter" method="get" action=(LIST) role="search" aria-label="Narrow the list" {
            div class="fields" {
                (text("portal", "acme"))
                (text("caller", "nightly-sync"))
                (choice(asked, "operation", &words::all::<Operation>(words::operation)))
                (choice(asked, "severity", &words::in_order::<Severity>(words::severity)))
                (input(asked, "from", "datetime-local", ""))
                (input(asked, "to", "datetime-local", ""))
                (boxes(asked, "phase", &phases()))
                (boxes(asked, "result", &words::in_order::<CallResult>(words::result)))
            }
            details open[["call", "type", "object", "ref"].iter().any(|name| asked.first(name).is_some())] {
                summary { "One call, or one record" }
                div class="fields" {
                    (text("call", "0193…"))
                    (text("type", "contacts"))
                    (text("object", "101"))
                    (text("ref", "32 hexadecimal digits"))
                }
            }
            p class="actions" {
                button type="submit" class="primary" { "Show" }
                @if asked.narrows() { a class="button" href=(LIST) { "Clear" } }
            }
        }
    }
}

fn label(name: &str) -> &'static str {
    FIELDS
        .iter()
        .find(|field| field.name == name)
        .map_or("", |field| field.label)
}

fn input(asked: &Asked, name: &'static str, kind: &str, placeholder: &str) -> Markup {
    let given = asked.first(name).unwrap_or_default();
    // What such a field cannot show, with a time zone or wrong, it would leave out: it is text then.
    let kind = if kind != "text" && !fits_a_time(given) {
        "text"
    } else {
        kind
    };
    html! {
        div class="field" {
            label for=(name) { (label(name)) }
            input id=(name) name=(name) type=(kind) value=(given) placeholder=(placeholder) autocomplete="off"
                spellcheck="false" step=[(kind == "datetime-local").then_some("1")];
        }
    }
}

fn fits_a_time(given: &str) -> bool {
    let shape = given
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"-T:".contains(&byte));
    given.is_empty() || shape && matches!(given.len(), 16 | 19)
}

fn choice(asked: &Asked, name: &'static str, known: &[(&'static str, i32)]) -> Markup {
    html! {
        div class="field" {
            label for=(name) { (label(name)) }
            select id=(name) name=(name) {
                option value="" { "any" }
                @for (word, _) in known { option value=(word) selected[asked.says(name, word)] { (word) } }
            }
        }
    }
}

fn boxes(asked: &Asked, name: &'static str, known: &[(&'static str, i32)]) -> Markup {
    html! {
        fieldset class="field" {
            legend { (label(name)) }
            @for (word, _) in known {
                label class="box" {
                    input type="checkbox" name=(name) value=(word) checked[asked.says(name, word)];
                    (word)
                }
            }
        }
    }
}
