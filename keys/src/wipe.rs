//! Unwrapped keys whose time is over are taken out of memory, also where nobody asks for them any more.

use std::time::Duration;

use hubkeep_core::clock::SharedClock;
use hubkeep_seal::Keyring;
use tokio_util::sync::CancellationToken;

/// How long a key may lie in memory after its time.
const EVERY: Duration = Duration::from_secs(30);

/// Wipes what has expired, again and again, until `stopping`.
pub fn wipe_until(stopping: CancellationToken, keyring: Keyring, clock: SharedClock) {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = clock.sleep(EVERY) => keyring.wipe_expired(),
            }
        }
    });
}
