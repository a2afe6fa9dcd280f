//! Which positions of a span: as offsets from its beginning.

use roaring::RoaringBitmap;

/// What is stored is not what was written: the index is not used, and made anew.
#[derive(Debug)]
pub(super) struct Unreadable;

/// Offsets as they are stored.
pub(super) fn stored(offsets: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(offsets.serialized_size());
    // Writing to memory does not fail.
    let _ = offsets.serialize_into(&mut bytes);
    bytes
}

/// Offsets from what is stored.
pub(super) fn read(bytes: &[u8]) -> Result<RoaringBitmap, Unreadable> {
    RoaringBitmap::deserialize_from(bytes).map_err(|_| Unreadable)
}

/// The beginning of a record's keyed hash, and an offset at which an entry names that record.
pub(super) type Named = (u32, u16);

const NAMED: usize = 6;

/// Records with their offsets, as they are stored: sorted, four bytes and two.
pub(super) fn stored_records(mut records: Vec<Named>) -> Vec<u8> {
    records.sort_unstable();
    records.dedup();
    let bytes = records.into_iter().flat_map(|(start, offset)| {
        let ([a, b, c, d], [e, f]) = (start.to_be_bytes(), offset.to_be_bytes());
        [a, b, c, d, e, f]
    });
    bytes.collect()
}

/// Records with their offsets, from what is stored.
pub(super) fn read_records(bytes: &[u8]) -> Result<Vec<Named>, Unreadable> {
    let (all, rest) = bytes.as_chunks::<NAMED>();
    if !rest.is_empty() {
        return Err(Unreadable);
    }
    let read = |[a, b, c, d, e, f]: &[u8; NAMED]| {
        (u32::from_be_bytes([*a, *b, *c, *d]), u16::from_be_bytes([*e, *f]))
    };
    Ok(all.iter().map(read).collect())
}

/// The offsets at which records lie whose keyed hash begins so.
pub(super) fn of_record(bytes: &[u8], start: u32) -> Result<RoaringBitmap, Unreadable> {
    let records = read_records(bytes)?;
    let first = records.partition_point(|(one, _)| *one < start);
    let found = records.iter().skip(first).take_while(|(one, _)| *one == start);
    Ok(found.map(|(_, offset)| u32::from(*offset)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_at_each_of_its_offsets_and_at_no_others() {
        let bytes = stored_records(vec![(9, 65_535), (7, 3), (7, 1), (8, 2), (7, 3)]);
        assert_eq!(bytes.len(), 4 * NAMED);
        let found = |start| {
            of_record(&bytes, start)
                .expect("reads")
                .iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(found(7), [1, 3]);
        assert_eq!(found(9), [65_535]);
        assert_eq!(found(6), Vec::<u32>::new());
        of_record(&bytes[1..], 7).expect_err("cut");
    }

    #[test]
    fn offsets_are_read_as_they_were_stored() {
        let offsets: RoaringBitmap = (0..60_000).step_by(7).collect();
        assert_eq!(read(&stored(&offsets)).expect("reads"), offsets);
        read(b"nonsense").expect_err("none");
    }
}
