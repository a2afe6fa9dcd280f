//! Everything the simulator knows while it runs, shared by the server and its control.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::oauth::Apps;
use crate::world::World;

/// Everything the simulator knows while it runs.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) accounts: Accounts,
    pub(crate) apps: Apps,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    correlations: AtomicU64,
    started_at: i64,
}

impl State {
    /// The state at the start.
    pub(crate) fn of(world: World) -> io::Result<Self> {
        let clock = Clock::start();
        let started_at = clock.micros();
        let accounts = Accounts::default();
        let apps = Apps::default();
        world.apps.into_iter().for_each(|app| apps.add(app));
        for portal in world.portals {
            let opened = accounts.open(portal, &apps, started_at);
            opened.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        let (faults, journal) = (Faults::none(), Journal::default());
        Ok(Self {
            clock,
            accounts,
            apps,
            faults,
            journal,
            correlations: AtomicU64::new(0),
            started_at,
        })
    }

    /// A new correlation id: a UUID made of the start and a counter, so that it never repeats and needs no randomness.
    pub(crate) fn correlation_id(&self) -> String {
        let counter = self.correlations.fetch_add(1, Ordering::Relaxed);
        let started = u64::try_from(self.started_at).unwrap_or_default();
        let bytes = (u128::from(started) << 64 | u128::from(counter)).to_be_bytes();
        uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }
}
