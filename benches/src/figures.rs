//! The figures: what each is called, in what it is counted, and what it stands beside.

use std::collections::BTreeMap;

/// One figure that can be had.
pub(crate) struct Kind {
    /// Its name, as readers of the report know it.
    pub(crate) name: &'static str,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    /// What the same run says it would be without the work that it measures.
    pub(crate) baseline: Option<Baseline>,
}

/// What a figure stands beside.
#[derive(Clone, Copy)]
pub(crate) struct Baseline {
    /// In words.
    pub(crate) about: &'static str,
    /// Its value, where this run has what it is made of.
    pub(crate) value: Value,
}

/// Where the value of a baseline comes from.
#[derive(Clone, Copy)]
pub(crate) enum Value {
    /// It is a figure itself.
    Figure(&'static str),
    /// It is made of figures.
    Made(fn(&Figures) -> Option<f64>),
}

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

pub(crate) const AUDITED_OVER_FORWARDER: &str = "audited_over_forwarder_64";
pub(crate) const AUDITED_OVER_DIRECT: &str = "audited_over_direct_64";
pub(crate) const AUDITED_POSTGRES_OVER_FORWARDER: &str = "audited_postgres_over_forwarder_64";
pub(crate) const DIRECT_CPU: &str = "direct_cpu_us_64";
pub(crate) const FORWARDER_CPU: &str = "forwarder_cpu_us_64";
pub(crate) const AUDITED_CPU: &str = "audited_cpu_us_64";
pub(crate) const AUDITED_ADDED: &str = "audited_added_ms_1";
pub(crate) const FDATASYNC: &str = "fdatasync_ms";
pub(crate) const HANDLES_ISSUED: &str = "handles_issued_per_s";
pub(crate) const REDEEM_CACHED: &str = "redeem_cached_p99_ms";
pub(crate) const REDEEM_ONLINE: &str = "redeem_online_p99_ms";
pub(crate) const REDEEMED: &str = "handles_redeemed_per_s";
pub(crate) const ENTRIES_SQLITE: &str = "entries_durable_per_s_sqlite";
pub(crate) const ENTRIES_POSTGRES: &str = "entries_durable_per_s_postgres";
pub(crate) const RSS_CREDENTIAL: &str = "rss_mib_credential_service_1000";
pub(crate) const RSS_CRM: &str = "rss_mib_crm_service_1000";
/// What is done to a thousand portals at once.
pub(crate) struct Thousand {
    pub(crate) import_s: &'static str,
    pub(crate) rotate_s: &'static str,
    pub(crate) rotate_calls: &'static str,
    pub(crate) rotate_failed: &'static str,
    pub(crate) kek_rotate_s: &'static str,
}

macro_rules! thousand {
    ($end:literal) => {
        Thousand {
            import_s: concat!("import_1000", $end, "_s"),
            rotate_s: concat!("rotate_1000", $end, "_s"),
            rotate_calls: concat!("rotate_1000", $end, "_calls"),
            rotate_failed: concat!("rotate_1000", $end, "_failed_calls"),
            kek_rotate_s: concat!("kek_rotate_1000", $end, "_s"),
        }
    };
}

pub(crate) const ON_SQLITE: Thousand = thousand!("");
pub(crate) const ON_POSTGRES: Thousand = thousand!("_postgres");
pub(crate) const REVOKE_P50: &str = "revoke_to_last_byte_p50_ms";
pub(crate) const REVOKE_P99: &str = "revoke_to_last_byte_p99_ms";
pub(crate) const CONTAIN_P99: &str = "contain_to_last_byte_p99_ms";
pub(crate) const FEED_CUT_STOP: &str = "feed_cut_stop_s";
pub(crate) const FEED_CUT_LATE: &str = "feed_cut_late_calls";
pub(crate) const BURST_USED: &str = "burst_used_percent_1";
pub(crate) const BURST_USED_190: &str = "burst_used_percent_190";
pub(crate) const ANSWERS_429: &str = "answers_429";

/// Every figure, in the order of the table.
pub(crate) fn kinds() -> Vec<Kind> {
    let mut kinds = of_way(&DIRECT, None);
    kinds.extend(of_way(&FORWARDER, Some(&DIRECT)));
    kinds.extend(of_way(&AUDITED, Some(&FORWARDER)));
    kinds.extend(of_way(&AUDITED_POSTGRES, Some(&FORWARDER)));
    kinds.extend(OTHERS);
    kinds.extend(of_thousand(&ON_SQLITE, |figures| {
        Some(50.0 * figures.get(ON_SQLITE.rotate_s)?)
    }));
    kinds.extend(of_thousand(&ON_POSTGRES, |figures| {
        Some(50.0 * figures.get(ON_POSTGRES.rotate_s)?)
    }));
    kinds.extend(OF_REVOCATIONS);
    kinds.extend(OF_LIMITS);
    kinds
}

fn of_way(way: &Way, beside: Option<&Way>) -> Vec<Kind> {
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

/// The figures of a service on its own.
const OTHERS: [Kind; 16] = [
    alone(AUDITED_OVER_FORWARDER, ""),
    alone(AUDITED_OVER_DIRECT, ""),
    alone(AUDITED_POSTGRES_OVER_FORWARDER, ""),
    alone(DIRECT_CPU, "us"),
    beside(FORWARDER_CPU, "us", "direct", Value::Figure(DIRECT_CPU)),
    beside(AUDITED_CPU, "us", "forwarder", Value::Figure(FORWARDER_CPU)),
    beside(
        AUDITED_ADDED,
        "ms",
        "two fdatasync: intent and outcome",
        Value::Made(|figures| Some(2.0 * figures.get(FDATASYNC)?)),
    ),
    alone(FDATASYNC, "ms"),
    beside(HANDLES_ISSUED, "handles/s", ONE_BY_ONE, EACH_SYNCHRONISED),
    beside(REDEEMED, "handles/s", ONE_BY_ONE, EACH_SYNCHRONISED),
    beside(REDEEM_CACHED, "ms", "over the wire", Value::Figure(REDEEM_ONLINE)),
    beside(
        REDEEM_ONLINE,
        "ms",
        "one fdatasync: its entry",
        Value::Figure(FDATASYNC),
    ),
    beside(ENTRIES_SQLITE, "entries/s", ONE_BY_ONE, EACH_SYNCHRONISED),
    beside(ENTRIES_POSTGRES, "entries/s", ONE_BY_ONE, EACH_SYNCHRONISED),
    alone(RSS_CREDENTIAL, "MiB"),
    alone(RSS_CRM, "MiB"),
];

/// How soon revocations arrive.
const OF_REVOCATIONS: [Kind; 5] = [
    alone(REVOKE_P50, "ms"),
    alone(REVOKE_P99, "ms"),
    beside(
        CONTAIN_P99,
        "ms",
        "it returns when all have stopped",
        Value::Made(|_| Some(0.0)),
    ),
    beside(FEED_CUT_STOP, "s", "the lease", Value::Made(|_| Some(5.0))),
    beside(
        FEED_CUT_LATE,
        "calls",
        "none may come",
        Value::Made(|_| Some(0.0)),
    ),
];

/// How well limits are used.
const OF_LIMITS: [Kind; 3] = [
    beside(
        BURST_USED,
        "%",
        "96 of 100: 4 are credential-service's",
        Value::Made(|_| Some(96.0)),
    ),
    beside(
        BURST_USED_190,
        "%",
        "186 of 190: 4 are credential-service's",
        Value::Made(|_| Some(100.0 * 186.0 / 190.0)),
    ),
    alone(ANSWERS_429, "calls"),
];

const fn of_thousand(figures: &Thousand, calls_meant: fn(&Figures) -> Option<f64>) -> [Kind; 5] {
    [
        beside(figures.import_s, "s", HUBSPOT_ALONE, TWO_ANSWERS_EACH),
        beside(figures.rotate_s, "s", HUBSPOT_ALONE, TWO_ANSWERS_EACH),
        beside(
            figures.rotate_calls,
            "calls",
            "50 calls/s for as long",
            Value::Made(calls_meant),
        ),
        beside(
            figures.rotate_failed,
            "calls",
            "none may fail",
            Value::Made(|_| Some(0.0)),
        ),
        beside(
            figures.kek_rotate_s,
            "s",
            "one fdatasync a key, one after the other",
            Value::Made(|figures| Some(2_001.0 * figures.get(FDATASYNC)? / 1_000.0)),
        ),
    ]
}

/// A portal is asked about twice, and an answer takes 50 ms.
const HUBSPOT_ALONE: &str = "HubSpot's own answers, 8 rows at once";
const TWO_ANSWERS_EACH: Value = Value::Made(|_| Some(1_000.0 * 2.0 * 0.050 / 8.0));

const fn alone(name: &'static str, unit: &'static str) -> Kind {
    Kind {
        name,
        unit,
        baseline: None,
    }
}

const fn beside(name: &'static str, unit: &'static str, about: &'static str, value: Value) -> Kind {
    Kind {
        name,
        unit,
        baseline: Some(Baseline { about, value }),
    }
}

/// What the disk does when nothing is written together.
const ONE_BY_ONE: &str = "one fdatasync after the other";
const EACH_SYNCHRONISED: Value = Value::Made(|figures| Some(1_000.0 / figures.get(FDATASYNC)?));

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<&'static str, f64>);

impl Figures {
    /// Takes up what a part measured.
    pub(crate) fn add(&mut self, measured: Vec<(&'static str, f64)>) {
        self.0.extend(measured);
    }

    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// What a figure stands beside, where this run has it.
    pub(crate) fn beside(&self, baseline: &Baseline) -> Option<f64> {
        match baseline.value {
            Value::Figure(name) => self.get(name),
            Value::Made(make) => make(self),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().map(|(name, value)| (*name, *value))
    }
}

/// The one in the middle; of an even number, the lower of the two. 0 for none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::PARTS;

    #[test]
    fn every_figure_belongs_to_one_part() {
        for kind in &kinds() {
            let parts = PARTS.iter().filter(|part| (part.figures)().contains(&kind.name));
            assert_eq!(parts.count(), 1, "{}", kind.name);
        }
    }

    #[test]
    fn every_figure_of_a_part_is_in_the_table() {
        let names: Vec<_> = kinds().iter().map(|kind| kind.name).collect();
        for part in &PARTS {
            for figure in (part.figures)() {
                assert!(names.contains(&figure), "{figure}");
            }
        }
    }

    #[test]
    fn one_odd_value_does_not_move_a_median() {
        assert_eq!(median([3.0, 900.0, 2.0]), 3.0);
        assert_eq!(median([]), 0.0);
    }
}
