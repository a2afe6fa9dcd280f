//! One record or a page of records: list, get, create, update, archive, search.

use serde_json::{Map, Value, json};

use super::route::ObjectAction;
use super::{Call, batch, linked, merge, rows};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::kind::ObjectType;
use crate::objects::search::Search;
use crate::objects::validate;
use crate::reply::Reply;

const DEFAULT_PAGE: usize = 10;
const MAX_PAGE: usize = 100;
/// With histories an answer is so large that HubSpot gives fewer; it does not say how many, and callers report this.
pub(super) const MAX_WITH_HISTORY: usize = 50;
const MAX_SEARCH_BODY: usize = 3_000;

/// Answers a call about records of one type.
pub(super) fn answer(call: &Call<'_>, kind: ObjectType, action: &ObjectAction) -> Result<Reply, Problem> {
    match (action, call.method) {
        (ObjectAction::Collection, "GET") => call.reading(kind).and_then(|()| list(call, kind)),
        (ObjectAction::Collection, "POST") => call.writing(kind).and_then(|()| create(call, kind)),
        (ObjectAction::Record(id), "GET") => call.reading(kind).and_then(|()| get(call, kind, id)),
        (ObjectAction::Record(id), "PATCH") => call.writing(kind).and_then(|()| update(call, kind, id)),
        (ObjectAction::Record(id), "DELETE") => call.writing(kind).and_then(|()| archive(call, kind, id)),
        (ObjectAction::Search, "POST") => call.reading(kind).and_then(|()| search(call, kind)),
        (ObjectAction::Merge, "POST") => call.writing(kind).and_then(|()| merge::merge(call, kind)),
        (ObjectAction::GdprDelete, "POST") => {
            call.writing(kind).and_then(|()| merge::gdpr_delete(call, kind))
        }
        (ObjectAction::Batch(action), "POST") => batch::answer(call, kind, *action),
        _ => Err(errors::method_not_allowed()),
    }
}

fn list(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    let wanted = call.query.wanted();
    let most = if wanted.with_history.is_empty() {
        MAX_PAGE
    } else {
        MAX_WITH_HISTORY
    };
    let limit = call.query.limit(DEFAULT_PAGE, most)?;
    let after = call.query.after()?;
    let partners = linked::wanted(call)?;
    let mut crm = lock(&call.portal.crm);
    crm.table(kind);
    let table = crm.read(kind).ok_or_else(errors::not_found)?;
    let (page, more) = table.page(after, limit, call.query.flag("archived"));
    let results: Vec<Value> = page
        .iter()
        .map(|record| {
            let mut shown = record.render(kind, &table.schema, &wanted);
            linked::add(&crm, &mut shown, (kind, record.id), &partners);
            shown
        })
        .collect();
    let next = page.last().filter(|_| more).map(|record| record.id);
    Ok(Reply::json(200, &page_body(results, next)))
}

/// A page of results with the way to the next one, if there is one.
pub(super) fn page_body(results: Vec<Value>, next: Option<u64>) -> Value {
    let mut body = Map::new();
    body.insert("results".to_owned(), Value::Array(results));
    if let Some(after) = next {
        let next = json!({ "next": { "after": after.to_string(), "link": format!("?after={after}") } });
        body.insert("paging".to_owned(), next);
    }
    Value::Object(body)
}

fn get(call: &Call<'_>, kind: ObjectType, id: &str) -> Result<Reply, Problem> {
    let partners = linked::wanted(call)?;
    let mut crm = lock(&call.portal.crm);
    crm.table(kind);
    let table = crm.read(kind).ok_or_else(errors::not_found)?;
    let record = rows::find_one(table, id, call.query.get("idProperty"))?;
    if record.archived_at.is_some() != call.query.flag("archived") {
        return Err(errors::not_found());
    }
    let mut shown = record.render(kind, &table.schema, &call.query.wanted());
    linked::add(&crm, &mut shown, (kind, record.id), &partners);
    Ok(Reply::json(200, &shown))
}

fn create(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    let body = call.json()?;
    let mut crm = lock(&call.portal.crm);
    let table = crm.table(kind);
    let values = rows::values(call, table, body, None)?;
    validate::required(table, &values)?;
    let links = linked::asked(&crm, kind, body.get("associations"))?;
    let record = crm.table(kind).create(values, call.stamp())?.clone();
    linked::tie(&mut crm, (kind, record.id), &links);
    let location = format!("/crm/v3/objects/{}/{}", kind.name(), record.id);
    let shown = rows::rendered_write(&record, crm.table(kind));
    Ok(Reply::json(201, &shown).header("location", &location))
}

fn update(call: &Call<'_>, kind: ObjectType, id: &str) -> Result<Reply, Problem> {
    let body = call.json()?;
    let mut crm = lock(&call.portal.crm);
    let table = crm.table(kind);
    let id = rows::find_one(table, id, call.query.get("idProperty"))?.id;
    let values = rows::values(call, table, body, Some(id))?;
    let record = table.update(id, values, call.stamp())?.clone();
    Ok(Reply::json(200, &rows::rendered_write(&record, table)))
}

/// Archiving what is archived or never was is answered alike.
fn archive(call: &Call<'_>, kind: ObjectType, id: &str) -> Result<Reply, Problem> {
    let mut crm = lock(&call.portal.crm);
    if let Ok(id) = id.parse() {
        crm.table(kind).archive(id, call.now);
    }
    Ok(Reply::empty(204))
}

fn search(call: &Call<'_>, kind: ObjectType) -> Result<Reply, Problem> {
    if call.body.chars > MAX_SEARCH_BODY {
        return Err(errors::invalid(format!(
            "The body of a search can have at most {MAX_SEARCH_BODY} characters"
        )));
    }
    let body = call.json()?;
    let mut crm = lock(&call.portal.crm);
    let search = Search::parse(body, crm.table(kind))?;
    let (total, page) = search.run(&crm, kind, call.now);
    let wanted = rows::wanted(body);
    let schema = &crm.table(kind).schema;
    let results: Vec<Value> = page
        .iter()
        .map(|record| record.render(kind, schema, &wanted))
        .collect();
    let seen = search
        .after
        .saturating_add(u64::try_from(page.len()).unwrap_or_default());
    let more = !page.is_empty() && usize::try_from(seen).is_ok_and(|seen| seen < total);
    let mut answer = page_body(results, more.then_some(seen));
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("total".to_owned(), json!(total));
    }
    Ok(Reply::json(200, &answer))
}
