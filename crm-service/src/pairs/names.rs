//! What stands for each pair of records.

use std::collections::BTreeSet;

use hubkeep_core::id::ClientSlug;

use crate::crm::{AssociationAsk, ObjectType, RecordId};

/// A record, by its type and id.
type Record<'a> = (&'a ObjectType, &'a RecordId);

/// A name for each pair that is changed, in order and once, whichever way round it is named.
pub(super) fn names(portal: &ClientSlug, ask: &AssociationAsk) -> Vec<String> {
    let pairs: Vec<(Record<'_>, Record<'_>)> = match ask {
        AssociationAsk::Create { end, to, .. } | AssociationAsk::Remove { end, to } => {
            vec![((&end.object_type, &end.id), (&end.to_type, to))]
        }
        AssociationAsk::LabelMany { between, pairs } | AssociationAsk::UnlabelMany { between, pairs } => {
            pairs
                .iter()
                .map(|(pair, _)| ((&between.object_type, &pair.from), (&between.to_type, &pair.to)))
                .collect()
        }
        AssociationAsk::CreateMany { between, pairs } | AssociationAsk::RemoveMany { between, pairs } => {
            pairs
                .iter()
                .map(|pair| ((&between.object_type, &pair.from), (&between.to_type, &pair.to)))
                .collect()
        }
        AssociationAsk::List { .. } | AssociationAsk::ReadMany { .. } | AssociationAsk::Labels { .. } => {
            Vec::new()
        }
    };
    let names: BTreeSet<String> = pairs
        .into_iter()
        .map(|(one, other)| name(portal, one, other))
        .collect();
    names.into_iter().collect()
}

fn name(portal: &ClientSlug, one: Record<'_>, other: Record<'_>) -> String {
    // By their ids alone: a type has several names, and records of other types with the same ids wait for no reason, which is rare
    // and harmless.
    let ((_, one), (_, other)) = (one, other);
    let (first, second) = match one.as_str() <= other.as_str() {
        true => (one.as_str(), other.as_str()),
        false => (other.as_str(), one.as_str()),
    };
    // None of these words has a space.
    format!("{portal} {first} {second}")
}
