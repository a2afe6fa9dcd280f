//! What reports need to know of clients, from a TOML file: a table for each client, by its slug.

use std::{collections::BTreeMap, fs, path::Path};

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::PortalDetails;
use serde::Deserialize;

use crate::errors::Error;

/// A client's table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    controller_name: String,
    controller_contact: String,
    dpa_reference: String,
    purposes: Vec<String>,
    region: String,
    tags: Vec<String>,
    dpa_date: String,
    instructions_reference: String,
    data_subjects: Vec<String>,
    controller_representative: String,
    controller_data_protection_officer: String,
}

/// What is known of each client that has a table in the file.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn read(file: &Path) -> Result<BTreeMap<ClientSlug, PortalDetails>, Error> {
    let unusable = |problem: String| Error::Usage(format!("{}: {problem}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unusable(format!("it cannot be read: {error}")))?;
    let tables: BTreeMap<String, Table> =
        toml::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    let known = tables.into_iter().map(|(slug, table)| {
        let slug: ClientSlug = slug
            .parse()
            .map_err(|_| unusable(format!("[{slug}] is not a client's slug")))?;
        Ok((slug, table.into()))
    });
    known.collect()
}

impl From<Table> for PortalDetails {
    fn from(table: Table) -> Self {
        Self {
            controller_name: table.controller_name,
            controller_contact: table.controller_contact,
            dpa_reference: table.dpa_reference,
            purposes: table.purposes,
            region: table.region,
            tags: table.tags,
            dpa_date: table.dpa_date,
            instructions_reference: table.instructions_reference,
            data_subjects: table.data_subjects,
            controller_representative: table.controller_representative,
            controller_data_protection_officer: table.controller_data_protection_officer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn of(text: &str) -> Result<BTreeMap<ClientSlug, PortalDetails>, Error> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        read(file.path())
    }

    #[test]
    fn each_client_has_a_table_of_its_own_and_a_slip_is_named() {
        let known = of("[acme]\ncontroller_name = \"ACME\"\ntags = [\"gold\"]\n[globex]\n").expect("reads");
        assert_eq!(known.len(), 2);
        let acme = known.get(&"acme".parse().expect("a slug")).expect("is there");
        assert_eq!((acme.controller_name.as_str(), acme.tags.len()), ("ACME", 1));
        for (text, told) in [
            ("[acme]\ncontroler_name = \"ACME\"", "controler_name"),
            ("[\"../x\"]\n", "not a client's slug"),
            ("acme = 1", "acme"),
        ] {
            let error = of(text).expect_err("refused").to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
