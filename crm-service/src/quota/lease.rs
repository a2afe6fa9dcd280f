//! Until when this replica may send by the places that it holds.

use std::time::Duration;

use hubkeep_core::clock::{Clock, Tick};
use tokio::sync::watch;

/// How long a renewal holds. Sixteen renewals fall into it.
pub(super) const HOLDS_FOR: Duration = Duration::from_secs(4);

/// One for all portals: whoever renews it can reach the database.
#[derive(Debug, Default)]
pub(super) struct Lease(watch::Sender<Renewal>);

/// How the last renewal went.
#[derive(Clone, Copy, Debug, Default)]
struct Renewal {
    until: Option<Tick>,
    failed: bool,
}

impl Renewal {
    fn holds(&self, now: Tick) -> Option<Tick> {
        self.until.filter(|until| now < *until)
    }
}

impl Lease {
    /// It was renewed by work that began then.
    pub(super) fn renewed(&self, began: Tick) {
        self.0.send_replace(Renewal {
            until: Some(began.plus(HOLDS_FOR)),
            failed: false,
        });
    }

    /// It could not be renewed.
    pub(super) fn failed(&self) {
        self.0.send_modify(|renewal| renewal.failed = true);
    }

    /// It is given back.
    pub(super) fn end(&self) {
        self.0.send_replace(Renewal {
            until: None,
            failed: true,
        });
    }

    /// Whether it could not be renewed when that was last tried.
    pub(super) fn has_failed(&self) -> bool {
        self.0.borrow().failed
    }

    /// Until when it holds, if it does now.
    pub(super) fn until(&self, now: Tick) -> Option<Tick> {
        self.0.borrow().holds(now)
    }

    /// Waits until it holds, where it is over and nobody knows yet that it cannot be renewed: so it is when the machine was
    /// suspended. Ends also when that is known.
    pub(super) async fn settled(&self, clock: &dyn Clock) {
        let mut renewals = self.0.subscribe();
        // Its sender is here.
        let _ = renewals
            .wait_for(|renewal| renewal.failed || renewal.holds(clock.tick()).is_some())
            .await;
    }
}
