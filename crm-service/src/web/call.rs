//! One call: all of its entries in order, each with every field and its proof.

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, request::Parts},
    response::{Html, IntoResponse as _, Response},
};
use hubkeep_audit_log::{Entry, Event};
use hubkeep_core::{grpc::Context, id::CallId};
use hubkeep_proto::audit::v1::{EventFilter, EventOrder, ListEventsRequest, ListEventsResponse};
use maud::{Markup, html};
use prost::Message as _;

use super::{
    LIST, Viewer,
    asked::{Asked, fault},
    fields, layout, list, method,
    proven::{Proven, Signed, offline},
    refusal::Refusal,
    row, times, words,
};

/// Entries on a page, each with its proof.
const PAGE: i32 = 20;

/// Which entries are shown.
enum Which {
    Call(String),
    Entry(String),
}

pub(super) async fn of_call(
    state: State<Viewer>,
    call_id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    shown(state, call_id.map(|Path(call_id)| Which::Call(call_id)), request).await
}

pub(super) async fn of_entry(
    state: State<Viewer>,
    position: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    shown(
        state,
        position.map(|Path(position)| Which::Entry(position)),
        request,
    )
    .await
}

async fn shown(
    State(viewer): State<Viewer>,
    which: Result<Which, PathRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let Ok(which) = which else {
        let told = "the address is not one of a call".to_owned();
        return Refusal::plain(StatusCode::NOT_FOUND, "No such page", told).into_response();
    };
    match answered(&viewer, &which, &parts).await {
        Ok(page) => Html(page.into_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn answered(viewer: &Viewer, which: &Which, parts: &Parts) -> Result<Markup, Refusal> {
    let context = viewer.admitted(parts, method::LIST).await?;
    let asked = Asked::of(&parts.uri);
    let request = request(which, &asked, &context)?;
    let read = async {
        let listed = list::listed(viewer, &context, request, &asked).await?;
        let entries = proven(viewer, listed.events.iter().map(decoded), &context).await?;
        Ok((listed, entries))
    };
    let (listed, entries) = viewer.in_time(&context, read).await?;
    if entries.is_empty() {
        let told = match which {
            Which::Call(call_id) => format!("no entry of the call {call_id} is on record"),
            Which::Entry(position) => format!("there is no entry at the position {position}"),
        };
        return Err(Refusal::plain(StatusCode::NOT_FOUND, "Not on record", told));
    }
    let caller = context.caller.name.to_string();
    Ok(layout::page(
        title(&entries),
        Some(&caller),
        &drawn(which, &asked, &listed, &entries),
    ))
}

fn request(which: &Which, asked: &Asked, context: &Context) -> Result<ListEventsRequest, Refusal> {
    // Leaves, because proofs are over these bytes; what they say is read out of them here.
    let request = ListEventsRequest {
        page_size: PAGE,
        page_token: asked.first("page").unwrap_or_default().to_owned(),
        leaves: true,
        order: EventOrder::OldestFirst.into(),
        ..ListEventsRequest::default()
    };
    match which {
        Which::Call(call_id) if call_id.parse::<CallId>().is_err() => {
            let faults = vec![fault("call", call_id)];
            Err(Refusal::faulty(faults, &Asked::default(), context))
        }
        Which::Call(call_id) => Ok(ListEventsRequest {
            filter: Some(EventFilter {
                call_id: call_id.clone(),
                ..EventFilter::default()
            }),
            ..request
        }),
        Which::Entry(position) => {
            let before = position
                .parse::<u64>()
                .ok()
                .and_then(|position| position.checked_sub(1));
            let before = before
                .ok_or_else(|| Refusal::faulty(vec![fault("after", position)], &Asked::default(), context))?;
            Ok(ListEventsRequest {
                page_size: 1,
                after_position: before,
                ..request
            })
        }
    }
}

/// An event whose leaf was asked for, with what it says.
fn decoded(event: &Event) -> Event {
    Event {
        entry: Entry::decode(event.leaf.as_slice()).ok(),
        ..event.clone()
    }
}

async fn proven(
    viewer: &Viewer,
    events: impl Iterator<Item = Event>,
    context: &Context,
) -> Result<Vec<(Event, Proven)>, Refusal> {
    let mut logs: Vec<Signed> = Vec::new();
    let mut entries = Vec::new();
    for event in events {
        let known = logs.iter().position(|signed| signed.is_of(&event));
        let at = match known {
            Some(at) => at,
            None => {
                logs.push(Signed::of(&viewer.0.log, &event.log, context).await?);
                logs.len().saturating_sub(1)
            }
        };
        let Some(signed) = logs.get(at) else { continue };
        let proven = signed.proven(viewer, &event, context).await?;
        entries.push((event, proven));
    }
    Ok(entries)
}

fn title(entries: &[(Event, Proven)]) -> &'static str {
    let first = entries.first().and_then(|(event, _)| event.entry.as_ref());
    first.map_or("One call", |entry| words::operation(entry.operation()))
}

fn drawn(which: &Which, asked: &Asked, listed: &ListEventsResponse, entries: &[(Event, Proven)]) -> Markup {
    let nothing = Event::default();
    let first = entries.first().map_or(&nothing, |(event, _)| event);
    let more = match which {
        Which::Call(call_id) if !listed.next_page_token.is_empty() => {
            let path = format!("{LIST}/calls/{call_id}");
            Some(Asked::default().with("page", &*listed.next_page_token).at(&path))
        }
        _ => None,
    };
    html! {
        nav class="back" { a href=(LIST) { "← All entries" } }
        (heading(first))
        (verdict(entries))
        @for (place, (event, proven)) in (1_usize..).zip(entries) { (one(place, event, proven)) }
        @if let Some(more) = more {
            nav class="pages" aria-label="Pages" { a class="button" rel="next" href=(more) { "Later entries of this call" } }
        }
        @if asked.first("page").is_some() { p class="soft" { "Earlier entries of this call are on the page before." } }
        (offline(first))
    }
}

fn heading(event: &Event) -> Markup {
    let entry = event.entry.clone().unwrap_or_default();
    let only = |name: &str, value: &str| Asked::default().with(name, value);
    let record = only("portal", &entry.client_slug)
        .with("type", &*entry.object_type)
        .with("ref", &*entry.object_ref);
    html! {
        h1 { (words::operation(entry.operation())) }
        p class="about" {
            @if !entry.client_slug.is_empty() {
                "for portal " a href=(only("portal", &entry.client_slug).link()) { (entry.client_slug) } " "
            }
            @if !entry.caller.is_empty() { "asked by " a href=(only("caller", &entry.caller).link()) { (entry.caller) } }
        }
        @if !entry.call_id.is_empty() { p class="soft" { "Call " code { (entry.call_id) } } }
        @if !entry.object_ref.is_empty() && !entry.client_slug.is_empty() {
            p { a href=(record.link()) { "All entries about this record" } }
        }
    }
}

/// What the proofs come to.
fn verdict(entries: &[(Event, Proven)]) -> Markup {
    let proven = entries.iter().filter(|(_, proven)| proven.is_yes()).count();
    let damaged = entries.iter().any(|(_, proven)| proven.is_damaged());
    let all = entries.len();
    html! {
        @if damaged {
            p class="verdict banner damaged" id="verdict" role="alert" { strong { "Damaged: " } "what is stored is not what was signed" }
        } @else if proven == all {
            p class="verdict banner proven" id="verdict" {
                strong { "Verified: " }
                @match all { 1 => "this entry is", 2 => "both entries are", _ => { "all " (all) " entries are" } }
                " in the signed log"
            }
        } @else {
            p class="verdict banner waiting" id="verdict" {
                strong { "Not covered by a checkpoint yet: " } (proven) " of " (all) " entries are proven"
            }
        }
    }
}

fn one(place: usize, event: &Event, proven: &Proven) -> Markup {
    let entry = event.entry.clone().unwrap_or_default();
    let (day, time) = times::shown(entry.entry_time).unwrap_or_default();
    let class = row::class(entry.severity());
    html! {
        article class={ "entry " (class) } id={ "e" (event.position) } aria-labelledby={ "h" (event.position) } {
            header {
                h2 id={ "h" (event.position) } {
                    span class="place" { (place) } " " (words::phase(entry.phase()))
                    @if entry.attempt > 0 { span class="soft" { " attempt " (entry.attempt) } }
                }
                p class="outcome" {
                    (words::result(entry.result()))
                    @if entry.status_code != 0 { " " (entry.status_code) }
                    " " (words::reason(&entry))
                }
                p class="when" { time datetime=(entry.entry_time.map(times::exact).unwrap_or_default()) { (day) " " (time) } " UTC" }
            }
            @if event.entry.is_none() { p class="verdict damaged" { "These bytes are no entry." } }
            @if !entry.hubspot_correlation_id.is_empty() {
                p { "HubSpot's correlation id, for its support: " code { (entry.hubspot_correlation_id) } }
            }
            (proven.drawn(event))
            dl class="of-fields" {
                dt { "log" } dd { code { (event.log) } }
                dt { "index, position" } dd { (event.index) ", " (event.position) }
                @for (name, value) in fields::of(&entry) { dt { (name) } dd { code { (value) } } }
            }
        }
    }
}
