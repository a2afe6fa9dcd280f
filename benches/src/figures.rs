//! The figures: what each is called, in what it is counted, and what it stands beside.

mod ways;

use std::collections::BTreeMap;

use ways::of_way;
pub(crate) use ways::{AUDITED, AUDITED_POSTGRES, DIRECT, FORWARDER, IN_FLIGHT, Way};

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
/// Entries a second that are durable while proofs are made, over those without.
pub(crate) const PROOFS_COST: &str = "proofs_cost_ratio";
/// The same on PostgreSQL.
pub(crate) const PROOFS_COST_POSTGRES: &str = "proofs_cost_ratio_postgres";
pub(crate) const REPORT_1M: &str = "report_1m_entries_s";
pub(crate) const VERIFY_1M: &str = "verify_1m_entries_s";
pub(crate) const QUERY_10M: &str = "query_10m_p99_ms";
/// The same where fewer entries were asked for.
pub(crate) const QUERY_FEWER: &str = "query_fewer_p99_ms";
pub(crate) const INDEXED: &str = "entries_indexed_per_s";
/// Entries a second that are durable while a thousand watch, over those while nobody does.
pub(crate) const WATCHERS_COST: &str = "watchers_1000_cost_ratio";
/// How old an entry is when one of a thousand watchers has it: 99 of 100 are not older.
pub(crate) const WATCHERS_LAG: &str = "watchers_1000_lag_p99_ms";
/// How long after the last entry the last of a thousand watchers has seen it.
pub(crate) const WATCHERS_BEHIND: &str = "watchers_1000_behind_ms";
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
/// Of one portal by so many callers together.
pub(crate) const BURST_USED_4: &str = "burst_used_percent_4";
pub(crate) const BURST_USED_16: &str = "burst_used_percent_16";
pub(crate) const BURST_USED_3_REPLICAS: &str = "burst_used_percent_3_replicas";
/// Calls of a caller who floods a portal for each one of another who wants as much as it can get.
pub(crate) const STARVATION: &str = "starvation_index";
/// The same of one who calls through three replicas, for each one of another who calls through one of them.
pub(crate) const STARVATION_3_REPLICAS: &str = "starvation_index_3_replicas";
/// Calls that somebody waits for, for each one of a batch, where both want as much as they can get.
pub(crate) const INTERACTIVE: &str = "interactive_over_batch";
pub(crate) const SICK_PORTAL: &str = "sick_portal_p99_ratio";
/// What 99 of 100 calls of portals that are well take: alone, and beside a sick one.
pub(crate) const WELL_PORTALS_P99: &str = "well_portals_p99_ms";
pub(crate) const SICK_PORTAL_P99: &str = "sick_portal_p99_ms";
pub(crate) const ANSWERS_429: &str = "answers_429";
/// Reads that one call to HubSpot answers, for 50 readers of one portal.
pub(crate) const COALESCING_50: &str = "coalescing_50_readers";
pub(crate) const COALESCED_P50: &str = "coalesced_p50_ms";
pub(crate) const UNCOALESCED_P50: &str = "uncoalesced_p50_ms";

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

/// The figures of a service on its own.
const OTHERS: [Kind; 26] = [
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
    alone(PROOFS_COST, "ratio"),
    alone(PROOFS_COST_POSTGRES, "ratio"),
    alone(VERIFY_1M, "s"),
    alone(QUERY_10M, "ms"),
    alone(QUERY_FEWER, "ms"),
    alone(INDEXED, "entries/s"),
    alone(REPORT_1M, "s"),
    alone(WATCHERS_COST, "ratio"),
    alone(WATCHERS_LAG, "ms"),
    alone(WATCHERS_BEHIND, "ms"),
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
const OF_LIMITS: [Kind; 15] = [
    of_a_hundred(BURST_USED),
    of_a_hundred(BURST_USED_4),
    of_a_hundred(BURST_USED_16),
    of_a_hundred(BURST_USED_3_REPLICAS),
    beside(
        BURST_USED_190,
        "%",
        "189 of 190: 1 is credential-service's",
        Value::Made(|_| Some(100.0 * 189.0 / 190.0)),
    ),
    alone(ANSWERS_429, "calls"),
    beside(
        STARVATION,
        "calls a call",
        "both get the same",
        Value::Made(|_| Some(1.0)),
    ),
    beside(
        STARVATION_3_REPLICAS,
        "calls a call",
        "both get the same",
        Value::Made(|_| Some(1.0)),
    ),
    beside(
        INTERACTIVE,
        "calls a call",
        "nine of ten turns",
        Value::Made(|_| Some(9.0)),
    ),
    beside(
        COALESCING_50,
        "reads a call",
        "each by itself",
        Value::Made(|_| Some(1.0)),
    ),
    beside(
        COALESCED_P50,
        "ms",
        "each by itself",
        Value::Figure(UNCOALESCED_P50),
    ),
    alone(UNCOALESCED_P50, "ms"),
    alone(WELL_PORTALS_P99, "ms"),
    beside(
        SICK_PORTAL_P99,
        "ms",
        "as if it were not there",
        Value::Figure(WELL_PORTALS_P99),
    ),
    beside(
        SICK_PORTAL,
        "ratio",
        "as if it were not there",
        Value::Made(|_| Some(1.0)),
    ),
];

const fn of_a_hundred(name: &'static str) -> Kind {
    beside(
        name,
        "%",
        "99 of 100: 1 is credential-service's",
        Value::Made(|_| Some(99.0)),
    )
}

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
