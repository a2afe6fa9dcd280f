//! An entry as a line of the list: the same for the page and for who follows.

use hubkeep_audit_log::{Entry, Event, Severity};
use maud::{Markup, html};
use serde::Serialize;

use super::{LIST, times, words};

/// The columns.
pub(super) const COLUMNS: [(&str, &str); 9] = [
    ("time", "Time (UTC)"),
    ("portal", "Portal"),
    ("caller", "Caller"),
    ("operation", "Operation"),
    ("record", "Record"),
    ("result", "Result"),
    ("reason", "Reason"),
    ("took", "Took"),
    ("quota", "Quota left"),
];
/// As much of a record's hash is shown in a line.
const SHORT: usize = 8;

/// A line. Its first cell leads to all that there is of it.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    href: String,
    severity: &'static str,
    cells: [Cell; 9],
}

/// A cell: what it says, and what it says below that in small letters.
#[derive(Debug, Default, Serialize)]
struct Cell {
    text: String,
    note: String,
}

fn cell(text: impl Into<String>, note: impl Into<String>) -> Cell {
    Cell {
        text: text.into(),
        note: note.into(),
    }
}

impl Row {
    pub(super) fn of(event: &Event) -> Self {
        let nothing = Entry::default();
        let entry = event.entry.as_ref().unwrap_or(&nothing);
        let (day, time) = times::shown(entry.entry_time).unwrap_or_default();
        Self {
            href: href(event, entry),
            severity: class(entry.severity()),
            cells: [
                cell(time, day),
                cell(&entry.client_slug, ""),
                cell(&entry.caller, &entry.purpose_code),
                cell(words::operation(entry.operation()), words::phase(entry.phase())),
                record(entry),
                result(entry),
                cell(words::reason(entry), words::cause(entry.cause())),
                cell(entry.duration.map(times::took).unwrap_or_default(), ""),
                quota(entry),
            ],
        }
    }

    pub(super) fn drawn(&self) -> Markup {
        html! {
            tr class=(self.severity) {
                @for ((class, _), cell) in COLUMNS.iter().zip(&self.cells) {
                    td class=(class) {
                        @if *class == "time" { a href=(self.href) { (cell.text) } } @else { (cell.text) }
                        @if !cell.note.is_empty() { small { (cell.note) } }
                    }
                }
            }
        }
    }
}

/// The page of the call, at this entry; of the entry, where it is of no call.
fn href(event: &Event, entry: &Entry) -> String {
    match entry.call_id.as_str() {
        "" => format!("{LIST}/entries/{}", event.position),
        call => format!("{LIST}/calls/{call}#e{}", event.position),
    }
}

pub(super) const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
        Severity::Informational | Severity::Unspecified => "informational",
    }
}

fn record(entry: &Entry) -> Cell {
    let (kind, subject) = (&entry.object_type, &entry.subject);
    let text = if kind.is_empty() { subject } else { kind };
    let hash: String = entry.object_ref.chars().take(SHORT).collect();
    let note = match (hash.is_empty(), entry.record_count) {
        (false, _) => format!("{hash}…"),
        (true, 0) => String::new(),
        (true, 1) => "1 record".to_owned(),
        (true, count) => format!("{count} records"),
    };
    cell(text, note)
}

fn result(entry: &Entry) -> Cell {
    let severity = match entry.severity() {
        Severity::Informational | Severity::Unspecified => "",
        severity => words::severity(severity),
    };
    let status = match entry.status_code {
        0 => String::new(),
        code => code.to_string(),
    };
    let times = match entry.occurrence_count {
        0 | 1 => String::new(),
        count => format!("×{count}"),
    };
    let notes = [status.as_str(), severity, times.as_str()];
    let notes = notes.into_iter().filter(|note| !note.is_empty());
    cell(
        words::result(entry.result()),
        notes.collect::<Vec<_>>().join(" · "),
    )
}

fn quota(entry: &Entry) -> Cell {
    let left = entry.quota_left.unwrap_or_default();
    cell(
        left.daily
            .map(|daily| format!("{daily} today"))
            .unwrap_or_default(),
        left.interval.map(|now| format!("{now} now")).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use hubkeep_audit_log::{CallResult, Phase, QuotaLeft};

    use super::*;

    fn event(entry: Entry) -> Event {
        Event {
            position: 7,
            entry: Some(entry),
            ..Event::default()
        }
    }

    #[test]
    fn a_line_says_what_the_entry_says_and_leads_to_it() {
        let row = Row::of(&event(Entry {
            call_id: "0193".to_owned(),
            client_slug: "acme".to_owned(),
            phase: Phase::Outcome.into(),
            result: CallResult::Refused.into(),
            status_code: 404,
            object_type: "contacts".to_owned(),
            object_ref: "0123456789abcdef".to_owned(),
            quota_left: Some(QuotaLeft {
                daily: Some(9),
                interval: None,
            }),
            ..Entry::default()
        }));
        assert_eq!(row.href, "/audit/calls/0193#e7");
        assert_eq!(row.severity, "low");
        let drawn = row.drawn().into_string();
        for part in [
            "acme",
            "REFUSED",
            "404 · LOW",
            "contacts",
            "01234567…",
            "9 today",
            "OUTCOME",
        ] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert_eq!(Row::of(&event(Entry::default())).href, "/audit/entries/7");
    }

    #[test]
    fn nothing_that_an_entry_says_becomes_markup() {
        let hostile = "\"><script>alert(1)</script>".to_owned();
        let row = Row::of(&event(Entry {
            call_id: hostile.clone(),
            client_slug: hostile.clone(),
            caller: hostile.clone(),
            purpose_code: hostile.clone(),
            object_type: hostile.clone(),
            object_ref: hostile.clone(),
            subject: hostile,
            ..Entry::default()
        }));
        let drawn = row.drawn().into_string();
        assert!(!drawn.contains("<script"), "{drawn}");
    }
}
