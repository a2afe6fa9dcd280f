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
pub(crate) struct Baseline {
    /// In words.
    pub(crate) about: &'static str,
    /// Its value, where this run has what it is made of.
    pub(crate) value: fn(&Figures) -> Option<f64>,
}

pub(crate) const DIRECT: &str = "direct_calls_per_s_64";
pub(crate) const FORWARDER: &str = "forwarder_calls_per_s_64";
pub(crate) const AUDITED: &str = "audited_calls_per_s_64";
pub(crate) const AUDITED_OVER_FORWARDER: &str = "audited_over_forwarder_64";
pub(crate) const AUDITED_OVER_DIRECT: &str = "audited_over_direct_64";
pub(crate) const AUDITED_ADDED: &str = "audited_added_ms_1";
pub(crate) const FDATASYNC: &str = "fdatasync_ms";
pub(crate) const HANDLES_ISSUED: &str = "handles_issued_per_s";
pub(crate) const REDEEM_CACHED: &str = "redeem_cached_p99_ms";
pub(crate) const REDEEM_ONLINE: &str = "redeem_online_p99_ms";
pub(crate) const ENTRIES_SQLITE: &str = "entries_durable_per_s_sqlite";
pub(crate) const IMPORT: &str = "import_1000_s";
pub(crate) const BURST_USED: &str = "burst_used_percent_1";
pub(crate) const BURST_USED_190: &str = "burst_used_percent_190";
pub(crate) const ANSWERS_429: &str = "answers_429";

/// Every figure, in the order of the table.
pub(crate) const KINDS: [Kind; 15] = [
    Kind {
        name: DIRECT,
        unit: "calls/s",
        baseline: None,
    },
    Kind {
        name: FORWARDER,
        unit: "calls/s",
        baseline: Some(Baseline {
            about: "direct",
            value: |figures| figures.get(DIRECT),
        }),
    },
    Kind {
        name: AUDITED,
        unit: "calls/s",
        baseline: Some(Baseline {
            about: "forwarder",
            value: |figures| figures.get(FORWARDER),
        }),
    },
    Kind {
        name: AUDITED_OVER_FORWARDER,
        unit: "",
        baseline: None,
    },
    Kind {
        name: AUDITED_OVER_DIRECT,
        unit: "",
        baseline: None,
    },
    Kind {
        name: AUDITED_ADDED,
        unit: "ms",
        baseline: Some(Baseline {
            about: "two fdatasync: intent and outcome",
            value: |figures| Some(2.0 * figures.get(FDATASYNC)?),
        }),
    },
    Kind {
        name: FDATASYNC,
        unit: "ms",
        baseline: None,
    },
    Kind {
        name: HANDLES_ISSUED,
        unit: "handles/s",
        baseline: Some(ONE_BY_ONE),
    },
    Kind {
        name: REDEEM_CACHED,
        unit: "ms",
        baseline: Some(Baseline {
            about: "over the wire",
            value: |figures| figures.get(REDEEM_ONLINE),
        }),
    },
    Kind {
        name: REDEEM_ONLINE,
        unit: "ms",
        baseline: Some(Baseline {
            about: "one fdatasync: its entry",
            value: |figures| figures.get(FDATASYNC),
        }),
    },
    Kind {
        name: ENTRIES_SQLITE,
        unit: "entries/s",
        baseline: Some(ONE_BY_ONE),
    },
    Kind {
        name: IMPORT,
        unit: "s",
        baseline: Some(Baseline {
            about: "HubSpot's own answers, 8 rows at once",
            value: |_| Some(1_000.0 * 2.0 * 0.050 / 8.0),
        }),
    },
    Kind {
        name: BURST_USED,
        unit: "%",
        baseline: Some(Baseline {
            about: "96 of 100: 4 are credential-service's",
            value: |_| Some(96.0),
        }),
    },
    Kind {
        name: BURST_USED_190,
        unit: "%",
        baseline: Some(Baseline {
            about: "186 of 190: 4 are credential-service's",
            value: |_| Some(100.0 * 186.0 / 190.0),
        }),
    },
    Kind {
        name: ANSWERS_429,
        unit: "calls",
        baseline: None,
    },
];

/// What the disk does when nothing is written together.
const ONE_BY_ONE: Baseline = Baseline {
    about: "one fdatasync after the other",
    value: |figures| Some(1_000.0 / figures.get(FDATASYNC)?),
};

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
        for kind in &KINDS {
            let parts = PARTS.iter().filter(|part| part.figures.contains(&kind.name));
            assert_eq!(parts.count(), 1, "{}", kind.name);
        }
    }

    #[test]
    fn one_odd_value_does_not_move_a_median() {
        assert_eq!(median([3.0, 900.0, 2.0]), 3.0);
        assert_eq!(median([]), 0.0);
    }
}
