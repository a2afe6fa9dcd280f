//! What goes wrong with an answer.

use super::truth::{Twist, truth};
use super::{Received, over_limit};
use crate::clock;
use crate::errors;
use crate::faults::{Fate, Fault, FaultRule};
use crate::limits::{Headroom, Policy};
use crate::reply::Reply;
use crate::spoil;
use crate::state::State;
use crate::wire::{Cut, Ending};

/// The answer with what goes wrong with it.
pub(super) fn suffer(
    state: &State,
    received: &Received,
    fate: &Fate,
    headroom: Option<Headroom>,
) -> Result<(Reply, Ending), Cut> {
    let Some(rule) = &fate.fault else {
        return Ok((truth(state, received, &Twist::default(), headroom), Ending::Whole));
    };
    if let Fault::MixedRows { every, limited } = &rule.fault {
        let category = match limited {
            true => "RATE_LIMIT",
            false => "VALIDATION_ERROR",
        };
        return Ok((
            mixed(state, received, (*every, category), headroom),
            Ending::Whole,
        ));
    }
    let other = match &rule.fault {
        Fault::AnswerOfPortal { other } => Some(*other),
        fault if spoils(fault) => None,
        _ => {
            if rule.after_effect {
                drop(truth(state, received, &Twist::default(), headroom));
            }
            return broken(received, rule, headroom).map(|reply| (reply, Ending::Whole));
        }
    };
    let payload = None;
    Ok(spoiled(
        truth(state, received, &Twist { other, payload }, headroom),
        &rule.fault,
    ))
}

/// Whether the true answer comes, in a bad way.
fn spoils(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::CutBody
            | Fault::NeverEndingBody
            | Fault::TruncatedJson
            | Fault::GzipBomb { .. }
            | Fault::LongBody { .. }
            | Fault::Drip { .. }
            | Fault::SameCursor { .. }
            | Fault::WrongContentType { .. }
            | Fault::DuplicateKeys
            | Fault::DeepJson { .. }
    )
}

/// The true answer, in a bad way.
fn spoiled(reply: Reply, fault: &Fault) -> (Reply, Ending) {
    let whole = |reply| (reply, Ending::Whole);
    match fault {
        Fault::CutBody => (reply.declare_length(), Ending::CutInBody),
        Fault::NeverEndingBody => (reply, Ending::Never),
        Fault::Drip { ms } => (reply.declare_length(), Ending::Drip { ms: *ms }),
        Fault::LongBody { bytes } => (reply, Ending::Padded { bytes: *bytes }),
        Fault::TruncatedJson => whole(spoil::truncated(reply)),
        Fault::GzipBomb { bytes } => whole(spoil::bomb(reply, *bytes)),
        Fault::SameCursor { after } => whole(spoil::same_cursor(reply, after)),
        Fault::WrongContentType { content_type } => whole(reply.header("content-type", content_type)),
        Fault::DuplicateKeys => whole(spoil::duplicate_keys(reply)),
        Fault::DeepJson { levels } => whole(spoil::deep(reply, *levels)),
        _ => whole(reply),
    }
}

/// A batch of which some rows are refused: those that are not reach HubSpot, the others are added to its answer.
fn mixed(
    state: &State,
    received: &Received,
    (every, category): (u32, &str),
    headroom: Option<Headroom>,
) -> Reply {
    let Some((payload, refused)) = spoil::without_rows(&received.payload, every) else {
        return truth(state, received, &Twist::default(), headroom);
    };
    let none_left = payload
        .json
        .as_ref()
        .and_then(|body| body.get("inputs")?.as_array())
        .is_some_and(Vec::is_empty);
    let payload = Some(payload);
    let reply = truth(state, received, &Twist { other: None, payload }, headroom);
    spoil::with_refusals(reply, (&refused, category), none_left)
}

/// The answer of a fault that hides the true one.
fn broken(received: &Received, rule: &FaultRule, headroom: Option<Headroom>) -> Result<Reply, Cut> {
    let plain = |problem| Ok(received.refuse(problem));
    let retry = |reply: Reply, seconds: u64| reply.header(RETRY_AFTER_NAME, &seconds.to_string());
    match &rule.fault {
        Fault::Status { status } => plain(errors::by_status(*status)),
        Fault::ExpiredToken => plain(errors::expired(75, clock::iso(received.now - 75_000_000))),
        Fault::Migrating { retry_after } => Ok(retry(received.refuse(errors::migrating()), *retry_after)),
        Fault::Answer { status, body } => Ok(Reply::json(*status, body)),
        Fault::HtmlBody => Ok(Reply::html(502, BAD_GATEWAY_PAGE.to_owned())),
        Fault::HtmlPage { status } => Ok(Reply::html(*status, page(*status))),
        Fault::Redirect { status, location } => Ok(Reply::empty(*status).header("location", location)),
        Fault::RateLimited {
            policy,
            headers,
            retry_after,
        } => {
            let left = headroom.filter(|_| *headers).map(|left| exhausted(left, *policy));
            let reply = over_limit(received, *policy, left);
            Ok(match retry_after {
                Some(seconds) => retry(reply, *seconds),
                None => reply,
            })
        }
        _ => Err(Cut),
    }
}

const RETRY_AFTER_NAME: &str = "retry-after";

const BAD_GATEWAY_PAGE: &str = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>\
    <body><center><h1>502 Bad Gateway</h1></center><hr></body></html>";

fn page(status: u16) -> String {
    BAD_GATEWAY_PAGE.replace("502 Bad Gateway", &status.to_string())
}

/// The headers of a refusal must agree with it.
fn exhausted(left: Headroom, policy: Policy) -> Headroom {
    match policy {
        Policy::Daily => Headroom {
            daily: left.daily.map(|(limit, _)| (limit, 0)),
            ..left
        },
        Policy::TenSecondlyRolling => Headroom {
            burst_remaining: 0,
            ..left
        },
        Policy::Secondly => left,
    }
}
