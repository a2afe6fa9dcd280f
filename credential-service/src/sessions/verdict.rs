//! What becomes of a refresh token that is presented. The one before the newest is taken once more if nothing that it gave was
//! ever used: then the answer was lost. Whoever presents any other has a copy, or somebody else has.

use super::secrets::{NEW, USED};

/// A refresh token, and how its session stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    /// Which of the session's pairs it belongs to.
    pub(super) sequence: u64,
    /// What was done with it.
    pub(super) state: i64,
    /// The newest of the session's pairs.
    pub(super) newest: u64,
    /// Whether anything of the newest pair was used.
    pub(super) newest_used: bool,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next pair, in place of its own.
    Next,
    /// The next pair, in place of one that never arrived.
    Again,
    /// Nothing, and the session ends.
    Copied,
}

impl Shown {
    pub(super) const fn verdict(self) -> Verdict {
        let is_newest = self.sequence == self.newest;
        let is_before = self.sequence.saturating_add(1) == self.newest;
        match self.state {
            NEW if is_newest => Verdict::Next,
            USED if is_before && !self.newest_used => Verdict::Again,
            _ => Verdict::Copied,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::secrets::SPENT, *};

    fn verdict(sequence: u64, state: i64, newest: u64, newest_used: bool) -> Verdict {
        Shown {
            sequence,
            state,
            newest,
            newest_used,
        }
        .verdict()
    }

    #[test]
    fn the_newest_is_taken_once_and_the_one_before_only_if_its_answer_was_lost() {
        assert_eq!(verdict(3, NEW, 3, false), Verdict::Next);
        assert_eq!(verdict(3, NEW, 3, true), Verdict::Next);
        assert_eq!(verdict(2, USED, 3, false), Verdict::Again);
        assert_eq!(verdict(2, USED, 3, true), Verdict::Copied);
        assert_eq!(verdict(2, SPENT, 3, false), Verdict::Copied);
        assert_eq!(verdict(1, USED, 3, false), Verdict::Copied);
        assert_eq!(verdict(3, USED, 3, false), Verdict::Copied);
    }

    proptest! {
        #[test]
        fn what_is_older_than_the_one_before_gives_nothing(
            sequence in 0_u64..8, state in 0_i64..4, newest in 0_u64..8, used: bool
        ) {
            let is_old = sequence + 1 < newest;
            if is_old || state == SPENT {
                prop_assert_eq!(verdict(sequence, state, newest, used), Verdict::Copied);
            }
        }
    }
}
