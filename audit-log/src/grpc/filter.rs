//! The filter of a request: from the wire to ours, every field held to its rule.

use std::str::FromStr;

use hubkeep_core::{clock::Timestamp, error::FieldViolation};
use hubkeep_proto::audit::v1::EventFilter;

use super::error::Error;
use crate::{Filter, ObjectRef};

/// As long as what entries keep of a type, in characters.
const MAX_TYPE: usize = 256;
const NO_VALUE: &str = "is none of the enum's values";

/// The filter that a request asks for, and the record that it names by its id, if it does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    /// A record of the filter's type. Its keyed hash is made when its portal is known.
    pub(super) object_id: Option<String>,
}

/// The filter that a request asks for; every fault is named.
pub(super) fn read(wire: Option<&EventFilter>) -> Result<Asked, Error> {
    let Some(wire) = wire else {
        return Ok(Asked::default());
    };
    let mut faults = Faults::default();
    let filter = Filter {
        portal_id: None,
        client_slug: faults.text("filter.client_slug", &wire.client_slug),
        caller: faults.text("filter.caller", &wire.caller),
        phases: faults.words("filter.phases", &wire.phases),
        operations: faults.words("filter.operations", &wire.operations),
        call_id: faults.text("filter.call_id", &wire.call_id),
        log: faults.text("filter.log", &wire.log),
        results: faults.words("filter.results", &wire.results),
        min_severity: faults.word("filter.min_severity", wire.min_severity),
        start_time: wire.start_time.map(Timestamp::from),
        end_time: wire.end_time.map(Timestamp::from),
        object_type: faults.object_type(&wire.object_type),
        object_ref: faults.object_ref(&wire.object_ref),
    };
    if let (Some(start), Some(end)) = (filter.start_time, filter.end_time)
        && start >= end
    {
        faults.add(
            "filter.end_time".to_owned(),
            "must be after start_time".to_owned(),
        );
    }
    let object_id = (!wire.object_id.is_empty()).then(|| wire.object_id.clone());
    if object_id.is_some() {
        faults.of_record(wire);
    }
    if faults.0.is_empty() {
        Ok(Asked { filter, object_id })
    } else {
        Err(Error::InvalidField(faults.0))
    }
}

#[derive(Default)]
struct Faults(Vec<FieldViolation>);

impl Faults {
    fn add(&mut self, field: String, description: String) {
        self.0.push(FieldViolation { field, description });
    }

    /// An empty text is an unset one.
    fn text<T: FromStr<Err: ToString>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        let read = text.parse();
        read.map_err(|error: T::Err| self.add(field.to_owned(), error.to_string()))
            .ok()
    }

    fn words<T: TryFrom<i32> + Default + PartialEq>(&mut self, field: &str, numbers: &[i32]) -> Vec<T> {
        let mut words = Vec::with_capacity(numbers.len());
        for (index, number) in numbers.iter().enumerate() {
            match T::try_from(*number) {
                Ok(word) if word != T::default() => words.push(word),
                _ => self.add(format!("{field}[{index}]"), NO_VALUE.to_owned()),
            }
        }
        words
    }

    /// An unspecified one is an unset one.
    fn word<T: TryFrom<i32> + Default + PartialEq>(&mut self, field: &str, number: i32) -> Option<T> {
        match T::try_from(number) {
            Ok(word) => (word != T::default()).then_some(word),
            Err(_) => {
                self.add(field.to_owned(), NO_VALUE.to_owned());
                None
            }
        }
    }

    fn object_type(&mut self, text: &str) -> Option<String> {
        if text.chars().count() > MAX_TYPE {
            self.add(
                "filter.object_type".to_owned(),
                "must be at most 256 characters".to_owned(),
            );
            return None;
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn object_ref(&mut self, text: &str) -> Option<ObjectRef> {
        if text.is_empty() {
            return None;
        }
        let read = ObjectRef::read(text);
        read.map_err(|rule| self.add("filter.object_ref".to_owned(), rule.to_owned()))
            .ok()
    }

    /// What a record's id needs beside it.
    fn of_record(&mut self, wire: &EventFilter) {
        let needed = [
            (
                "filter.client_slug",
                wire.client_slug.is_empty(),
                "name the portal whose record object_id is",
            ),
            (
                "filter.object_type",
                wire.object_type.is_empty(),
                "say of what type the record is",
            ),
            (
                "filter.object_ref",
                !wire.object_ref.is_empty(),
                "leave it out where object_id is set",
            ),
        ];
        for (field, _, rule) in needed.into_iter().filter(|(_, broken, _)| *broken) {
            self.add(field.to_owned(), rule.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::error::ServiceError as _;

    use super::*;
    use crate::{Operation, Phase};

    #[test]
    fn an_absent_filter_asks_for_everything() {
        assert_eq!(read(None).expect("valid"), Asked::default());
        assert_eq!(
            read(Some(&EventFilter::default())).expect("valid").filter,
            Filter::all()
        );
    }

    fn faults(wire: &EventFilter) -> Vec<String> {
        let error = read(Some(wire)).expect_err("faults");
        error.field_violations().into_iter().map(|v| v.field).collect()
    }

    #[test]
    fn every_field_at_fault_is_named_by_its_path() {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let wire = EventFilter {
            client_slug: "Not A Slug".to_owned(),
            caller: " ".to_owned(),
            phases: vec![Phase::Intent.into(), 99],
            operations: vec![Operation::Unspecified.into()],
            call_id: "7".to_owned(),
            log: String::new(),
            results: vec![77],
            min_severity: 98,
            start_time: at(5),
            end_time: at(5),
            object_type: "x".repeat(257),
            object_id: String::new(),
            object_ref: "abc".to_owned(),
        };
        let expected = [
            "filter.client_slug",
            "filter.caller",
            "filter.phases[1]",
            "filter.operations[0]",
            "filter.call_id",
            "filter.results[0]",
            "filter.min_severity",
            "filter.object_type",
            "filter.object_ref",
            "filter.end_time",
        ];
        assert_eq!(faults(&wire), expected);
    }

    #[test]
    fn a_records_id_is_nothing_without_its_portal_and_type() {
        let wire = EventFilter {
            object_id: "7".to_owned(),
            object_ref: "00".repeat(16),
            ..EventFilter::default()
        };
        let expected = ["filter.client_slug", "filter.object_type", "filter.object_ref"];
        assert_eq!(faults(&wire), expected);
    }
}
