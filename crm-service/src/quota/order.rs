//! In which order HubSpot has given its answers about the day. They are heard in another: an old one, heard late, must not make
//! more of what is left than a later one has said.

/// What was known when a call was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    told: u64,
    ended: u64,
}

/// What was heard, in the order in which it was.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// So many times HubSpot has said what is left.
    told: u64,
    /// So many calls that were sent have ended.
    ended: u64,
    /// The last time that less was left than was known here: somebody else had called.
    less_at: u64,
    /// What is left at most, by all that was said: as if all calls under way were in HubSpot's count each time.
    at_most: Option<u64>,
}

impl Order {
    pub(super) const fn sent(&self) -> Sent {
        Sent {
            told: self.told,
            ended: self.ended,
        }
    }

    /// One was paid.
    pub(super) const fn taken(&mut self) {
        if let Some(left) = &mut self.at_most {
            *left = left.saturating_sub(1);
        }
    }

    /// What was paid was never sent.
    pub(super) const fn given_back(&mut self) {
        if let Some(left) = &mut self.at_most {
            *left = left.saturating_add(1);
        }
    }

    /// What is left at most, where what is left for sure is `known`.
    pub(super) fn at_most(&self, known: u64) -> u64 {
        self.at_most.unwrap_or(known).max(known)
    }

    /// A call that was sent has ended.
    pub(super) const fn ended(&mut self) {
        self.ended = self.ended.saturating_add(1);
    }

    /// HubSpot has refused a call because nothing is left.
    pub(super) const fn refused(&mut self) {
        self.told = self.told.saturating_add(1);
        self.less_at = self.told;
        self.at_most = None;
    }

    /// A new day has begun.
    pub(super) const fn turned(&mut self) {
        self.at_most = None;
    }

    /// What is left for sure, where it is `known` to be so much after all that were paid, and HubSpot has `said` so much in the
    /// answer to a call that was `sent` then, while so many others are `under_way`: they may be in its count, or not. Without a call
    /// it is as HubSpot says.
    pub(super) fn left(&mut self, known: Option<u64>, said: u64, under_way: u64, sent: Option<Sent>) -> u64 {
        self.told = self.told.saturating_add(1);
        let at_least = said.saturating_sub(under_way);
        let (Some(known), Some(sent)) = (known, sent) else {
            self.at_most = Some(said);
            return at_least;
        };
        let at_most = self.at_most(known).min(said);
        if said < known {
            self.less_at = self.told;
        }
        let left = if at_least < known || sent.told < self.less_at {
            at_least.min(known)
        } else {
            // Those that have ended since it was sent may have been counted after it.
            let ended = self.ended.saturating_sub(sent.ended);
            at_least.saturating_sub(ended).max(known)
        };
        self.at_most = Some(at_most.max(left));
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_heard_after_later_ones_makes_nothing_of_what_they_have_said() {
        let mut order = Order::default();
        let sent = order.sent();
        // Ten were sent together, and 90 are left. The last of them is heard first, and the first last.
        let mut left = 90;
        for (said, under_way) in (90..100).zip((0..10).rev()) {
            left = order.left(Some(left), said, under_way, Some(sent));
            assert!(left <= 90, "{left} after {said}");
            order.ended();
        }
        assert_eq!(order.at_most(left), 90);
    }

    #[test]
    fn what_somebody_else_has_called_is_not_forgotten_over_an_older_answer() {
        let mut order = Order::default();
        let before = order.sent();
        let left = order.left(Some(1_000), 500, 0, Some(before));
        assert_eq!(left, 500, "somebody else has called");
        let left = order.left(Some(left), 999, 0, Some(before));
        assert_eq!((left, order.at_most(left)), (500, 500), "it was given before");
        let left = order.left(Some(left), 2_000, 0, Some(order.sent()));
        assert_eq!(left, 2_000, "it was sent after, and there is more");
    }
}
