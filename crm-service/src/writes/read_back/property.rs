//! What became of a property that was to be made, changed or archived.

use std::sync::Arc;

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::properties::{NewProperty, Property, PropertyChange, PropertyOption};

use super::{
    super::verdict::{Found, Verdict, by_time},
    Look, pipeline,
};
use crate::crm::{Answer, Ask, ObjectType, PropertyName, SchemaAsk};

/// Reads back what became of a change to how records are made.
///
/// # Errors
/// With that of `look`.
pub(super) async fn schema<L: Look>(
    ask: &SchemaAsk,
    begun: Timestamp,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    match ask {
        SchemaAsk::CreateProperty {
            object_type,
            name,
            new,
        } => {
            let Some(there) = one(object_type, name, look).await? else {
                return Ok(Verdict::NotDone);
            };
            // What was there before has stood in its way; what is not as it was to be is somebody else's.
            let found = by_time(there.created, begun);
            Ok(match (found, is_as_made(&there, new)) {
                (Found::NotDone, _) => Verdict::NotDone,
                (Found::Done, true) => Verdict::done(Answer::Properties(vec![there])),
                _ => Verdict::Open,
            })
        }
        SchemaAsk::UpdateProperty {
            object_type,
            name,
            change,
        } => {
            let Some(there) = one(object_type, name, look).await? else {
                return Ok(Verdict::Open);
            };
            let found = by_time(there.updated, begun);
            Ok(match (found, is_as_changed(&there, change)) {
                // That it is as it was to be is what was wanted, whoever did it.
                (_, true) => Verdict::done(Answer::Properties(vec![there])),
                (Found::NotDone, false) => Verdict::NotDone,
                _ => Verdict::Open,
            })
        }
        SchemaAsk::ArchiveProperty { object_type, name } => {
            if one(object_type, name, look).await?.is_some() {
                return Ok(Verdict::NotDone);
            }
            let archived = SchemaAsk::Properties {
                object_type: object_type.clone(),
                archived: true,
            };
            let all = look.ask(Ask::Schema(Arc::new(archived))).await?;
            let is_there = matches!(all, Some(Answer::Properties(all))
                if all.iter().any(|one| one.name == name.as_str()));
            Ok(match is_there {
                true => Verdict::done(Answer::Done),
                false => Verdict::Open,
            })
        }
        SchemaAsk::Work { object_type, work } => pipeline::worked(object_type, work, begun, look).await,
        _ => Ok(Verdict::Open),
    }
}

async fn one<L: Look>(
    object_type: &ObjectType,
    name: &PropertyName,
    look: &mut L,
) -> Result<Option<Property>, L::Error> {
    let ask = SchemaAsk::Property {
        object_type: object_type.clone(),
        name: name.clone(),
    };
    Ok(match look.ask(Ask::Schema(Arc::new(ask))).await? {
        Some(Answer::Properties(found)) => found.into_iter().next(),
        _ => None,
    })
}

fn is_as_made(there: &Property, new: &NewProperty) -> bool {
    let texts = [
        (&there.label, &new.label),
        (&there.group, &new.group),
        (&there.kind, &new.kind),
        (&there.field, &new.field),
        (&there.description, &new.description),
    ];
    texts.iter().all(|(there, new)| there == new)
        && there.unique == new.unique
        && (new.options.is_empty() || are_alike(&there.options, &new.options))
}

fn is_as_changed(there: &Property, change: &PropertyChange) -> bool {
    let texts = [
        (&there.label, &change.label),
        (&there.group, &change.group),
        (&there.field, &change.field),
        (&there.description, &change.description),
    ];
    let same =
        |(there, wanted): &(&String, &Option<String>)| wanted.as_ref().is_none_or(|wanted| wanted == *there);
    texts.iter().all(same)
        && change.hidden.is_none_or(|hidden| hidden == there.hidden)
        && change
            .options
            .as_ref()
            .is_none_or(|options| are_alike(&there.options, options))
}

/// Whether they take the same values, called the same.
fn are_alike(there: &[PropertyOption], wanted: &[PropertyOption]) -> bool {
    let told = |option: &PropertyOption| (option.value.clone(), option.label.clone(), option.hidden);
    let sorted = |options: &[PropertyOption]| {
        let mut told: Vec<_> = options.iter().map(told).collect();
        told.sort();
        told
    };
    sorted(there) == sorted(wanted)
}
