//! Associations and schemas in HubSpot's words.

use hubkeep_hubspot::{
    ApiVersion,
    associations::{self, AssociationType, Label, Link, Record},
    pipelines, properties, schemas,
};

use super::{Dispatch, Sending};
use crate::{
    call::{Error, Reply},
    crm::{Answer, AssociationAsk, End, NewAssociation, RecordId, SchemaAsk},
};

impl Dispatch {
    /// Asks what records have to do with each other, or changes it.
    pub(super) async fn association(
        &self,
        admitted: Sending<'_>,
        version: ApiVersion,
        ask: &AssociationAsk,
    ) -> Result<Reply, Error> {
        match ask {
            AssociationAsk::List { end, limit, after } => {
                let ask =
                    associations::list(version, from(end), end.to_type.as_str(), *limit, after.as_deref());
                self.send(admitted, ask, Answer::Associated).await
            }
            AssociationAsk::Create {
                end,
                to: other,
                kinds,
            } if kinds.is_empty() => {
                let ask = associations::put_default(version, from(end), to(end, other));
                self.send_row(admitted, ask, |types| {
                    Answer::Labels(types.into_iter().map(unlabelled).collect())
                })
                .await
            }
            AssociationAsk::Create {
                end,
                to: other,
                kinds,
            } => {
                let ask = associations::put_labels(version, from(end), to(end, other), kinds);
                let set = kinds.iter().cloned().map(unlabelled).collect();
                self.send(admitted, ask, |_names| Answer::Labels(set)).await
            }
            AssociationAsk::Remove { end, to: other } => {
                let ask = associations::remove(version, from(end), to(end, other));
                self.send(admitted, ask, |()| Answer::Done).await
            }
            AssociationAsk::Labels { object_type, to_type } => {
                let ask = associations::labels(version, object_type.as_str(), to_type.as_str());
                self.send(admitted, ask, Answer::Labels).await
            }
        }
    }

    /// Asks how records are made.
    pub(super) async fn schema(
        &self,
        admitted: Sending<'_>,
        version: ApiVersion,
        ask: &SchemaAsk,
    ) -> Result<Reply, Error> {
        match ask {
            SchemaAsk::Properties {
                object_type,
                archived,
            } => {
                let ask = properties::list(version, object_type.as_str(), *archived);
                self.send(admitted, ask, Answer::Properties).await
            }
            SchemaAsk::Property { object_type, name } => {
                let ask = properties::get(version, object_type.as_str(), name.as_str());
                self.send(admitted, ask, |one| Answer::Properties(vec![one]))
                    .await
            }
            SchemaAsk::Pipelines(object_type) => {
                let ask = pipelines::list(version, object_type.as_str());
                self.send(admitted, ask, Answer::Pipelines).await
            }
            SchemaAsk::Pipeline { object_type, id } => {
                let ask = pipelines::get(version, object_type.as_str(), id.as_str());
                self.send(admitted, ask, |one| Answer::Pipelines(vec![one])).await
            }
            SchemaAsk::Types => {
                self.send(admitted, schemas::list(version, false), Answer::Types)
                    .await
            }
            SchemaAsk::Type(object_type) => {
                let ask = schemas::get(version, object_type.as_str());
                self.send(admitted, ask, |one| Answer::Types(vec![one])).await
            }
        }
    }
}

fn from(end: &End) -> Record<'_> {
    Record {
        object_type: end.object_type.as_str(),
        id: end.id.as_str(),
    }
}

fn to<'a>(end: &'a End, id: &'a RecordId) -> Record<'a> {
    Record {
        object_type: end.to_type.as_str(),
        id: id.as_str(),
    }
}

/// What a new record is associated with.
pub(super) fn link(association: &NewAssociation) -> Link {
    Link {
        to_id: association.id.as_str().to_owned(),
        types: vec![association.kind.clone()],
    }
}

const fn unlabelled(kind: AssociationType) -> Label {
    Label { kind, label: None }
}
