//! The filter of a request: from the wire to ours, every field held to its rule.

use std::str::FromStr;

use hubkeep_core::error::FieldViolation;
use hubkeep_proto::audit::v1::EventFilter;

use super::error::Error;
use crate::Filter;

/// The filter that a request asks for; every fault is named.
pub(super) fn read(wire: Option<&EventFilter>) -> Result<Filter, Error> {
    let Some(wire) = wire else {
        return Ok(Filter::all());
    };
    let mut faults = Faults::default();
    let filter = Filter {
        portal_id: None,
        client_slug: faults.text("filter.client_slug", &wire.client_slug),
        caller: faults.text("filter.caller", &wire.caller),
        phases: faults.words("filter.phases", &wire.phases),
        operations: faults.words("filter.operations", &wire.operations),
        call_id: faults.text("filter.call_id", &wire.call_id),
    };
    if faults.0.is_empty() {
        Ok(filter)
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
                _ => self.add(
                    format!("{field}[{index}]"),
                    "is none of the enum's values".to_owned(),
                ),
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::error::ServiceError as _;

    use super::*;
    use crate::{Operation, Phase};

    #[test]
    fn an_absent_filter_asks_for_everything() {
        assert_eq!(read(None).expect("valid"), Filter::all());
        assert_eq!(read(Some(&EventFilter::default())).expect("valid"), Filter::all());
    }

    #[test]
    fn every_field_at_fault_is_named_by_its_path() {
        let wire = EventFilter {
            client_slug: "Not A Slug".to_owned(),
            caller: " ".to_owned(),
            phases: vec![Phase::Intent.into(), 99],
            operations: vec![Operation::Unspecified.into()],
            call_id: "7".to_owned(),
        };
        let error = read(Some(&wire)).expect_err("five faults");
        let fields: Vec<String> = error.field_violations().into_iter().map(|v| v.field).collect();
        let expected = [
            "filter.client_slug",
            "filter.caller",
            "filter.phases[1]",
            "filter.operations[0]",
            "filter.call_id",
        ];
        assert_eq!(fields, expected);
    }
}
