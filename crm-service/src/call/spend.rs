//! Counts the call against its handle's budget: one call, however many attempts it takes, and the records that it touches.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{Call, Error, Next, Proven, Reply, Step};
use crate::credentials::{self, Grant, Half, Unused};

/// Proof that the call is counted, if its handle has a budget. Only [`Spend`] makes it.
#[derive(Clone, Debug)]
pub struct Counted {
    proven: Proven,
    /// Set when an attempt goes out.
    sent: Arc<AtomicBool>,
}

impl Counted {
    pub(super) fn grant(&self) -> &Arc<Grant> {
        self.proven.grant()
    }

    /// An attempt goes out now: from here on HubSpot may have received something.
    pub(super) fn note_sent(&self) {
        self.sent.store(true, Ordering::Release);
    }
}

/// The step. Stands above [`Retry`](super::Retry), so that a call counts once; what is refused above it costs nothing.
#[derive(Debug)]
pub struct Spend;

impl Step<Call<Proven>> for Spend {
    type Out = Call<Counted>;

    async fn take(&self, mut call: Call<Proven>, next: &Next<Call<Counted>>) -> Result<Reply, Error> {
        let sent = Arc::new(AtomicBool::new(false));
        let counted = Counted {
            proven: call.authority.clone(),
            sent: sent.clone(),
        };
        let grant = counted.grant().clone();
        let Some(allowance) = grant.allowance().filter(|_| !call.aside) else {
            return next.run(call.by(counted)).await;
        };
        let taken = allowance
            .purse()
            .take(call.ask.touches())
            .map_err(|half| credentials::Error::SliceSpent(half, 1))?;
        // No page is larger than what is left: what comes is then paid for already.
        let Some(ask) = call.ask.clone().at_most(taken.records()) else {
            allowance.purse().give_back(taken, Unused::All);
            return Err(credentials::Error::SliceSpent(Half::Records, call.ask.touches()).into());
        };
        call.ask = ask;
        let result = next.run(call.by(counted)).await;
        let unused = match &result {
            Ok(reply) => Some(Unused::Records(
                taken.records().saturating_sub(reply.answer.records()),
            )),
            Err(_) if !sent.load(Ordering::Acquire) => Some(Unused::All),
            // HubSpot said no: it was a call, and touched nothing.
            Err(Error::HubSpot {
                error: hubkeep_hubspot::Error::Refused(..),
                ..
            }) => Some(Unused::Records(taken.records())),
            // What became of it is not known.
            Err(_) => None,
        };
        if let Some(unused) = unused {
            allowance.purse().give_back(taken, unused);
        }
        result
    }
}
