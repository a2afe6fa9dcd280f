//! Callers on each of the ways to HubSpot, in turn: what else goes on on the machine befalls all of them alike.

use std::{sync::Arc, time::Duration};

use super::{
    Measured, Place,
    paths::{Audited, Direct, Forwarder},
};
use crate::{
    Failure,
    figures::{
        AUDITED, AUDITED_ADDED, AUDITED_CPU, AUDITED_OVER_DIRECT, AUDITED_OVER_FORWARDER, AUDITED_POSTGRES,
        AUDITED_POSTGRES_OVER_FORWARDER, DIRECT, DIRECT_CPU, FORWARDER, FORWARDER_CPU, IN_FLIGHT, Way,
        median,
    },
    load::{Load, Work},
    stage::{Keeping, Stage},
};

const PORTALS: u32 = 64;
const ROUNDS: usize = 5;
const LENGTH: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_millis(300);

/// The figures of this part.
pub(super) fn figures() -> Vec<&'static str> {
    let ways = [&DIRECT, &FORWARDER, &AUDITED, &AUDITED_POSTGRES];
    let of_ways = ways.map(|way| [way.calls_per_s, way.p50_ms, way.p99_ms].concat());
    let others = [
        AUDITED_OVER_FORWARDER,
        AUDITED_OVER_DIRECT,
        AUDITED_POSTGRES_OVER_FORWARDER,
        DIRECT_CPU,
        FORWARDER_CPU,
        AUDITED_CPU,
        AUDITED_ADDED,
    ];
    of_ways.into_iter().flatten().chain(others).collect()
}

pub(super) async fn measure(place: &Place) -> Measured {
    let ways = Ways::open(place).await?;
    let mut measured = Vec::new();
    for (level, callers) in IN_FLIGHT.into_iter().enumerate() {
        let rounds = ways.rounds(place, callers).await?;
        measured.extend(rounds.figures(level));
        match callers {
            1 => measured.extend(rounds.added_ms().map(|added| (AUDITED_ADDED, added))),
            64 => measured.extend(rounds.ratios()),
            _ => {}
        }
    }
    ways.close().await;
    Ok(measured)
}

/// All ways, open at once.
struct Ways {
    direct: Arc<Direct>,
    forwarder: Arc<Forwarder>,
    audited: Arc<Audited>,
    on_sqlite: Stage,
    /// Where this machine has PostgreSQL.
    postgres: Option<(Arc<Audited>, Stage)>,
}

impl Ways {
    async fn open(place: &Place) -> Result<Self, Failure> {
        let on_sqlite = Stage::start(place, PORTALS, Keeping::Sqlite).await?;
        on_sqlite.onboard_all().await?;
        let postgres = match hubkeep_test_postgres::is_installed() {
            true => {
                let stage = Stage::start(place, PORTALS, Keeping::Postgres).await?;
                stage.onboard_all().await?;
                Some((Arc::new(Audited::to(&stage).await?), stage))
            }
            false => None,
        };
        Ok(Self {
            direct: Arc::new(Direct::to(&on_sqlite)?),
            forwarder: Arc::new(Forwarder::to(&on_sqlite).await?),
            audited: Arc::new(Audited::to(&on_sqlite).await?),
            on_sqlite,
            postgres,
        })
    }

    /// So many callers on each way, one way after the other, again and again.
    async fn rounds(&self, place: &Place, callers: usize) -> Result<Rounds, Failure> {
        self.round(place, callers, WARM_UP).await?;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(self.round(place, callers, LENGTH).await?);
        }
        Ok(Rounds(rounds))
    }

    async fn round(&self, place: &Place, callers: usize, length: Duration) -> Result<Round, Failure> {
        let here = &self.on_sqlite;
        Ok(Round {
            direct: seen(place, here, callers, length, &self.direct).await?,
            forwarder: seen(place, here, callers, length, &self.forwarder).await?,
            audited: seen(place, here, callers, length, &self.audited).await?,
            postgres: match &self.postgres {
                Some((path, stage)) => Some(seen(place, stage, callers, length, path).await?),
                None => None,
            },
        })
    }

    async fn close(self) {
        drop((self.direct, self.forwarder, self.audited));
        self.on_sqlite.stop().await;
        if let Some((path, stage)) = self.postgres {
            drop(path);
            stage.stop().await;
        }
    }
}

async fn seen(
    place: &Place,
    stage: &Stage,
    callers: usize,
    length: Duration,
    path: &Arc<impl Work>,
) -> Result<Seen, Failure> {
    // What the simulator remembers of the last way must not weigh on the next.
    stage.simulator.clear_journal();
    let load = Load::run(&place.clock, callers, length, path).await?;
    Ok(Seen {
        calls_per_s: load.per_second(),
        p50_ms: load.median_ms(),
        p99_ms: load.p99_ms(),
        cpu_us: load.cpu_us(),
    })
}

/// What the callers on one way saw.
struct Seen {
    calls_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// Every way once.
struct Round {
    direct: Seen,
    forwarder: Seen,
    audited: Seen,
    postgres: Option<Seen>,
}

/// One way's part of a round.
type Of = fn(&Round) -> Option<&Seen>;

/// With so many callers at once.
struct Rounds(Vec<Round>);

impl Rounds {
    /// The median over the rounds; `None` where no round has it.
    fn median(&self, of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.0.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// What each way gives at this level of [`IN_FLIGHT`].
    fn figures(&self, level: usize) -> Vec<(&'static str, f64)> {
        let ways: [(&Way, Of); 4] = [
            (&DIRECT, |round| Some(&round.direct)),
            (&FORWARDER, |round| Some(&round.forwarder)),
            (&AUDITED, |round| Some(&round.audited)),
            (&AUDITED_POSTGRES, |round| round.postgres.as_ref()),
        ];
        let mut figures = Vec::new();
        for (way, seen) in ways {
            let of_way = [
                (
                    way.calls_per_s.get(level),
                    self.median(|round| Some(seen(round)?.calls_per_s)),
                ),
                (
                    way.p50_ms.get(level),
                    self.median(|round| Some(seen(round)?.p50_ms)),
                ),
                (
                    way.p99_ms.get(level),
                    self.median(|round| Some(seen(round)?.p99_ms)),
                ),
            ];
            figures.extend(
                of_way
                    .into_iter()
                    .filter_map(|(name, value)| Some((*name?, value?))),
            );
        }
        figures
    }

    /// Each from two ways of one round.
    fn ratios(&self) -> Vec<(&'static str, f64)> {
        let (over, cpu) = (
            |a: &Seen, b: &Seen| a.calls_per_s / b.calls_per_s,
            |seen: &Seen| Some(seen.cpu_us),
        );
        let ratios = [
            (
                AUDITED_OVER_FORWARDER,
                self.median(|round| Some(over(&round.audited, &round.forwarder))),
            ),
            (
                AUDITED_OVER_DIRECT,
                self.median(|round| Some(over(&round.audited, &round.direct))),
            ),
            (
                AUDITED_POSTGRES_OVER_FORWARDER,
                self.median(|round| Some(over(round.postgres.as_ref()?, &round.forwarder))),
            ),
            (DIRECT_CPU, self.median(|round| cpu(&round.direct))),
            (FORWARDER_CPU, self.median(|round| cpu(&round.forwarder))),
            (AUDITED_CPU, self.median(|round| cpu(&round.audited))),
        ];
        ratios
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// What a call takes longer through Hubkeep.
    fn added_ms(&self) -> Option<f64> {
        self.median(|round| Some(round.audited.p50_ms - round.direct.p50_ms))
    }
}
