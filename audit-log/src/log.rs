//! The log as its users see it.

mod background;
mod parts;

use std::{sync::Arc, time::Duration};

use futures::Stream;
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    dying::watched,
    id::PortalId,
    random::SharedRandom,
};
use tokio_util::sync::DropGuard;

use self::background::Background;
use crate::{
    Config, Draft, Error, Event, Filter, Heir, Identity, Intent, Keep, Outcome, Phase, Position,
    ProvenPortal, Tailed, anchoring,
    anchors::{Anchorer, Waiting},
    appender::Appender,
    durable::{Durable, Followers},
    finding,
    gate::Gate,
    heir::Nobody,
    index::{Finder, Indexer},
    opened::Opened,
    orphans,
    payloads::{self, Sealer},
    proofs::Proofs,
    proving, pruning,
    recent::Recent,
    refusals::Refusals,
    room, spill,
    store::Reader,
    tail,
    writer::Writer,
};

/// A service's audit log: the logs of its portals, and its own. Clones share it.
///
/// It ends with [`stop`](Self::stop), or when the last clone and the last [`Intent`] are dropped.
#[derive(Clone, Debug)]
pub struct AuditLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    appender: Arc<Appender>,
    refusals: Arc<Refusals>,
    reader: Reader,
    recent: Recent,
    followers: Followers,
    /// Whether other processes write to it too.
    shared: bool,
    counting: Background,
    writing: Background,
    replicas: Background,
    proving: Background,
    indexing: Background,
    anchoring: Background,
    /// Looks at the room on disks.
    looking: Background,
    /// Removes payloads whose time is over.
    sweeping: Background,
    payloads_kept_for: Duration,
    pruning: Background,
    keep: Keep,
    proofs: Proofs,
    /// Since when something waits to be anchored.
    unanchored: Waiting,
    /// After how long of that nothing is written any more.
    blocks_writes_after: Option<Duration>,
    finder: Finder,
    indexer: Indexer,
    /// Counted refusals are written, and the lease ends, also when nobody has called `stop`.
    _end: [DropGuard; 8],
}

impl AuditLog {
    /// Opens the log: brings its tables up to date, records every intent without an outcome as unknown, and starts
    /// the writer. Nothing is accepted before that.
    ///
    /// # Errors
    /// If the place is none ([`Error::NoSuchPlace`]), another process writes to the file ([`Error::InUse`]), the
    /// database cannot be opened or written, or would lose what it has committed, or outcomes cannot be kept where they are to
    /// wait ([`Error::Spill`]).
    pub async fn open(
        config: &Config,
        identity: Identity,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self, Error> {
        Self::open_for(Arc::new(Nobody), config, identity, clock, random).await
    }

    /// The same, where somebody takes over what lost processes have left: an intent is recorded as unknown when its heir has
    /// it.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Error::NotInherited`] if the heir did not take it.
    pub async fn open_for(
        heir: Arc<dyn Heir>,
        config: &Config,
        identity: Identity,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self, Error> {
        // Apart, because what is alive while it is opened is large, and who opens a log may do so deep down.
        Box::pin(Self::begin(heir, config, identity, clock, random)).await
    }

    async fn begin(
        heir: Arc<dyn Heir>,
        config: &Config,
        identity: Identity,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self, Error> {
        let Opened {
            reader,
            mut store,
            lease,
        } = Opened::open(config, identity.clone(), &clock).await?;
        let (proofs, prover) = proving::open(config, &identity, &reader, &clock, &random).await?;
        let indexer = finding::open(config, &identity, &clock).await?;
        let gate = Gate::default();
        let (appender, waiting) = Appender::new(
            identity.clone(),
            Arc::clone(&clock),
            random.clone(),
            config.intent_deadline,
            (gate.clone(), Sealer::new(config.payloads.enabled)),
        );
        let (appender, unanchored) = (Arc::new(appender), Waiting::default());
        let begun = async {
            let ready = spill::open(config, &identity, &reader, &mut store, &clock).await?;
            orphans::close(&reader, &mut store, &appender, &*heir).await?;
            let anchorer =
                anchoring::open(config, &identity, &proofs, &unanchored, &appender, &random).await?;
            Ok((anchorer, ready.start()?))
        };
        let (anchorer, spill) = match begun.await {
            Ok(begun) => begun,
            Err(error) => {
                // Whoever tries again must not find it locked.
                store.close().await;
                return Err(error);
            }
        };

        let recent = Recent::default();
        let places = anchorer.as_ref().map(Anchorer::places).unwrap_or_default();
        let pruner = pruning::open(
            config,
            &identity,
            (&proofs, places),
            &appender,
            (&heir, &recent),
            &random,
        );
        let pruner = match pruner.await {
            Ok(pruner) => pruner,
            Err(error) => {
                store.close().await;
                return Err(error);
            }
        };
        let durable = Durable::at(reader.end().await?);
        let followers = Followers::of(&durable);
        let refusals = Arc::new(Refusals::new(Arc::clone(&appender)));
        let [
            counting,
            writing,
            replicas,
            proving,
            indexing,
            anchoring,
            looking,
            pruning,
            sweeping,
        ] = [(); 9].map(|()| Background::default());
        counting.start(Arc::clone(&refusals).run(counting.end.clone()));
        let shared = lease.is_some();
        if let Some(lease) = lease {
            let (reader, appender) = (reader.clone(), Arc::clone(&appender));
            let others = followers.clone().follow(
                durable.clone(),
                reader.clone(),
                Arc::clone(&clock),
                replicas.end.clone(),
            );
            let own = orphans::watch(lease, reader, appender, heir, replicas.end.clone());
            replicas.start(async {
                tokio::join!(own, others);
            });
        }
        let writer = Writer {
            waiting,
            store,
            durable,
            recent: recent.clone(),
            clock: Arc::clone(&clock),
            closing: writing.end.clone(),
            patience: config.intent_deadline,
            unwritten: spill::Unwritten::new(spill, gate.clone()),
            taken: Vec::new(),
        };
        writing.start(watched(writer.run()));
        if let Some(prover) = prover {
            proving.start(prover.run(proving.end.clone()));
        }
        indexing.start(indexer.clone().run(indexing.end.clone()));
        if let Some(pruner) = pruner {
            pruning.start(pruner.run(pruning.end.clone()));
        }
        if let Some(anchorer) = anchorer {
            anchoring.start(anchorer.run(anchoring.end.clone()));
        }
        let rooms = room::Watch::of(config, &gate);
        looking.start(rooms.begin(Arc::clone(&clock), looking.end.clone()).await);
        let expired = payloads::sweep(
            reader.database().clone(),
            config.payloads.clone(),
            Arc::clone(&clock),
        );
        sweeping.start_until_end(expired);
        let ending = [
            &counting, &replicas, &proving, &indexing, &anchoring, &looking, &pruning, &sweeping,
        ];
        let end = ending.map(|task| task.end.clone().drop_guard());
        let inner = Inner {
            sweeping,
            payloads_kept_for: config.payloads.keep,
            appender,
            refusals,
            finder: Finder::new(reader.clone()),
            indexer,
            reader,
            recent,
            followers,
            shared,
            counting,
            writing,
            replicas,
            proving,
            indexing,
            anchoring,
            looking,
            pruning,
            keep: config.keep.clone(),
            unanchored,
            blocks_writes_after: config.anchors.blocks_writes_after(),
            proofs,
            _end: end,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Records that an HTTP attempt is about to be made. When this returns, the intent is durable, and the attempt
    /// may be made. An intent that is given up while it waits is not written.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it is not durable within the deadline, or if it is a write and what was recorded waits for too
    /// long to be anchored: the attempt must not be made.
    pub async fn intent(&self, draft: Draft) -> Result<Intent, Error> {
        self.must_be_anchored(&draft)?;
        self.inner.appender.intent(draft).await
    }

    /// Records something done inside Hubkeep itself. When this returns, the entry is durable.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it is not durable within the deadline.
    pub async fn admin(&self, draft: Draft, outcome: Outcome) -> Result<Position, Error> {
        self.inner.appender.record(&draft, Phase::Admin, outcome).await
    }

    /// Records a refusal. In a portal's log each is an entry, durable when this returns. In the service's own log
    /// one caller fills at most one entry a second for each reason: further refusals are counted, and written as one
    /// entry when the second is over; for these, that entry comes after the position returned.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it is not durable within the deadline; in the service's own log it is then counted.
    pub async fn denied(&self, draft: Draft, outcome: Outcome) -> Result<Position, Error> {
        match self.inner.refusals.record(draft, outcome).await? {
            Some(position) => Ok(position),
            None => self.end().await,
        }
    }

    /// Every event after a position that passes the filter: those of the past, then new ones as they become durable;
    /// without a gap, without a duplicate, in order. It reads at the pace of its reader and never holds up the
    /// writer; it ends after an error, and when the log is stopped.
    pub fn tail(
        &self,
        after: Position,
        filter: Filter,
    ) -> impl Stream<Item = Result<Tailed, Error>> + Send + use<> {
        let clock = Arc::clone(self.inner.appender.clock());
        tail::events(
            (self.inner.reader.clone(), self.inner.recent.clone()),
            self.inner.followers.join(),
            clock,
            after,
            filter,
        )
    }

    /// At most `limit` events after a position that pass the filter, oldest first. What is looked for among many others is
    /// found quicker by [`find`](Self::find).
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn list(&self, filter: &Filter, after: Position, limit: usize) -> Result<Vec<Event>, Error> {
        let end = self.end().await?;
        let events = self.inner.reader.events(filter, after, end, limit).await?;
        Ok(events.into_iter().map(tail::without_leaf).collect())
    }

    /// The full name of a portal's log.
    pub fn name_of(&self, portal: &ProvenPortal) -> String {
        self.inner.reader.log_of(portal.portal_id())
    }

    /// The full name of the log of heads.
    pub fn heads_name(&self) -> String {
        self.inner.reader.heads()
    }

    /// The newest durable position; [`Position::START`] if nothing was ever recorded.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn end(&self) -> Result<Position, Error> {
        let known = self.inner.followers.newest();
        if self.inner.shared {
            return Ok(known.max(self.inner.reader.end().await?));
        }
        Ok(known)
    }

    /// A position behind which every entry lies that was made at `time` or later. Entries shortly before that may lie behind
    /// it too: the clocks of replicas differ.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn before(&self, time: Timestamp) -> Result<Position, Error> {
        let end = self.end().await?;
        self.inner.reader.before(time, end).await
    }

    /// The name of a portal's log: `<deployment>/<service>/<portal_id>`.
    pub fn log_of(&self, portal_id: PortalId) -> String {
        self.inner.reader.log_of(portal_id)
    }

    /// Whether other processes may write to it at the same time: not to a log in a file.
    pub fn is_shared(&self) -> bool {
        self.inner.shared
    }

    /// Writes what waits, counted refusals too, and closes the log. When this returns, it may be opened again.
    /// Nothing is accepted any more; an intent that is still held stays open until the log is opened again.
    pub async fn stop(&self) {
        self.inner.pruning.stop().await;
        self.inner.anchoring.stop().await;
        self.inner.looking.stop().await;
        self.inner.counting.stop().await;
        self.inner.replicas.stop().await;
        self.inner.writing.stop().await;
        self.inner.proving.stop().await;
        self.inner.indexing.stop().await;
        self.inner.sweeping.stop().await;
        self.inner.reader.close().await;
    }
}
