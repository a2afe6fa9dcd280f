//! The background work of one process: checkpoints to their places, each place by itself, and what is late into the log. Of
//! several replicas the one does it that moves the row of a place on.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::Database,
    error::ErrorReason,
    id::CallId,
    random::SharedRandom,
};
use tokio_util::sync::CancellationToken;

use super::{
    Config, StartError, Waiting,
    error::{Error, NotAnchored},
    sink::Sink,
    store::{self, Place},
    watch::tell,
};
use crate::{
    Draft, Operation, Outcome, Phase,
    appender::Appender,
    proofs::{self, Proofs},
};

/// One attempt to put something somewhere ends within this.
const BOUND: Duration = Duration::from_secs(90);
/// A replica that is lost in the middle of one holds the place for so long.
const HOLDS_FOR: Duration = Duration::from_secs(120);
/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// A start has so long to bring there what was left when the last process ended, before that is late.
const GRACE: Duration = Duration::from_secs(10);
/// While something is late, it is noted again after so long.
const NOTED_EVERY: Duration = Duration::from_secs(5 * 60);

/// What the work is done with.
pub(crate) struct Deps {
    /// In a pool of its own.
    pub(crate) database: Database,
    pub(crate) proofs: Proofs,
    /// The log of heads.
    pub(crate) heads: String,
    /// In whose name it is noted that something is late.
    pub(crate) service: &'static str,
    pub(crate) appender: Arc<Appender>,
    /// How long the work rests.
    pub(crate) pause: Duration,
    pub(crate) clock: SharedClock,
    pub(crate) random: SharedRandom,
}

/// Anchors.
pub(crate) struct Anchorer {
    config: Config,
    sinks: Vec<Sink>,
    waiting: Waiting,
    deps: Deps,
}

impl Anchorer {
    /// One that anchors in the configured places.
    ///
    /// # Errors
    /// If a secret or an address cannot be used.
    pub(crate) fn new(config: Config, waiting: Waiting, deps: Deps) -> Result<Self, StartError> {
        Ok(Self {
            sinks: Sink::all(&config, &deps.clock)?,
            config,
            waiting,
            deps,
        })
    }

    /// The places, by what tells each from every other.
    pub(crate) fn places(&self) -> Vec<String> {
        self.sinks.iter().map(|sink| sink.place().to_owned()).collect()
    }

    /// Works until it is told to end.
    pub(crate) async fn run(self, end: CancellationToken) {
        let work = async {
            tokio::join!(
                join_all(self.sinks.iter().map(|sink| self.serve(sink))),
                self.watch()
            );
        };
        end.run_until_cancelled(work).await;
        self.deps.database.close().await;
    }

    /// Brings what is new to one place. One that takes nothing holds up no other.
    async fn serve(&self, sink: &Sink) {
        let mut trouble = String::new();
        loop {
            let served = self.serve_once(sink).await;
            complain(&mut trouble, served.err(), sink.name());
            self.deps.clock.sleep(self.deps.pause).await;
        }
    }

    async fn serve_once(&self, sink: &Sink) -> Result<(), Error> {
        let Deps { database, clock, .. } = &self.deps;
        let place = self.place(sink).await?;
        let now = clock.now();
        if place.forked_size > 0 {
            return Err(Error::Forked(place.forked_size));
        }
        if !self.is_due(&place, now) {
            return Ok(());
        }
        let newest = match self.deps.proofs.checkpoint(&self.deps.heads, None).await {
            Ok(newest) if newest.size > place.size => newest,
            Ok(_) | Err(proofs::Error::Unknown { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if !store::claim(database, sink.place(), place.next, now.plus(HOLDS_FOR)).await? {
            return Ok(());
        }
        let put = clock.timeout(BOUND, sink.put(&newest)).await;
        let put = put.unwrap_or_else(|| Err(NotAnchored::Failed("it took too long".to_owned())));
        let (now, size) = (clock.now(), newest.size);
        match put {
            Ok(()) => {
                tracing::debug!(place = sink.name(), size, "the heads are anchored");
                store::anchored(database, sink.place(), size, now, now.plus(self.config.every)).await
            }
            Err(NotAnchored::Failed(problem)) => {
                if place.failures == 0 {
                    tracing::warn!(
                        place = sink.name(),
                        size,
                        problem,
                        "the heads could not be anchored: it is tried again"
                    );
                }
                let next = now.plus(self.wait_after(place.failures));
                store::failed(database, sink.place(), next).await
            }
            // It is noted by the watch, and nothing is put there any more.
            Err(NotAnchored::Forked) => store::forked(database, sink.place(), size).await,
        }
    }

    /// A place whose next time is further away than any that is ever set had it from a clock that was wrong.
    fn is_due(&self, place: &Place, now: Timestamp) -> bool {
        let furthest = self.config.every.max(HOLDS_FOR).max(LONGEST_WAIT);
        place.next <= now || place.next > now.plus(furthest)
    }

    fn wait_after(&self, failures: u64) -> Duration {
        let doubled = u32::try_from(failures).unwrap_or(u32::MAX).min(16);
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(doubled));
        wait.min(LONGEST_WAIT).min(self.config.every)
    }

    async fn place(&self, sink: &Sink) -> Result<Place, Error> {
        let Deps { database, clock, .. } = &self.deps;
        loop {
            match store::find(database, sink.place()).await? {
                Some(place) => return Ok(place),
                None => store::name(database, sink.place(), clock.now()).await?,
            }
        }
    }

    /// Looks how long something waits, and says so.
    async fn watch(&self) {
        let clock = &self.deps.clock;
        let (mut trouble, begun) = (String::new(), clock.tick());
        loop {
            let settled = clock.tick().since(begun) >= GRACE;
            let looked = self.look(settled).await;
            complain(&mut trouble, looked.err(), "all");
            clock.sleep(self.deps.pause).await;
        }
    }

    async fn look(&self, settled: bool) -> Result<(), Error> {
        let Deps {
            database,
            clock,
            heads,
            ..
        } = &self.deps;
        let without_head = store::oldest_without_head(database, heads).await?;
        let mut oldest = None;
        for sink in &self.sinks {
            let place = self.place(sink).await?;
            let head = store::oldest_head(database, place.size).await?;
            let since = [head, without_head].into_iter().flatten().min();
            let since = since.map(|since| since.max(place.since));
            if settled && let Some(since) = since {
                self.note_if_late(sink, &place, since).await?;
            }
            oldest = [oldest, since].into_iter().flatten().min();
        }
        tell(oldest.map_or(Duration::ZERO, |oldest| clock.now().since(oldest)));
        self.waiting.set(oldest.filter(|_| settled));
        Ok(())
    }

    /// Notes that something is late, once for all replicas, and again while it lasts.
    async fn note_if_late(&self, sink: &Sink, place: &Place, since: Timestamp) -> Result<(), Error> {
        let Deps { database, clock, .. } = &self.deps;
        let now = clock.now();
        let (age, is_forked) = (now.since(since), place.forked_size > 0);
        let is_late = is_forked || age > self.config.late_after();
        if !is_late || now.since(place.noted) < NOTED_EVERY {
            return Ok(());
        }
        if !store::note(database, sink.place(), place.noted, now).await? {
            return Ok(());
        }
        let noted = self.note(sink, age, is_forked).await;
        if noted.is_err() {
            // It is noted as soon as it can be.
            store::note(database, sink.place(), now, place.noted).await?;
        }
        noted
    }

    async fn note(&self, sink: &Sink, age: Duration, is_forked: bool) -> Result<(), Error> {
        let Deps { clock, random, .. } = &self.deps;
        let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
        let name = sink.name();
        tracing::warn!(place = name, %age, "what the log has come to is not anchored: it can still be rewritten unseen");
        let (what, reason) = match is_forked {
            true => ("another history is anchored there", ErrorReason::AuditDamaged),
            false => ("not anchored", ErrorReason::AuditUnavailable),
        };
        let call_id = CallId::make(&**clock, &**random)?;
        let draft =
            Draft::system(Operation::AuditUnanchored, call_id).subject(&format!("{name}: {what}, for {age}"));
        let draft = match self.deps.service.parse() {
            Ok(caller) => draft.caller(&caller),
            Err(_) => draft,
        };
        let outcome = Outcome::failed(reason);
        let written = self.deps.appender.record(&draft, Phase::Admin, outcome).await;
        written.map_err(|error| Error::NotNoted(Box::new(error)))?;
        Ok(())
    }
}

/// Says what went wrong, and not again and again.
fn complain(trouble: &mut String, error: Option<Error>, place: &str) {
    let said = error.as_ref().map(ToString::to_string).unwrap_or_default();
    if let Some(error) = error.filter(|_| said != *trouble) {
        tracing::error!(%error, place, "the heads are not anchored now");
    }
    *trouble = said;
}
