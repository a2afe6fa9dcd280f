//! The properties of one object type in one account: HubSpot's own, and those that the account has defined.

use std::collections::BTreeMap;

use super::kind::ObjectType;
use super::properties::{Definition, PropertyDef, PropertyKind, PropertyOption};
use super::standard_properties::{COMMON, KEPT_BY_HUBSPOT, own};

/// The properties of one object type in one account.
#[derive(Debug)]
pub(crate) struct Schema {
    object: ObjectType,
    custom: BTreeMap<String, Definition>,
    /// What an answer carries when no property is asked for.
    pub(crate) defaults: Vec<String>,
    /// What the `query` of a search looks into.
    pub(crate) searchable: Vec<String>,
}

impl Schema {
    /// The standard properties only.
    pub(crate) fn standard(object: ObjectType) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            object,
            custom: BTreeMap::new(),
            defaults: owned(object.facts().defaults),
            searchable: owned(object.facts().searchable),
        }
    }

    /// Adds a custom property, or replaces one of the same name.
    pub(crate) fn define(&mut self, property: PropertyDef, at: i64) {
        self.keep(Definition::custom(property, at));
    }

    /// Adds a custom property as it is, or replaces one of the same name.
    pub(crate) fn keep(&mut self, definition: Definition) {
        self.custom.insert(definition.property.name.clone(), definition);
    }

    /// Kind of a property and whether it is read-only; `None` if there is no such property.
    pub(crate) fn find(&self, name: &str) -> Option<(PropertyKind, bool)> {
        if let Some(custom) = self.live(name) {
            return Some((custom.property.kind, custom.property.read_only));
        }
        self.hubspots(name)
    }

    /// The whole definition of a property, archived or not.
    pub(crate) fn definition(&self, name: &str, archived: bool) -> Option<Definition> {
        let custom = self.custom.get(name);
        if let Some(found) = custom.filter(|custom| custom.archived_at.is_some() == archived) {
            return Some(found.clone());
        }
        let (kind, read_only) = self.hubspots(name).filter(|_| !archived)?;
        Some(Definition::standard(name, kind, read_only))
    }

    /// All definitions, archived or live, HubSpot's own first.
    pub(crate) fn definitions(&self, archived: bool) -> Vec<Definition> {
        let own = [KEPT_BY_HUBSPOT, COMMON, own(self.object)].into_iter().flatten();
        let standard = own.filter(|(name, _)| !archived && !self.custom.contains_key(*name));
        let standard = standard.filter_map(|(name, _)| self.definition(name, false));
        let custom = self.custom.values();
        standard
            .chain(
                custom
                    .filter(|custom| custom.archived_at.is_some() == archived)
                    .cloned(),
            )
            .collect()
    }

    /// Archives a custom property: records keep their values, nobody sees or writes them any more.
    pub(crate) fn archive(&mut self, name: &str, at: i64) {
        if let Some(custom) = self.custom.get_mut(name) {
            custom.archived_at = Some(at);
        }
    }

    /// The values that a property allows; none means any.
    pub(crate) fn options(&self, name: &str) -> &[PropertyOption] {
        self.live(name).map_or(&[], |custom| &custom.property.options)
    }

    /// Whether no two records may have the same value of it.
    pub(crate) fn is_unique(&self, name: &str) -> bool {
        self.live(name).is_some_and(|custom| custom.property.unique)
    }

    fn live(&self, name: &str) -> Option<&Definition> {
        self.custom
            .get(name)
            .filter(|custom| custom.archived_at.is_none())
    }

    fn hubspots(&self, name: &str) -> Option<(PropertyKind, bool)> {
        let among =
            |list: &[(&str, PropertyKind)]| list.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind);
        if let Some(kind) = among(KEPT_BY_HUBSPOT) {
            return Some((kind, true));
        }
        among(COMMON)
            .or_else(|| among(own(self.object)))
            .map(|kind| (kind, false))
    }
}
