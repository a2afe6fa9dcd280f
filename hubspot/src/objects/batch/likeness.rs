//! Which record came of which input, where HubSpot repeats neither the trace id nor the property that an input goes by. An
//! input is known by a value that no other input has, if one result has it and no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::rows::{Rows, like};

/// A property and its value, as they are compared.
type Mark = (String, String);

/// Puts the records that are of no input so far to those that they are like. Nothing is put to anything where the answer has
/// not as many parts as inputs are left: then one of them may have come to nothing, and another's record be like it.
pub(super) fn place<T: Clone + PartialEq>(
    rows: &mut Rows<T>,
    inputs: &[BTreeMap<String, String>],
    properties: impl Fn(&T) -> &BTreeMap<String, String>,
) {
    if !rows.adds_up() {
        return;
    }
    let marks = distinct(rows, inputs);
    let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (stray, told) in rows.strays.iter().enumerate() {
        let of: BTreeSet<usize> = marked(properties(&told.value))
            .filter_map(|mark| marks.get(&mark).copied())
            .collect();
        // A result that is like two inputs is put to neither.
        if let (Some(row), 1) = (of.first(), of.len()) {
            claims.entry(*row).or_default().push(stray);
        }
    }
    let certain: BTreeMap<usize, usize> = claims
        .into_iter()
        .filter_map(|(row, strays)| match *strays {
            [stray] => Some((stray, row)),
            _ => None,
        })
        .collect();
    let strays = std::mem::take(&mut rows.strays);
    for (stray, told) in strays.into_iter().enumerate() {
        match certain.get(&stray) {
            Some(row) => rows.say(&[*row], &Ok(told.value)),
            None => rows.strays.push(told),
        }
    }
}

/// The marks that one of the inputs has alone, of those that nothing was said of. What any other input has too, also one that
/// was refused, tells nothing.
fn distinct<T: Clone + PartialEq>(
    rows: &Rows<T>,
    inputs: &[BTreeMap<String, String>],
) -> BTreeMap<Mark, usize> {
    let mut marks: BTreeMap<Mark, Vec<usize>> = BTreeMap::new();
    for (row, properties) in inputs.iter().enumerate() {
        for mark in marked(properties) {
            marks.entry(mark).or_default().push(row);
        }
    }
    let alone = marks.into_iter().filter_map(|(mark, of)| match *of {
        [row] if rows.is_open(row) => Some((mark, row)),
        _ => None,
    });
    alone.collect()
}

fn marked(properties: &BTreeMap<String, String>) -> impl Iterator<Item = Mark> {
    let with_value = properties.iter().filter(|(_, value)| !value.is_empty());
    with_value.map(|(name, value)| (name.clone(), like(value)))
}
