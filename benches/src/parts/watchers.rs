//! A thousand watchers of one log, each of one portal's entries, while it is written: what they cost the writers, and how long
//! after the last entry the last of them has seen it.

use std::pin::pin;

use futures::StreamExt as _;
use hubkeep_audit_log::{AuditLog, Config, Filter, Position, Tailed};
use hubkeep_core::id::PortalId;
use tokio::{sync::watch, task::JoinSet};

use super::{
    Measured, Place,
    entries::{PRODUCERS, Recording, open},
};
use crate::{
    Failure,
    figures::{WATCHERS_BEHIND, WATCHERS_COST},
};

const WATCHERS: usize = 1_000;
/// How often each way has its turn.
const TURNS: usize = 2;

pub(super) async fn measure(place: &Place) -> Measured {
    let (mut with, mut without, mut behind) = (0.0, 0.0, 0.0_f64);
    for _ in 0..TURNS {
        let (per_second, seconds) = written(place, WATCHERS).await?;
        with += per_second;
        behind = behind.max(seconds);
        without += written(place, 0).await?.0;
    }
    Ok(vec![
        (WATCHERS_COST, with / without),
        (WATCHERS_BEHIND, behind * 1_000.0),
    ])
}

/// Entries a second while so many watch, and seconds from the last entry until all have seen it.
async fn written(place: &Place, watchers: usize) -> Result<(f64, f64), Failure> {
    let folder = place.temporary()?;
    let log = open(place, &Config::sqlite(&folder.path().join("audit.db"))).await?;
    let (told, end) = watch::channel(u64::MAX);
    let mut watching = JoinSet::new();
    for number in 0..watchers {
        watching.spawn(watch_portal(log.clone(), number % PRODUCERS, end.clone()));
    }
    let recording = Recording::to(log.clone(), place)?;
    let (per_second, recording) = recording.at_full_speed(place).await?;
    told.send_replace(log.end().await?.get());
    for producer in 0..PRODUCERS {
        recording.record(producer).await?;
    }
    let ended = place.clock.tick();
    while let Some(watched) = watching.join_next().await {
        watched??;
    }
    let behind = place.clock.tick().since(ended).as_secs_f64();
    log.stop().await;
    Ok((per_second, behind))
}

/// Reads the entries of a portal until one lies behind the end that is told.
async fn watch_portal(log: AuditLog, producer: usize, end: watch::Receiver<u64>) -> Result<(), Failure> {
    let portal_id = PortalId::new(u64::try_from(producer + 1)?);
    let filter = Filter {
        portal_id,
        ..Filter::all()
    };
    let mut tail = pin!(log.tail(Position::START, filter));
    while let Some(tailed) = tail.next().await {
        if let Tailed::Event(event) = tailed?
            && event.position > *end.borrow()
        {
            return Ok(());
        }
    }
    Err("a watcher was not told of the last entry".into())
}
