//! The handshakes that are under way. There are only so many; when one more comes, one that has led nowhere goes.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::{AbortHandle, JoinSet};

/// Whether the other side of a connection has said anything yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoken(Arc<AtomicBool>);

impl Spoken {
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn yet(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The handshakes under way, the oldest first. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    tasks: JoinSet<()>,
    open: VecDeque<(AbortHandle, Spoken)>,
}

impl Crowd {
    pub(super) fn of(most: usize) -> Self {
        Self {
            most,
            tasks: JoinSet::new(),
            open: VecDeque::new(),
        }
    }

    /// Takes one more in. If there are too many then, the one goes that has been silent for longest; where none is
    /// silent, the oldest: a handshake that leads anywhere does so before that many others have begun. Says whether one
    /// went.
    pub(super) fn add(
        &mut self,
        spoken: Spoken,
        handshake: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let full = self.open.len() >= self.most;
        if full {
            let silent = self.open.iter().position(|(_, spoken)| !spoken.yet());
            if let Some((oldest, _)) = self.open.remove(silent.unwrap_or(0)) {
                oldest.abort();
            }
        }
        let task = self.tasks.spawn(handshake);
        self.open.push_back((task, spoken));
        full
    }

    /// Waits until one has ended; `None` if there are none.
    pub(super) async fn next_ended(&mut self) -> Option<()> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        let place = self.open.iter().position(|(task, _)| task.id() == id);
        if let Some(place) = place {
            self.open.remove(place);
        }
        Some(())
    }
}
