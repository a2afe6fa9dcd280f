//! Who takes over what lost processes have left in the midst.

use std::{error::Error as StdError, fmt::Debug};

use futures::future::BoxFuture;
use hubkeep_core::clock::Timestamp;

use crate::{Entry, Error, store::LostIntent};

/// Why something was not taken over.
pub type HeirError = Box<dyn StdError + Send + Sync>;

/// Takes over what lost processes have left in the midst: it hears of each intent before the log closes it as unknown. What it
/// could not take stays open, and it hears of it again; so it does after a process that was lost in between, or beside
/// another replica: to hear of one twice must be as to hear of it once.
pub trait Heir: Debug + Send + Sync {
    /// Takes over what these intents have announced.
    ///
    /// # Errors
    /// If anything was not taken: then none of them is closed.
    fn inherit<'a>(&'a self, intents: &'a [Entry]) -> BoxFuture<'a, Result<(), HeirError>>;

    /// Since when entries are still needed to know what became of what lost processes have left: none that is younger is pruned,
    /// however long it is to be kept. `None` where none is needed.
    ///
    /// # Errors
    /// If that is not known: then nothing is pruned.
    fn needs_since(&self) -> BoxFuture<'_, Result<Option<Timestamp>, HeirError>> {
        Box::pin(async { Ok(None) })
    }
}

/// For a log of which nobody needs to know what was left.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Heir for Nobody {
    fn inherit<'a>(&'a self, _: &'a [Entry]) -> BoxFuture<'a, Result<(), HeirError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Tells an heir of what was lost.
pub(crate) async fn tell(heir: &dyn Heir, lost: &[LostIntent]) -> Result<(), Error> {
    let intents: Vec<Entry> = lost.iter().map(|intent| intent.entry.clone()).collect();
    heir.inherit(&intents).await.map_err(Error::NotInherited)
}
