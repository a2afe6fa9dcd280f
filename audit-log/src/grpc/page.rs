//! Pages: how large, and from where. A page token is good only for the request that it was given out for.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::error::Error;
use crate::{Filter, Position};

const DEFAULT_SIZE: usize = 100;
const MAX_SIZE: usize = 1_000;
/// How much of the filter's hash a token carries: enough to notice a mistake. It protects nothing, and need not:
/// what a reader may see is decided anew for each page.
const HASH_BYTES: usize = 16;

/// The size of a page; 0 is the default.
pub(super) fn size(asked: i32) -> Result<usize, Error> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) if size <= MAX_SIZE => Ok(size),
        _ => Err(Error::field(
            "page_size",
            "must be 1 to 1,000, or 0 for the default of 100",
        )),
    }
}

/// The token of the page after `after`.
pub(super) fn token(filter: &Filter, after: Position) -> String {
    let mut bytes = after.get().to_be_bytes().to_vec();
    bytes.extend_from_slice(&hash(filter));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where the page of this token begins; an empty token is the first page.
pub(super) fn after(filter: &Filter, token: &str) -> Result<Position, Error> {
    if token.is_empty() {
        return Ok(Position::START);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|_| Error::PageTokenInvalid)?;
    match bytes.split_first_chunk::<8>() {
        Some((position, bound)) if bound == hash(filter) => Ok(Position(u64::from_be_bytes(*position))),
        _ => Err(Error::PageTokenInvalid),
    }
}

/// A hash of all that decides what a reader gets.
fn hash(filter: &Filter) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, format!("{filter:?}").as_bytes());
    hash.as_ref().iter().copied().take(HASH_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;

    fn intents() -> Filter {
        Filter {
            phases: vec![Phase::Intent],
            ..Filter::all()
        }
    }

    #[test]
    fn a_size_holds_to_its_rule() {
        assert_eq!(size(0).expect("default"), 100);
        assert_eq!(size(1).expect("least"), 1);
        assert_eq!(size(1_000).expect("most"), 1_000);
        for refused in [-1, 1_001, i32::MIN, i32::MAX] {
            assert!(size(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_own_request_only() {
        let given = token(&intents(), Position(42));
        assert_eq!(after(&intents(), &given).expect("its own"), Position(42));
        assert!(after(&Filter::all(), &given).is_err());
    }

    #[test]
    fn what_is_no_token_is_refused() {
        assert_eq!(after(&intents(), "").expect("first page"), Position::START);
        let given = token(&intents(), Position(42));
        for broken in [
            "x",
            "!!",
            &given[..given.len() - 2],
            &format!("{given}AA"),
            "AAAA",
        ] {
            assert!(after(&intents(), broken).is_err(), "{broken}");
        }
    }
}
