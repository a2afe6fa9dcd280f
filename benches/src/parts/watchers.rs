//! A thousand watchers of one log, each of one portal's entries, while it is written: what they cost the writers, how old an entry
//! is when a watcher has it, and how long after the last entry the last of them has seen it.

use std::{pin::pin, time::Duration};

use futures::StreamExt as _;
use hubkeep_audit_log::{AuditLog, Config, Filter, Position, Tailed};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    id::PortalId,
};
use tokio::{sync::watch, task::JoinSet};

use super::{
    Measured, Place,
    entries::{PRODUCERS, Recording, open},
};
use crate::{
    Failure,
    figures::{WATCHERS_BEHIND, WATCHERS_COST, WATCHERS_LAG},
};

const WATCHERS: usize = 1_000;
/// How often each way has its turn.
const TURNS: usize = 2;

/// What came of one turn.
struct Turn {
    per_second: f64,
    /// From the last entry until all have seen it.
    behind: Duration,
    /// How old each entry was when a watcher had it.
    lags: Vec<Duration>,
}

pub(super) async fn measure(place: &Place) -> Measured {
    let (mut with, mut without) = (0.0, 0.0);
    let (mut behind, mut lags) = (Duration::ZERO, Vec::new());
    for _ in 0..TURNS {
        let watched = written(place, WATCHERS).await?;
        with += watched.per_second;
        behind = behind.max(watched.behind);
        lags.extend(watched.lags);
        without += written(place, 0).await?.per_second;
    }
    lags.sort_unstable();
    let p99 = lags.get(lags.len() * 99 / 100).copied().unwrap_or_default();
    Ok(vec![
        (WATCHERS_COST, with / without),
        (WATCHERS_LAG, p99.as_secs_f64() * 1_000.0),
        (WATCHERS_BEHIND, behind.as_secs_f64() * 1_000.0),
    ])
}

async fn written(place: &Place, watchers: usize) -> Result<Turn, Failure> {
    let folder = place.temporary()?;
    let log = open(place, &Config::sqlite(&folder.path().join("audit.db"))).await?;
    let (told, end) = watch::channel(u64::MAX);
    let mut watching = JoinSet::new();
    for number in 0..watchers {
        let clock = place.clock.clone();
        watching.spawn(watch_portal(log.clone(), number % PRODUCERS, end.clone(), clock));
    }
    let recording = Recording::to(log.clone(), place)?;
    let (per_second, recording) = recording.at_full_speed(place).await?;
    told.send_replace(log.end().await?.get());
    for producer in 0..PRODUCERS {
        recording.record(producer).await?;
    }
    let ended = place.clock.tick();
    let mut lags = Vec::new();
    while let Some(watched) = watching.join_next().await {
        lags.extend(watched??);
    }
    let behind = place.clock.tick().since(ended);
    log.stop().await;
    Ok(Turn {
        per_second,
        behind,
        lags,
    })
}

/// Reads the entries of a portal until one lies behind the end that is told. Gives how old each was.
async fn watch_portal(
    log: AuditLog,
    producer: usize,
    end: watch::Receiver<u64>,
    clock: SharedClock,
) -> Result<Vec<Duration>, Failure> {
    let portal_id = PortalId::new(u64::try_from(producer + 1)?);
    let filter = Filter {
        portal_id,
        ..Filter::all()
    };
    let mut lags = Vec::new();
    let mut tail = pin!(log.tail(Position::START, filter));
    while let Some(tailed) = tail.next().await {
        let Tailed::Event(event) = tailed? else { continue };
        let made = event.entry.as_ref().and_then(|entry| entry.entry_time);
        let made = Timestamp::from(made.ok_or("an entry without its time")?);
        lags.push(clock.now().since(made));
        if event.position > *end.borrow() {
            return Ok(lags);
        }
    }
    Err("a watcher was not told of the last entry".into())
}
