//! Events from a cursor on: those of the past, then new ones as they become durable.

use std::{collections::VecDeque, time::Duration};

use futures::{Stream, stream};
use hubkeep_core::clock::{SharedClock, Tick};

use crate::{Error, Event, Filter, Position, durable::Follower, store::Reader};

/// Events read from the database at once: what a slow reader holds in memory.
const PAGE: usize = 256;
/// After this long without an event, a reader is told how far it has come.
const SILENCE: Duration = Duration::from_secs(5);

/// What a tail gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Tailed {
    /// The next event that passes the filter.
    Event(Box<Event>),
    /// Nothing that passes the filter lies between the last event and this position. Given when the past has been
    /// given, and every 5 seconds of silence.
    Reached(Position),
}

struct Tail {
    reader: Reader,
    durable: Follower,
    clock: SharedClock,
    filter: Filter,
    /// Everything up to here was read.
    cursor: Position,
    /// What was read and not yet given.
    page: VecDeque<Event>,
    past_given: bool,
    last_given: Tick,
}

/// The events after `after` that pass the filter.
pub(crate) fn events(
    reader: Reader,
    durable: Follower,
    clock: SharedClock,
    after: Position,
    filter: Filter,
) -> impl Stream<Item = Result<Tailed, Error>> + Send + use<> {
    let last_given = clock.tick();
    let tail = Tail {
        reader,
        durable,
        clock,
        filter,
        cursor: after,
        page: VecDeque::new(),
        past_given: false,
        last_given,
    };
    stream::try_unfold(tail, |mut tail| async move {
        let next = tail.next().await?;
        Ok(next.map(|tailed| (tailed, tail)))
    })
}

impl Tail {
    /// The next thing to give; `None` when the log was stopped and everything was given.
    async fn next(&mut self) -> Result<Option<Tailed>, Error> {
        loop {
            if let Some(event) = self.page.pop_front() {
                return Ok(Some(self.given(Tailed::Event(Box::new(event)))));
            }
            let end = self.durable.newest();
            if self.cursor < end {
                self.read(end).await?;
                continue;
            }
            if !self.past_given {
                self.past_given = true;
                return Ok(Some(self.given(Tailed::Reached(self.cursor))));
            }
            let silent_at = self.last_given.plus(SILENCE);
            match self.clock.timeout_at(silent_at, self.durable.news()).await {
                Some(true) => {}
                Some(false) => return Ok(None),
                None => return Ok(Some(self.given(Tailed::Reached(self.cursor)))),
            }
        }
    }

    async fn read(&mut self, end: Position) -> Result<(), Error> {
        let page = self.reader.events(&self.filter, self.cursor, end, PAGE).await?;
        // A full page may have left something out before `end`.
        self.cursor = match page.last() {
            Some(last) if page.len() >= PAGE => Position(last.position),
            _ => end,
        };
        self.page = page.into();
        Ok(())
    }

    fn given(&mut self, tailed: Tailed) -> Tailed {
        self.last_given = self.clock.tick();
        tailed
    }
}
