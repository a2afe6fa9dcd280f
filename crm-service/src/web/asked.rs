//! What a page is asked for: the fields in its address, which are those of the form, held to their rules.

use axum::http::Uri;
use hubkeep_audit_log::{CallResult, ObjectRef, Operation, Phase, Severity};
use hubkeep_core::id::{CallId, CallerName, ClientSlug};
use hubkeep_proto::audit::v1::EventFilter;
use url::form_urlencoded;

use super::{LIST, times, words};

/// A field of the form: its name in the address, how people call it, what is expected of it, and the field of `EventFilter`
/// that it becomes.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) expected: &'static str,
    wire: &'static str,
    /// Whether it may be there several times: any of them.
    many: bool,
}

const fn field(name: &'static str, label: &'static str, wire: &'static str, expected: &'static str) -> Field {
    Field {
        name,
        label,
        expected,
        wire,
        many: false,
    }
}

const fn many(field: Field) -> Field {
    Field { many: true, ..field }
}

const TIME: &str = "a time in UTC such as 2026-11-30T08:00, or with a time zone: 2026-11-30T09:00:00+01:00";

/// All that an address may say.
pub(super) const FIELDS: [Field; 14] = [
    field(
        "portal",
        "Portal",
        "client_slug",
        "a portal's slug: 1 to 63 of a-z, 0-9 and '-'",
    ),
    field(
        "caller",
        "Caller",
        "caller",
        "a caller's name: 1 to 128 of a-z, A-Z, 0-9 and . _ - / @",
    ),
    many(field(
        "operation",
        "Operation",
        "operations",
        "an operation such as OBJECT_GET",
    )),
    many(field(
        "phase",
        "Phase",
        "phases",
        "INTENT, OUTCOME, DENIED or ADMIN",
    )),
    many(field(
        "result",
        "Result",
        "results",
        "OK, REFUSED, FAILED or UNKNOWN",
    )),
    field(
        "severity",
        "Severity at least",
        "min_severity",
        "INFORMATIONAL, LOW, MEDIUM, HIGH or CRITICAL",
    ),
    field("from", "From (UTC)", "start_time", TIME),
    field("to", "Before (UTC)", "end_time", TIME),
    field("call", "Call", "call_id", "a call's id: a UUID"),
    field(
        "type",
        "Object type",
        "object_type",
        "a CRM object type such as contacts",
    ),
    field(
        "object",
        "Record id",
        "object_id",
        "a record's id, with its portal and its type",
    ),
    field(
        "ref",
        "Record's hash",
        "object_ref",
        "32 hexadecimal digits, as entries name records",
    ),
    field(
        "page",
        "Page",
        "page_token",
        "the page's token from a link of this list: begin with the first page",
    ),
    field(
        "after",
        "Position",
        "after_position",
        "a position of this log: a number",
    ),
];

/// Whether a text is of some kind.
type Sound = fn(&str) -> bool;

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) label: &'static str,
    pub(super) name: String,
    pub(super) given: String,
    pub(super) expected: String,
}

/// The fields of an address that say something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        let given = form_urlencoded::parse(query).into_owned();
        let trimmed = given.map(|(name, value)| (name, value.trim().to_owned()));
        Self(trimmed.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// What a field says first.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.every(name).next()
    }

    /// Whether a field says this, among others.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.every(name).any(|given| given.eq_ignore_ascii_case(value))
    }

    fn every<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let of_name = self.0.iter().filter(move |(given, _)| given == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// Whether anything narrows the list.
    pub(super) fn narrows(&self) -> bool {
        self.0
            .iter()
            .any(|(name, _)| !["page", "after"].contains(&name.as_str()))
    }

    /// The same question without where in the list.
    pub(super) fn first_page(&self) -> Self {
        let kept = self
            .0
            .iter()
            .filter(|(name, _)| !["page", "after"].contains(&name.as_str()));
        Self(kept.cloned().collect())
    }

    /// The same with one more field.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The address of the list for this question.
    pub(super) fn link(&self) -> String {
        self.at(LIST)
    }

    /// The address of a page for this question.
    pub(super) fn at(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.0);
        format!("{path}?{}", query.finish())
    }

    /// The filter that is asked for.
    ///
    /// # Errors
    /// With every field that breaks its rule by itself; what fields need of each other is looked at by the log.
    pub(super) fn filter(&self) -> Result<EventFilter, Vec<Fault>> {
        let mut faults = self.unknown();
        self.shapes(&mut faults);
        let text = |name: &str| self.first(name).unwrap_or_default().to_owned();
        let filter = EventFilter {
            client_slug: text("portal"),
            caller: text("caller"),
            phases: self.words("phase", &words::all::<Phase>(words::phase), &mut faults),
            operations: self.words(
                "operation",
                &words::all::<Operation>(words::operation),
                &mut faults,
            ),
            call_id: text("call"),
            log: String::new(),
            results: self.words("result", &words::all::<CallResult>(words::result), &mut faults),
            min_severity: self
                .words("severity", &words::all::<Severity>(words::severity), &mut faults)
                .first()
                .copied()
                .unwrap_or_default(),
            start_time: self.time("from", &mut faults),
            end_time: self.time("to", &mut faults),
            object_type: text("type"),
            object_id: text("object"),
            object_ref: text("ref"),
        };
        if faults.is_empty() {
            Ok(filter)
        } else {
            Err(faults)
        }
    }

    /// The position that a field names; 0 where it does not.
    pub(super) fn position(&self) -> Result<u64, Vec<Fault>> {
        let Some(given) = self.first("after") else {
            return Ok(0);
        };
        given.parse().map_err(|_| vec![fault("after", given)])
    }

    /// Fields that there are not, and those that are there too often.
    fn unknown(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (place, (name, value)) in self.0.iter().enumerate() {
            match FIELDS.iter().find(|field| field.name == name) {
                None => faults.push(Fault {
                    label: "Unknown field",
                    name: name.clone(),
                    given: value.clone(),
                    expected: "one of the fields of the form".to_owned(),
                }),
                Some(field) => {
                    let before = self.0.iter().take(place);
                    if !field.many && before.into_iter().any(|(other, _)| other == name) {
                        faults.push(Fault {
                            expected: "only one value".to_owned(),
                            ..fault(field.name, value)
                        });
                    }
                }
            }
        }
        faults
    }

    /// Names and ids that are none.
    fn shapes(&self, faults: &mut Vec<Fault>) {
        let shapes: [(&str, Sound); 4] = [
            ("portal", |text| text.parse::<ClientSlug>().is_ok()),
            ("caller", |text| text.parse::<CallerName>().is_ok()),
            ("call", |text| text.parse::<CallId>().is_ok()),
            ("ref", |text| ObjectRef::read(text).is_ok()),
        ];
        for (name, sound) in shapes {
            faults.extend(
                self.first(name)
                    .filter(|given| !sound(given))
                    .map(|given| fault(name, given)),
            );
        }
    }

    fn words(&self, name: &'static str, known: &[(&str, i32)], faults: &mut Vec<Fault>) -> Vec<i32> {
        let mut numbers = Vec::new();
        for given in self.every(name) {
            let word = given.to_ascii_uppercase().replace(['-', '.'], "_");
            match known.iter().find(|(known, _)| *known == word) {
                Some((_, number)) => numbers.push(*number),
                None => faults.push(fault(name, given)),
            }
        }
        numbers
    }

    fn time(&self, name: &'static str, faults: &mut Vec<Fault>) -> Option<prost_types::Timestamp> {
        let given = self.first(name)?;
        let time = times::read(given);
        if time.is_none() {
            faults.push(fault(name, given));
        }
        time
    }

    /// What is wrong with a field, as the log says it of the field on the wire.
    pub(super) fn fault(&self, wire: &str, description: &str) -> Fault {
        let bare = wire.strip_prefix("filter.").unwrap_or(wire);
        let bare = bare.split('[').next().unwrap_or(bare);
        match FIELDS.iter().find(|field| field.wire == bare) {
            Some(field) => Fault {
                expected: format!("{}: {description}", field.expected),
                ..fault(field.name, self.first(field.name).unwrap_or_default())
            },
            None => Fault {
                label: "Field",
                name: wire.to_owned(),
                given: String::new(),
                expected: description.to_owned(),
            },
        }
    }
}

/// That a field is not what is expected of it.
pub(super) fn fault(name: &'static str, given: &str) -> Fault {
    let field = FIELDS.iter().find(|field| field.name == name);
    Fault {
        label: field.map_or("Field", |field| field.label),
        name: name.to_owned(),
        given: given.to_owned(),
        expected: field.map_or_else(String::new, |field| field.expected.to_owned()),
    }
}

/// The phases, for the form.
pub(super) fn phases() -> Vec<(&'static str, i32)> {
    words::in_order::<Phase>(words::phase)
}

#[cfg(test)]
mod tests;
