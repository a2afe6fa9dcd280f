//! The ways to HubSpot that are measured side by side.

use super::{Baseline, Kind, Value};

/// Callers at once on each way to HubSpot.
pub(crate) const IN_FLIGHT: [usize; 3] = [1, 16, 64];

/// The figures of one way to HubSpot, each at 1, 16 and 64 in flight.
pub(crate) struct Way {
    /// What it is called in the table.
    pub(crate) about: &'static str,
    pub(crate) calls_per_s: [&'static str; 3],
    pub(crate) p50_ms: [&'static str; 3],
    pub(crate) p99_ms: [&'static str; 3],
}

macro_rules! way {
    ($about:literal, $name:literal) => {
        Way {
            about: $about,
            calls_per_s: [
                concat!($name, "_calls_per_s_1"),
                concat!($name, "_calls_per_s_16"),
                concat!($name, "_calls_per_s_64"),
            ],
            p50_ms: [
                concat!($name, "_p50_ms_1"),
                concat!($name, "_p50_ms_16"),
                concat!($name, "_p50_ms_64"),
            ],
            p99_ms: [
                concat!($name, "_p99_ms_1"),
                concat!($name, "_p99_ms_16"),
                concat!($name, "_p99_ms_64"),
            ],
        }
    };
}

pub(crate) const DIRECT: Way = way!("direct", "direct");
pub(crate) const FORWARDER: Way = way!("forwarder", "forwarder");
pub(crate) const AUDITED: Way = way!("audited", "audited");
pub(crate) const AUDITED_POSTGRES: Way = way!("audited on PostgreSQL", "audited_postgres");

/// The figures of a way, each beside that of another.
pub(super) fn of_way(way: &Way, beside: Option<&Way>) -> Vec<Kind> {
    let figures = |way: &Way| [way.calls_per_s, way.p50_ms, way.p99_ms].concat();
    let units = ["calls/s", "ms", "ms"]
        .map(|unit| [unit; IN_FLIGHT.len()])
        .concat();
    let baselines: Vec<_> = match beside {
        None => figures(way).into_iter().map(|_| None).collect(),
        Some(beside) => {
            let about = beside.about;
            let values = figures(beside).into_iter().map(Value::Figure);
            values.map(|value| Some(Baseline { about, value })).collect()
        }
    };
    let named = figures(way).into_iter().zip(units).zip(baselines);
    named
        .map(|((name, unit), baseline)| Kind { name, unit, baseline })
        .collect()
}
