//! What cannot be undone: two records become one, a contact is deleted for good.

use serde_json::Value;

use super::linked::text_of;
use super::{Call, rows};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::kind::ObjectType;
use crate::reply::Reply;

/// Merges one record into another.
pub(super) fn merge(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    let body = call.json()?;
    let id = |field: &str| -> Result<u64, Problem> {
        let id = text_of(body.get(field)).parse();
        id.map_err(|_| errors::invalid(format!("Invalid input JSON: \"{field}\" must be an id")))
    };
    let (primary, other) = (id("primaryObjectId")?, id("objectIdToMerge")?);
    let mut crm = lock(&call.portal.crm);
    let record = crm.merge(kind, primary, other, call.now)?.clone();
    Ok(Reply::json(200, &rows::rendered_write(&record, crm.table(kind))))
}

/// Deletes a contact for good. An address that no contact has is remembered all the same.
pub(super) fn gdpr_delete(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    if kind != ObjectType::Contacts {
        return Err(errors::not_found());
    }
    let body = call.json()?;
    let id = text_of(body.get("objectId"));
    let by_email = body.get("idProperty").and_then(Value::as_str) == Some("email");
    let mut crm = lock(&call.portal.crm);
    let table = crm.table(kind);
    let found = match by_email {
        true => table.get_by_email(&id).map(|record| record.id),
        false => id
            .parse()
            .ok()
            .map(|id| table.survivor_of(id))
            .filter(|id| table.get(*id).is_some()),
    };
    match found {
        Some(id) => crm.purge(kind, id),
        None if by_email && id.contains('@') => {
            crm.blocklist.insert(id.to_lowercase());
        }
        None => return Err(errors::not_found()),
    }
    Ok(Reply::empty(204))
}
