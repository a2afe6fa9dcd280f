//! Faults on demand: what can go wrong, for which requests, and how often.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::limits::Policy;
use crate::lock::lock;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// A refusal with HubSpot's usual body for this status: 401, 403, 404, 423, 500, 502, 503, 504, 524, any other.
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// 401 of an OAuth token past its time.
    ExpiredToken,
    /// 429.
    RateLimited {
        /// Which limit it says was reached.
        policy: Policy,
        /// Whether the `X-HubSpot-RateLimit-*` headers come with it (a search never has them).
        #[serde(default)]
        headers: bool,
        /// Seconds for a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// 477: the account moves to another data centre.
    Migrating {
        /// Seconds for the `Retry-After` header.
        retry_after: u64,
    },
    /// Any status and JSON body.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body, sent as it is.
        body: Value,
    },
    /// 502 with a page of HTML, as a proxy in front of HubSpot sends it.
    HtmlBody,
    /// The true answer, after a delay. Combines with any other fault.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// The answer is held until the test releases it. Combines with any other fault.
    HoldUntilReleased,
    /// The connection closes without an answer.
    CutConnection,
    /// The connection closes in the middle of the body of the true answer.
    CutBody,
    /// The true answer, whose body then never ends.
    NeverEndingBody,
    /// The answer is made of another account's data.
    AnswerOfPortal {
        /// The other account's number.
        other: u64,
    },
}

impl Fault {
    /// Whether it only delays, so that it combines with others.
    fn is_delay(&self) -> bool {
        matches!(self, Self::Slow { .. } | Self::HoldUntilReleased)
    }
}

/// A fault and the requests it befalls. Without conditions it befalls every request until it is cleared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Only for tokens of this account.
    #[serde(default)]
    pub portal_id: Option<u64>,
    /// Only for this HTTP method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only for paths that start like this.
    #[serde(default)]
    pub path_prefix: Option<String>,
    /// How many requests it befalls; `None`: until cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the request takes effect before its answer goes wrong: the write that happened although its caller
    /// never heard of it. (Faults that give the true answer always take effect.)
    #[serde(default)]
    pub after_effect: bool,
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            portal_id: None,
            method: None,
            path_prefix: None,
            times: None,
            after_effect: false,
        }
    }
}

impl FaultRule {
    /// This fault, for every request until cleared.
    pub fn new(fault: Fault) -> Self {
        fault.into()
    }

    /// Only for tokens of this account.
    pub fn portal(mut self, portal_id: u64) -> Self {
        self.portal_id = Some(portal_id);
        self
    }

    /// Only for this HTTP method.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only for paths that start like this.
    pub fn path(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = Some(prefix.into());
        self
    }

    /// Only for the next `n` requests that match.
    pub fn times(mut self, n: u32) -> Self {
        self.times = Some(n);
        self
    }

    /// The request takes effect before its answer goes wrong.
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    fn befalls(&self, portal_id: Option<u64>, method: &str, path: &str) -> bool {
        self.times != Some(0)
            && self.portal_id.is_none_or(|wanted| portal_id == Some(wanted))
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .path_prefix
                .as_deref()
                .is_none_or(|prefix| path.starts_with(prefix))
    }
}

/// Names an injected fault, to release it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u64);

/// The faults that wait for a request, in the order in which they were injected.
#[derive(Debug)]
pub(crate) struct Faults {
    queue: Mutex<Queue>,
    /// How many answers are held now.
    held: watch::Sender<usize>,
    /// So that the ordinary request pays for no lock.
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    rules: Vec<Queued>,
    last_id: u64,
}

#[derive(Debug)]
struct Queued {
    id: FaultId,
    rule: FaultRule,
    gate: watch::Sender<bool>,
}

/// What befalls one request.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    /// The fault proper.
    pub(crate) fault: Option<FaultRule>,
    /// Milliseconds of delay.
    pub(crate) delay_ms: u64,
    /// A gate that opens on release.
    pub(crate) gate: Option<watch::Receiver<bool>>,
}

impl Faults {
    /// No fault.
    pub(crate) fn none() -> Self {
        Self {
            queue: Mutex::default(),
            held: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Adds a fault behind those that already wait.
    pub(crate) fn inject(&self, rule: FaultRule) -> FaultId {
        let mut queue = lock(&self.queue);
        queue.last_id += 1;
        let id = FaultId(queue.last_id);
        queue.rules.push(Queued {
            id,
            rule,
            gate: watch::Sender::new(false),
        });
        self.waiting.store(queue.rules.len(), Ordering::Release);
        id
    }

    /// The faults that wait.
    pub(crate) fn list(&self) -> Vec<(FaultId, FaultRule)> {
        lock(&self.queue)
            .rules
            .iter()
            .map(|queued| (queued.id, queued.rule.clone()))
            .collect()
    }

    /// Takes what befalls this request: the first fault proper that matches, and the first delay of each sort.
    pub(crate) fn take(&self, portal_id: Option<u64>, method: &str, path: &str) -> Fate {
        let mut fate = Fate::default();
        if self.waiting.load(Ordering::Acquire) == 0 {
            return fate;
        }
        let mut queue = lock(&self.queue);
        for queued in &mut queue.rules {
            if !queued.rule.befalls(portal_id, method, path) {
                continue;
            }
            match &queued.rule.fault {
                Fault::Slow { ms } if fate.delay_ms == 0 => fate.delay_ms = *ms,
                Fault::HoldUntilReleased if fate.gate.is_none() => fate.gate = Some(queued.gate.subscribe()),
                fault if !fault.is_delay() && fate.fault.is_none() => fate.fault = Some(queued.rule.clone()),
                _ => continue,
            }
            queued.rule.times = queued.rule.times.map(|left| left.saturating_sub(1));
        }
        // A spent hold stays: its gate must still open for the answers that it holds.
        queue
            .rules
            .retain(|queued| queued.rule.times != Some(0) || queued.rule.fault == Fault::HoldUntilReleased);
        self.waiting.store(queue.rules.len(), Ordering::Release);
        fate
    }

    /// Lets go of the answers that this fault holds and ends it.
    pub(crate) fn release(&self, id: FaultId) {
        self.end(|queued| queued.id == id);
    }

    /// Ends all faults and lets go of every held answer.
    pub(crate) fn clear(&self) {
        self.end(|_| true);
    }

    fn end(&self, ends: impl Fn(&Queued) -> bool) {
        let mut queue = lock(&self.queue);
        queue.rules.retain(|queued| {
            let ends = ends(queued);
            if ends {
                queued.gate.send_replace(true);
            }
            !ends
        });
        self.waiting.store(queue.rules.len(), Ordering::Release);
    }

    /// Waits at the gate until it opens.
    pub(crate) async fn wait_at(&self, mut gate: watch::Receiver<bool>) {
        self.held.send_modify(|held| *held += 1);
        let _leaving = Leaving(&self.held);
        // An error means that the fault is gone, which also lets go.
        drop(gate.wait_for(|open| *open).await);
    }

    /// How many answers are held now.
    pub(crate) fn held(&self) -> usize {
        *self.held.borrow()
    }

    /// Waits until at least `n` answers are held.
    pub(crate) async fn until_held(&self, n: usize) {
        drop(self.held.subscribe().wait_for(|held| *held >= n).await);
    }
}

/// Counts a held answer out again, also when its caller hangs up.
struct Leaving<'a>(&'a watch::Sender<usize>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held = held.saturating_sub(1));
    }
}
