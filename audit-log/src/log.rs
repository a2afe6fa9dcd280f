//! The log as its users see it.

use std::{future::Future, sync::Arc};

use futures::Stream;
use hubkeep_core::{clock::SharedClock, database::Database, random::SharedRandom};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    Config, Draft, Error, Event, Filter, Identity, Intent, Outcome, Phase, Position, Tailed,
    appender::Appender,
    durable::{Durable, Followers},
    opened::Opened,
    orphans,
    refusals::Refusals,
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
    followers: Followers,
    /// Whether other processes write to it too.
    shared: bool,
    counting: Background,
    writing: Background,
    replicas: Background,
    /// Counted refusals are written, and the lease ends, also when nobody has called `stop`.
    _end: [DropGuard; 2],
}

/// A task, if it was started, and how it is told to end.
#[derive(Debug, Default)]
struct Background {
    end: CancellationToken,
    task: TaskTracker,
}

impl Background {
    fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.task.spawn(work);
    }

    async fn stop(&self) {
        self.end.cancel();
        self.task.close();
        self.task.wait().await;
    }
}

impl AuditLog {
    /// Opens the log: brings its tables up to date, records every intent without an outcome as unknown, and starts
    /// the writer. Nothing is accepted before that.
    ///
    /// # Errors
    /// If the place is none ([`Error::NoSuchPlace`]), another process writes to the file ([`Error::InUse`]), or the
    /// database cannot be opened or written, or would lose what it has committed.
    pub async fn open(
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
        let (appender, waiting) = Appender::new(identity, Arc::clone(&clock), random, config.intent_deadline);
        orphans::close(&reader, &mut store, &appender).await?;

        let durable = Durable::at(reader.end().await?);
        let followers = Followers::of(&durable);
        let appender = Arc::new(appender);
        let refusals = Arc::new(Refusals::new(Arc::clone(&appender)));
        let (counting, writing, replicas) = (
            Background::default(),
            Background::default(),
            Background::default(),
        );
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
            let own = orphans::watch(lease, reader, appender, replicas.end.clone());
            replicas.start(async {
                tokio::join!(own, others);
            });
        }
        writing.start(
            Writer {
                waiting,
                store,
                durable,
                clock: Arc::clone(&clock),
                closing: writing.end.clone(),
            }
            .run(),
        );
        let end = [&counting, &replicas].map(|task| task.end.clone().drop_guard());
        let inner = Inner {
            appender,
            refusals,
            reader,
            followers,
            shared,
            counting,
            writing,
            replicas,
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
    /// [`Error::Unavailable`] if it is not durable within the deadline: the attempt must not be made.
    pub async fn intent(&self, draft: Draft) -> Result<Intent, Error> {
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
            self.inner.reader.clone(),
            self.inner.followers.join(),
            clock,
            after,
            filter,
        )
    }

    /// At most `limit` events after a position that pass the filter, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn list(&self, filter: &Filter, after: Position, limit: usize) -> Result<Vec<Event>, Error> {
        let end = self.end().await?;
        self.inner.reader.events(filter, after, end, limit).await
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

    pub(crate) fn database(&self) -> &Database {
        self.inner.reader.database()
    }

    /// Writes what waits, counted refusals too, and closes the log. When this returns, it may be opened again.
    /// Nothing is accepted any more; an intent that is still held stays open until the log is opened again.
    pub async fn stop(&self) {
        self.inner.counting.stop().await;
        self.inner.replicas.stop().await;
        self.inner.writing.stop().await;
        self.inner.reader.close().await;
    }
}
