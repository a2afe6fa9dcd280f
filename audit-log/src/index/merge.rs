//! Small spans into large ones: 64 at a time, a part of all terms in each transaction, so that none holds the file's lock for
//! long. Until it is said that they were put together, nobody reads the large one; from then on nobody reads the small ones.

use std::{collections::BTreeMap, ops::Range};

use hubkeep_core::database::Database;
use roaring::RoaringBitmap;

use super::{
    Level, MERGED,
    places::{self, Named, Unreadable},
    store,
    store::State,
    terms,
};
use crate::{Error, position::SPAN, turn::Turn};

/// Terms are hashes: so many parts of all of them are about equal.
const PARTS: i64 = 16;
/// The terms of a part: 2^64 in 16.
const WIDTH: i64 = 1 << 60;

/// Puts the next 64 together; `false` if others were quicker.
pub(super) async fn next(database: &Database, turn: &mut Turn, state: State) -> Result<bool, Error> {
    let spans = state.merged * MERGED..(state.merged + 1) * MERGED;
    for part in parts() {
        let rows = store::part(database, part, &spans).await?;
        let Ok(merged) = together(rows, &spans) else {
            tracing::error!("the index of the audit log was damaged: it is made anew");
            store::begin_anew(database).await?;
            return Ok(true);
        };
        let mut transaction = database.begin().await?;
        for (term, places) in merged {
            store::put(&mut transaction, Level::Large, term, state.merged, places).await?;
        }
        transaction.commit().await?;
    }
    let mut transaction = turn.transaction(database).await?;
    if !store::add_merged(&mut transaction, state.merged).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    transaction.commit().await?;
    for part in parts() {
        store::forget_part(database, part, spans.end).await?;
    }
    Ok(true)
}

/// The least and the greatest term of each part.
pub(super) fn parts() -> impl Iterator<Item = (i64, i64)> {
    (0..PARTS).map(|part| {
        let first = i64::MIN.wrapping_add(part.wrapping_mul(WIDTH));
        (first, first.wrapping_add(WIDTH - 1))
    })
}

/// Of each term, where it occurs in the large span.
fn together(rows: Vec<(i64, i64, Vec<u8>)>, spans: &Range<i64>) -> Result<Vec<(i64, Vec<u8>)>, Unreadable> {
    let mut offsets: BTreeMap<i64, RoaringBitmap> = BTreeMap::new();
    let mut records: BTreeMap<i64, Vec<Named>> = BTreeMap::new();
    for (term, span, bytes) in rows {
        let shift = u16::try_from((span - spans.start) * SPAN).map_err(|_| Unreadable)?;
        if term == terms::records() {
            for (start, offset) in places::read_records(&bytes)? {
                let of_large = records.entry(terms::records_like(start)).or_default();
                of_large.push((start, offset.saturating_add(shift)));
            }
        } else {
            let shifted = places::read(&bytes)?
                .into_iter()
                .map(|offset| offset + u32::from(shift));
            offsets.entry(term).or_default().extend(shifted);
        }
    }
    let offsets = offsets
        .into_iter()
        .map(|(term, offsets)| (term, places::stored(&offsets)));
    let records = records
        .into_iter()
        .map(|(term, records)| (term, places::stored_records(records)));
    Ok(offsets.chain(records).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_in_one_part() {
        let parts: Vec<_> = parts().collect();
        assert_eq!(parts[0].0, i64::MIN);
        assert_eq!(parts.last().expect("some").1, i64::MAX);
        for pair in parts.windows(2) {
            assert_eq!(pair[0].1 + 1, pair[1].0);
        }
    }

    #[test]
    fn offsets_move_to_where_their_span_is_in_the_large_one() {
        let small = |offsets: &[u32]| places::stored(&offsets.iter().copied().collect());
        let record = places::stored_records(vec![(0x0700_0001, 5)]);
        let rows = vec![
            (3, 64, small(&[0, 1_023])),
            (3, 127, small(&[1_023])),
            (terms::records(), 65, record),
        ];
        let merged: BTreeMap<i64, Vec<u8>> = together(rows, &(64..128)).expect("reads").into_iter().collect();
        let offsets = places::read(&merged[&3]).expect("reads");
        assert_eq!(offsets.iter().collect::<Vec<_>>(), [0, 1_023, 65_535]);
        let records = &merged[&terms::records_like(0x0700_0001)];
        assert_eq!(
            places::read_records(records).expect("reads"),
            [(0x0700_0001, 1_029)]
        );
        assert_eq!(merged.len(), 2);
    }
}
