//! Where a server listens, and its limits.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::config::{Fault, Validate};

/// Where a server listens, and its limits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The address to listen on. Without certificates: loopback only.
    pub listen: SocketAddr,
    /// Requests worked on at once; more are refused with OVERLOADED.
    pub max_in_flight: usize,
    /// Requests of one caller worked on at once; more are refused with TOO_MANY_AT_ONCE.
    pub max_in_flight_per_caller: usize,
    /// Streams open at once that may last (events, quota, walks, revocations), which are not counted as requests in
    /// flight; more are refused with OVERLOADED.
    pub max_streams: usize,
    /// Such streams of one caller; more are refused with TOO_MANY_AT_ONCE.
    pub max_streams_per_caller: usize,
    /// Connections in their TLS handshake at once. When one more comes, the one goes that has been silent for longest.
    pub max_handshakes: usize,
    /// The deadline of a caller that states none.
    #[serde(with = "humantime_serde")]
    pub default_deadline: Duration,
    /// The longest deadline; a caller that asks for more gets this.
    #[serde(with = "humantime_serde")]
    pub max_deadline: Duration,
    /// How long a server that was told to stop goes on serving, while its health says NOT_SERVING: as long as the
    /// balancer before it needs to notice. Nothing needs it where there is none.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// How long requests in flight may take to end when the server stops, after it has lingered.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            max_in_flight: 1_024,
            max_in_flight_per_caller: 512,
            max_streams: 1_024,
            max_streams_per_caller: 256,
            max_handshakes: 1_024,
            default_deadline: Duration::from_secs(30),
            max_deadline: Duration::from_secs(300),
            linger: Duration::ZERO,
            drain: Duration::from_secs(30),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, problem: &str| {
            faults.push(Fault {
                key: format!("grpc.{key}"),
                problem: problem.to_owned(),
            });
        };
        let limits = [
            ("max_in_flight", self.max_in_flight),
            ("max_in_flight_per_caller", self.max_in_flight_per_caller),
            ("max_streams", self.max_streams),
            ("max_streams_per_caller", self.max_streams_per_caller),
            ("max_handshakes", self.max_handshakes),
        ];
        for (key, _) in limits.iter().filter(|(_, most)| *most == 0) {
            fault(key, "must be at least 1");
        }
        if self.default_deadline > self.max_deadline {
            fault("default_deadline", "must not be longer than grpc.max_deadline");
        }
    }
}
