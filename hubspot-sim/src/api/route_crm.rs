//! Paths inside the CRM, after the version.

use super::route::{
    AssociationAction, AssociationBatch, BatchAction, ObjectAction, PartnerAction, PipelineAction,
    PropertyAction, Route,
};

/// What follows `objects`. Associations are there in the dated and in the v4 style only.
pub(super) fn objects(rest: &[&str], with_associations: bool) -> Option<Route> {
    let (kind, rest) = rest.split_first()?;
    let action = match rest {
        [] => ObjectAction::Collection,
        ["search"] => ObjectAction::Search,
        ["merge"] => ObjectAction::Merge,
        ["gdpr-delete"] => ObjectAction::GdprDelete,
        ["batch", action] => ObjectAction::Batch(batch(action)?),
        [id] => ObjectAction::Record((*id).to_owned()),
        [id, "associations", rest @ ..] if with_associations => return partners(kind, id, rest),
        _ => return None,
    };
    let kind = (*kind).to_owned();
    Some(Route::Objects { kind, action })
}

fn partners(from: &str, id: &str, rest: &[&str]) -> Option<Route> {
    let owned = |text: &str| text.to_owned();
    let action = match rest {
        ["default", to, id] => PartnerAction::Default {
            to: owned(to),
            id: owned(id),
        },
        [to] => PartnerAction::List { to: owned(to) },
        [to, id] => PartnerAction::One {
            to: owned(to),
            id: owned(id),
        },
        _ => return None,
    };
    Some(Route::Partners {
        from: owned(from),
        id: owned(id),
        action,
    })
}

/// What follows `associations`.
pub(super) fn associations(rest: &[&str]) -> Option<Route> {
    let [from, to, rest @ ..] = rest else {
        return None;
    };
    let action = match rest {
        ["batch", "read"] => AssociationAction::Batch(AssociationBatch::Read),
        ["batch", "create"] => AssociationAction::Batch(AssociationBatch::Create),
        ["batch", "associate", "default"] => AssociationAction::Batch(AssociationBatch::Default),
        ["batch", "archive"] => AssociationAction::Batch(AssociationBatch::Archive),
        ["batch", "labels", "archive"] => AssociationAction::Batch(AssociationBatch::ArchiveLabels),
        ["labels"] => AssociationAction::Labels,
        ["labels", number] => AssociationAction::Label((*number).to_owned()),
        _ => return None,
    };
    Some(Route::Associations {
        from: (*from).to_owned(),
        to: (*to).to_owned(),
        action,
    })
}

/// What follows `properties`.
pub(super) fn properties(rest: &[&str]) -> Option<Route> {
    let (kind, rest) = rest.split_first()?;
    let action = match rest {
        [] => PropertyAction::Collection,
        ["batch", "read"] => PropertyAction::Batch(BatchAction::Read),
        ["batch", "create"] => PropertyAction::Batch(BatchAction::Create),
        ["batch", "archive"] => PropertyAction::Batch(BatchAction::Archive),
        [name] => PropertyAction::One((*name).to_owned()),
        _ => return None,
    };
    let kind = (*kind).to_owned();
    Some(Route::Properties { kind, action })
}

/// What follows `pipelines`.
pub(super) fn pipelines(rest: &[&str]) -> Option<Route> {
    let (kind, rest) = rest.split_first()?;
    let action = match rest {
        [] => PipelineAction::Collection,
        [id] => PipelineAction::One((*id).to_owned()),
        [id, "stages"] => PipelineAction::Stages((*id).to_owned()),
        [id, "stages", stage] => PipelineAction::Stage((*id).to_owned(), (*stage).to_owned()),
        _ => return None,
    };
    let kind = (*kind).to_owned();
    Some(Route::Pipelines { kind, action })
}

/// What follows `schemas`.
pub(super) fn schemas(rest: &[&str]) -> Option<Route> {
    match rest {
        [] => Some(Route::Schemas(None)),
        [kind] => Some(Route::Schemas(Some((*kind).to_owned()))),
        _ => None,
    }
}

fn batch(action: &str) -> Option<BatchAction> {
    match action {
        "read" => Some(BatchAction::Read),
        "create" => Some(BatchAction::Create),
        "update" => Some(BatchAction::Update),
        "upsert" => Some(BatchAction::Upsert),
        "archive" => Some(BatchAction::Archive),
        _ => None,
    }
}
