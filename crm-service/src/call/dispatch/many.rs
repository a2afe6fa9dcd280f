//! Batches in HubSpot's words.

use hubkeep_hubspot::{
    ApiVersion, Row as HubSpotRow,
    objects::{
        Object, Wanted,
        batch::{self, Change, NewRecord, Upserted},
    },
};

use super::{Dispatch, Sending, Words, values};
use crate::{
    call::{Error, Reply},
    crm::{Answer, Batch, BatchWork, Done, PropertyName, PropertyValues, RecordId, Row, RowError},
};

impl Dispatch {
    /// Sends a batch.
    pub(super) async fn many(
        &self,
        admitted: Sending<'_>,
        version: ApiVersion,
        batch: &Batch,
    ) -> Result<Reply, Error> {
        let object_type = batch.object_type.as_str();
        match &batch.work {
            BatchWork::Read {
                ids: wanted_ids,
                id_property,
                wanted,
                archived,
            } => {
                let Words {
                    properties, history, ..
                } = Words::of(wanted);
                let wanted = Wanted {
                    properties: &properties,
                    history: &history,
                    archived: *archived,
                };
                let ids = ids(wanted_ids);
                let by = id_property.as_ref().map(PropertyName::as_str);
                let ask = batch::read(version, object_type, &ids, by, &wanted);
                self.send(admitted, ask?, rows).await
            }
            BatchWork::Create(inputs) => {
                let new = |properties: &PropertyValues| NewRecord {
                    properties: values(properties),
                    ..NewRecord::default()
                };
                let records: Vec<NewRecord> = inputs.iter().map(new).collect();
                let ask = batch::create(version, object_type, &records);
                self.send(admitted, ask?, rows).await
            }
            BatchWork::Update { changes, id_property } => {
                let by = id_property.as_ref().map(PropertyName::as_str);
                let ask = batch::update(version, object_type, &in_words(changes), by);
                self.send(admitted, ask?, rows).await
            }
            BatchWork::Upsert { changes, id_property } => {
                let ask = batch::upsert(version, object_type, &in_words(changes), id_property.as_str());
                self.send(admitted, ask?, upserted).await
            }
            BatchWork::Archive(archived) => {
                let ids = ids(archived);
                let ask = batch::archive(version, object_type, &ids);
                self.send(admitted, ask?, |()| gone(ids)).await
            }
        }
    }
}

fn ids(ids: &[RecordId]) -> Vec<String> {
    ids.iter().map(|id| id.as_str().to_owned()).collect()
}

fn in_words(changes: &[(RecordId, PropertyValues)]) -> Vec<Change> {
    let change = |(id, new): &(RecordId, PropertyValues)| Change {
        id: id.as_str().to_owned(),
        properties: values(new),
    };
    changes.iter().map(change).collect()
}

fn rows(rows: Vec<HubSpotRow<Object>>) -> Answer {
    let row = |row: HubSpotRow<Object>| row.map(Done::from).map_err(RowError::HubSpot);
    Answer::Rows(rows.into_iter().map(row).collect())
}

fn upserted(rows: Vec<HubSpotRow<Upserted>>) -> Answer {
    let done = |Upserted { object, new }| Done {
        object,
        created: new == Some(true),
    };
    let row = |row: HubSpotRow<Upserted>| row.map(done).map_err(RowError::HubSpot);
    Answer::Rows(rows.into_iter().map(row).collect())
}

/// HubSpot says of all at once that they are archived.
fn gone(ids: Vec<String>) -> Answer {
    let archived = |id| {
        Row::Ok(Done::from(Object {
            id,
            archived: true,
            ..Object::default()
        }))
    };
    Answer::Rows(ids.into_iter().map(archived).collect())
}
