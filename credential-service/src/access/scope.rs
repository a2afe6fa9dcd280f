//! What a handle, or a grant of handles, allows.

use std::collections::BTreeSet;

use hubkeep_core::error::FieldViolation;
use serde::{Deserialize, Serialize};

const MAX_OBJECT_TYPES: usize = 64;
const MAX_PROPERTIES: usize = 512;
/// Pipelines, and owners, that a scope may be limited to: each is a value of one search filter.
const MAX_LIMITS: usize = 16;
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
    /// Make one record of two.
    Merge,
    /// Erase a contact for good.
    Erase,
    /// Associate records, and end that.
    Associate,
    /// Make reports about the portal.
    Report,
    /// Change how records of a type are made.
    WriteSchema,
}

impl Operation {
    /// Whether it is on records of a type.
    pub const fn is_on_records(self) -> bool {
        !matches!(self, Self::ReadAudit | Self::Quota | Self::Report)
    }

    /// Whether it changes records, or how they are made.
    pub const fn writes(self) -> bool {
        self.writes_records() || matches!(self, Self::WriteSchema)
    }

    /// Whether it changes records.
    pub const fn writes_records(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::Archive | Self::Merge | Self::Erase | Self::Associate
        )
    }
}

/// The lists of a scope, as somebody names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Operations. What is not named is not allowed.
    pub operations: BTreeSet<Operation>,
    /// Object types. "*" alone for all; what is not named is not allowed.
    pub object_types: BTreeSet<String>,
    /// The only properties; none for all.
    pub properties: BTreeSet<String>,
    /// The only pipelines of records, by HubSpot's id; none for all.
    pub pipelines: BTreeSet<String>,
    /// The only owners of records, by HubSpot's id; none for all.
    pub owner_ids: BTreeSet<String>,
}

/// What a handle allows: what is not named is not allowed, but for the lists that limit, of which an empty one allows all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    operations: BTreeSet<Operation>,
    object_types: BTreeSet<String>,
    properties: BTreeSet<String>,
    #[serde(default)]
    pipelines: BTreeSet<String>,
    #[serde(default)]
    owner_ids: BTreeSet<String>,
}

/// One of the ways in which a scope can be wider than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its operations.
    Operations,
    /// Its object types.
    ObjectTypes,
    /// Its properties.
    Properties,
    /// Its pipelines.
    Pipelines,
    /// Its owners.
    OwnerIds,
}

impl Part {
    /// Its name, as that of the field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::ObjectTypes => "object_types",
            Self::Properties => "properties",
            Self::Pipelines => "pipelines",
            Self::OwnerIds => "owner_ids",
        }
    }
}

impl Scope {
    /// A scope, held to its rules.
    ///
    /// # Errors
    /// With every field that breaks its rule, named as in the request.
    pub fn new(named: Named) -> Result<Self, Vec<FieldViolation>> {
        let Named {
            operations,
            object_types,
            properties,
            pipelines,
            owner_ids,
        } = named;
        let scope = Self {
            operations,
            object_types,
            properties,
            pipelines,
            owner_ids,
        };
        let faults = scope.faults();
        if faults.is_empty() { Ok(scope) } else { Err(faults) }
    }

    /// Its lists.
    pub fn named(&self) -> Named {
        Named {
            operations: self.operations.clone(),
            object_types: self.object_types.clone(),
            properties: self.properties.clone(),
            pipelines: self.pipelines.clone(),
            owner_ids: self.owner_ids.clone(),
        }
    }

    /// The operations it allows.
    pub fn operations(&self) -> impl Iterator<Item = Operation> + '_ {
        self.operations.iter().copied()
    }

    /// The object types it allows; "*" alone for all.
    pub fn object_types(&self) -> impl Iterator<Item = &str> {
        self.object_types.iter().map(String::as_str)
    }

    /// Whether it allows an operation.
    pub fn allows(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// Whether it allows anything that changes records.
    pub fn writes(&self) -> bool {
        self.operations().any(Operation::writes)
    }

    /// What of it reads records; `None` if nothing does.
    pub(super) fn reading(&self) -> Option<Self> {
        let reads = |one: &Operation| matches!(one, Operation::Get | Operation::List | Operation::Search);
        let operations: BTreeSet<_> = self.operations().filter(reads).collect();
        (!operations.is_empty() && !self.object_types.is_empty()).then(|| Self {
            operations,
            ..self.clone()
        })
    }

    /// How much it allows, to tell the wider of two: types first, then limits, then operations.
    pub(super) fn width(&self) -> (usize, bool, bool, usize) {
        let types = match self.object_types.contains(ANY_TYPE) {
            true => usize::MAX,
            false => self.object_types.len(),
        };
        let unlimited = self.pipelines.is_empty() && self.owner_ids.is_empty();
        (
            types,
            unlimited,
            self.properties.is_empty(),
            self.operations.len(),
        )
    }

    /// The first part in which it allows something that `limit` does not; `None` if it is nowhere wider.
    pub fn beyond(&self, limit: &Self) -> Option<Part> {
        self.all_beyond(limit).next()
    }

    /// Every part in which it allows something that `limit` does not.
    pub(super) fn all_beyond(&self, limit: &Self) -> impl Iterator<Item = Part> + use<> {
        let any_type = limit.object_types.contains(ANY_TYPE);
        let parts = [
            (Part::Operations, self.operations.is_subset(&limit.operations)),
            (
                Part::ObjectTypes,
                any_type || self.object_types.is_subset(&limit.object_types),
            ),
            (Part::Properties, is_within(&self.properties, &limit.properties)),
            (Part::Pipelines, is_within(&self.pipelines, &limit.pipelines)),
            (Part::OwnerIds, is_within(&self.owner_ids, &limit.owner_ids)),
        ];
        parts
            .into_iter()
            .filter(|(_, holds)| !holds)
            .map(|(part, _)| part)
    }

    fn faults(&self) -> Vec<FieldViolation> {
        let types = &self.object_types;
        let needs_types = self.operations().any(Operation::is_on_records);
        let limits = [&self.pipelines, &self.owner_ids];
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
            (
                "scope.pipelines",
                self.pipelines.len() <= MAX_LIMITS,
                "name at most 16 pipelines",
            ),
            (
                "scope.owner_ids",
                self.owner_ids.len() <= MAX_LIMITS,
                "name at most 16 owners",
            ),
            (
                "scope",
                limits.into_iter().flatten().all(|id| is_name(id)),
                "an id of a pipeline or owner is 1 to 128 of a-z, A-Z, 0-9, '_' and '-'",
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

/// Of two lists that limit, of which an empty one allows all: whether the first allows nothing that the second does not.
fn is_within(list: &BTreeSet<String>, limit: &BTreeSet<String>) -> bool {
    limit.is_empty() || (!list.is_empty() && list.is_subset(limit))
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

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn scope(
        operations: &[Operation],
        types: &[&str],
        properties: &[&str],
    ) -> Result<Scope, Vec<FieldViolation>> {
        Scope::new(Named {
            operations: operations.iter().copied().collect(),
            object_types: names(types),
            properties: names(properties),
            ..Named::default()
        })
    }

    #[test]
    fn a_scope_names_operations_and_types() {
        assert!(scope(&[Operation::Get], &["contacts"], &[]).is_ok());
        assert!(scope(&[Operation::Get], &["*"], &["email"]).is_ok());
        assert!(scope(&[Operation::ReadAudit], &[], &[]).is_ok());
        assert!(scope(&[Operation::ReadAudit, Operation::Quota], &[], &[]).is_ok());
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let named = Named {
            object_types: names(&["*", "con tacts"]),
            properties: (0..513).map(|n| format!("p{n}")).collect(),
            pipelines: (0..17).map(|n| format!("p{n}")).collect(),
            owner_ids: names(&["4\n2"]),
            ..Named::default()
        };
        let faults = Scope::new(named).expect_err("broken");
        let fields: BTreeSet<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields.len(), 5, "{faults:?}");
        assert!(scope(&[Operation::Get, Operation::ReadAudit], &[], &[]).is_err());
    }

    #[test]
    fn a_scope_is_told_in_what_it_is_wider() {
        let get = &[Operation::Get];
        let limit = scope(get, &["contacts", "deals"], &["email"]).expect("valid");
        let beyond = |operations: &[Operation], types: &[&str], properties: &[&str]| {
            scope(operations, types, properties)
                .expect("valid")
                .beyond(&limit)
        };
        assert_eq!(beyond(get, &["deals"], &["email"]), None);
        assert_eq!(
            beyond(&[Operation::Update], &["deals"], &["email"]),
            Some(Part::Operations)
        );
        assert_eq!(beyond(get, &["*"], &["email"]), Some(Part::ObjectTypes));
        assert_eq!(
            beyond(get, &["deals"], &[]),
            Some(Part::Properties),
            "none means all"
        );
        assert_eq!(
            beyond(get, &["deals"], &["email", "phone"]),
            Some(Part::Properties)
        );
    }
}
