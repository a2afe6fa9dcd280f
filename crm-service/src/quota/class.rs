//! How urgent calls are.

use serde::{Deserialize, Serialize};

/// How urgent a call is; the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A person waits for it.
    Person,
    /// A program waits for it.
    Usual,
    /// Part of much work, for which nobody waits.
    Batch,
}

impl Class {
    pub(super) const ALL: [Self; 3] = [Self::Person, Self::Usual, Self::Batch];

    /// The more urgent ones.
    pub(super) fn above(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().take_while(move |other| *other != self)
    }

    /// The less urgent ones.
    pub(super) fn below(self) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .skip_while(move |other| *other != self)
            .skip(1)
    }
}

/// One thing for each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByClass<T> {
    person: T,
    usual: T,
    batch: T,
}

impl<T> ByClass<T> {
    pub(super) fn new(of: impl Fn(Class) -> T) -> Self {
        Self {
            person: of(Class::Person),
            usual: of(Class::Usual),
            batch: of(Class::Batch),
        }
    }

    pub(super) const fn of(&self, class: Class) -> &T {
        match class {
            Class::Person => &self.person,
            Class::Usual => &self.usual,
            Class::Batch => &self.batch,
        }
    }

    pub(super) const fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::Person => &mut self.person,
            Class::Usual => &mut self.usual,
            Class::Batch => &mut self.batch,
        }
    }
}
