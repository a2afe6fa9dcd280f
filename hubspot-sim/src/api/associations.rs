//! The associations of one record: list, associate, label, end.

use std::iter;

use serde_json::{Value, json};

use super::objects::page_body;
use super::route::PartnerAction;
use super::{Call, linked};
use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::kind::ObjectType;
use crate::reply::Reply;

/// Answers a call about the associations of one record.
pub(super) fn answer(
    call: &Call<'_>,
    from: ObjectType,
    id: &str,
    action: &PartnerAction,
) -> Result<Reply, Problem> {
    match (action, call.method) {
        (PartnerAction::List { to }, "GET") => list(call, from, id, call.kind(to)?),
        (PartnerAction::One { to, id: other }, "PUT") => label(call, (from, id), (call.kind(to)?, other)),
        (PartnerAction::One { to, id: other }, "DELETE") => end(call, (from, id), (call.kind(to)?, other)),
        (PartnerAction::Default { to, id: other }, "PUT") => plain(call, (from, id), (call.kind(to)?, other)),
        _ => Err(errors::method_not_allowed()),
    }
}

fn list(call: &Call<'_>, from: ObjectType, id: &str, to: ObjectType) -> Result<Reply, Problem> {
    linked::reading(call, [from, to])?;
    let limit = call.query.limit(linked::MOST_SHOWN, linked::MOST_SHOWN)?;
    let after = call.query.after()?;
    let mut crm = lock(&call.portal.crm);
    // Unlike other calls, this one does not follow an id that was merged away: it has nothing any more.
    let table = crm.table(from);
    if id.parse().is_ok_and(|id| table.survivor_of(id) != id) {
        return Ok(Reply::json(200, &page_body(Vec::new(), None)));
    }
    let id = id.parse().ok().filter(|id| crm.has(from, *id));
    let id = id.ok_or_else(errors::not_found)?;
    let mut partners = crm.associated(from, id, to);
    partners.retain(|(id, _)| after.is_none_or(|after| *id > after));
    let more = partners.len() > limit;
    partners.truncate(limit);
    let next = partners.last().filter(|_| more).map(|(id, _)| *id);
    let results = partners
        .iter()
        .map(|(id, labels)| linked::partner(*id, labels))
        .collect();
    Ok(Reply::json(200, &page_body(results, next)))
}

/// These labels, and no others.
fn label(call: &Call<'_>, from: (ObjectType, &str), to: (ObjectType, &str)) -> Result<Reply, Problem> {
    linked::writing(call, [from.0, to.0])?;
    let types = linked::types(Some(call.json()?))?;
    let mut crm = lock(&call.portal.crm);
    linked::known(&crm, from.0, to.0, &types)?;
    let (from, to) = (
        linked::record(&crm, from.0, from.1)?,
        linked::record(&crm, to.0, to.1)?,
    );
    crm.associations.set(from, to, &types);
    Ok(Reply::json(201, &linked::labelled(&crm, from, to)))
}

fn plain(call: &Call<'_>, from: (ObjectType, &str), to: (ObjectType, &str)) -> Result<Reply, Problem> {
    linked::writing(call, [from.0, to.0])?;
    let mut crm = lock(&call.portal.crm);
    linked::known(&crm, from.0, to.0, &[])?;
    let (from, to) = (
        linked::record(&crm, from.0, from.1)?,
        linked::record(&crm, to.0, to.1)?,
    );
    crm.associations.add_plain(from, to);
    let body = json!({
        "status": "COMPLETE",
        "results": linked::plainly(&crm, from, to),
        "startedAt": iso(call.now),
        "completedAt": iso(call.now),
    });
    Ok(Reply::json(200, &body))
}

/// Ending what never was is answered alike.
fn end(call: &Call<'_>, from: (ObjectType, &str), to: (ObjectType, &str)) -> Result<Reply, Problem> {
    linked::writing(call, [from.0, to.0])?;
    let mut crm = lock(&call.portal.crm);
    let ids: Vec<u64> = iter::once(from.1)
        .chain([to.1])
        .filter_map(|id| id.parse().ok())
        .collect();
    if let [one, other] = ids.as_slice() {
        crm.associations.cut((from.0, *one), (to.0, *other));
    }
    Ok(Reply::empty(204))
}

/// The ids on the two sides of a row: `{"from": {"id": …}, "to": {"id": …}}`.
pub(super) fn sides(row: &Value) -> (String, String) {
    let side = |name: &str| linked::text_of(row.get(name).and_then(|side| side.get("id")));
    (side("from"), side("to"))
}
