//! What an entry is found by. A term is a hash: two that are equal by chance find too much, never too little.

use aws_lc_rs::digest;
use hubkeep_proto::audit::v1::Entry;

use crate::{CallResult, Filter, Severity, filter::ObjectRef};

/// What is hashed, by its first byte.
#[derive(Clone, Copy)]
enum Kind {
    Log = 1,
    Client = 2,
    Caller = 3,
    Phase = 4,
    Operation = 5,
    Result = 6,
    Severity = 7,
    ObjectType = 8,
    Objects = 9,
}

/// The term of a value.
fn term(kind: Kind, value: &[u8]) -> i64 {
    let hash = digest::digest(&digest::SHA256, &[&[kind as u8], value].concat());
    i64::from_be_bytes(hash.as_ref().first_chunk().copied().unwrap_or_default())
}

fn number(kind: Kind, value: i32) -> i64 {
    term(kind, &value.to_be_bytes())
}

/// The term of a log.
pub(super) fn log(name: &str) -> i64 {
    term(Kind::Log, name.as_bytes())
}

/// The terms of an entry of this log. Of what is empty there are none.
pub(super) fn of_entry(log: &str, entry: &Entry) -> impl Iterator<Item = i64> {
    let texts = [
        (Kind::Log, log),
        (Kind::Client, entry.client_slug.as_str()),
        (Kind::Caller, entry.caller.as_str()),
        (Kind::ObjectType, entry.object_type.as_str()),
    ];
    let texts = texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(kind, text)| term(kind, text.as_bytes()))
        .collect::<Vec<_>>();
    let numbers = [
        number(Kind::Phase, entry.phase),
        number(Kind::Operation, entry.operation),
        number(Kind::Result, entry.result),
        number(Kind::Severity, entry.severity().into()),
    ];
    texts.into_iter().chain(numbers)
}

/// The first four bytes of the keyed hash of every record that an entry names.
pub(super) fn records_of(entry: &Entry) -> impl Iterator<Item = u32> {
    let own = ObjectRef::read(&entry.object_ref).ok();
    let others = entry.record_refs.chunks_exact(ObjectRef::BYTES).map(start);
    own.map(|own| start(&own.0)).into_iter().chain(others)
}

/// The first four bytes of a keyed hash.
pub(super) fn start(record_ref: &[u8]) -> u32 {
    u32::from_be_bytes(record_ref.first_chunk().copied().unwrap_or_default())
}

/// The term under which records lie in a small span.
pub(super) fn records() -> i64 {
    term(Kind::Objects, &[])
}

/// The term under which a record lies in a large span: there are 256 such.
pub(super) fn records_like(start: u32) -> i64 {
    let [first, ..] = start.to_be_bytes();
    term(Kind::Objects, &[first])
}

/// The terms that an entry must have to pass a filter: of each group, one.
pub(super) fn of_filter(log: Option<&str>, filter: &Filter) -> Vec<Vec<i64>> {
    let texts = [
        (
            Kind::Client,
            filter.client_slug.as_ref().map(|slug| slug.as_str()),
        ),
        (Kind::Caller, filter.caller.as_ref().map(|caller| caller.as_str())),
        (Kind::Log, log),
        (Kind::ObjectType, filter.object_type.as_deref()),
    ];
    let mut groups: Vec<Vec<i64>> = texts
        .into_iter()
        .filter_map(|(kind, text)| Some(vec![term(kind, text?.as_bytes())]))
        .collect();
    let severities = filter.min_severity.map(|least| {
        let all = (1..).map_while(|number| Severity::try_from(number).ok());
        all.filter(|severity| *severity >= least).map(i32::from).collect()
    });
    let numbers: [(Kind, Vec<i32>); 4] = [
        (
            Kind::Operation,
            filter.operations.iter().map(|one| i32::from(*one)).collect(),
        ),
        (
            Kind::Result,
            filter
                .results
                .iter()
                .map(|one: &CallResult| i32::from(*one))
                .collect(),
        ),
        (Kind::Severity, severities.unwrap_or_default()),
        (
            Kind::Phase,
            filter.phases.iter().map(|one| i32::from(*one)).collect(),
        ),
    ];
    let any_of = numbers.into_iter().filter(|(_, any)| !any.is_empty());
    groups.extend(any_of.map(|(kind, any)| any.into_iter().map(|one| number(kind, one)).collect()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Phase};

    #[test]
    fn an_entry_that_passes_a_filter_has_a_term_of_each_group() {
        let entry = Entry {
            client_slug: "acme".to_owned(),
            caller: "nightly-sync".to_owned(),
            phase: Phase::Denied.into(),
            operation: Operation::ObjectGet.into(),
            result: CallResult::Refused.into(),
            object_type: "contacts".to_owned(),
            ..Entry::default()
        };
        let mut filter = Filter {
            client_slug: Some("acme".parse().expect("a slug")),
            caller: Some("nightly-sync".parse().expect("a name")),
            phases: vec![Phase::Admin, Phase::Denied],
            operations: vec![Operation::ObjectGet],
            results: vec![CallResult::Refused],
            min_severity: Some(Severity::Low),
            object_type: Some("contacts".to_owned()),
            ..Filter::all()
        };
        let terms: Vec<i64> = of_entry("test/crm-service/1", &entry).collect();
        let missing = |filter: &Filter| {
            let groups = of_filter(Some("test/crm-service/1"), filter);
            let without = groups
                .iter()
                .filter(|any| !any.iter().any(|term| terms.contains(term)));
            (groups.len(), without.count())
        };
        assert_eq!(missing(&filter), (8, 0));
        filter.min_severity = Some(Severity::High);
        filter.caller = Some("somebody-else".parse().expect("a name"));
        assert_eq!(missing(&filter), (8, 2));
    }
}
