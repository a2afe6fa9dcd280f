//! Counts the call against its handle's budget: one call, however many attempts it takes, and the records that it touches.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use super::{Call, Error, Next, Proven, Reply, Step};
use crate::{
    credentials::{self, Allowance, Grant, Half, Taken, Unused},
    crm::Ask,
};

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

/// What a call has paid of its handle's budget. Clones are of the same call.
#[derive(Clone, Debug, Default)]
pub(super) struct Paid(Arc<Mutex<Account>>);

#[derive(Debug, Default)]
struct Account {
    /// Whether it has paid: what steps ask for it is free from then on.
    whole: bool,
    /// What was paid for it by a step that had to read before the call could be made.
    ahead: Option<Taken>,
}

impl Paid {
    fn account(&self) -> MutexGuard<'_, Account> {
        // What is done under the lock cannot panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The step. Stands above [`Retry`](super::Retry), so that a call counts once; what is refused above it costs nothing, unless
/// HubSpot had to be asked to know that it must be.
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
        let Some(allowance) = grant.allowance() else {
            return next.run(call.by(counted)).await;
        };
        let paid = call.paid.clone();
        if call.aside {
            // Whose account a token is, is asked once for all. What else is read for a call is paid for by it.
            let is_free = matches!(call.ask, Ask::ReadAccount) || paid.account().whole;
            if is_free {
                return next.run(call.by(counted)).await;
            }
            let taken = take(allowance, &call.ask)?;
            paid.account().whole = true;
            let result = next.run(call.by(counted)).await;
            // A token that HubSpot refuses is not the caller's doing, as below.
            let is_refused = matches!(&result, Err(error) if error.refused_token().is_some());
            match sent.load(Ordering::Acquire) && !is_refused {
                true => paid.account().ahead = Some(taken),
                false => {
                    paid.account().whole = false;
                    allowance.purse().give_back(taken, Unused::All);
                }
            }
            return result;
        }
        let ahead = paid.account().ahead.take();
        let was_read_for = ahead.is_some();
        let taken = match ahead {
            Some(taken) => taken,
            None => allowance
                .purse()
                .take(call.ask.touches())
                .map_err(|half| credentials::Error::SliceSpent(half, 1))?,
        };
        // No page is larger than what is left: what comes is then paid for already.
        let Some(ask) = call.ask.clone().at_most(taken.records()) else {
            allowance.purse().give_back(taken, Unused::All);
            return Err(credentials::Error::SliceSpent(Half::Records, call.ask.touches()).into());
        };
        call.ask = ask;
        paid.account().whole = true;
        let result = next.run(call.by(counted)).await;
        if let Some(unused) = unused(&result, &taken, was_read_for || sent.load(Ordering::Acquire)) {
            paid.account().whole = unused != Unused::All;
            allowance.purse().give_back(taken, unused);
        }
        result
    }
}

/// Takes one call, and every record that it touches: fewer are of no use.
fn take(allowance: &Allowance, ask: &Ask) -> Result<Taken, Error> {
    let spent = |half, records| credentials::Error::SliceSpent(half, records);
    let records = ask.touches();
    let taken = allowance.purse().take(records).map_err(|half| spent(half, 1))?;
    if taken.records() < records {
        allowance.purse().give_back(taken, Unused::All);
        return Err(spent(Half::Records, records).into());
    }
    Ok(taken)
}

/// What a call has not used of what it has taken; `None` where nobody knows.
fn unused(result: &Result<Reply, Error>, taken: &Taken, sent: bool) -> Option<Unused> {
    match result {
        Ok(reply) => Some(Unused::Records(
            taken.records().saturating_sub(reply.answer.records()),
        )),
        Err(_) if !sent => Some(Unused::All),
        // HubSpot refuses the token, which is not the caller's doing: whatever is sent instead takes its place.
        Err(error) if error.refused_token().is_some() => Some(Unused::All),
        // HubSpot said no: it was a call, and touched nothing.
        Err(Error::HubSpot {
            error: hubkeep_hubspot::Error::Refused(..),
            ..
        }) => Some(Unused::Records(taken.records())),
        // What became of it is not known.
        Err(_) => None,
    }
}
