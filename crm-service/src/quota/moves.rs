//! Tells other processes, and the next one, which portals HubSpot moves, and which it does not though it has said so: it may take a
//! day, and each would have to find it out by a call of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::{Database, bounded},
    id::{ClientSlug, PortalId},
};
use tokio_util::sync::CancellationToken;

use super::{Quota, error::ShareError, moving::Told, store};

/// How often what was heard is told, and what others have heard is looked for.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// What takes longer is given up, and tried again.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(2);

/// Until when portals are moved, as any process has heard it: for those that are not called through this one yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved {
    all: Arc<Mutex<HashMap<PortalId, Told>>>,
    /// Where processes tell each other; none in a test of one.
    database: Option<Database>,
}

impl Moved {
    pub(super) fn told_in(database: Database) -> Self {
        Self {
            database: Some(database),
            ..Self::default()
        }
    }

    pub(super) fn of(&self, portal: PortalId) -> Option<Told> {
        self.all().get(&portal).copied()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<PortalId, Told>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A portal that may be taken to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movable {
    /// Which.
    pub portal: PortalId,
    /// Until when, if it is.
    pub until: Option<Timestamp>,
}

impl Quota {
    /// The portal of this name, if it was called through this process, or any has heard that it is moved; and until when that is.
    ///
    /// # Errors
    /// If what other processes know cannot be read.
    pub async fn find_moving(&self, client_slug: &ClientSlug) -> Result<Option<Movable>, ShareError> {
        if let Some(moves) = self.moves() {
            moves.exchange().await?;
        }
        if let Some(quota) = self.find(client_slug) {
            return Ok(Some(Movable {
                portal: quota.portal().portal_id(),
                until: quota.state().moving_until,
            }));
        }
        let Some(database) = &self.moved.database else {
            return Ok(None);
        };
        let now = self.clock.now();
        let found = store::moving::find(database, client_slug).await?;
        Ok(found.map(|(portal, until)| Movable {
            portal,
            until: Some(until).filter(|until| *until > now),
        }))
    }

    /// HubSpot does not move a portal, though it has said so: its next call is let through to see. Other processes know within a
    /// second.
    ///
    /// # Errors
    /// If it cannot be told to them: then they may take it to be moved still, and so does this one.
    pub async fn lift_moving(&self, portal: PortalId) -> Result<(), ShareError> {
        let Some(moves) = self.moves() else {
            return Ok(());
        };
        store::moving::lift(&moves.database, portal).await?;
        moves.exchange().await
    }

    pub(super) fn moves(&self) -> Option<Moves> {
        let database = self.moved.database.clone()?;
        Some(Moves {
            quota: self.without_work(),
            database,
            clock: self.clock.clone(),
        })
    }
}

/// Who tells.
#[derive(Debug)]
pub(super) struct Moves {
    pub(super) quota: Quota,
    pub(super) database: Database,
    pub(super) clock: SharedClock,
}

impl Moves {
    /// Until `stop`, and once more then.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut fails = false;
        loop {
            let stopped = stop
                .run_until_cancelled(self.clock.sleep(TOLD_EVERY))
                .await
                .is_none();
            match bounded(GIVEN_UP_AFTER, self.exchange()).await {
                Ok(()) => fails = false,
                Err(error) if !fails => {
                    fails = true;
                    tracing::warn!(%error, "which portals HubSpot moves is not told to other processes yet");
                }
                Err(_) => {}
            }
            if stopped {
                return;
            }
        }
    }

    /// Tells what was heard here, and hears what others have.
    pub(super) async fn exchange(&self) -> Result<(), ShareError> {
        for quota in self.quota.all() {
            let Some(told) = quota.moving_news() else {
                continue;
            };
            store::moving::tell(&self.database, quota.portal(), told).await?;
            quota.moving_told(told.until);
        }
        let now = self.clock.now();
        let moving = store::moving::all(&self.database, now).await?;
        for quota in self.quota.all() {
            if let Some(told) = moving.get(&quota.portal().portal_id()) {
                quota.hears_of_moving(*told);
            }
        }
        *self.quota.moved.all() = moving;
        Ok(())
    }
}
