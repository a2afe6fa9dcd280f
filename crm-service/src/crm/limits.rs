//! HubSpot's limits on the size of things, as it publishes them.

/// Properties in one request.
pub(super) const MAX_PROPERTIES: usize = 512;
/// Characters of one property's value: HubSpot's largest text property.
pub(super) const MAX_VALUE_CHARS: usize = 65_536;
/// Properties whose history is asked for in one request.
pub(super) const MAX_HISTORY: usize = 50;
/// Groups of conditions in one search.
pub(super) const MAX_FILTER_GROUPS: usize = 5;
/// Conditions in one group.
pub(super) const MAX_FILTERS_IN_GROUP: usize = 6;
/// Conditions in one search.
pub(super) const MAX_FILTERS: usize = 18;
/// Values of one IN or NOT_IN.
pub(super) const MAX_FILTER_VALUES: usize = 100;
/// Characters of a search's whole body.
pub(super) const MAX_SEARCH_CHARS: usize = 3_000;
/// Results that a search gives in all, over its pages.
pub(super) const MAX_SEARCH_RESULTS: u64 = 10_000;

/// Records whose associations HubSpot reads in one call, and pairs that it takes apart in one.
pub const MAX_ASSOCIATIONS_READ: usize = 1_000;
/// Pairs that HubSpot associates in one call.
pub const MAX_ASSOCIATIONS_MADE: usize = 2_000;

/// A page's size: what is asked for when nothing is said, and the most that may be.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    default: u32,
    most: u32,
}

/// Pages of records.
pub const LIST_PAGE: PageSize = PageSize {
    default: 10,
    most: 100,
};
/// Pages of records with the history of some properties: HubSpot gives fewer at once, and does not publish how many.
pub const HISTORY_PAGE: PageSize = PageSize {
    default: 10,
    most: 50,
};
/// Pages of a walk over all records of a type.
pub const WALK_PAGE: PageSize = PageSize {
    default: 100,
    most: 100,
};
/// The same with the history of some properties.
pub const WALK_HISTORY_PAGE: PageSize = PageSize {
    default: 50,
    most: 50,
};
/// Pages of search results.
pub const SEARCH_PAGE: PageSize = PageSize {
    default: 10,
    most: 200,
};
/// Pages of associated records.
pub const ASSOCIATION_PAGE: PageSize = PageSize {
    default: 100,
    most: 500,
};
/// Pages of writes of which account is kept: Hubkeep's own limit.
pub const WRITE_PAGE: PageSize = PageSize {
    default: 100,
    most: 500,
};
/// Pages of owners.
pub const OWNER_PAGE: PageSize = PageSize {
    default: 100,
    most: 100,
};

impl PageSize {
    /// The most that may be asked for.
    pub const fn most(self) -> u32 {
        self.most
    }

    /// The size asked for.
    ///
    /// # Errors
    /// With the rule, for a negative size and for one that is too large.
    pub fn read(self, asked: i32) -> Result<u32, String> {
        match u32::try_from(asked) {
            Ok(0) => Ok(self.default),
            Ok(size) if size <= self.most => Ok(size),
            _ => Err(format!(
                "must be from 1 to {}, or 0 for {}",
                self.most, self.default
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_never_negative_nor_too_large() {
        assert_eq!(LIST_PAGE.read(0), Ok(10));
        assert_eq!(LIST_PAGE.read(100), Ok(100));
        for wrong in [-1, i32::MIN, 101, 10_000] {
            assert!(LIST_PAGE.read(wrong).is_err(), "{wrong}");
        }
    }
}
