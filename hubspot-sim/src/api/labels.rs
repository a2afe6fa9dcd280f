//! What associations between two types can be called: list, define, rename, remove.

use serde_json::{Value, json};

use super::association_batch::Pair;
use super::{Call, linked};
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::labels::{Category, Label};
use crate::reply::Reply;

/// No two types have more labels of the account's own between them.
const MOST: usize = 50;

/// Answers a call about all labels between two types.
pub(super) fn all(call: &Call<'_>, pair: Pair) -> Result<Reply, Problem> {
    match call.method {
        "GET" => list(call, pair),
        "POST" => define(call, pair),
        "PUT" => rename(call, pair),
        _ => Err(errors::method_not_allowed()),
    }
}

fn list(call: &Call<'_>, (from, to): Pair) -> Result<Reply, Problem> {
    linked::reading(call, [from, to])?;
    let crm = lock(&call.portal.crm);
    let labels = crm.associations.labels.between(from, to);
    let results: Vec<Value> = labels.iter().map(Label::render).collect();
    Ok(Reply::json(200, &json!({ "results": results })))
}

fn define(call: &Call<'_>, (from, to): Pair) -> Result<Reply, Problem> {
    may_define(call, (from, to))?;
    let body = call.json()?;
    let text = |field: &str| {
        body.get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let (Some(label), Some(name)) = (text("label"), text("name")) else {
        return Err(errors::invalid(
            "Invalid input JSON: a label needs a \"label\" and a \"name\"",
        ));
    };
    let mut crm = lock(&call.portal.crm);
    linked::known(&crm, from, to, &[])?;
    let labels = &mut crm.associations.labels;
    let own = || {
        labels
            .between(from, to)
            .iter()
            .filter(|one| one.id.0 == Category::User)
    };
    if own().any(|one| one.name == name || one.label.as_deref() == Some(label)) {
        return Err(errors::name_taken(
            "label",
            label,
            "crm.associations.LABEL_EXISTS",
        ));
    }
    if own().count() >= MOST {
        return Err(errors::invalid(format!(
            "There can be at most {MOST} labels between two types"
        )));
    }
    let both = labels.define((from, to), name, label, text("inverseLabel"));
    let results: Vec<Value> = both.iter().map(Label::render).collect();
    Ok(Reply::json(201, &json!({ "results": results })))
}

fn rename(call: &Call<'_>, (from, to): Pair) -> Result<Reply, Problem> {
    may_define(call, (from, to))?;
    let body = call.json()?;
    let number = linked::text_of(body.get("associationTypeId")).parse().ok();
    let label = body.get("label").and_then(Value::as_str).unwrap_or_default();
    let inverse = body.get("inverseLabel").and_then(Value::as_str);
    let mut crm = lock(&call.portal.crm);
    let renamed = number.is_some_and(|number| {
        let labels = &mut crm.associations.labels;
        !label.is_empty() && labels.relabel((from, to), (Category::User, number), label, inverse)
    });
    if renamed {
        Ok(Reply::empty(204))
    } else {
        Err(errors::not_found())
    }
}

/// Takes a label away, from the records too.
pub(super) fn remove(call: &Call<'_>, (from, to): Pair, number: &str) -> Result<Reply, Problem> {
    may_define(call, (from, to))?;
    let number = number.parse().map_err(|_| errors::not_found())?;
    if lock(&call.portal.crm).associations.forget_label(from, to, number) {
        Ok(Reply::empty(204))
    } else {
        Err(errors::not_found())
    }
}

fn may_define(call: &Call<'_>, (from, to): Pair) -> Result<(), Problem> {
    call.need(from.facts().schema_write)?;
    call.need(to.facts().schema_write)
}
