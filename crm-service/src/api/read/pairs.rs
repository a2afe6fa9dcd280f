//! Messages about many associations: cut into as many calls as HubSpot takes them in.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_hubspot::associations::AssociationType;
use hubkeep_proto::crm::v1::{
    BatchCreateAssociationsRequest, BatchReadAssociationsRequest, BatchRemoveAssociationLabelsRequest,
    BatchRemoveAssociationsRequest,
};

use super::related::{kinds, question};
use crate::{
    api::{association_batch::ReadPairs, entrance::meant},
    crm::{
        AssociationAsk, Between, Faults, MAX_ASSOCIATIONS_MADE, MAX_ASSOCIATIONS_READ, ObjectType, Pair,
        RecordId,
    },
};

/// The most inputs of one request.
const MAX_INPUTS: usize = 5_000;

/// One call, and the places of its inputs in the message.
pub(in crate::api) struct Part {
    pub(in crate::api) places: Vec<usize>,
    pub(in crate::api) ask: AssociationAsk,
}

pub(in crate::api) fn batch_read_associations(message: &BatchReadAssociationsRequest) -> ReadPairs {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let between = between(&message.object_type, &message.to_object_type, &mut faults);
    let (mut of, mut seen) = (Vec::new(), BTreeSet::new());
    if has_sound_length(message.inputs.len(), &mut faults) {
        for (place, input) in message.inputs.iter().enumerate() {
            let field = format!("inputs[{place}].object_id");
            let id = faults.keep(&field, RecordId::read(&input.object_id));
            let ends = [&message.object_type, &input.object_id, &message.to_object_type];
            let question = question(&message.client_slug, ends);
            let token = format!("inputs[{place}].page_token");
            let after = question.cursor_in(&token, &input.page_token, &mut faults);
            if let Some(id) = id {
                if !seen.insert(id.clone()) {
                    faults.add(field, "stands here twice");
                }
                of.push((place, (id, after)));
            }
        }
    }
    let parts = between.map(|between| {
        parts(of, MAX_ASSOCIATIONS_READ, |of| AssociationAsk::ReadMany {
            between: between.clone(),
            of,
        })
    });
    faults.resolve(meant.zip(parts))
}

pub(in crate::api) fn batch_create_associations(message: &BatchCreateAssociationsRequest) -> ReadPairs {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let between = between(&message.object_type, &message.to_object_type, &mut faults);
    let mut pairs = Pairs::default();
    let (mut plain, mut labelled) = (Vec::new(), Vec::new());
    if has_sound_length(message.inputs.len(), &mut faults) {
        for (place, input) in message.inputs.iter().enumerate() {
            let field = format!("inputs[{place}].labels");
            let kinds = kinds(&field, &input.labels, &mut faults);
            let pair = pairs.read(place, (&input.object_id, &input.to_object_id), &mut faults);
            match pair {
                Some(pair) if kinds.is_empty() => plain.push((place, pair)),
                Some(pair) => labelled.push((place, (pair, kinds))),
                None => {}
            }
        }
    }
    let parts = between.map(|between| {
        let create = |pairs| AssociationAsk::CreateMany {
            between: between.clone(),
            pairs,
        };
        let label = |pairs: Vec<(Pair, Vec<AssociationType>)>| AssociationAsk::LabelMany {
            between: between.clone(),
            pairs,
        };
        let plain = without_mirrors(plain, |pair| pair).into_iter();
        // Each part reads the labels that are there anew: those of a pair that was turned round are among them.
        let labelled = without_mirrors(labelled, |(pair, _)| pair).into_iter();
        let plain = plain.flat_map(|pairs| parts(pairs, MAX_ASSOCIATIONS_MADE, create));
        let labelled = labelled.flat_map(|pairs| parts(pairs, MAX_ASSOCIATIONS_MADE, label));
        plain.chain(labelled).collect::<Vec<Part>>()
    });
    faults.resolve(meant.zip(parts))
}

pub(in crate::api) fn batch_remove_associations(message: &BatchRemoveAssociationsRequest) -> ReadPairs {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let between = between(&message.object_type, &message.to_object_type, &mut faults);
    let (mut pairs, mut read) = (Pairs::default(), Vec::new());
    if has_sound_length(message.inputs.len(), &mut faults) {
        for (place, input) in message.inputs.iter().enumerate() {
            let pair = pairs.read(place, (&input.object_id, &input.to_object_id), &mut faults);
            read.extend(pair.map(|pair| (place, pair)));
        }
    }
    let parts = between.map(|between| {
        parts(read, MAX_ASSOCIATIONS_READ, |pairs| AssociationAsk::RemoveMany {
            between: between.clone(),
            pairs,
        })
    });
    faults.resolve(meant.zip(parts))
}

pub(in crate::api) fn batch_remove_association_labels(
    message: &BatchRemoveAssociationLabelsRequest,
) -> ReadPairs {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let between = between(&message.object_type, &message.to_object_type, &mut faults);
    let (mut pairs, mut read) = (Pairs::default(), Vec::new());
    if has_sound_length(message.inputs.len(), &mut faults) {
        for (place, input) in message.inputs.iter().enumerate() {
            let field = format!("inputs[{place}].labels");
            let kinds = kinds(&field, &input.labels, &mut faults);
            // Whoever means all of them says so by the association without a label.
            if input.labels.is_empty() {
                faults.add(field, "must hold at least one");
            }
            let pair = pairs.read(place, (&input.object_id, &input.to_object_id), &mut faults);
            read.extend(pair.map(|pair| (place, (pair, kinds))));
        }
    }
    let parts = between.map(|between| {
        parts(read, MAX_ASSOCIATIONS_READ, |pairs| AssociationAsk::UnlabelMany {
            between: between.clone(),
            pairs,
        })
    });
    faults.resolve(meant.zip(parts))
}

fn between(object_type: &str, to_type: &str, faults: &mut Faults) -> Option<Between> {
    let object_type = faults.keep("object_type", ObjectType::read(object_type));
    let to_type = faults.keep("to_object_type", ObjectType::read(to_type));
    let (object_type, to_type) = object_type.zip(to_type)?;
    Some(Between { object_type, to_type })
}

fn has_sound_length(length: usize, faults: &mut Faults) -> bool {
    let sound = (1..=MAX_INPUTS).contains(&length);
    if !sound {
        faults.add("inputs", format!("must hold 1 to {MAX_INPUTS}"));
    }
    sound
}

/// Pairs that were read, of which none may come twice.
#[derive(Default)]
struct Pairs(BTreeSet<Pair>);

impl Pairs {
    fn read(&mut self, place: usize, (from, to): (&str, &str), faults: &mut Faults) -> Option<Pair> {
        let from = faults.keep(&format!("inputs[{place}].object_id"), RecordId::read(from));
        let to_field = format!("inputs[{place}].to_object_id");
        let to = faults.keep(&to_field, RecordId::read(to));
        let (from, to) = from.zip(to)?;
        let pair = Pair { from, to };
        if !self.0.insert(pair.clone()) {
            faults.add(to_field, "stands here twice with the same object_id");
            return None;
        }
        Some(pair)
    }
}

/// Groups of which none holds a pair and the same turned round: HubSpot's answer does not tell those apart.
fn without_mirrors<T>(inputs: Vec<(usize, T)>, pair_of: fn(&T) -> &Pair) -> Vec<Vec<(usize, T)>> {
    let mut groups: BTreeMap<bool, Vec<(usize, T)>> = BTreeMap::new();
    let all: BTreeSet<Pair> = inputs.iter().map(|(_, input)| pair_of(input).clone()).collect();
    for (place, input) in inputs {
        let pair = pair_of(&input);
        let turned = Pair {
            from: pair.to.clone(),
            to: pair.from.clone(),
        };
        // Of two such pairs one is the greater.
        let is_second = *pair > turned && all.contains(&turned);
        groups.entry(is_second).or_default().push((place, input));
    }
    groups.into_values().collect()
}

/// One call for as many inputs as HubSpot takes at once.
fn parts<T>(inputs: Vec<(usize, T)>, most: usize, ask: impl Fn(Vec<T>) -> AssociationAsk) -> Vec<Part> {
    let mut inputs = inputs.into_iter().peekable();
    let mut parts = Vec::new();
    while inputs.peek().is_some() {
        let (places, some) = inputs.by_ref().take(most).unzip();
        parts.push(Part {
            places,
            ask: ask(some),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(from: &str, to: &str) -> Pair {
        Pair {
            from: RecordId::read(from).expect("an id"),
            to: RecordId::read(to).expect("an id"),
        }
    }

    #[test]
    fn a_pair_and_the_same_turned_round_are_not_in_one_call() {
        let pairs = vec![
            (0, pair("1", "2")),
            (1, pair("2", "1")),
            (2, pair("3", "3")),
            (3, pair("1", "9")),
        ];
        let groups = without_mirrors(pairs, |pair| pair);
        let places: Vec<Vec<usize>> = groups
            .iter()
            .map(|group| group.iter().map(|(place, _)| *place).collect())
            .collect();
        assert_eq!(places, [vec![0, 2, 3], vec![1]]);
    }

    #[test]
    fn each_input_is_in_one_part_at_its_place() {
        let inputs = (0..5).map(|place| (place, pair("1", "2"))).collect();
        let between = Between {
            object_type: ObjectType::contacts(),
            to_type: ObjectType::contacts(),
        };
        let parts = parts(inputs, 2, |pairs| AssociationAsk::RemoveMany {
            between: between.clone(),
            pairs,
        });
        let places: Vec<&[usize]> = parts.iter().map(|part| part.places.as_slice()).collect();
        assert_eq!(places, [&[0, 1][..], &[2, 3], &[4]]);
        assert!(parts.iter().all(|part| part.ask.len() == part.places.len()));
    }
}
