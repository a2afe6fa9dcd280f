//! Files of certificates looked at again while a service runs, and what is the matter with them said once.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Identity, identity::Look};
use crate::clock::SharedClock;

/// How often the files are read. They are a few KiB; a certificate that comes into force later is taken up then.
const EVERY: Duration = Duration::from_secs(5);
/// A certificate is said to end soon when less than one in so many parts of its life are left.
const PART_LEFT: u32 = 5;

/// Looks every few seconds, and at once on SIGHUP, until `stopping` fires. The signal is heard from the moment this is
/// called, not only from when it is awaited: unheard, it would end the process.
pub(crate) fn follow(
    identity: Identity,
    clock: SharedClock,
    stopping: CancellationToken,
) -> impl Future<Output = ()> {
    let hangup = signal(SignalKind::hangup()).ok();
    look_until(identity, clock, stopping, hangup)
}

async fn look_until(
    identity: Identity,
    clock: SharedClock,
    stopping: CancellationToken,
    mut hangup: Option<Signal>,
) {
    let mut told = Vec::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = clock.sleep(EVERY) => {}
            () = heard(&mut hangup) => told.clear(),
        }
        let looking = identity.clone();
        // Files may lie on a disk that hangs.
        let Ok(look) = tokio::task::spawn_blocking(move || looking.look_again()).await else {
            continue;
        };
        let days_left = days_left(&identity, &clock);
        if look.taken_up {
            tracing::info!(
                days_left,
                "certificates that were put in place are gone by from now on"
            );
        }
        let notices = notices(&identity, &look, &clock);
        for notice in notices.iter().filter(|notice| !told.contains(*notice)) {
            tracing::warn!(days_left, "{notice}");
        }
        told = notices;
    }
}

/// Whole days until the service's certificate ends.
fn days_left(identity: &Identity, clock: &SharedClock) -> u64 {
    identity.not_after().since(clock.now()).as_secs() / 86_400
}

fn notices(identity: &Identity, look: &Look, clock: &SharedClock) -> Vec<String> {
    let (current, now) = (identity.current(), clock.now());
    let leaf = &current.own.chain.leaf;
    let faults = look.faults.iter();
    let mut notices: Vec<String> = faults
        .map(|fault| {
            format!(
                "what was there before stays in force: {}: {}",
                fault.key, fault.problem
            )
        })
        .collect();
    if leaf.not_after().since(now) < leaf.not_after().since(leaf.not_before()) / PART_LEFT {
        let days = days_left(identity, clock);
        notices.push(format!(
            "the service's certificate ends in {days} days: put a new one in place"
        ));
    }
    if current.trust.lets_nobody_in(now) {
        notices.push(
            "a list of revoked certificates is too old, and nobody is let in: put a new one in place"
                .to_owned(),
        );
    } else if current.trust.is_overdue(now) {
        notices.push(
            "a list of revoked certificates is older than it says it may be, and still counts".to_owned(),
        );
    }
    if let Some(why) = identity.keeps_out(&current.own.chain.der) {
        notices.push(format!("others refuse this service: {why}"));
    }
    notices
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
