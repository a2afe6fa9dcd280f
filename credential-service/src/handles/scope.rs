//! What a handle allows.

use std::collections::BTreeSet;

use hubkeep_core::error::FieldViolation;
use serde::{Deserialize, Serialize};

use crate::portals::Need;

const MAX_OBJECT_TYPES: usize = 64;
const MAX_PROPERTIES: usize = 512;
/// The longest name of a type or property, in characters. HubSpot's own are shorter.
const MAX_NAME: usize = 128;
const ANY_TYPE: &str = "*";

/// What a handle may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Read one record or owner.
    Get,
    /// Page through records or owners.
    List,
    /// Search records.
    Search,
    /// Create records.
    Create,
    /// Change records.
    Update,
    /// Archive records.
    Archive,
    /// Read the portal's audit log.
    ReadAudit,
    /// Read what is left of the portal's quota.
    Quota,
}

impl Operation {
    /// Whether it is on records of a type.
    const fn is_on_records(self) -> bool {
        !matches!(self, Self::ReadAudit | Self::Quota)
    }

    /// Whether it changes records.
    const fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Archive)
    }
}

/// What a handle allows: what is not named is not allowed, but for properties, of which an empty list allows all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    operations: BTreeSet<Operation>,
    object_types: BTreeSet<String>,
    properties: BTreeSet<String>,
}

impl Scope {
    /// A scope, held to its rules. Repeated names count once.
    ///
    /// # Errors
    /// With every field that breaks its rule, named as in the request.
    pub fn new(
        operations: impl IntoIterator<Item = Operation>,
        object_types: Vec<String>,
        properties: Vec<String>,
    ) -> Result<Self, Vec<FieldViolation>> {
        let scope = Self {
            operations: operations.into_iter().collect(),
            object_types: object_types.into_iter().collect(),
            properties: properties.into_iter().collect(),
        };
        let faults = scope.faults();
        if faults.is_empty() { Ok(scope) } else { Err(faults) }
    }

    /// The operations it allows.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        self.operations.iter().copied()
    }

    /// The object types it allows; "*" alone for all.
    pub fn object_types(&self) -> impl Iterator<Item = &str> {
        self.object_types.iter().map(String::as_str)
    }

    /// The properties it allows; none for all.
    pub fn properties(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(String::as_str)
    }

    /// Whether it allows an operation.
    pub fn allows(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// What it takes of a token.
    pub fn need(&self) -> Need {
        let reads = self.operations().any(|one| one.is_on_records() && !one.writes());
        Need::new(
            self.object_types(),
            reads,
            self.operations().any(Operation::writes),
        )
    }

    fn faults(&self) -> Vec<FieldViolation> {
        let types = &self.object_types;
        let needs_types = self.operations().any(Operation::is_on_records);
        let checks = [
            (
                "scope.operations",
                !self.operations.is_empty(),
                "name at least one operation",
            ),
            (
                "scope.object_types",
                !needs_types || !types.is_empty(),
                "name at least one object type, or \"*\" for all",
            ),
            (
                "scope.object_types",
                types.len() <= MAX_OBJECT_TYPES,
                "name at most 64 object types",
            ),
            (
                "scope.object_types",
                types.len() <= 1 || !types.contains(ANY_TYPE),
                "\"*\" stands alone: it is every type already",
            ),
            (
                "scope.object_types",
                types.iter().all(|name| name == ANY_TYPE || is_name(name)),
                "an object type is 1 to 128 of a-z, A-Z, 0-9, '_' and '-'",
            ),
            (
                "scope.properties",
                self.properties.len() <= MAX_PROPERTIES,
                "name at most 512 properties",
            ),
            (
                "scope.properties",
                self.properties.iter().all(|name| is_name(name)),
                "a property is 1 to 128 of a-z, A-Z, 0-9, '_' and '-'",
            ),
        ];
        let broken = checks.into_iter().filter(|(_, holds, _)| !holds);
        broken
            .map(|(field, _, rule)| FieldViolation {
                field: field.to_owned(),
                description: rule.to_owned(),
            })
            .collect()
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_scope_names_operations_and_types() {
        assert!(Scope::new([Operation::Get], names(&["contacts"]), vec![]).is_ok());
        assert!(Scope::new([Operation::Get], names(&["*"]), names(&["email"])).is_ok());
        assert!(Scope::new([Operation::ReadAudit], vec![], vec![]).is_ok());
        assert!(Scope::new([Operation::ReadAudit, Operation::Quota], vec![], vec![]).is_ok());
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let properties: Vec<String> = (0..513).map(|n| format!("p{n}")).collect();
        let faults = Scope::new([], names(&["*", "con tacts"]), properties).expect_err("broken");
        let fields: BTreeSet<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields.len(), 3, "{faults:?}");
        assert!(Scope::new([Operation::Get, Operation::ReadAudit], vec![], vec![]).is_err());
    }
}
