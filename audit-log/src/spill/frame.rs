//! One piece of a spill file: its length and its checksum, then its bytes.

use prost::Message;

/// The length, and the checksum of length and bytes, 4 bytes each, the lowest first.
const HEAD: usize = 8;
/// The longest piece. A leaf has 65,535 bytes at most, and few have a thousand.
const LONGEST: usize = 128 * 1024;

/// Puts a message behind what is there; `false`, and nothing is put, where it is too long.
pub(super) fn put(message: &impl Message, into: &mut Vec<u8>) -> bool {
    let bytes = message.encode_to_vec();
    let Some(length) = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LONGEST) else {
        return false;
    };
    let length = length.to_le_bytes();
    into.extend(length);
    into.extend(checksum(length, &bytes).to_le_bytes());
    into.extend(bytes);
    true
}

/// The message at the beginning of these bytes, and how many of them it takes; `None` if there is none.
pub(super) fn take<T: Message + Default>(bytes: &[u8]) -> Option<(T, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let long = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let piece = rest.get(..long).filter(|_| long <= LONGEST)?;
    if checksum(*length, piece) != u32::from_le_bytes(*sum) {
        return None;
    }
    Some((T::decode(piece).ok()?, HEAD.saturating_add(long)))
}

/// Of the length too, so that zeros are no piece.
fn checksum(length: [u8; 4], bytes: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&length);
    sum.update(bytes);
    sum.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_which_one_bit_is_another_is_none() {
        let mut bytes = Vec::new();
        assert!(put(&"an outcome".to_owned(), &mut bytes));
        let whole = take::<String>(&bytes);
        assert_eq!(whole, Some(("an outcome".to_owned(), bytes.len())));
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(take::<String>(&other), None, "bit {bit}");
        }
        assert_eq!(take::<String>(&bytes[..bytes.len() - 1]), None);
        assert_eq!(take::<String>(&[0; 64]), None);
    }

    #[test]
    fn what_is_too_long_is_not_put() {
        let mut bytes = Vec::new();
        assert!(!put(&"x".repeat(LONGEST + 1), &mut bytes));
        assert!(bytes.is_empty());
    }
}
