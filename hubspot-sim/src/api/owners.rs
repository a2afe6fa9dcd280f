//! Owners: the people that records belong to.

use serde_json::{Value, json};

use super::Call;
use super::objects::page_body;
use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::reply::Reply;
use crate::world::Owner;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 500;
/// Owners have no history here: all came into being at the same time, 2024-01-15.
const SINCE: i64 = 1_705_312_800_000_000;

/// Answers a call about owners.
pub(super) fn answer(call: &Call<'_>, id: Option<&str>) -> Result<Reply, Problem> {
    if call.method != "GET" {
        return Err(errors::method_not_allowed());
    }
    call.need(&["crm.objects.owners.read"])?;
    match id {
        Some(id) => one(call, id),
        None => list(call),
    }
}

fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let limit = call.query.limit(DEFAULT_PAGE, MAX_PAGE)?;
    let after = call.query.after()?;
    let email = call.query.get("email");
    let archived = call.query.flag("archived");
    let mut matching: Vec<&Owner> = call
        .portal
        .owners
        .iter()
        .filter(|owner| owner.archived == archived)
        .filter(|owner| email.is_none_or(|email| owner.email.eq_ignore_ascii_case(email)))
        .filter(|owner| after.is_none_or(|after| owner.id > after))
        .collect();
    matching.sort_by_key(|owner| owner.id);
    let more = matching.len() > limit;
    matching.truncate(limit);
    let next = matching.last().filter(|_| more).map(|owner| owner.id);
    Ok(Reply::json(
        200,
        &page_body(matching.into_iter().map(render).collect(), next),
    ))
}

fn one(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    let by_user = call.query.get("idProperty") == Some("userId");
    let archived = call.query.flag("archived");
    let wanted: u64 = id.parse().map_err(|_| errors::not_found())?;
    let meant = |owner: &&Owner| {
        owner.archived == archived && wanted == if by_user { owner.user_id } else { owner.id }
    };
    let owner = call
        .portal
        .owners
        .iter()
        .find(meant)
        .ok_or_else(errors::not_found)?;
    Ok(Reply::json(200, &render(owner)))
}

fn render(owner: &Owner) -> Value {
    json!({
        "id": owner.id.to_string(),
        "email": owner.email,
        "type": "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": (!owner.archived).then_some(owner.user_id),
        "userIdIncludingInactive": owner.user_id,
        "createdAt": iso(SINCE),
        "updatedAt": iso(SINCE),
        "archived": owner.archived,
    })
}
