//! What must not be served from memory any more: a dense sequence, written in the transaction of the act itself, and
//! a feed of it.
//!
//! | file | does |
//! |---|---|
//! | `act` | begins the transactions of acts, unless whoever acts is contained |
//! | `feed` | gives a redeemer the sequence, and shows it that it was heard |
//! | `redeemer` | notes what a redeemer has applied, and that it lives |
//! | `reach` | waits until a revocation has arrived everywhere |
//! | `own_calls` | says that this service is about to call HubSpot itself |
//! | `store` | the tables |

mod act;
mod error;
mod feed;
mod own_calls;
mod reach;
mod redeemer;
mod store;

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::{Database, Notices, Transaction},
    id::{CallerName, ClientSlug, GrantId, HandleId, PersonId, PortalId, RedeemerId},
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use error::Error;
pub use feed::{Feed, News};
pub use reach::Reach;
pub use redeemer::Redeemer;

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One handle, and every handle narrowed from it.
    Handle(HandleId),
    /// Every handle of a portal issued under an older generation than this.
    PortalGeneration(PortalId, u64),
    /// Every token of a portal with an older version than this.
    CredentialVersion(PortalId, u64),
    /// Everything of a portal, which was erased, under an older generation than this: the keys of whoever listens too.
    PortalErasure(PortalId, ClientSlug, u64),
    /// Every handle of a caller issued under an older generation than this.
    CallerGeneration(CallerName, u64),
    /// Every handle of a person's callers issued under an older generation than this.
    PersonGeneration(PersonId, u64),
    /// Every handle issued under an older revision of a grant than this.
    GrantRevision(GrantId, u64),
    /// Whether a caller is contained. Its handles end by generations.
    CallerHold(CallerName, bool),
    /// No handle: this service is about to call HubSpot for a portal, and whoever was lent its places leaves them free.
    OwnCalls(PortalId),
}

/// Something that was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its place: dense, from 1.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// What.
    pub scope: Scope,
}

/// The sequence of revocations.
#[derive(Clone, Debug)]
pub struct Revocations {
    database: Database,
    clock: SharedClock,
    wake: Arc<watch::Sender<u64>>,
    /// Wakes who waits for redeemers, when one was heard here.
    heard: Arc<watch::Sender<()>>,
    _listening: Arc<DropGuard>,
}

/// How often the table is read when nobody says that there is news: other replicas may revoke, and what wakes can get
/// lost.
pub(crate) const POLL: Duration = Duration::from_millis(500);
/// Where replicas tell each other that something was revoked.
const CHANNEL: &str = "hubkeep_revocation";

impl Revocations {
    /// The sequence kept in this database. Other replicas are listened to until the last clone is gone.
    pub fn build(database: Database, clock: SharedClock) -> Self {
        let wake = Arc::new(watch::Sender::new(0));
        let stop = CancellationToken::new();
        if let Some(notices) = database.notices(CHANNEL, &clock) {
            tokio::spawn(
                stop.clone()
                    .run_until_cancelled_owned(listen(notices, wake.clone())),
            );
        }
        Self {
            database,
            clock,
            wake,
            heard: Arc::default(),
            _listening: Arc::new(stop.drop_guard()),
        }
    }

    /// Revokes something, as part of the transaction that does so. Gives its place, which is taken for good only by
    /// the commit; call [`announce`](Self::announce) after it. Nobody else can revoke until then.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn append(&self, transaction: &mut Transaction, scope: Scope) -> Result<u64, Error> {
        let seq = store::append(transaction, scope, self.clock.now()).await?;
        transaction.notify(CHANNEL).await?;
        Ok(seq)
    }

    /// The newest place, as a transaction sees it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn newest_in(&self, transaction: &mut Transaction) -> Result<u64, Error> {
        store::newest_in(transaction).await
    }

    /// Wakes the feeds of this process. Those of other replicas are woken by the commit.
    pub fn announce(&self, seq: u64) {
        self.wake.send_if_modified(|newest| {
            let newer = seq > *newest;
            *newest = seq.max(*newest);
            newer
        });
    }

    /// The newest place, 0 if nothing was ever revoked.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn newest(&self) -> Result<u64, Error> {
        store::newest(&self.database).await
    }

    /// Which callers were contained or lifted after a place, in order, and the place up to which that is told.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn holds_after(&self, place: u64) -> Result<(Vec<(CallerName, bool)>, u64), Error> {
        let newest = store::newest(&self.database).await?;
        let holds = match newest > place {
            true => store::holds_between(&self.database, place, newest).await?,
            false => Vec::new(),
        };
        Ok((holds, newest))
    }

    /// What changes when something may be new: here, or at another replica that says so. That word can get lost.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    /// The feed of everything after a place, for a redeemer of this name; and the redeemer, whose words are to be
    /// [noted](Redeemer::note) as they come.
    ///
    /// # Errors
    /// If that place does not exist yet here: then the redeemer has seen a newer state than this service has. If another
    /// service has this id.
    pub async fn watch(
        &self,
        after: u64,
        id: RedeemerId,
        name: CallerName,
    ) -> Result<(Feed, Redeemer), Error> {
        let newest = self.newest().await?;
        if after > newest {
            return Err(Error::Behind { seen: after, newest });
        }
        let redeemer = self.register(id, name).await?;
        let feed = Feed::new(
            self.database.clone(),
            self.clock.clone(),
            self.wake.subscribe(),
            redeemer.echo(),
            after,
        );
        Ok((feed, redeemer))
    }
}

/// Wakes the feeds of this process whenever another replica may have revoked something.
async fn listen(mut notices: Notices, wake: Arc<watch::Sender<u64>>) {
    loop {
        notices.next().await;
        // What is new is read from the table; here it is only said that somebody should look.
        wake.send_modify(|_| {});
    }
}
