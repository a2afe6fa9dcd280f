//! What a request is about: by this it is known whether several failures are about the same.

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::Arc,
};

use hubkeep_core::id::CallId;

/// What one attempt is about, and of which call it is an attempt. Cheap to clone.
#[derive(Clone, Debug)]
pub struct About {
    call: CallId,
    /// Hashes, sorted.
    things: Arc<[u64]>,
}

impl About {
    /// An attempt of this call, about these things.
    pub fn new<T: Hash>(call: CallId, things: impl IntoIterator<Item = T>) -> Self {
        let hash = |thing: T| {
            let mut hasher = DefaultHasher::new();
            thing.hash(&mut hasher);
            hasher.finish()
        };
        let mut things: Vec<u64> = things.into_iter().map(hash).collect();
        things.sort_unstable();
        Self {
            call,
            things: things.into(),
        }
    }

    pub(super) const fn call(&self) -> CallId {
        self.call
    }

    /// Whether both are about one thing.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let is_theirs = |thing: &u64| other.things.binary_search(thing).is_ok();
        self.things.iter().any(is_theirs)
    }
}
