//! Making the index: entries into spans of 1,024 positions, a span in one transaction, behind the log and beside it. On
//! PostgreSQL the replica that holds the lock does it.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_core::clock::{SharedClock, Timestamp};
use hubkeep_proto::audit::v1::Event;
use roaring::RoaringBitmap;
use tokio_util::sync::CancellationToken;

use super::{
    Level, RULES, merge,
    places::{self, Named},
    store,
    store::State,
    terms,
};
use crate::{
    Error,
    position::SPAN,
    store::{Reader, Scan},
    turn::Turn,
};

/// Whoever holds it does the work.
const LOCK: &str = "hubkeep audit index";
/// How often it is looked whether a span is full.
const PAUSE: Duration = Duration::from_millis(500);
/// The shortest rest between spans while much is to be caught up: the file's lock is others' for so long.
const BREATH: Duration = Duration::from_millis(5);
/// So many times as long as a span took is rested: nine parts in ten of the time, and of the lock, are the calls'.
const RESTS: u32 = 9;

/// What a step has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Done,
    /// No span is full that is not indexed.
    NothingToDo,
    /// Another replica is at work.
    OthersWork,
}

/// Makes the index. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Indexer {
    reader: Reader,
    scan: Scan,
    clock: SharedClock,
}

impl Indexer {
    pub(crate) const fn new(reader: Reader, scan: Scan, clock: SharedClock) -> Self {
        Self { reader, scan, clock }
    }

    /// Works until it is told to end, and closes its connections.
    pub(crate) async fn run(self, end: CancellationToken) {
        let work = async {
            let mut trouble = String::new();
            loop {
                match self.catch_up().await {
                    Ok(()) => trouble.clear(),
                    Err(error) if error.to_string() == trouble => {}
                    Err(error) => {
                        tracing::error!(%error, "the audit log is not indexed now: queries take longer");
                        trouble = error.to_string();
                    }
                }
                self.clock.sleep(PAUSE).await;
            }
        };
        end.run_until_cancelled(work).await;
        self.reader.close().await;
    }

    async fn catch_up(&self) -> Result<(), Error> {
        loop {
            let began = self.clock.tick();
            if self.step().await? != Step::Done {
                return Ok(());
            }
            let took = self.clock.tick().since(began);
            self.clock.sleep(took.saturating_mul(RESTS).max(BREATH)).await;
        }
    }

    /// Brings the index up to date, at once.
    pub(crate) async fn finish(&self) -> Result<(), Error> {
        loop {
            match self.step().await? {
                Step::Done => {}
                Step::NothingToDo => return Ok(()),
                Step::OthersWork => tokio::task::yield_now().await,
            }
        }
    }

    /// Whether there is something to do, as far as can be seen without a lock.
    async fn is_idle(&self, state: State) -> Result<bool, Error> {
        if state.rules != RULES {
            // A newer version makes it by its own.
            return Ok(state.rules > RULES);
        }
        let full = self.reader.end().await?.as_i64() >= last_of(state.spans);
        Ok(!full && !state.is_mergeable())
    }

    async fn step(&self) -> Result<Step, Error> {
        let database = self.reader.database();
        if self.is_idle(store::state(database).await?).await? {
            return Ok(Step::NothingToDo);
        }
        let Some(mut turn) = Turn::take(database, LOCK).await? else {
            return Ok(Step::OthersWork);
        };
        // Others may have done it until the turn was had.
        let state = store::state(database).await?;
        if self.is_idle(state).await? {
            return Ok(Step::NothingToDo);
        }
        if state.rules < RULES {
            store::begin_anew(database).await?;
            return Ok(Step::Done);
        }
        if state.is_mergeable() {
            let merged = merge::next(database, &mut turn, state).await?;
            return Ok(if merged { Step::Done } else { Step::OthersWork });
        }
        self.span(&mut turn, state).await
    }

    /// Indexes the span that comes next, which is full.
    async fn span(&self, turn: &mut Turn, state: State) -> Result<Step, Error> {
        let database = self.reader.database();
        let first = state.spans * SPAN;
        let [before, last] = [first - 1, first + SPAN - 1].map(|place| u64::try_from(place).unwrap_or(0));
        let entries = self.scan.entries(before, last, usize::MAX).await;
        let mut span = Span::default();
        for entry in entries.map_err(Error::Entries)? {
            let event = entry.event()?;
            let offset = i64::try_from(event.position).unwrap_or(i64::MAX) - first;
            span.add(&event, u16::try_from(offset).unwrap_or(u16::MAX));
        }
        let mut transaction = turn.transaction(database).await?;
        if !store::add_span(&mut transaction, state.spans).await? {
            transaction.rollback().await?;
            return Ok(Step::OthersWork);
        }
        store::put_times(&mut transaction, state.spans, span.times()).await?;
        for (term, places) in span.rows() {
            store::put(&mut transaction, Level::Small, term, state.spans, places).await?;
        }
        transaction.commit().await?;
        Ok(Step::Done)
    }
}

/// The last position of a small span.
const fn last_of(span: i64) -> i64 {
    (span + 1) * SPAN - 1
}

/// What is known of the entries of a span.
#[derive(Default)]
struct Span {
    offsets: BTreeMap<i64, RoaringBitmap>,
    records: Vec<Named>,
    /// When the earliest and the latest were made.
    times: Option<(i64, i64)>,
}

impl Span {
    fn add(&mut self, event: &Event, offset: u16) {
        let Some(entry) = &event.entry else { return };
        for term in terms::of_entry(&event.log, entry) {
            self.offsets.entry(term).or_default().insert(u32::from(offset));
        }
        self.records
            .extend(terms::records_of(entry).map(|start| (start, offset)));
        if let Some(made) = entry.entry_time {
            let made = Timestamp::from(made).as_micros();
            let (first, last) = self.times.unwrap_or((made, made));
            self.times = Some((first.min(made), last.max(made)));
        }
    }

    /// Where nothing is known, nothing is within.
    fn times(&self) -> (i64, i64) {
        self.times.unwrap_or((i64::MAX, i64::MIN))
    }

    fn rows(self) -> impl Iterator<Item = (i64, Vec<u8>)> {
        let records =
            (!self.records.is_empty()).then(|| (terms::records(), places::stored_records(self.records)));
        let offsets = self.offsets.into_iter();
        offsets
            .map(|(term, offsets)| (term, places::stored(&offsets)))
            .chain(records)
    }
}
