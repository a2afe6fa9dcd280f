//! A store that fails at any point, and the ledger of what it has really written.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use hubkeep_proto::audit::v1::Entry;
use prost::Message as _;
use shuttle::{
    future::yield_now,
    rand::{Rng as _, thread_rng},
};

use crate::{
    CallResult, Cause, DatabaseError, Intent, Phase, Position,
    pending::{Effect, Pending},
    store::{Appended, Written},
};

/// What can happen to a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Troubles {
    /// A batch may be refused before anything of it is written.
    pub(crate) fails: bool,
    /// A batch may be written, and the answer be lost, as on a connection to a server.
    pub(crate) loses_answers: bool,
    /// The store may end for good, with a batch written or not.
    pub(crate) ends: bool,
}

/// What becomes of one batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Written,
    Refused,
    AnswerLost,
    EndsBefore,
    EndsAfter,
}

impl Troubles {
    fn fate(self) -> Fate {
        match thread_rng().gen_range(0..8) {
            0 | 1 if self.fails => Fate::Refused,
            2 | 3 if self.loses_answers => Fate::AnswerLost,
            4 if self.ends => Fate::EndsBefore,
            5 if self.ends => Fate::EndsAfter,
            _ => Fate::Written,
        }
    }
}

/// What is written, and what senders have made of it.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    /// By position, from 1.
    written: Vec<Entry>,
    /// Intents without an outcome.
    open: BTreeSet<Position>,
    /// The outcome of each intent.
    outcomes: BTreeMap<Position, Entry>,
    /// The ids of all outcomes that were ever to be written, by their intents.
    wanted: BTreeMap<Position, BTreeSet<String>>,
    /// Intents by which something was sent.
    sent: BTreeSet<Position>,
    healed: bool,
    ended: bool,
}

impl Ledger {
    pub(crate) fn shared() -> Arc<Self> {
        Arc::default()
    }

    /// No other task can go on while this is held: nothing under it may touch a channel.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("no task has failed")
    }

    pub(crate) fn heal(&self) {
        self.books().healed = true;
    }

    /// Whether nothing is open, or nobody is left to close it.
    pub(crate) fn is_settled(&self) -> bool {
        let books = self.books();
        books.open.is_empty() || books.ended
    }

    pub(crate) fn end(&self) -> Position {
        Position(self.books().written.len() as u64)
    }

    /// The entry that stands at a position. Whoever was told of the position has been told the truth only if there is one.
    pub(crate) fn at(&self, position: Position) -> Entry {
        let at = usize::try_from(position.get()).expect("small");
        let books = self.books();
        let entry = at.checked_sub(1).and_then(|at| books.written.get(at)).cloned();
        entry.expect("it was told to be durable before it was written")
    }

    /// Something goes out by the intent at this position.
    pub(crate) fn send(&self, position: Position) {
        let mut books = self.books();
        assert!(
            !books.outcomes.contains_key(&position),
            "it had ended before it was sent"
        );
        assert!(books.sent.insert(position), "sent twice");
    }

    /// The outcome that stands for the intent at this position.
    pub(crate) fn outcome_of(&self, intent: Position) -> Option<Entry> {
        self.books().outcomes.get(&intent).cloned()
    }

    /// What must hold when everything has ended.
    pub(crate) fn in_order(&self) {
        let books = self.books();
        assert!(
            books.ended || books.open.is_empty(),
            "open for ever: {:?}",
            books.open
        );
        for (intent, ids) in &books.wanted {
            assert_eq!(ids.len(), 1, "two outcomes of the intent at {intent}");
        }
        for (intent, outcome) in &books.outcomes {
            let not_sent = (outcome.result(), outcome.cause()) == (CallResult::Failed, Cause::NotSent);
            assert_eq!(
                not_sent,
                !books.sent.contains(intent),
                "the log is wrong about whether something was sent by the intent at {intent}"
            );
        }
    }
}

impl Books {
    /// Writes one entry, as every store does: an outcome only if its intent is open.
    fn write(&mut self, pending: &Pending, withdrawn: bool) -> Option<Position> {
        let entry = Entry::decode(&*pending.row.leaf).expect("a leaf");
        if let Effect::Closes(intent) = pending.effect {
            self.wanted
                .entry(intent)
                .or_default()
                .insert(entry.entry_id.clone());
            if !self.open.remove(&intent) {
                return None;
            }
            self.outcomes.insert(intent, entry.clone());
        } else if withdrawn {
            return None;
        }
        self.written.push(entry);
        let position = Position(self.written.len() as u64);
        if pending.effect == Effect::Opens {
            self.open.insert(position);
        }
        Some(position)
    }

    /// Where the very entry stands that an earlier try has written.
    fn earlier(&self, pending: &Pending) -> Option<Position> {
        let entry = Entry::decode(&*pending.row.leaf).expect("a leaf");
        let mut places = self.written.iter().zip(1..);
        places
            .find(|(written, _)| **written == entry)
            .map(|(_, at)| Position(at))
    }
}

/// A store that fails where the checker wants it to.
#[derive(Debug)]
pub(crate) struct FailingStore {
    ledger: Arc<Ledger>,
    troubles: Troubles,
    /// Intents that were refused, and may have been written: by the ids of their entries.
    doubts: HashMap<String, Box<Intent>>,
}

impl FailingStore {
    pub(crate) fn new(ledger: Arc<Ledger>, troubles: Troubles) -> Self {
        Self {
            ledger,
            troubles,
            doubts: HashMap::new(),
        }
    }

    pub(crate) async fn append(&mut self, mut batch: Vec<Pending>) -> Option<Appended> {
        yield_now().await;
        let (healed, ended) = {
            let books = self.ledger.books();
            (books.healed, books.ended)
        };
        if ended {
            return None;
        }
        let fate = if healed {
            Fate::Written
        } else {
            self.troubles.fate()
        };
        if healed {
            self.clear_doubt().await;
        }
        let positions = match fate {
            Fate::Refused | Fate::EndsBefore => Vec::new(),
            _ => self.write(&batch),
        };
        // Between the commit and the answer anything may happen.
        yield_now().await;
        let silent = || DatabaseError::Silent(Duration::ZERO);
        let result = match fate {
            Fate::Written => Ok(Written {
                begun: self.ledger.end(),
                end: self.ledger.end(),
                sizes: Vec::new(),
            }),
            Fate::Refused => Err(silent()),
            Fate::AnswerLost => {
                let refused = batch
                    .iter_mut()
                    .filter_map(|pending| pending.refuse_intent(&silent()));
                self.doubts
                    .extend(refused.map(|intent| (intent.entry_id().to_string(), intent)));
                Err(silent())
            }
            Fate::EndsBefore | Fate::EndsAfter => {
                self.ledger.books().ended = true;
                return None;
            }
        };
        let positions = if result.is_ok() { positions } else { Vec::new() };
        Some(Appended {
            batch,
            positions,
            result,
        })
    }

    fn write(&self, batch: &[Pending]) -> Vec<Option<Position>> {
        // Asked before anything is locked: others may go on at each question.
        let withdrawn: Vec<bool> = batch.iter().map(Pending::is_withdrawn).collect();
        let mut books = self.ledger.books();
        let written = batch.iter().zip(withdrawn).map(|(pending, withdrawn)| {
            let written = books.write(pending, withdrawn);
            let outcome = matches!(pending.effect, Effect::Closes(_));
            written.or_else(|| books.earlier(pending).filter(|_| outcome))
        });
        written.collect()
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// Closes what was written after all: nobody holds it, so it closes itself as it is dropped.
    pub(crate) async fn clear_doubt(&mut self) {
        yield_now().await;
        for (entry_id, mut intent) in std::mem::take(&mut self.doubts) {
            let found = {
                let books = self.ledger.books();
                let mut places = books.written.iter().zip(1..);
                let is_it = |entry: &Entry| entry.entry_id == entry_id && entry.phase() == Phase::Intent;
                places.find(|(entry, _)| is_it(entry)).map(|(_, at)| Position(at))
            };
            if let Some(position) = found {
                intent.durable_at(position);
            }
        }
    }
}
