//! What became of each input of a batch. HubSpot's answer is a list of results and a list of errors, in any order; an input is
//! found in them by the trace id that it carried, or by its own id. Nothing that the answer leaves unsaid is taken for
//! done, nor for not done.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

use crate::{
    answer::Standing,
    refusal::{RowRefusal, WireRow},
    wire::{self, JsonObject},
};

/// A batch that HubSpot would not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a batch has 1 to {most} inputs, and this one has {given}")]
pub struct BatchSize {
    /// How many inputs it has.
    pub given: usize,
    /// How many it may have.
    pub most: usize,
}

impl BatchSize {
    /// Refuses what is empty or too long.
    pub(crate) const fn check(given: usize, most: usize) -> Result<(), Self> {
        if given == 0 || given > most {
            return Err(Self { given, most });
        }
        Ok(())
    }
}

/// What became of one input.
pub type Row<T> = Result<T, RowRefusal>;

/// By what an input is found in the answer.
#[derive(Clone, Default)]
pub(crate) struct Sent {
    /// The trace id that it carried.
    pub(crate) trace: Option<String>,
    /// What it names: an id, or two.
    pub(crate) key: Option<String>,
}

/// A result, and by what its input is found.
pub(crate) struct Told<T> {
    pub(crate) trace: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) value: T,
}

/// The answer to a batch.
pub(crate) struct Answered<W> {
    pub(crate) results: Vec<W>,
    pub(crate) refusals: Vec<WireRow>,
}

#[derive(Deserialize)]
struct WireBatch<W> {
    results: Vec<JsonObject<W>>,
    #[serde(default)]
    errors: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct WireRefusals {
    #[serde(default)]
    errors: Option<Vec<Value>>,
}

/// Reads the answer to a batch. One without a list of results is none.
pub(crate) fn answered<W: DeserializeOwned>(body: &[u8]) -> Result<Answered<W>, serde_json::Error> {
    let wire: WireBatch<W> = wire::object(body)?;
    let errors = wire.errors.unwrap_or_default();
    Ok(Answered {
        results: wire
            .results
            .into_iter()
            .map(|JsonObject(result)| result)
            .collect(),
        refusals: errors.iter().map(WireRow::of).collect(),
    })
}

/// Reads the answer to a batch that has no results: only what was refused.
pub(crate) fn refusals(body: &[u8]) -> Result<Vec<WireRow>, serde_json::Error> {
    let wire: WireRefusals = wire::object(body)?;
    Ok(wire.errors.unwrap_or_default().iter().map(WireRow::of).collect())
}

/// The inputs, and what is known of each so far.
pub(crate) struct Rows<T> {
    rows: Vec<Known<T>>,
    by_trace: BTreeMap<String, Vec<usize>>,
    by_key: BTreeMap<String, Vec<usize>>,
    by_like_key: BTreeMap<String, Vec<usize>>,
    /// Results that are of no input, as far as can be told.
    pub(crate) strays: Vec<Told<T>>,
    /// Refusals that are of no input, as far as can be told.
    pub(crate) stray_refusals: Vec<RowRefusal>,
}

enum Known<T> {
    Nothing,
    Once(Row<T>),
    /// Two things were said of it, which cannot both be.
    Contradiction,
}

impl<T: Clone + PartialEq> Rows<T> {
    pub(crate) fn of(sent: &[Sent]) -> Self {
        let index = |name: &dyn Fn(&Sent) -> Option<String>| {
            let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (row, sent) in sent.iter().enumerate() {
                if let Some(name) = name(sent) {
                    index.entry(name).or_default().push(row);
                }
            }
            index
        };
        Self {
            rows: sent.iter().map(|_| Known::Nothing).collect(),
            by_trace: index(&|sent| sent.trace.clone()),
            by_key: index(&|sent| sent.key.clone()),
            by_like_key: index(&|sent| sent.key.as_deref().map(like)),
            strays: Vec::new(),
            stray_refusals: Vec::new(),
        }
    }

    /// Puts the results to the inputs that they name exactly, then the refusals, then what is left of the results to the
    /// inputs that they name but for case: HubSpot writes e-mail addresses in small letters.
    pub(crate) fn place(&mut self, results: Vec<Told<T>>, refusals: Vec<(WireRow, Vec<String>)>) {
        let mut left = Vec::new();
        for told in results {
            let by_trace = told.trace.as_ref().and_then(|trace| self.by_trace.get(trace));
            let by_key = || told.key.as_ref().and_then(|key| self.by_key.get(key));
            match by_trace.or_else(by_key).cloned() {
                Some(rows) => self.say(&rows, &Ok(told.value)),
                None => left.push(told),
            }
        }
        for (refusal, keys) in refusals {
            self.refuse(refusal, &keys);
        }
        for told in left {
            let rows = told.key.as_ref().and_then(|key| self.by_like_key.get(&like(key)));
            let open: Vec<usize> = rows.into_iter().flatten().copied().collect();
            let open: Vec<usize> = open.into_iter().filter(|row| self.is_open(*row)).collect();
            if open.is_empty() {
                self.strays.push(told);
            } else {
                self.say(&open, &Ok(told.value));
            }
        }
    }

    fn refuse(&mut self, wire: WireRow, keys: &[String]) {
        let traces = wire.words(&["objectWriteTraceId"]);
        let like: Vec<String> = keys.iter().map(|key| like(key)).collect();
        let find = |names: &[String], index: &BTreeMap<String, Vec<usize>>| -> BTreeSet<usize> {
            let rows = names.iter().filter_map(|name| index.get(name));
            rows.flatten().copied().collect()
        };
        let ways = [
            find(&traces, &self.by_trace),
            find(keys, &self.by_key),
            find(&like, &self.by_like_key),
        ];
        let refusal = wire.into_refusal();
        match ways.into_iter().find(|rows| !rows.is_empty()) {
            Some(rows) => self.say(&Vec::from_iter(rows), &Err(refusal)),
            None => self.stray_refusals.push(refusal),
        }
    }

    /// Says this of these inputs. To be told the same twice is to be told it once.
    pub(crate) fn say(&mut self, rows: &[usize], what: &Row<T>) {
        for row in rows {
            if let Some(known) = self.rows.get_mut(*row) {
                match known {
                    Known::Nothing => *known = Known::Once(what.clone()),
                    Known::Once(before) if before == what => {}
                    Known::Once(_) | Known::Contradiction => *known = Known::Contradiction,
                }
            }
        }
    }

    /// Whether nothing was said of this input.
    pub(crate) fn is_open(&self, row: usize) -> bool {
        matches!(self.rows.get(row), Some(Known::Nothing))
    }

    /// Whether as much is left of the answer as inputs are, so that what is left of the one is of the others.
    pub(crate) fn adds_up(&self) -> bool {
        let open = self.rows.iter().filter(|known| matches!(known, Known::Nothing));
        open.count() == self.strays.len().saturating_add(self.stray_refusals.len())
    }

    /// Where one input is left and one refusal that names none, that refusal is of that input.
    pub(crate) fn put_the_last_refusal_to_the_last(&mut self) {
        if let (Some(row), true) = (self.last(), self.strays.is_empty())
            && let Some(refusal) = self.stray_refusals.pop()
        {
            self.say(&[row], &Err(refusal));
        }
    }

    /// Where one input is left and one result that names none, that result is of that input.
    pub(crate) fn put_the_last_result_to_the_last(&mut self) {
        if let (Some(row), true) = (self.last(), self.stray_refusals.is_empty())
            && let Some(told) = self.strays.pop()
        {
            self.say(&[row], &Ok(told.value));
        }
    }

    /// The input that is left, if one is, and one part of the answer.
    fn last(&self) -> Option<usize> {
        let mut open = (0..self.rows.len()).filter(|row| self.is_open(*row));
        let last = open.next()?;
        (self.adds_up() && open.next().is_none()).then_some(last)
    }

    /// What became of each input, in their order; `unsaid` of those of which nothing was said.
    pub(crate) fn end(self, unsaid: &RowRefusal) -> Vec<Row<T>> {
        let rows = self.rows.into_iter();
        rows.map(|known| match known {
            Known::Nothing => Err(unsaid.clone()),
            Known::Once(row) => row,
            Known::Contradiction => Err(RowRefusal::Unknown),
        })
        .collect()
    }
}

/// A value as HubSpot compares unique ones.
pub(crate) fn like(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Of how many a write's answer says that they were carried out.
pub(crate) fn standing<T>(rows: &[Row<T>]) -> Standing {
    if rows.iter().any(|row| matches!(row, Err(RowRefusal::Unknown))) {
        return Standing::Open;
    }
    let refused = rows.iter().find_map(|row| row.as_ref().err());
    match refused.map(RowRefusal::reason) {
        None => Standing::All,
        Some(reason) if done(rows) > 0 => Standing::Part(reason),
        Some(reason) => Standing::None(reason),
    }
}

/// How many were carried out.
pub(crate) fn done<T>(rows: &[Row<T>]) -> u32 {
    wire::count(rows.iter().filter(|row| row.is_ok()).count())
}
