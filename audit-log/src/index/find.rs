//! Finding entries by the index, from either end of the log.

use std::sync::Arc;

use hubkeep_proto::audit::v1::Event;
use sqlx::any::AnyRow;

use super::{
    Level, MERGED, RULES,
    block::{Block, Sought},
    store,
    store::{AT_ONCE, State},
    times::{Spans, Times},
};
use crate::{
    Error, Filter, Position,
    position::SPAN,
    store::{Reader, whole},
};

/// Large spans that are looked at together: few at first, for often what is sought is in the first.
const FIRST_LARGE: i64 = 4;
const MOST_LARGE: i64 = 64;

/// What is wanted of a log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) newest_first: bool,
    /// Only what lies after this,
    pub(crate) after: Position,
    /// and up to this.
    pub(crate) until: Position,
    pub(crate) limit: usize,
}

/// Finds entries.
#[derive(Clone, Debug)]
pub(crate) struct Finder {
    reader: Reader,
    times: Arc<Times>,
}

impl Finder {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            times: Arc::new(Times::default()),
        }
    }

    /// What is wanted, each with its entry and its leaf.
    pub(crate) async fn find(&self, wanted: Wanted<'_>) -> Result<Vec<Event>, Error> {
        let Some(log) = self.reader.log_for(wanted.filter) else {
            return Ok(Vec::new());
        };
        if wanted.filter.call_id.is_some() {
            return self.of_call(wanted).await;
        }
        let mut search = Search {
            finder: self,
            sought: Sought::of(log.as_deref(), wanted.filter),
            log,
            wanted,
            low: wanted.after.plus(1).as_i64(),
            high: wanted.until.as_i64(),
            indexed_until: i64::MAX,
            large: FIRST_LARGE,
            found: Vec::new(),
        };
        loop {
            let state = search.state().await?;
            if search.is_over(state).await? {
                return Ok(search.found);
            }
        }
    }

    /// A call has few entries, and an index of its own.
    async fn of_call(&self, wanted: Wanted<'_>) -> Result<Vec<Event>, Error> {
        let Wanted {
            filter, after, until, ..
        } = wanted;
        let mut found = self.reader.all(filter, after, until).await?;
        if wanted.newest_first {
            found.reverse();
        }
        found.truncate(wanted.limit);
        Ok(found)
    }
}

/// One search under way.
struct Search<'a> {
    finder: &'a Finder,
    sought: Sought,
    log: Option<String>,
    wanted: Wanted<'a>,
    /// What is not looked at yet: from this position
    low: i64,
    /// up to this one.
    high: i64,
    /// No span behind this position has what is sought.
    indexed_until: i64,
    /// Large spans to look at next.
    large: i64,
    found: Vec<Event>,
}

/// What to look at next.
enum Next {
    Indexed(Block),
    /// Entries from this position to that one, which are not indexed yet.
    Plain(i64, i64),
}

impl Search<'_> {
    /// How far the index has come. One by other rules is none.
    async fn state(&self) -> Result<State, Error> {
        let state = store::state(self.finder.reader.database()).await?;
        if state.rules == RULES {
            return Ok(state);
        }
        Ok(State {
            spans: 0,
            merged: 0,
            ..state
        })
    }

    /// Looks on, as long as the index stands so; `false` if it has moved under it.
    async fn is_over(&mut self, state: State) -> Result<bool, Error> {
        let database = self.finder.reader.database();
        let times = match self.sought.window() {
            Some(_) => self.finder.times.of(database, state.spans).await?,
            None => Spans::default(),
        };
        self.skip(&times);
        while self.low <= self.high && self.found.len() < self.wanted.limit {
            let behind = self.indexed_until.saturating_add(1)..state.spans * SPAN;
            match self.wanted.newest_first {
                true if behind.contains(&self.high) => self.high = self.indexed_until,
                false if behind.contains(&self.low) => self.low = behind.end,
                _ => {}
            }
            if self.low > self.high {
                break;
            }
            let (first, last) = match self.next(state) {
                Next::Plain(first, last) => {
                    self.look(store::between(database, first, last).await?)?;
                    (first, last)
                }
                Next::Indexed(block) => {
                    let positions = block.candidates(database, &self.sought, &times).await?;
                    // When small spans are put together, they are taken away: perhaps while they were read.
                    if block.level == Level::Small && self.state().await?.merged != state.merged {
                        return Ok(false);
                    }
                    self.read(positions).await?;
                    block.positions()
                }
            };
            match self.wanted.newest_first {
                true => self.high = first - 1,
                false => self.low = last + 1,
            }
        }
        Ok(true)
    }

    /// Leaves out spans at the beginning that are over before the time that is asked for, and those at the end that begin
    /// after it.
    fn skip(&mut self, times: &Spans) {
        let Some(window) = self.sought.window() else {
            return;
        };
        let last = times.iter().rposition(|times| window.touches(*times));
        self.indexed_until = last.map_or(-1, |last| {
            let spans = i64::try_from(last).unwrap_or(i64::MAX).saturating_add(1);
            spans.saturating_mul(SPAN) - 1
        });
        let before = times.iter().take_while(|times| !window.touches(**times)).count();
        let first = i64::try_from(before).unwrap_or(i64::MAX).saturating_mul(SPAN);
        self.low = self.low.max(first);
    }

    fn next(&mut self, state: State) -> Next {
        let at = if self.wanted.newest_first {
            self.high
        } else {
            self.low
        };
        let (large_end, small_end) = (state.merged * MERGED * SPAN, state.spans * SPAN);
        if at >= small_end {
            return match self.wanted.newest_first {
                true => Next::Plain(self.low.max(small_end).max(at - SPAN + 1), at),
                false => Next::Plain(at, self.high.min(at + SPAN - 1)),
            };
        }
        let (level, most, from, to) = if at >= large_end {
            (Level::Small, MERGED, state.merged * MERGED, state.spans)
        } else {
            let large = self.large;
            self.large = (large * 2).min(MOST_LARGE);
            (Level::Large, large, 0, state.merged)
        };
        let span = at / level.width();
        let spans = match self.wanted.newest_first {
            true => from.max(span + 1 - most)..span + 1,
            false => span..to.min(span + most),
        };
        Next::Indexed(Block { level, spans })
    }

    /// Reads entries at positions, in order, as many as are wanted.
    async fn read(&mut self, mut positions: Vec<i64>) -> Result<(), Error> {
        positions.retain(|position| (self.low..=self.high).contains(position));
        if self.wanted.newest_first {
            positions.reverse();
        }
        let mut left = positions.as_slice();
        while !left.is_empty() && self.found.len() < self.wanted.limit {
            let wanted = self.wanted.limit - self.found.len();
            let (now, later) = left.split_at(left.len().min(AT_ONCE).min(wanted));
            left = later;
            self.look(store::at(self.finder.reader.database(), now).await?)?;
        }
        Ok(())
    }

    /// Keeps what passes, in order, as much as is wanted.
    fn look(&mut self, rows: Vec<AnyRow>) -> Result<(), Error> {
        let events: Result<Vec<Event>, Error> = rows.iter().map(whole).collect();
        let mut events = events?;
        events.sort_unstable_by_key(|event| event.position);
        if self.wanted.newest_first {
            events.reverse();
        }
        let room = self.wanted.limit - self.found.len();
        let passing = events
            .into_iter()
            .filter(|event| self.wanted.filter.passes(self.log.as_deref(), event));
        self.found.extend(passing.take(room));
        Ok(())
    }
}
