//! What a call is about, by which failures of the same are told from failures of different ones.

use super::Call;
use crate::{
    crm::{Ask, AssociationAsk, Batch, BatchWork, Between, ObjectType, RecordId, RecordKey},
    quota::About,
};

/// One thing: a record, by whatever it is named and whatever is done with it; or of what names no record, all that is asked.
#[derive(Hash)]
enum Thing<'a> {
    Record(&'a ObjectType, &'a RecordId),
    Whole(&'a Ask),
}

impl<Authority> Call<Authority> {
    /// What it is about.
    pub(super) fn about(&self) -> About {
        About::new(self.call_id, things(&self.ask))
    }
}

fn things(ask: &Ask) -> Vec<Thing<'_>> {
    let records = match ask {
        Ask::GetObject { key, .. }
        | Ask::UpdateObject { key, .. }
        | Ask::ArchiveObject { key }
        | Ask::EraseContact { key } => vec![by_key(key)],
        Ask::MergeObjects {
            object_type,
            primary,
            merged,
        } => vec![
            Thing::Record(object_type, primary),
            Thing::Record(object_type, merged),
        ],
        Ask::Batch(batch) => of_batch(batch),
        Ask::Association(ask) => of_association(ask),
        _ => Vec::new(),
    };
    match records.is_empty() {
        true => vec![Thing::Whole(ask)],
        false => records,
    }
}

fn by_key(key: &RecordKey) -> Thing<'_> {
    Thing::Record(&key.object_type, &key.id)
}

fn of_batch(batch: &Batch) -> Vec<Thing<'_>> {
    let record = |id| Thing::Record(&batch.object_type, id);
    match &batch.work {
        BatchWork::Read { ids, .. } | BatchWork::Archive(ids) => ids.iter().map(record).collect(),
        BatchWork::Update { changes, .. } | BatchWork::Upsert { changes, .. } => {
            changes.iter().map(|(id, _)| record(id)).collect()
        }
        BatchWork::Create(_) => Vec::new(),
    }
}

fn from<'a>(between: &'a Between, id: &'a RecordId) -> Thing<'a> {
    Thing::Record(&between.object_type, id)
}

fn of_association(ask: &AssociationAsk) -> Vec<Thing<'_>> {
    match ask {
        AssociationAsk::List { end, .. }
        | AssociationAsk::Create { end, .. }
        | AssociationAsk::Remove { end, .. } => vec![Thing::Record(&end.object_type, &end.id)],
        AssociationAsk::ReadMany { between, of: records } => {
            records.iter().map(|(id, _)| from(between, id)).collect()
        }
        AssociationAsk::CreateMany { between, pairs } | AssociationAsk::RemoveMany { between, pairs } => {
            pairs.iter().map(|pair| from(between, &pair.from)).collect()
        }
        AssociationAsk::LabelMany { between, pairs } | AssociationAsk::UnlabelMany { between, pairs } => {
            pairs.iter().map(|(pair, _)| from(between, &pair.from)).collect()
        }
        AssociationAsk::Labels { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::crm::{PropertyName, Wanted};

    fn hashes(ask: &Ask) -> usize {
        things(ask).len()
    }

    fn get(id: &str) -> Ask {
        Ask::GetObject {
            key: Arc::new(RecordKey {
                object_type: ObjectType::read("contacts").expect("a type"),
                id: RecordId::read(id).expect("an id"),
                id_property: None,
            }),
            wanted: Arc::new(Wanted::properties([PropertyName::known("email")].into())),
            archived: false,
        }
    }

    #[test]
    fn what_names_records_is_about_them_and_the_rest_about_itself() {
        assert!(matches!(things(&get("1"))[..], [Thing::Record(..)]));
        assert!(matches!(things(&Ask::ReadAccount)[..], [Thing::Whole(_)]));
        let ids = ["1", "2"].map(|id| RecordId::read(id).expect("an id"));
        let batch = |work| {
            Ask::Batch(Arc::new(Batch {
                object_type: ObjectType::read("contacts").expect("a type"),
                work,
            }))
        };
        assert_eq!(hashes(&batch(BatchWork::Archive(ids.to_vec()))), 2);
        assert_eq!(hashes(&batch(BatchWork::Create(Vec::new()))), 1);
    }
}
