//! Events from a cursor on: those of the past, then new ones as they become durable.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use futures::{Stream, stream};
use hubkeep_core::clock::{SharedClock, Tick, Timestamp};

use crate::{
    Beginning, Error, Event, Filter, Position,
    durable::Follower,
    recent::Recent,
    retention,
    store::{Page, Reader},
};

/// Events read from the database at once: what a slow reader holds in memory.
const PAGE: usize = 256;
/// After this long without an event, a reader is told how far it has come.
const SILENCE: Duration = Duration::from_secs(5);

/// What a tail gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Tailed {
    /// The next event that passes the filter.
    Event(Box<Event>),
    /// Entries of this log that might have been given here are gone. Given before the events that follow them, and again when
    /// more went meanwhile.
    Begins(Box<Beginning>),
    /// Nothing that passes the filter lies between the last event and this position. Given when the past has been
    /// given, and every 5 seconds of silence.
    Reached(Position),
}

struct Tail {
    reader: Reader,
    recent: Recent,
    durable: Follower,
    clock: SharedClock,
    filter: Filter,
    /// Everything up to here was read.
    cursor: Position,
    /// What was read and not yet given.
    page: VecDeque<Tailed>,
    /// Where logs begin, as it was told.
    begun: HashMap<String, u64>,
    past_given: bool,
    last_given: Tick,
    /// What was made before this is not read at all.
    skips_to: Option<Timestamp>,
}

/// The events after `after` that pass the filter.
pub(crate) fn events(
    (reader, recent): (Reader, Recent),
    durable: Follower,
    clock: SharedClock,
    after: Position,
    filter: Filter,
) -> impl Stream<Item = Result<Tailed, Error>> + Send + use<> {
    let last_given = clock.tick();
    let tail = Tail {
        skips_to: filter.start_time,
        reader,
        recent,
        durable,
        clock,
        filter,
        cursor: after,
        page: VecDeque::new(),
        begun: HashMap::new(),
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
            if let Some(next) = self.page.pop_front() {
                return Ok(Some(self.given(next)));
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
        if let Some(start) = self.skips_to.take() {
            self.cursor = self.cursor.max(self.reader.before(start, end).await?);
        }
        let page = match self.held(end) {
            Some(page) => page?,
            None => self.stored(end).await?,
        };
        self.cursor = page.reached;
        let events = page.events.into_iter().map(without_leaf);
        self.page
            .extend(events.map(|event| Tailed::Event(Box::new(event))));
        Ok(())
    }

    /// What comes next, from the database; and what is gone where it was looked for.
    async fn stored(&mut self, end: Position) -> Result<Page, Error> {
        let page = self.reader.page(&self.filter, self.cursor, end, PAGE).await?;
        let gone = retention::within(&self.reader, &self.filter, self.cursor, page.reached).await?;
        for beginning in gone {
            let told = self.begun.insert(beginning.log.clone(), beginning.first_index);
            if told != Some(beginning.first_index) {
                self.page.push_back(Tailed::Begins(Box::new(beginning)));
            }
        }
        Ok(page)
    }

    /// What comes next, if it is in memory.
    fn held(&self, end: Position) -> Option<Result<Page, Error>> {
        let log = self.reader.log_for(&self.filter)?;
        self.recent.page(&self.filter, log.as_deref(), self.cursor, end)
    }

    fn given(&mut self, tailed: Tailed) -> Tailed {
        self.last_given = self.clock.tick();
        tailed
    }
}

/// What readers of entries get.
pub(crate) fn without_leaf(event: Event) -> Event {
    Event {
        leaf: Vec::new(),
        ..event
    }
}
