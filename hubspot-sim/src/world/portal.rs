//! One account as it is at the start: details, limits, tokens, owners, properties and records.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::app::InstallSpec;
use super::custom::{Condition, CustomObjectSpec};
use super::token::TokenSpec;
use crate::limits::Limits;
use crate::objects::kind::ObjectType;
use crate::objects::properties::PropertyDef;

/// What the account-info endpoint tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountDetails {
    /// `STANDARD`, `DEVELOPER_TEST`, `SANDBOX` or `APP_DEVELOPER`.
    pub account_type: String,
    /// IANA name.
    pub time_zone: String,
    /// Distance from UTC in milliseconds; the daily limit turns at this midnight, summer time is not followed.
    pub utc_offset_milliseconds: i64,
    /// ISO 4217.
    pub company_currency: String,
    /// ISO 4217.
    pub additional_currencies: Vec<String>,
    /// The host of the account's user interface.
    pub ui_domain: String,
    /// `na1`, `eu1`, …
    pub data_hosting_location: String,
    /// The account's name; only from 2026-09 on.
    pub portal_name: String,
    /// Milliseconds since 1970; only from 2026-09 on.
    pub created_at: i64,
}

impl Default for AccountDetails {
    fn default() -> Self {
        Self {
            account_type: "STANDARD".to_owned(),
            time_zone: "US/Eastern".to_owned(),
            utc_offset_milliseconds: -5 * 3_600_000,
            company_currency: "USD".to_owned(),
            additional_currencies: Vec::new(),
            ui_domain: "app.hubspot.com".to_owned(),
            data_hosting_location: "na1".to_owned(),
            portal_name: String::new(),
            created_at: 1_700_000_000_000,
        }
    }
}

/// A person or queue that records can belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// What `hubspot_owner_id` refers to.
    pub id: u64,
    /// The user behind it, another number.
    pub user_id: u64,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Whether the user has left; `userId` is then null in answers.
    #[serde(default)]
    pub archived: bool,
}

/// Somebody who logs in to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// HubSpot's number for the user.
    pub user_id: u64,
    /// E-mail address.
    pub email: String,
}

/// A record that exists at the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedRecord {
    /// Its type.
    pub object_type: ObjectType,
    /// Its values. A name that HubSpot does not know becomes a custom text property.
    pub properties: BTreeMap<String, String>,
}

/// Two records that belong together at the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedAssociation {
    /// One record: its type and its id.
    pub from: (ObjectType, u64),
    /// The other one.
    pub to: (ObjectType, u64),
    /// HubSpot's own numbers for how they do, from the first one's side; none: plainly.
    #[serde(default)]
    pub types: Vec<u32>,
}

/// One account as it is at the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalSpec {
    /// The name by which tests find it; HubSpot knows no such name.
    pub slug: String,
    /// HubSpot's number for it.
    pub portal_id: u64,
    /// What the account-info endpoint tells.
    #[serde(default)]
    pub details: AccountDetails,
    /// How many calls it allows.
    #[serde(default)]
    pub limits: Limits,
    /// Milliseconds until search sees a change.
    #[serde(default)]
    pub search_lag_ms: u64,
    /// Its tokens, live and revoked.
    #[serde(default)]
    pub tokens: Vec<TokenSpec>,
    /// The OAuth apps it has installed.
    #[serde(default)]
    pub installs: Vec<InstallSpec>,
    /// Its owners.
    #[serde(default)]
    pub owners: Vec<Owner>,
    /// Those who log in to it beside its owners.
    #[serde(default)]
    pub users: Vec<User>,
    /// Its custom properties.
    #[serde(default)]
    pub properties: Vec<(ObjectType, PropertyDef)>,
    /// The object types that it defines for itself.
    #[serde(default)]
    pub custom_objects: Vec<CustomObjectSpec>,
    /// What its records must have while something else is so.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Its records; ids are given in this order, from the same first id in every account.
    #[serde(default)]
    pub records: Vec<SeedRecord>,
    /// What belongs together of them.
    #[serde(default)]
    pub associations: Vec<SeedAssociation>,
}

impl PortalSpec {
    /// An account in the United States with nothing in it.
    pub fn new(slug: impl Into<String>, portal_id: u64) -> Self {
        let slug = slug.into();
        let details = AccountDetails {
            portal_name: slug.clone(),
            ..AccountDetails::default()
        };
        Self {
            slug,
            portal_id,
            details,
            limits: Limits::default(),
            search_lag_ms: 0,
            tokens: Vec::new(),
            installs: Vec::new(),
            owners: Vec::new(),
            users: Vec::new(),
            properties: Vec::new(),
            custom_objects: Vec::new(),
            conditions: Vec::new(),
            records: Vec::new(),
            associations: Vec::new(),
        }
    }

    /// Adds a token.
    #[must_use]
    pub fn token(mut self, token: TokenSpec) -> Self {
        self.tokens.push(token);
        self
    }

    /// Installs an OAuth app.
    #[must_use]
    pub fn install(mut self, install: InstallSpec) -> Self {
        self.installs.push(install);
        self
    }

    /// Sets the details.
    #[must_use]
    pub fn details(mut self, details: AccountDetails) -> Self {
        self.details = details;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the milliseconds until search sees a change.
    #[must_use]
    pub fn search_lag_ms(mut self, ms: u64) -> Self {
        self.search_lag_ms = ms;
        self
    }

    /// Adds an owner.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owners.push(owner);
        self
    }

    /// Adds somebody who logs in to it.
    #[must_use]
    pub fn user(mut self, user_id: u64, email: impl Into<String>) -> Self {
        self.users.push(User {
            user_id,
            email: email.into(),
        });
        self
    }

    /// Defines a custom property.
    #[must_use]
    pub fn property(mut self, object_type: ObjectType, property: PropertyDef) -> Self {
        self.properties.push((object_type, property));
        self
    }

    /// Defines an object type of its own.
    #[must_use]
    pub fn custom_object(mut self, spec: CustomObjectSpec) -> Self {
        self.custom_objects.push(spec);
        self
    }

    /// Its records of a type must have a property while another one has this value.
    #[must_use]
    pub fn condition(mut self, object_type: ObjectType, property: &str, when: &str, is: &str) -> Self {
        self.conditions.push(Condition {
            object_type,
            property: property.to_owned(),
            when: when.to_owned(),
            is: is.to_owned(),
        });
        self
    }

    /// Adds a record.
    #[must_use]
    pub fn record(mut self, object_type: ObjectType, properties: &[(&str, &str)]) -> Self {
        let properties = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.records.push(SeedRecord {
            object_type,
            properties,
        });
        self
    }

    /// Associates two records: plainly, and in these ways by HubSpot's own numbers.
    #[must_use]
    pub fn association(mut self, from: (ObjectType, u64), to: (ObjectType, u64), types: &[u32]) -> Self {
        let types = types.to_vec();
        self.associations.push(SeedAssociation { from, to, types });
        self
    }

    /// The first token, live or not.
    pub fn first_token(&self) -> Option<&str> {
        self.tokens.first().map(|token| token.token.as_str())
    }
}
