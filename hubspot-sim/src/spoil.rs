//! Bodies that are not what they should be.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::{Value, json};

use crate::api::Payload;
use crate::reply::Reply;

/// The first half.
pub(crate) fn truncated(reply: Reply) -> Reply {
    let half = reply.body.slice(..reply.body.len() / 2);
    reply.with_body(half)
}

/// The body after so many spaces, as gzip.
pub(crate) fn bomb(reply: Reply, bytes: u64) -> Reply {
    let packed = packed(&reply.body, bytes);
    reply.with_body(packed).header("content-encoding", "gzip")
}

/// The page names this cursor for the next one.
pub(crate) fn same_cursor(reply: Reply, after: &str) -> Reply {
    let Ok(Value::Object(mut page)) = serde_json::from_slice(&reply.body) else {
        return reply;
    };
    let next = json!({ "next": { "after": after, "link": format!("?after={after}") } });
    page.insert("paging".to_owned(), next);
    reply.with_body(Value::Object(page).to_string())
}

/// Each member of each object twice.
pub(crate) fn duplicate_keys(reply: Reply) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    let mut text = String::new();
    write_twice(&body, &mut text);
    reply.with_body(text)
}

fn write_twice(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            text.push('{');
            for (nth, (name, member)) in members.iter().enumerate() {
                let name = json!(name).to_string();
                let comma = if nth == 0 { "" } else { "," };
                text.push_str(&format!("{comma}{name}:{},{name}:", another(member)));
                write_twice(member, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (nth, item) in items.iter().enumerate() {
                text.push_str(if nth == 0 { "" } else { "," });
                write_twice(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// Another value of the same sort.
fn another(value: &Value) -> Value {
    match value {
        Value::String(_) => json!("duplicate"),
        Value::Number(_) => json!(0),
        Value::Bool(is) => json!(!is),
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        Value::Null => json!("duplicate"),
    }
}

/// Lists in lists.
pub(crate) fn deep(reply: Reply, levels: u32) -> Reply {
    let levels = usize::try_from(levels).unwrap_or(usize::MAX);
    let body = format!("{{\"results\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    reply.with_body(body)
}

/// The body of a batch without every so-maniest row, and those rows; `None` if it has no rows.
pub(crate) fn without_rows(payload: &Payload, every: u32) -> Option<(Payload, Vec<Value>)> {
    let mut body = payload.json.clone()?;
    let rows = body.get_mut("inputs")?.as_array_mut()?;
    let every = usize::try_from(every).ok().filter(|every| *every > 0)?;
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    for (number, row) in (1..).zip(std::mem::take(rows)) {
        let place = if number % every == 0 {
            &mut refused
        } else {
            &mut kept
        };
        place.push(row);
    }
    *rows = kept;
    let payload = Payload {
        json: Some(body),
        chars: payload.chars,
    };
    Some((payload, refused))
}

/// The answer to a batch of which these rows were refused, for a reason of this category.
pub(crate) fn with_refusals(reply: Reply, (refused, category): (&[Value], &str), none_left: bool) -> Reply {
    if !reply.status.is_success() && !none_left {
        return reply;
    }
    // With no row left the request itself was refused, and what has no body has nothing to add to.
    let body = serde_json::from_slice(&reply.body).ok();
    let body = body.filter(|_| reply.status.is_success());
    let mut body: Value = body.unwrap_or_else(|| json!({ "status": "COMPLETE", "results": [] }));
    let mut errors: Vec<Value> = body
        .get("errors")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    errors.extend(refused.iter().map(|row| refusal(row, category)));
    if let Some(fields) = body.as_object_mut() {
        fields.insert("numErrors".to_owned(), json!(errors.len()));
        fields.insert("errors".to_owned(), Value::Array(errors));
    }
    let mut mixed = Reply::json(207, &body);
    let rate = reply.headers.into_iter();
    rate.filter_map(|(name, value)| Some((name?, value)))
        .filter(|(name, _)| name.as_str().starts_with("x-hubspot"))
        .for_each(|(name, value)| drop(mixed.headers.insert(name, value)));
    mixed
}

/// A row that was refused says which one it was as HubSpot does: by its trace id, or by its id.
fn refusal(row: &Value, category: &str) -> Value {
    let trace = row.get("objectWriteTraceId").cloned();
    let id = row.get("id").cloned();
    let end = |name: &str| row.get(name)?.get("id").cloned();
    let context = match (trace, id, end("from"), end("to")) {
        (Some(trace), ..) => json!({ "objectWriteTraceId": [trace] }),
        (None, Some(id), ..) => json!({ "ids": [id] }),
        (None, None, Some(from), Some(to)) => json!({ "fromObjectId": [from], "toObjectId": [to] }),
        (None, None, Some(from), None) => json!({ "ids": [from] }),
        (None, None, None, _) => json!({}),
    };
    let mut refusal = json!({
        "status": "error",
        "category": category,
        "message": "This row was refused.",
        "context": context,
    });
    // HubSpot names the limit, as where it refuses the whole call.
    if category == "RATE_LIMIT"
        && let Some(fields) = refusal.as_object_mut()
    {
        fields.insert("policyName".to_owned(), json!("SECONDLY"));
    }
    refusal
}

/// How much is packed once and then repeated.
const PIECE: usize = 1024 * 1024;

/// So many spaces and then this body, as one gzip stream. Only the first piece is packed; the others are copies of it.
fn packed(body: &[u8], spaces: u64) -> Bytes {
    let pieces = spaces / u64::try_from(PIECE).unwrap_or(u64::MAX);
    let rest = usize::try_from(spaces).map_or(0, |spaces| spaces % PIECE);
    let piece = vec![b' '; PIECE];
    let mut tail = vec![b' '; rest];
    tail.extend_from_slice(body);
    let packed_piece = deflate(&piece, FlushCompress::Full);
    let (mut crc, mut of_piece) = (Crc::new(), Crc::new());
    of_piece.update(&piece);
    // Header: gzip, deflate, no flags, no time, unknown system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for _ in 0..pieces {
        out.extend_from_slice(&packed_piece);
        crc.combine(&of_piece);
    }
    out.extend(deflate(&tail, FlushCompress::Finish));
    let mut of_tail = Crc::new();
    of_tail.update(&tail);
    crc.combine(&of_tail);
    // Writing into memory does not fail.
    drop(out.write_all(&crc.sum().to_le_bytes()));
    drop(out.write_all(&crc.amount().to_le_bytes()));
    Bytes::from(out)
}

/// A piece of a deflate stream that needs nothing of what came before it.
fn deflate(plain: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 1024);
    let mut deflate = Compress::new(Compression::best(), false);
    // The room suffices for what cannot be packed at all.
    drop(deflate.compress_vec(plain, &mut out, flush));
    out
}
