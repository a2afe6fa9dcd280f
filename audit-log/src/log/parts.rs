//! The parts of an open log, for those who work with them.

use std::time::Duration;

use hubkeep_core::{clock::SharedClock, database::Database};

use super::AuditLog;
use crate::{
    Keep,
    anchors::Waiting,
    index::{Finder, Indexer},
    payloads::Sealer,
    proofs::Proofs,
    store::Reader,
};

impl AuditLog {
    pub(crate) fn blocks_writes_after(&self) -> Option<Duration> {
        self.inner.blocks_writes_after
    }

    pub(crate) fn unanchored(&self) -> &Waiting {
        &self.inner.unanchored
    }

    pub(crate) fn proofs(&self) -> &Proofs {
        &self.inner.proofs
    }

    pub(crate) fn keeping(&self) -> &Keep {
        &self.inner.keep
    }

    pub(crate) fn finder(&self) -> &Finder {
        &self.inner.finder
    }

    pub(crate) fn indexer(&self) -> &Indexer {
        &self.inner.indexer
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        self.inner.appender.sealer()
    }

    pub(crate) fn payloads_kept_for(&self) -> Duration {
        self.inner.payloads_kept_for
    }

    pub(crate) fn reader(&self) -> &Reader {
        &self.inner.reader
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        self.inner.appender.clock()
    }

    pub(crate) fn database(&self) -> &Database {
        self.inner.reader.database()
    }
}
