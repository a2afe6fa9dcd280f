//! Which inputs of a write are of nobody who was erased.

use std::collections::BTreeSet;

use hubkeep_core::id::PortalId;

use super::addresses::written;
use crate::{
    call::{Error, Reply},
    crm::{Ask, RowError},
    suppression::{Known, Suppression},
};

/// The inputs of a batch that write nobody who was erased.
pub(super) struct Living {
    pub(super) places: Vec<usize>,
    /// How many inputs there are in all.
    inputs: usize,
}

impl Living {
    /// What came of all inputs, where this came of those.
    pub(super) fn among_all(self, reply: Reply) -> Result<Reply, Error> {
        let answer = reply.answer.among(&self.places, self.inputs, &RowError::Erased);
        let answer = answer.ok_or(Error::WrongAnswer)?;
        Ok(Reply { answer, ..reply })
    }
}

/// Which inputs may be made, where some may not; refuses what would write nobody but who was erased.
pub(super) async fn living(
    suppression: &Suppression,
    portal: PortalId,
    ask: &Ask,
) -> Result<Option<Living>, Error> {
    // Nothing is looked up for a write that names no address: it goes on though the list cannot be read.
    let written = written(ask);
    let asked: Vec<Known<'_>> = written
        .iter()
        .map(|(_, address)| Known::Address(address))
        .collect();
    let listed = suppression.places_of(portal, &asked).await?;
    let erased = listed.into_iter().filter_map(|place| written.get(place));
    let erased: BTreeSet<usize> = erased.map(|(input, _)| *input).collect();
    let Some(first) = erased.first() else {
        return Ok(None);
    };
    let inputs = match ask {
        Ask::Batch(batch) => batch.len(),
        _ => 1,
    };
    let places: Vec<usize> = (0..inputs).filter(|place| !erased.contains(place)).collect();
    match places.is_empty() {
        true => Err(Error::ContactErased { input: *first }),
        false => Ok(Some(Living { places, inputs })),
    }
}
