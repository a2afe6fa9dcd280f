//! A day's calls of this deployment beside HubSpot's count of that day: what is more was made by somebody else, be it another
//! app of the account or whoever has a token. Also what they call while nobody here does is seen, with the next answer.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;

/// What HubSpot said is compared when so much time has passed: by then all replicas have kept what they had made.
const KEPT_WITHIN: Duration = Duration::from_secs(25);

/// Calls of a day that may be credential-service's own, which verifies tokens.
const OF_CREDENTIALS: u64 = 100;
/// So many more of others' calls are worth another note.
const APART: u64 = 100;

/// The calls of one portal's day.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Made here, and not kept yet with those of all replicas.
    fresh: u64,
    /// What HubSpot has counted, and when it said so; not compared yet.
    told: Option<(u64, Timestamp)>,
    others: Option<u64>,
    /// So many of them were put on record.
    noted: Option<u64>,
}

impl Tally {
    /// A call was sent.
    pub(super) const fn sent(&mut self) {
        self.fresh = self.fresh.saturating_add(1);
    }

    /// HubSpot has counted so many calls of the day. It is compared a little later.
    pub(super) fn told(&mut self, used: u64, now: Timestamp) {
        self.told.get_or_insert((used, now));
    }

    /// Whether there is something to be kept or compared.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.fresh > 0 || self.compares(now).is_some()
    }

    /// What is to be kept with what all replicas have made; it is here no more.
    pub(super) const fn take(&mut self) -> u64 {
        std::mem::replace(&mut self.fresh, 0)
    }

    /// It could not be kept.
    pub(super) const fn put_back(&mut self, calls: u64) {
        self.fresh = self.fresh.saturating_add(calls);
    }

    /// All replicas have made so many calls of the day, as far as they were kept now.
    pub(super) fn kept(&mut self, ours: u64, now: Timestamp) {
        let Some(used) = self.compares(now) else {
            return;
        };
        self.told = None;
        // What was made since it was said is taken off too: too few are told, never too many.
        let others = used.saturating_sub(ours);
        self.others = self.others.max(Some(others));
    }

    /// At least so many calls of the day were made by others. `None` before HubSpot's count was compared.
    pub(super) const fn others(&self) -> Option<u64> {
        self.others
    }

    /// How many calls of others are to be put on record, where no others should be: those of credential-service are left
    /// out, and what is on record already is told again when there are a hundred more.
    pub(super) fn gap(&self) -> Option<u64> {
        let gap = self.others?.saturating_sub(OF_CREDENTIALS);
        let least = self.noted.map_or(1, |noted| noted.saturating_add(APART));
        (gap >= least).then_some(gap)
    }

    /// So many are on record.
    pub(super) const fn noted(&mut self, gap: u64) {
        self.noted = Some(gap);
    }

    fn compares(&self, now: Timestamp) -> Option<u64> {
        let (used, at) = self.told?;
        (now.since(at) >= KEPT_WITHIN).then_some(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_secs(25);

    #[test]
    fn what_hubspot_counts_beyond_what_all_replicas_have_made_is_others() {
        let mut now = Timestamp::from_micros(1);
        let mut tally = Tally::default();
        tally.sent();
        tally.sent();
        tally.told(12, now);
        assert!(tally.is_due(now));
        assert_eq!(tally.take(), 2);
        tally.kept(2, now);
        assert_eq!(tally.others(), None, "other replicas may not have kept theirs");
        assert!(!tally.is_due(now));
        now = now.plus(LATER);
        assert!(tally.is_due(now));
        tally.kept(5, now);
        assert_eq!(tally.others(), Some(7));
    }

    #[test]
    fn what_is_on_record_is_told_again_when_there_are_a_hundred_more() {
        let mut now = Timestamp::from_micros(1);
        let mut tally = Tally::default();
        for (used, gap) in [
            (100, None),
            (101, Some(1)),
            (200, None),
            (201, Some(101)),
            (350, Some(250)),
        ] {
            tally.told(used, now);
            now = now.plus(LATER);
            tally.kept(0, now);
            assert_eq!(tally.gap(), gap, "{used}");
            if let Some(gap) = gap {
                tally.noted(gap);
                assert_eq!(tally.gap(), None);
            }
        }
    }

    #[test]
    fn calls_made_since_hubspot_counted_hide_some_and_never_add_any() {
        let mut now = Timestamp::from_micros(1);
        let mut tally = Tally::default();
        for (used, ours, others) in [(10, 4, 6), (20, 30, 6), (40, 31, 9)] {
            tally.told(used, now);
            now = now.plus(LATER);
            tally.kept(ours, now);
            assert_eq!(tally.others(), Some(others));
        }
    }
}
