//! The columns of the file: three that every file has, and those that it may have beside them.

use hubkeep_core::id::CredentialName;
use hubkeep_proto::credential::v1::{CredentialKind, PortalDetails};

use crate::commands::bulk::{Columns, fields::not_a_token};

/// Every column, in the order in which they are told.
const ALL: [&str; 11] = [
    "clientSlug",
    "portalToken",
    "portalId",
    "credentialName",
    "credentialKind",
    "controllerName",
    "controllerContact",
    "dpaReference",
    "purposes",
    "region",
    "tags",
];
/// The first three must be there.
pub(super) const COLUMNS: Columns = Columns {
    all: &ALL,
    required: 3,
};
/// Between the items of a cell that is a list.
const BETWEEN: char = ';';

/// The columns beside the first three, as far as a file has them, of one row.
pub(super) struct Extra {
    pub(super) credential_name: String,
    pub(super) kind: Option<CredentialKind>,
    pub(super) details: Option<PortalDetails>,
}

impl Extra {
    /// Reads the cells of a row; what a file has no column for is empty. `cell` gives the cell of a column.
    pub(super) fn read<'a>(cell: impl Fn(usize) -> Result<&'a str, String>) -> Result<Self, String> {
        let text = |column: usize| cell(column).and_then(|text| plain(column, text));
        let details = PortalDetails {
            controller_name: text(5)?,
            controller_contact: text(6)?,
            dpa_reference: text(7)?,
            purposes: list(&text(8)?),
            region: text(9)?,
            tags: list(&text(10)?),
            // What has no column stands in a file of details.
            ..PortalDetails::default()
        };
        Ok(Self {
            credential_name: credential_name(cell(3)?)?,
            kind: kind(cell(4)?)?,
            details: (details != PortalDetails::default()).then_some(details),
        })
    }
}

fn plain(column: usize, text: &str) -> Result<String, String> {
    if text.contains(char::is_control) {
        let column = ALL.get(column).copied().unwrap_or_default();
        return Err(format!("{column} holds a control character"));
    }
    Ok(text.to_owned())
}

fn list(text: &str) -> Vec<String> {
    let items = text.split(BETWEEN).map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn credential_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    not_a_token(text, "credentialName")?;
    let name: Result<CredentialName, _> = text.parse();
    name.map(|name| name.to_string())
        .map_err(|error| format!("credentialName: {}", error.rule()))
}

fn kind(text: &str) -> Result<Option<CredentialKind>, String> {
    match text {
        "" => Ok(None),
        "service_key" | "service-key" => Ok(Some(CredentialKind::ServiceKey)),
        "private_app" | "private-app" => Ok(Some(CredentialKind::PrivateApp)),
        "oauth" => Ok(Some(CredentialKind::Oauth)),
        _ => Err("credentialKind is service_key, private_app or oauth, or empty".to_owned()),
    }
}
