//! A day's calls of this deployment beside HubSpot's count of that day: what is more was made by somebody else, be it another
//! app of the account or whoever has a token. Also what they call while nobody here does is seen, with the next answer.
//!
//! A call counts as ours in every day in which HubSpot may count it: near midnight in two. It does so from when it is sent.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_core::clock::Timestamp;

use super::keeping::Kept;

/// What HubSpot said is compared when so much time has passed: by then also replicas have kept what they had made that do not say so.
const KEPT_WITHIN: Duration = Duration::from_secs(25);

/// Calls of a day that may be credential-service's own, which verifies tokens.
const OF_CREDENTIALS: u64 = 100;
/// So many more of others' calls are worth another note.
const APART: u64 = 100;

/// Calls by the end of the day in which they count.
pub(super) type ByDay = BTreeMap<Timestamp, u64>;

/// The calls of one portal's days.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Made here, and not kept yet with those of all replicas.
    fresh: ByDay,
    /// The end of the day of which the rest is known.
    day: Option<Timestamp>,
    /// The end of a day of which not all that was made is known.
    unsure: Option<Timestamp>,
    /// What HubSpot has counted, and when it said so; not compared yet.
    told: Option<(u64, Timestamp)>,
    others: Option<u64>,
    /// So many of them were put on record.
    noted: Option<u64>,
    /// They are not on record, though they should be.
    unnoted: bool,
}

impl Tally {
    /// A call was sent, which counts in the days that end then.
    pub(super) fn sent(&mut self, days: impl IntoIterator<Item = Timestamp>) {
        for day in days {
            let calls = self.fresh.entry(day).or_default();
            *calls = calls.saturating_add(1);
        }
    }

    /// The day is this one: of another nothing is known any more. What was made is still to be kept.
    pub(super) fn turns(&mut self, day: Timestamp) {
        if self.day == Some(day) {
            return;
        }
        *self = Self {
            fresh: std::mem::take(&mut self.fresh),
            day: Some(day),
            unsure: self.unsure,
            ..Self::default()
        };
    }

    /// Some calls of this day were not counted: nothing is compared before the next.
    pub(super) const fn is_unsure_of(&mut self, day: Timestamp) {
        self.unsure = Some(day);
    }

    /// HubSpot has counted so many calls of the day. It is compared a little later.
    pub(super) fn told(&mut self, used: u64, now: Timestamp) {
        self.told.get_or_insert((used, now));
    }

    /// Whether there is something to be kept, compared or noted.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        !self.fresh.is_empty() || self.unnoted || self.is_old_enough(now).is_some()
    }

    /// What is to be kept with what all replicas have made; it is here no more.
    pub(super) fn take(&mut self) -> ByDay {
        std::mem::take(&mut self.fresh)
    }

    /// It could not be kept.
    pub(super) fn put_back(&mut self, calls: ByDay) {
        for (day, calls) in calls {
            let fresh = self.fresh.entry(day).or_default();
            *fresh = fresh.saturating_add(calls);
        }
    }

    /// Whether HubSpot's count can be compared now with what all replicas have kept of the day, which began then.
    pub(super) fn compares(&self, began: Timestamp, kept: &Kept, now: Timestamp) -> bool {
        let is_sure = self.unsure.is_none_or(|day| Some(day) != self.day);
        let told = self.is_old_enough(now).filter(|_| is_sure);
        told.is_some_and(|(_, at)| kept.all_until(at) && kept.nobody_was_lost_since(began))
    }

    /// All replicas have made so many calls of the day, as far as they were kept now.
    pub(super) fn kept(&mut self, ours: u64) {
        let Some((used, _)) = self.told.take() else {
            return;
        };
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

    /// They are to be put on record, until they are.
    pub(super) const fn is_to_be_noted(&mut self) {
        self.unnoted = true;
    }

    /// They will do with what is told next.
    pub(super) const fn is_noted_later(&mut self) {
        self.unnoted = false;
    }

    /// So many are on record.
    pub(super) const fn noted(&mut self, gap: u64) {
        self.noted = Some(gap);
        self.unnoted = false;
    }

    fn is_old_enough(&self, now: Timestamp) -> Option<(u64, Timestamp)> {
        self.told.filter(|(_, at)| now.since(*at) >= KEPT_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Duration = Duration::from_secs(25);
    const BEGAN: Timestamp = Timestamp::from_micros(0);
    const DAY: Timestamp = Timestamp::from_micros(86_400_000_000);
    const NEXT: Timestamp = Timestamp::from_micros(2 * 86_400_000_000);

    /// One process, which has kept all.
    fn alone() -> Kept {
        let mut kept = Kept::default();
        kept.looked(DAY, Vec::new());
        kept.looked(DAY, Vec::new());
        kept
    }

    fn today() -> Tally {
        let mut tally = Tally::default();
        tally.turns(DAY);
        tally
    }

    #[test]
    fn what_hubspot_counts_beyond_what_all_replicas_have_made_is_others() {
        let mut now = Timestamp::from_micros(1);
        let mut tally = today();
        tally.sent([DAY]);
        tally.sent([DAY, NEXT]);
        tally.told(12, now);
        assert!(tally.is_due(now));
        assert_eq!(tally.take(), [(DAY, 2), (NEXT, 1)].into());
        assert!(
            !tally.compares(BEGAN, &alone(), now),
            "others may not have kept theirs"
        );
        assert!(!tally.is_due(now));
        now = now.plus(LATER);
        assert!(tally.is_due(now) && tally.compares(BEGAN, &alone(), now));
        tally.kept(5);
        assert_eq!(tally.others(), Some(7));
    }

    #[test]
    fn what_is_on_record_is_told_again_when_there_are_a_hundred_more() {
        let mut now = Timestamp::from_micros(1);
        let mut tally = today();
        for (used, gap) in [
            (100, None),
            (101, Some(1)),
            (200, None),
            (201, Some(101)),
            (350, Some(250)),
        ] {
            tally.told(used, now);
            now = now.plus(LATER);
            tally.kept(0);
            assert_eq!(tally.gap(), gap, "{used}");
            if let Some(gap) = gap {
                tally.noted(gap);
                assert_eq!(tally.gap(), None);
            }
        }
    }

    #[test]
    fn calls_made_since_hubspot_counted_hide_some_and_never_add_any() {
        let now = Timestamp::from_micros(1);
        let mut tally = today();
        for (used, ours, others) in [(10, 4, 6), (20, 30, 6), (40, 31, 9)] {
            tally.told(used, now);
            tally.kept(ours);
            assert_eq!(tally.others(), Some(others));
        }
    }

    #[test]
    fn over_midnight_nothing_is_lost_of_what_was_made_and_nothing_is_kept_of_what_was_told() {
        let now = Timestamp::from_micros(1);
        let mut tally = today();
        tally.told(500, now);
        tally.kept(0);
        tally.sent([DAY, NEXT]);
        tally.told(600, now);
        tally.turns(NEXT);
        assert_eq!((tally.others(), tally.gap()), (None, None));
        assert!(
            !tally.compares(DAY, &alone(), now.plus(LATER)),
            "that was of yesterday"
        );
        assert_eq!(tally.take(), [(DAY, 1), (NEXT, 1)].into());
    }

    #[test]
    fn a_day_of_which_not_all_calls_were_counted_is_not_compared_and_the_next_is() {
        let now = Timestamp::from_micros(1);
        let mut tally = today();
        tally.is_unsure_of(DAY);
        tally.told(500, now);
        assert!(!tally.compares(BEGAN, &alone(), now.plus(LATER)));
        tally.turns(NEXT);
        tally.told(500, now);
        assert!(tally.compares(BEGAN, &alone(), now.plus(LATER)));
    }
}
