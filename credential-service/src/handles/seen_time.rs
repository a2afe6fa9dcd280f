//! The time by which handles expire: it never goes back, whatever is done to the machine's clock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Tick, Timestamp},
    database::Database,
};

use super::{Error, store};

/// How often the time is written down, at most. After a crash and a clock set back, a handle may live this much longer.
const PERSIST_EVERY: Duration = Duration::from_secs(5);

/// The latest time seen: in this process, and to within seconds in those before it and beside it.
#[derive(Clone, Debug)]
pub(super) struct SeenTime {
    database: Database,
    clock: SharedClock,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    seen: Timestamp,
    at: Tick,
    persisted: Option<Tick>,
}

impl SeenTime {
    /// Begins with the time that was written down last.
    pub(super) async fn load(database: Database, clock: SharedClock) -> Result<Self, Error> {
        let seen = store::seen_time(&database).await?;
        let state = State {
            seen,
            at: clock.tick(),
            persisted: None,
        };
        Ok(Self {
            database,
            clock,
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// Now; or, where the clock was set back, the latest time seen and what has passed since by a clock that nobody
    /// sets. So no handle revives, and none lives longer because time stood still.
    pub(super) async fn now(&self) -> Result<Timestamp, Error> {
        let (now, persist) = self.advance();
        if !persist {
            return Ok(now);
        }
        // A replica whose clock is behind learns here what time it is.
        let seen = store::note_seen_time(&self.database, now).await?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen = state.seen.max(seen);
        Ok(now.max(seen))
    }

    fn advance(&self) -> (Timestamp, bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let tick = self.clock.tick();
        let least = state.seen.plus(tick.since(state.at));
        let now = self.clock.now().max(least);
        let persist = state
            .persisted
            .is_none_or(|last| tick.since(last) >= PERSIST_EVERY);
        let persisted = if persist { Some(tick) } else { state.persisted };
        *state = State {
            seen: now,
            at: tick,
            persisted,
        };
        (now, persist)
    }
}
