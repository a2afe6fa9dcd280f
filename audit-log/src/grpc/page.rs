//! Pages: how large, and from where. A page token is good only for the request that it was given out for.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::error::Error;
use crate::{Filter, Position, Search};

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

/// What the pages of one list have in common.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    pub(super) filter: &'a Filter,
    pub(super) newest_first: bool,
    /// Only events after this position.
    pub(super) after: Position,
}

impl Listing<'_> {
    /// The token of the page that begins behind `last`, the last event of the one before.
    pub(super) fn token(&self, last: Position) -> String {
        let mut bytes = last.get().to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.hash());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What is looked for, for the page of this token; an empty token is the first page.
    pub(super) fn page(&self, token: &str, limit: usize) -> Result<Search, Error> {
        let search = Search {
            filter: self.filter.clone(),
            newest_first: self.newest_first,
            after: self.after,
            before: None,
            limit,
        };
        if token.is_empty() {
            return Ok(search);
        }
        let last = self.last(token)?;
        Ok(match self.newest_first {
            true => Search {
                before: Some(last),
                ..search
            },
            false => Search {
                after: last.max(self.after),
                ..search
            },
        })
    }

    fn last(&self, token: &str) -> Result<Position, Error> {
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| Error::PageTokenInvalid)?;
        match bytes.split_first_chunk::<8>() {
            Some((position, bound)) if bound == self.hash() => Ok(Position(u64::from_be_bytes(*position))),
            _ => Err(Error::PageTokenInvalid),
        }
    }

    /// A hash of all that decides what a reader gets.
    fn hash(&self) -> Vec<u8> {
        let hash = digest::digest(&digest::SHA256, format!("{self:?}").as_bytes());
        hash.as_ref().iter().copied().take(HASH_BYTES).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(filter: &Filter, newest_first: bool) -> Listing<'_> {
        Listing {
            filter,
            newest_first,
            after: Position(3),
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
        let filter = Filter::all();
        let other = Filter {
            log: Some("x".to_owned()),
            ..Filter::all()
        };
        let oldest = all(&filter, false);
        let given = oldest.token(Position(42));
        assert_eq!(oldest.page(&given, 5).expect("its own").after, Position(42));
        let newest = all(&filter, true);
        let page = newest.page(&newest.token(Position(42)), 5).expect("its own");
        assert_eq!((page.after, page.before), (Position(3), Some(Position(42))));
        let elsewhere = Listing {
            after: Position(4),
            ..all(&filter, false)
        };
        for another in [all(&other, false), newest, elsewhere] {
            assert!(another.page(&given, 5).is_err(), "{another:?}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let filter = Filter::all();
        let listing = all(&filter, false);
        assert_eq!(listing.page("", 5).expect("first page").after, Position(3));
        let given = listing.token(Position(42));
        for broken in [
            "x",
            "!!",
            &given[..given.len() - 2],
            &format!("{given}AA"),
            "AAAA",
        ] {
            assert!(listing.page(broken, 5).is_err(), "{broken}");
        }
    }
}
