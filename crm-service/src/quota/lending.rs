//! Places of a portal's burst that are kept free for credential-service, which verifies tokens on the same limit. All but
//! one are lent to calls while it is known that it makes none.
//!
//! It tells before it calls, and waits until that was heard. One place is kept in any case: for a token of which it does not
//! know yet whose it is, and of which it can tell nobody.

use std::{fmt, sync::Arc};

use hubkeep_core::{clock::Tick, id::PortalId};

/// Kept free also while the rest is lent.
const AT_LEAST: usize = 1;

/// Says whether places are lent to calls of a portal now: whether it is known that credential-service makes none.
#[derive(Clone)]
pub struct Lends(Arc<dyn Fn(PortalId, Tick) -> bool + Send + Sync>);

impl Lends {
    /// As this says, which is asked for every call.
    pub fn when(is_known: impl Fn(PortalId, Tick) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_known))
    }

    pub(super) fn to(&self, portal: PortalId, now: Tick) -> bool {
        self.0(portal, now)
    }
}

/// Nothing is ever lent.
impl Default for Lends {
    fn default() -> Self {
        Self::when(|_, _| false)
    }
}

impl fmt::Debug for Lends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lends")
    }
}

/// What is kept free.
#[derive(Debug)]
pub(super) struct Kept {
    places: usize,
    lends: bool,
}

impl Kept {
    /// So many places, of which none is lent yet.
    pub(super) const fn new(places: usize) -> Self {
        Self { places, lends: false }
    }

    /// Lends, or lends no more. Says whether that is new.
    pub(super) const fn lend(&mut self, lends: bool) -> bool {
        let is_new = self.lends != lends;
        self.lends = lends;
        is_new
    }

    /// How many are kept free now.
    pub(super) const fn places(&self) -> usize {
        self.places.saturating_sub(self.lent())
    }

    /// How many are lent now.
    pub(super) const fn lent(&self) -> usize {
        match self.lends {
            true => self.places.saturating_sub(AT_LEAST),
            false => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_four_are_lent_and_what_is_not_kept_cannot_be_lent() {
        for (places, kept, lent) in [(4, 1, 3), (1, 1, 0), (0, 0, 0)] {
            let mut room = Kept::new(places);
            assert_eq!((room.places(), room.lent()), (places, 0));
            assert!(room.lend(true) && !room.lend(true));
            assert_eq!((room.places(), room.lent()), (kept, lent));
            assert!(room.lend(false));
            assert_eq!((room.places(), room.lent()), (places, 0));
        }
    }
}
