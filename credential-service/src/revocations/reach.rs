//! Waits until a revocation has arrived at every redeemer.
//!
//! No clock of one machine is compared with that of another, but for rows of long ago. A redeemer counts what it knows as
//! fresh from the moment at which it sent the newest message whose number came back to it, and a replica gives a number
//! back only when the row's `beat` has moved. So 5 s after the waiter has last seen a beat move, by the waiter's own clock,
//! the redeemer serves nothing from memory, wherever it is and whatever became of it: its lease has lapsed.

use std::{collections::HashMap, time::Duration};

use hubkeep_core::clock::{Tick, Timestamp};

use super::{
    Error, Revocations,
    store::redeemers::{self, Known},
};

/// How long a redeemer trusts what it knows.
const LEASE: Duration = Duration::from_secs(5);
/// For clocks that do not run alike, and for what was on its way to a socket when the lease ended.
const MARGIN: Duration = Duration::from_millis(500);
/// A redeemer that was last heard before this has no lease: as long as one, and as far as the clocks of replicas may be
/// apart.
const LONG_AGO: Duration = Duration::from_secs(10);
/// What may still be sent then is what was redeemed over the wire just before the revocation.
const REDEEMED: Duration = Duration::from_secs(1);
/// How often the rows are read. Those of this process wake the wait as well.
const POLL: Duration = Duration::from_millis(25);

/// How far a revocation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Redeemers that have applied it, and ended what was under way.
    pub acknowledged: u32,
    /// Redeemers that were not heard until they trust nothing any more.
    pub lapsed: u32,
    /// Redeemers of which neither is known yet.
    pub waiting: u32,
}

/// The beat that a redeemer had, and since when.
#[derive(Debug)]
struct Beat {
    number: i64,
    seen: Tick,
    /// What may still be served, from then on.
    lease: Duration,
}

impl Revocations {
    /// Waits until every redeemer has acknowledged a place, or its lease has run out, or until `until`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn reach(&self, seq: u64, until: Tick) -> Result<Reach, Error> {
        redeemers::sweep(&self.database, self.clock.now()).await?;
        let began = self.clock.now();
        let mut beats = HashMap::new();
        let mut heard = self.heard.subscribe();
        loop {
            heard.borrow_and_update();
            // The beat was this one at some moment after the question was asked.
            let known = redeemers::all(&self.database).await?;
            let seen = self.clock.tick();
            let mut reach = Reach::default();
            for redeemer in known {
                let place = if redeemer.applied_seq >= seq {
                    &mut reach.acknowledged
                } else if has_lapsed(&mut beats, &redeemer, seen, began) {
                    &mut reach.lapsed
                } else {
                    &mut reach.waiting
                };
                *place += 1;
            }
            if reach.waiting == 0 || seen >= until {
                return Ok(reach);
            }
            let next = seen.plus(POLL).min(until);
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                // The sender lives as long as this does.
                _ = heard.changed() => {}
            }
        }
    }
}

/// Whether a redeemer trusts nothing any more: it gave no sign for longer than a lease, since the waiter looks or, for
/// one that was not heard for long, before.
fn has_lapsed(beats: &mut HashMap<String, Beat>, redeemer: &Known, now: Tick, began: Timestamp) -> bool {
    let number = redeemer.beat;
    let is_old = began.since(redeemer.last_beat_time) >= LONG_AGO;
    let beat = beats.entry(redeemer.id.clone()).or_insert_with(|| Beat {
        number,
        seen: now,
        lease: if is_old { REDEEMED } else { LEASE },
    });
    if beat.number != number {
        *beat = Beat {
            number,
            seen: now,
            lease: LEASE,
        };
    }
    now.since(beat.seen) >= beat.lease.saturating_add(MARGIN)
}
