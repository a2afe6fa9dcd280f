//! Faults on demand: what can go wrong, for which requests, and how often.

mod queue;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::limits::Policy;

pub(crate) use queue::{Fate, Faults};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// A refusal with HubSpot's usual body for this status: 401, 403, 404, 423, 500, 502 to 504, 521 to 526,
    /// any other.
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
    /// Any status with a page of HTML, as a proxy in front of HubSpot sends it.
    HtmlPage {
        /// The HTTP status.
        status: u16,
    },
    /// A redirect, which HubSpot's API never sends.
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// Where to.
        location: String,
    },
    /// The first half of the body of the true answer, with a `Content-Length` that is right for it.
    TruncatedJson,
    /// The true answer after so many spaces, all of it as gzip that nobody asked for: small on the wire, large unpacked.
    GzipBomb {
        /// How many spaces, in bytes; 200 MiB unless said otherwise.
        #[serde(default = "bomb_bytes")]
        bytes: u64,
    },
    /// The true answer after so many spaces, without a length in its head.
    LongBody {
        /// How many spaces, in bytes; 100 MiB unless said otherwise.
        #[serde(default = "long_bytes")]
        bytes: u64,
    },
    /// The true answer, byte by byte.
    Drip {
        /// Milliseconds after each byte; a second unless said otherwise.
        #[serde(default = "drip_ms")]
        ms: u64,
    },
    /// The true page, which always names the same next page.
    SameCursor {
        /// The cursor; `1` unless said otherwise, which lists accept.
        #[serde(default = "cursor")]
        after: String,
    },
    /// The true answer under another type of content.
    WrongContentType {
        /// As the header shall say it.
        content_type: String,
    },
    /// The true answer in which each member of each object comes twice: first with another value, then with the true one.
    DuplicateKeys,
    /// 200 with lists in lists.
    DeepJson {
        /// How deep; 10,000 unless said otherwise.
        #[serde(default = "levels")]
        levels: u32,
    },
    /// A batch of which each so-maniest row is refused and not carried out; the others are. 207.
    MixedRows {
        /// 2 for every second row, which it is unless said otherwise; 1 for every row.
        #[serde(default = "every")]
        every: u32,
        /// Whether they are refused for a limit, and not because they are not valid.
        #[serde(default)]
        limited: bool,
    },
    /// The answer is made of another account's data.
    AnswerOfPortal {
        /// The other account's number.
        other: u64,
    },
}

const MIB: u64 = 1024 * 1024;

fn bomb_bytes() -> u64 {
    200 * MIB
}

fn long_bytes() -> u64 {
    100 * MIB
}

fn drip_ms() -> u64 {
    1_000
}

fn cursor() -> String {
    "1".to_owned()
}

fn levels() -> u32 {
    10_000
}

fn every() -> u32 {
    2
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
