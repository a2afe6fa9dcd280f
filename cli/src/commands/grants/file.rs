//! Grants from a TOML file: a table for each, by its id.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use hubkeep_proto::credential::v1::{Grant, HandleScope, PortalSelection, grant::Holder};
use serde::Deserialize;

use super::put::budget;
use crate::{commands::handle::operation, errors::Error};

/// A grant's table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    caller: Option<String>,
    person: Option<String>,
    portals: Vec<String>,
    tags: Vec<String>,
    all_portals: bool,
    allow: Vec<String>,
    types: Vec<String>,
    properties: Vec<String>,
    pipelines: Vec<String>,
    owners: Vec<String>,
    #[serde(with = "humantime_serde")]
    max_lifetime: Option<Duration>,
    max_calls: Option<u64>,
    max_records: Option<u64>,
    writes_need_approval: bool,
}

/// The grants of a file, by their ids.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub(super) fn read(file: &Path) -> Result<Vec<Grant>, Error> {
    let unusable = |problem: String| Error::Usage(format!("{}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unusable(format!("it cannot be read: {error}")))?;
    let tables: BTreeMap<String, Table> =
        toml::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    if tables.is_empty() {
        return Err(unusable("it has no table".to_owned()));
    }
    tables
        .into_iter()
        .map(|(id, table)| grant(&id, table).map_err(|problem| unusable(format!("[{id}]: {problem}"))))
        .collect()
}

fn grant(id: &str, table: Table) -> Result<Grant, String> {
    let holder = match (table.caller, table.person) {
        (Some(caller), None) => Holder::Caller(caller),
        (None, Some(person)) => Holder::PersonId(person),
        _ => return Err("name either caller or person".to_owned()),
    };
    let operations: Result<Vec<_>, String> = table.allow.iter().map(|word| operation(word)).collect();
    let operations = operations.map_err(|problem| format!("allow: {problem}"))?;
    let max_lifetime = table
        .max_lifetime
        .map(prost_types::Duration::try_from)
        .transpose();
    if table.max_calls == Some(0) || table.max_records == Some(0) {
        return Err("max_calls and max_records are from 1; leave them out for any number".to_owned());
    }
    Ok(Grant {
        grant_id: id.to_owned(),
        holder: Some(holder),
        portals: Some(PortalSelection {
            client_slugs: table.portals,
            tags: table.tags,
            all: table.all_portals,
        }),
        scope: Some(HandleScope {
            operations: operations.into_iter().map(Into::into).collect(),
            object_types: table.types,
            properties: table.properties,
            pipelines: table.pipelines,
            owner_ids: table.owners,
        }),
        max_lifetime: max_lifetime.map_err(|_| "max_lifetime is out of range".to_owned())?,
        budget: budget(table.max_calls, table.max_records),
        writes_need_approval: table.writes_need_approval,
        ..Grant::default()
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn of(text: &str) -> Result<Vec<Grant>, Error> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        read(file.path())
    }

    #[test]
    fn each_grant_has_a_table_of_its_own_and_a_slip_is_named() {
        let grants = of("[nightly-sync]\ncaller = \"nightly-sync\"\nportals = [\"acme\"]\nallow = [\"get\", \"read-audit\"]\n\
             types = [\"contacts\"]\nmax_lifetime = \"5m\"\nmax_calls = 100\n\
             [\"ann.reads\"]\nperson = \"ann\"\nall_portals = true\nallow = [\"get\"]\ntypes = [\"*\"]\n")
        .expect("reads");
        let [ann, nightly] = grants.as_slice() else {
            panic!("two: {grants:?}");
        };
        assert_eq!(ann.holder, Some(Holder::PersonId("ann".to_owned())));
        assert_eq!(nightly.max_lifetime.map(|time| time.seconds), Some(300));
        assert_eq!(
            nightly
                .budget
                .map(|budget| (budget.max_calls, budget.max_records)),
            Some((100, 0))
        );
        assert_eq!(ann.budget, None);
        for (text, told) in [
            ("", "no table"),
            ("[a]\ncaler = \"x\"", "caler"),
            ("[a]\nallow = [\"get\"]", "either caller or person"),
            ("[a]\ncaller = \"x\"\nperson = \"y\"", "either caller or person"),
            (
                "[a]\ncaller = \"x\"\nallow = [\"delete\"]",
                "allow: expected one of",
            ),
            ("[a]\ncaller = \"x\"\nmax_calls = 0", "from 1"),
            ("[a]\ncaller = \"x\"\nmax_lifetime = \"soon\"", "max_lifetime"),
        ] {
            let error = of(text).expect_err("refused").to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
