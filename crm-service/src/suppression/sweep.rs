//! Erasures that never said how they ended: whose process was lost, or whose answer was. What became of them is learned later.

use std::time::Duration;

use hubkeep_audit_log::Operation;
use hubkeep_core::dying::watched;
use tokio_util::sync::CancellationToken;

use super::{Error, Suppression, store};
use crate::writes::{Fate, Writes};

/// How often they are looked for.
const SWEPT_EVERY: Duration = Duration::from_secs(60);
/// What a call may last beyond its deadline, by the clock of another replica.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
/// Erasures that are read at once.
const PAGE: u32 = 500;

impl Suppression {
    /// Beside the calls, until `stop`: has on the list for good who was erased, and takes from it who was not, as soon as that is
    /// known. What is not known stays on the list. Calls last no longer than `longest`: of a younger one its own process knows best.
    pub fn learn_from(&self, writes: &Writes, longest: Duration, stop: &CancellationToken) {
        let (list, writes) = (self.clone(), writes.clone());
        let sweeping = async move {
            loop {
                if let Err(error) = list.sweep_once(&writes, longest).await {
                    tracing::warn!(%error, "erasures that did not say how they ended were not looked at");
                }
                list.clock.sleep(SWEPT_EVERY).await;
            }
        };
        tokio::spawn(watched(stop.clone().run_until_cancelled_owned(sweeping)));
    }

    async fn sweep_once(&self, writes: &Writes, longest: Duration) -> Result<(), Error> {
        let over = self.clock.now().minus(longest).minus(CLOCKS_DIFFER);
        let mut after = String::new();
        loop {
            let page = store::open(&self.database, over, &after, PAGE).await?;
            for of in &page {
                match writes.fate(of.erasure, Operation::ContactErase).await? {
                    Fate::Done => store::keep(&self.database, of, self.clock.now()).await?,
                    Fate::NotDone => store::delete(&self.database, of).await?,
                    Fate::Open => {}
                }
            }
            match page.last() {
                Some(last) => after = last.erasure.to_string(),
                None => return Ok(()),
            }
        }
    }
}
