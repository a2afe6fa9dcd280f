//! The usage statement: what was called, read and written, by whom and when.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    error::Error,
    page::{Column, Page, number, words},
    source::Source,
    tally::{Counts, Line, Tally},
};

/// What a usage statement says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    total: Counts,
    by_month: Vec<MonthLine>,
    by_day: Vec<DayLine>,
    by_caller: Vec<CallerLine>,
    by_caller_and_month: Vec<CallerMonthLine>,
    by_caller_and_day: Vec<CallerDayLine>,
    by_operation: Vec<OperationLine>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MonthLine {
    /// In UTC, "2026-11".
    month: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DayLine {
    /// In UTC, "2026-11-29".
    day: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CallerLine {
    caller: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CallerMonthLine {
    caller: String,
    /// In UTC, "2026-11".
    month: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CallerDayLine {
    caller: String,
    /// In UTC, "2026-11-29".
    day: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OperationLine {
    /// As audit entries call it: "OBJECT_GET".
    operation: String,
    /// Empty where it is on no records.
    object_type: String,
    #[serde(flatten)]
    counts: Counts,
}

/// The columns of counts, with what stands in them.
const COUNTED: [&str; 9] = [
    "Calls",
    "Requests to HubSpot",
    "Records read",
    "Writes",
    "Records written",
    "Refused by HubSpot",
    "Failed",
    "Outcome unknown",
    "Denied here",
];

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source) -> Result<(Page, Value), Error> {
    let mut tally = Tally::default();
    source
        .ours(|event| {
            if let Some(entry) = &event.entry {
                tally.add(entry);
            }
        })
        .await?;
    let months = tally.by(|key| month(&key.day));
    let days = tally.by(|key| key.day.clone());
    let callers = tally.by(|key| key.caller.clone());
    let by_month = tally.by(|key| (key.caller.clone(), month(&key.day)));
    let by_day = tally.by(|key| (key.caller.clone(), key.day.clone()));
    let operations = tally.by(|key| (key.operation.clone(), key.object_type.clone()));
    let page = page(
        &tally,
        [&months, &days, &callers],
        [&by_month, &by_day, &operations],
    );
    let body = Body {
        total: tally.total(),
        by_month: lines(months, |month, counts| MonthLine { month, counts }),
        by_day: lines(days, |day, counts| DayLine { day, counts }),
        by_caller: lines(callers, |caller, counts| CallerLine { caller, counts }),
        by_caller_and_month: lines(by_month, |(caller, month), counts| CallerMonthLine {
            caller,
            month,
            counts,
        }),
        by_caller_and_day: lines(by_day, |(caller, day), counts| CallerDayLine {
            caller,
            day,
            counts,
        }),
        by_operation: lines(operations, |(operation, object_type), counts| OperationLine {
            operation,
            object_type,
            counts,
        }),
    };
    Ok((page, serde_json::to_value(body)?))
}

type One = BTreeMap<String, Line>;
type Two = BTreeMap<(String, String), Line>;

fn page(
    tally: &Tally,
    [months, days, callers]: [&One; 3],
    [by_month, by_day, operations]: [&Two; 3],
) -> Page {
    let total = tally.total();
    let mut page = Page::with(vec![
        ("Calls", total.calls.to_string()),
        ("Requests to HubSpot", total.requests.to_string()),
        ("Records read", total.records_read.to_string()),
        ("Records written", total.records_written.to_string()),
    ]);
    let about = "Days and months are those of UTC. A call that HubSpot is asked for again counts once; calls that one request answered count one each.";
    page.drawn(1, "By month", about, columns(&["Month"]), rows(months));
    page.drawn(1, "By day", "The same by day.", columns(&["Day"]), rows(days));
    page.drawn(1, "By caller", "Who called.", columns(&["Caller"]), rows(callers));
    page.section(
        "By caller and month",
        "For a bill.",
        columns(&["Caller", "Month"]),
        pairs(by_month),
    );
    page.section(
        "By caller and day",
        "For who checks the bill.",
        columns(&["Caller", "Day"]),
        pairs(by_day),
    );
    page.section(
        "By operation",
        "What was done, and with which records.",
        columns(&["Operation", "Type"]),
        pairs(operations),
    );
    page
}

/// "2026-11" of "2026-11-29".
fn month(day: &str) -> String {
    day.chars().take(7).collect()
}

fn lines<K, T>(grouped: BTreeMap<K, Line>, line: impl Fn(K, Counts) -> T) -> Vec<T> {
    grouped
        .into_iter()
        .map(|(key, counted)| line(key, counted.counts))
        .collect()
}

/// These columns of words, and those of counts.
pub(super) fn columns(names: &[&'static str]) -> Vec<Column> {
    let named = names.iter().map(|name| words(name));
    named.chain(COUNTED.into_iter().map(number)).collect()
}

fn rows(lines: &One) -> Vec<Vec<String>> {
    let row = |(name, line): (&String, &Line)| [vec![name.clone()], counted(&line.counts)].concat();
    lines.iter().map(row).collect()
}

fn pairs(lines: &Two) -> Vec<Vec<String>> {
    let row = |((one, other), line): (&(String, String), &Line)| {
        [vec![one.clone(), other.clone()], counted(&line.counts)].concat()
    };
    lines.iter().map(row).collect()
}

/// The cells of the columns of counts.
pub(super) fn counted(counts: &Counts) -> Vec<String> {
    [
        counts.calls,
        counts.requests,
        counts.records_read,
        counts.writes,
        counts.records_written,
        counts.refused,
        counts.failed,
        counts.unknown,
        counts.denied,
    ]
    .map(|count| count.to_string())
    .to_vec()
}
