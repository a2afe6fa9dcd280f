//! Property definitions: the standard ones of each object type, and custom ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kind::ObjectType;

/// What values a property takes, which decides how it is validated and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum PropertyKind {
    /// Text; compared without regard to case.
    #[default]
    Text,
    /// A number.
    Number,
    /// A date or a time.
    Time,
    /// One of a list of internal names; compared with regard to case. The list itself is not held.
    Choice,
    /// `true` or `false`.
    Bool,
}

/// A custom property of one object type in one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyDef {
    /// The internal name.
    pub name: String,
    /// What values it takes.
    #[serde(default)]
    pub kind: PropertyKind,
    /// Whether callers may only read it.
    #[serde(default)]
    pub read_only: bool,
}

impl PropertyDef {
    /// A property that callers may write.
    pub fn new(name: impl Into<String>, kind: PropertyKind) -> Self {
        Self {
            name: name.into(),
            kind,
            read_only: false,
        }
    }
}

/// The properties of one object type in one account.
#[derive(Debug)]
pub(crate) struct Schema {
    object: ObjectType,
    custom: BTreeMap<String, PropertyDef>,
}

impl Schema {
    /// The standard properties only.
    pub(crate) fn standard(object: ObjectType) -> Self {
        Self {
            object,
            custom: BTreeMap::new(),
        }
    }

    /// Adds a custom property, or replaces one of the same name.
    pub(crate) fn define(&mut self, property: PropertyDef) {
        self.custom.insert(property.name.clone(), property);
    }

    /// Kind of a property and whether it is read-only; `None` if there is no such property.
    pub(crate) fn find(&self, name: &str) -> Option<(PropertyKind, bool)> {
        if let Some(custom) = self.custom.get(name) {
            return Some((custom.kind, custom.read_only));
        }
        let among =
            |list: &[(&str, PropertyKind)]| list.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind);
        if let Some(kind) = among(KEPT_BY_HUBSPOT) {
            return Some((kind, true));
        }
        among(COMMON)
            .or_else(|| among(own_properties(self.object)))
            .map(|kind| (kind, false))
    }
}

use PropertyKind::{Bool, Choice, Number, Text, Time};

/// Set by HubSpot, never by a caller.
const KEPT_BY_HUBSPOT: &[(&str, PropertyKind)] = &[
    ("hs_object_id", Number),
    ("createdate", Time),
    ("hs_createdate", Time),
    ("lastmodifieddate", Time),
    ("hs_lastmodifieddate", Time),
    ("hs_created_by_user_id", Number),
    ("hs_updated_by_user_id", Number),
    ("hs_merged_object_ids", Text),
];

/// On every type.
const COMMON: &[(&str, PropertyKind)] = &[
    ("hubspot_owner_id", Choice),
    ("hubspot_team_id", Choice),
    ("hs_unique_creation_key", Text),
];

fn own_properties(object: ObjectType) -> &'static [(&'static str, PropertyKind)] {
    match object {
        ObjectType::Contacts => CONTACT,
        ObjectType::Companies => COMPANY,
        ObjectType::Deals => DEAL,
        ObjectType::Tickets => TICKET,
        ObjectType::Notes => NOTE,
    }
}

const CONTACT: &[(&str, PropertyKind)] = &[
    ("email", Text),
    ("firstname", Text),
    ("lastname", Text),
    ("salutation", Text),
    ("phone", Text),
    ("mobilephone", Text),
    ("company", Text),
    ("jobtitle", Text),
    ("website", Text),
    ("address", Text),
    ("city", Text),
    ("state", Text),
    ("zip", Text),
    ("country", Text),
    ("date_of_birth", Text),
    ("lifecyclestage", Choice),
    ("hs_lead_status", Choice),
    ("hs_language", Choice),
    ("hs_email_optout", Bool),
    ("hs_email_domain", Text),
    ("annualrevenue", Text),
    ("numemployees", Choice),
    ("message", Text),
    ("notes_last_contacted", Time),
    ("associatedcompanyid", Number),
];

const COMPANY: &[(&str, PropertyKind)] = &[
    ("name", Text),
    ("domain", Text),
    ("website", Text),
    ("description", Text),
    ("phone", Text),
    ("address", Text),
    ("city", Text),
    ("state", Text),
    ("zip", Text),
    ("country", Text),
    ("industry", Choice),
    ("type", Choice),
    ("lifecyclestage", Choice),
    ("numberofemployees", Number),
    ("annualrevenue", Number),
    ("founded_year", Text),
    ("timezone", Text),
    ("linkedin_company_page", Text),
];

const DEAL: &[(&str, PropertyKind)] = &[
    ("dealname", Text),
    ("dealstage", Choice),
    ("pipeline", Choice),
    ("amount", Number),
    ("amount_in_home_currency", Number),
    ("deal_currency_code", Choice),
    ("closedate", Time),
    ("dealtype", Choice),
    ("description", Text),
    ("hs_priority", Choice),
    ("hs_deal_stage_probability", Number),
    ("closed_lost_reason", Text),
    ("closed_won_reason", Text),
    ("hs_next_step", Text),
];

const TICKET: &[(&str, PropertyKind)] = &[
    ("subject", Text),
    ("content", Text),
    ("hs_pipeline", Choice),
    ("hs_pipeline_stage", Choice),
    ("hs_ticket_priority", Choice),
    ("hs_ticket_category", Choice),
    ("hs_resolution", Choice),
    ("source_type", Choice),
    ("closed_date", Time),
];

const NOTE: &[(&str, PropertyKind)] = &[
    ("hs_timestamp", Time),
    ("hs_note_body", Text),
    ("hs_attachment_ids", Text),
    ("hs_body_preview", Text),
];
