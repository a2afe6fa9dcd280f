//! Batches in HubSpot's words.

use hubkeep_core::error::ErrorReason;
use hubkeep_hubspot::{
    ApiVersion, Row as HubSpotRow, Share,
    objects::{
        Object, Wanted,
        batch::{self, Change, NewRecord, Upserted},
    },
};

use super::{Dispatch, Sending, Words, related::link, values};
use crate::{
    call::{
        Error, Reply,
        coalesce::{Company, place_of},
    },
    crm::{self, Answer, Batch, BatchWork, Done, PropertyName, PropertyValues, RecordId, Row, RowError},
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
                let company = admitted.call.company.as_deref();
                let share = |rows: &Vec<HubSpotRow<Object>>, number| share_of(rows, company, number);
                self.send_shared(admitted, ask?, share, rows_of).await
            }
            BatchWork::Create(inputs) => {
                let new = |input: &crm::NewRecord| NewRecord {
                    properties: values(&input.values),
                    associations: input.associations.iter().map(link).collect(),
                };
                let records: Vec<NewRecord> = inputs.iter().map(new).collect();
                let ask = batch::create(version, object_type, &records);
                self.send(admitted, ask?, rows_of).await
            }
            BatchWork::Update { changes, id_property } => {
                let by = id_property.as_ref().map(PropertyName::as_str);
                let ask = batch::update(version, object_type, &in_words(changes), by);
                self.send(admitted, ask?, rows_of).await
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

/// What of a batch is one call's, where it is read for several: its own record; or all of it, where all ask for all.
fn share_of(rows: &[HubSpotRow<Object>], company: Option<&Company>, number: usize) -> Share {
    let one = company.filter(|company| company.is_of_records());
    let Some(company) = one else {
        return Share::Whole;
    };
    match rows.get(place_of(company, number)) {
        Some(Ok(_)) => Share::Records(1),
        Some(Err(refusal)) => Share::Refused(refusal.reason()),
        None => Share::Refused(ErrorReason::ObjectNotFound),
    }
}

fn rows_of(rows: Vec<HubSpotRow<Object>>) -> Answer {
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
