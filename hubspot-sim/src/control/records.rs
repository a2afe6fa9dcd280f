//! What is done with records behind HubSpot's back, or by hand in its pages: no request, no token, no limit.

use serde_json::Value;

use super::Control;
use crate::accounts::WorldError;
use crate::lock::lock;
use crate::objects::kind::ObjectType;
use crate::objects::labels::{Category, TypeId};
use crate::objects::properties::PropertyDef;
use crate::objects::record::{Values, Wanted};
use crate::world::CustomObjectSpec;

impl Control {
    /// Defines a custom property.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn define_property(
        &self,
        portal_id: u64,
        object_type: ObjectType,
        property: PropertyDef,
    ) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let now = self.now_micros();
        lock(&portal.crm).table(object_type).schema.define(property, now);
        Ok(())
    }

    /// Defines an object type of the account's own.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn define_custom_object(&self, portal_id: u64, spec: CustomObjectSpec) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        lock(&portal.crm).define(spec, self.now_micros());
        Ok(())
    }

    /// Creates a record behind HubSpot's back: no request, no validation. Gives its id.
    ///
    /// # Errors
    /// If there is no such account, or if another contact has the e-mail address.
    pub fn seed(
        &self,
        portal_id: u64,
        object_type: ObjectType,
        properties: &[(&str, &str)],
    ) -> Result<u64, WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let seeded = lock(&portal.crm)
            .table(object_type)
            .seed(values(properties), self.now_micros());
        seeded.map_err(|problem| WorldError::BadRecord(Value::Object(problem.body).to_string()))
    }

    /// Changes a record by hand, as this user would in HubSpot's pages: its history names the user. An empty value clears.
    ///
    /// # Errors
    /// If there is no such account or live record, or if another record has a value that must be unique.
    pub fn edit_by_hand(
        &self,
        portal_id: u64,
        object_type: ObjectType,
        id: u64,
        user_id: u64,
        properties: &[(&str, &str)],
    ) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let edited =
            lock(&portal.crm)
                .table(object_type)
                .edit(id, values(properties), user_id, self.now_micros());
        edited.map_err(|problem| WorldError::BadRecord(Value::Object(problem.body).to_string()))
    }

    /// Merges two records by hand. Gives the id of the one that they become.
    ///
    /// # Errors
    /// If there is no such account, or a record is not there, or they are one already, or too many are.
    pub fn merge_by_hand(
        &self,
        portal_id: u64,
        object_type: ObjectType,
        primary: u64,
        other: u64,
    ) -> Result<u64, WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let mut crm = lock(&portal.crm);
        let merged = crm.merge(object_type, primary, other, self.now_micros());
        merged
            .map(|record| record.id)
            .map_err(|problem| WorldError::BadRecord(Value::Object(problem.body).to_string()))
    }

    /// Archives a record by hand. Archiving what is archived or never was changes nothing.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn archive_by_hand(
        &self,
        portal_id: u64,
        object_type: ObjectType,
        id: u64,
    ) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        lock(&portal.crm)
            .table(object_type)
            .archive(id, self.now_micros());
        Ok(())
    }

    /// Gives an account a label of its own between two types. Gives its number.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn define_label(
        &self,
        portal_id: u64,
        types: (ObjectType, ObjectType),
        label: &str,
    ) -> Result<u32, WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let name = label.to_lowercase().replace(' ', "_");
        let defined = lock(&portal.crm)
            .associations
            .labels
            .define(types, &name, label, None);
        Ok(defined.first().map(|label| label.id.1).unwrap_or_default())
    }

    /// Associates two records, plainly and with these labels: a number of HubSpot's own, or of the account's own.
    ///
    /// # Errors
    /// If there is no such account, or a record is not there, or there is no such label between their types.
    pub fn associate(
        &self,
        portal_id: u64,
        from: (ObjectType, u64),
        to: (ObjectType, u64),
        hubspots: &[u32],
        own: &[u32],
    ) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let mut crm = lock(&portal.crm);
        let hubspots = hubspots.iter().map(|number| (Category::HubSpot, *number));
        let own = own.iter().map(|number| (Category::User, *number));
        let types: Vec<TypeId> = hubspots.chain(own).collect();
        crm.associate(from, to, &types).map_err(WorldError::BadRecord)
    }

    /// A record with all its values, archived or not.
    pub fn record(&self, portal_id: u64, object_type: ObjectType, id: u64) -> Option<Value> {
        let portal = self.state.accounts.portal(portal_id).ok()?;
        let mut crm = lock(&portal.crm);
        let table = crm.table(object_type);
        let record = table.get(id)?;
        let wanted = Wanted {
            properties: record.values.keys().cloned().collect(),
            with_history: Vec::new(),
        };
        Some(record.render(object_type, &table.schema, &wanted))
    }

    /// How many live records of a type an account has.
    pub fn record_count(&self, portal_id: u64, object_type: ObjectType) -> usize {
        let portal = self.state.accounts.portal(portal_id).ok();
        portal.map_or(0, |portal| lock(&portal.crm).table(object_type).live().count())
    }

    /// The addresses of an account that were deleted for good, in lower case.
    pub fn blocklist(&self, portal_id: u64) -> Vec<String> {
        let portal = self.state.accounts.portal(portal_id).ok();
        portal.map_or_else(Vec::new, |portal| {
            lock(&portal.crm).blocklist.iter().cloned().collect()
        })
    }
}

fn values(properties: &[(&str, &str)]) -> Values {
    properties
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
