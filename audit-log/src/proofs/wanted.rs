//! Logs of which somebody wants a checkpoint now, in place of when its time has come.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, watch};

/// How those who want a checkpoint meet the one who signs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    logs: Mutex<BTreeSet<String>>,
    came: Notify,
    signed: watch::Sender<()>,
}

impl Wanted {
    /// Asks for a checkpoint of this log as soon as may be.
    pub(crate) fn want(&self, log: &str) {
        let mut logs = self.inner.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs.insert(log.to_owned());
        self.inner.came.notify_one();
    }

    /// Is told each time that work was done. Ask for it before you look at what there is.
    pub(crate) fn signed(&self) -> watch::Receiver<()> {
        self.inner.signed.subscribe()
    }

    /// Waits until somebody wants one.
    pub(super) async fn came(&self) {
        self.inner.came.notified().await;
    }

    /// What is wanted. Whoever still lacks it asks again.
    pub(super) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.inner.logs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells those who wait to look.
    pub(super) fn done(&self) {
        self.inner.signed.send_replace(());
    }
}
