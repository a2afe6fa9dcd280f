//! What became of many associations. They are one call, and are judged as one: done if all of it is, not done if nothing of it
//! is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hubkeep_hubspot::associations::{Association, AssociationType};

use super::{super::verdict::Verdict, Look, PAGES, has_kinds};
use crate::crm::{Answer, Ask, AssociationAsk, Between, MAX_ASSOCIATIONS_READ, Pair, RecordId};

/// What there is between the records of each pair.
type There = BTreeMap<Pair, Association>;

/// Whether all these pairs belong together, each in these ways.
pub(super) async fn created<L: Look>(
    between: &Between,
    pairs: Vec<(&Pair, &[AssociationType])>,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let named: Vec<&Pair> = pairs.iter().map(|(pair, _)| *pair).collect();
    let Some(mut there) = associated(between, &named, look).await? else {
        return Ok(Verdict::Open);
    };
    let (mut told, mut missing) = (Vec::new(), 0_usize);
    for (pair, kinds) in &pairs {
        match has_kinds(there.remove(*pair), kinds) {
            Verdict::Done(answer) => match *answer {
                Answer::Labels(labels) => told.push(Ok(labels)),
                _ => return Ok(Verdict::Open),
            },
            Verdict::NotDone => missing = missing.saturating_add(1),
            Verdict::Open => return Ok(Verdict::Open),
        }
    }
    Ok(match (told.len(), missing) {
        (_, 0) => Verdict::done(Answer::Pairs(told)),
        (0, _) => Verdict::NotDone,
        _ => Verdict::Open,
    })
}

/// Whether none of these pairs belongs together any more.
pub(super) async fn removed<L: Look>(
    between: &Between,
    pairs: &[Pair],
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let named: Vec<&Pair> = pairs.iter().collect();
    let Some(there) = associated(between, &named, look).await? else {
        return Ok(Verdict::Open);
    };
    let ended = || Answer::Pairs(pairs.iter().map(|_| Ok(Vec::new())).collect());
    Ok(match there.len() {
        0 => Verdict::done(ended()),
        some if some == pairs.len() => Verdict::NotDone,
        // Some were never there, or are gone: of the call as a whole that says nothing.
        _ => Verdict::Open,
    })
}

/// Whether none of these pairs has any of its labels any more.
pub(super) async fn unlabelled<L: Look>(
    between: &Between,
    pairs: &[(Pair, Vec<AssociationType>)],
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let named: Vec<&Pair> = pairs.iter().map(|(pair, _)| pair).collect();
    let Some(there) = associated(between, &named, look).await? else {
        return Ok(Verdict::Open);
    };
    let has = |pair: &Pair, kind: &AssociationType| {
        let found = there.get(pair);
        found.is_some_and(|found| found.labels.iter().any(|label| label.kind == *kind))
    };
    let each: Vec<bool> = pairs
        .iter()
        .flat_map(|(pair, kinds)| kinds.iter().map(move |kind| (pair, kind)))
        .map(|(pair, kind)| has(pair, kind))
        .collect();
    let taken_off = || Answer::Pairs(pairs.iter().map(|_| Ok(Vec::new())).collect());
    Ok(match (each.contains(&true), each.contains(&false)) {
        (false, _) => Verdict::done(taken_off()),
        (true, false) => Verdict::NotDone,
        // Some were never there, or are gone: of the call as a whole that says nothing.
        (true, true) => Verdict::Open,
    })
}

/// What there is; `None` if it cannot be told of all, or is too much to look through.
async fn associated<L: Look>(
    between: &Between,
    pairs: &[&Pair],
    look: &mut L,
) -> Result<Option<There>, L::Error> {
    let mut wanted: BTreeMap<&RecordId, BTreeSet<&RecordId>> = BTreeMap::new();
    for pair in pairs {
        wanted.entry(&pair.from).or_default().insert(&pair.to);
    }
    let mut there = There::new();
    let mut open: Vec<(RecordId, Option<String>)> =
        wanted.keys().map(|from| ((*from).clone(), None)).collect();
    for _ in 0..PAGES {
        let mut next = Vec::new();
        for of in open.chunks(MAX_ASSOCIATIONS_READ) {
            let ask = Ask::Association(Arc::new(AssociationAsk::ReadMany {
                between: between.clone(),
                of: of.to_vec(),
            }));
            let Some(Answer::Pages(rows)) = look.ask(ask).await? else {
                return Ok(None);
            };
            for ((from, _), row) in of.iter().zip(rows) {
                let (Ok(page), Some(missing)) = (row, wanted.get_mut(from)) else {
                    return Ok(None);
                };
                for found in page.items {
                    let to = missing.iter().find(|to| to.as_str() == found.to_id).copied();
                    if let Some(to) = to {
                        missing.remove(to);
                        let (from, to) = (from.clone(), to.clone());
                        there.insert(Pair { from, to }, found);
                    }
                }
                let after = page.after.filter(|_| !missing.is_empty());
                next.extend(after.map(|after| (from.clone(), Some(after))));
            }
        }
        if next.is_empty() {
            return Ok(Some(there));
        }
        open = next;
    }
    Ok(None)
}
