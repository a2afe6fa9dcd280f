//! The object types and what differs between them: names, scopes, default and required properties, first ids.

use serde::{Deserialize, Serialize};

/// A type of CRM record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectType {
    /// People (`contacts`, `0-1`).
    Contacts,
    /// Organisations (`companies`, `0-2`).
    Companies,
    /// Sales (`deals`, `0-3`).
    Deals,
    /// Support requests (`tickets`, `0-5`).
    Tickets,
    /// Notes on the timeline (`notes`, `0-46`).
    Notes,
}

impl ObjectType {
    /// Every type this simulator knows.
    pub const ALL: [Self; 5] = [
        Self::Contacts,
        Self::Companies,
        Self::Deals,
        Self::Tickets,
        Self::Notes,
    ];

    /// The type named by a path segment: plural, singular or type id.
    pub fn parse(segment: &str) -> Option<Self> {
        match segment {
            "contacts" | "contact" | "0-1" => Some(Self::Contacts),
            "companies" | "company" | "0-2" => Some(Self::Companies),
            "deals" | "deal" | "0-3" => Some(Self::Deals),
            "tickets" | "ticket" | "0-5" => Some(Self::Tickets),
            "notes" | "note" | "0-46" => Some(Self::Notes),
            _ => None,
        }
    }

    /// The plural name, as in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Deals => "deals",
            Self::Tickets => "tickets",
            Self::Notes => "notes",
        }
    }

    /// The name that messages use: `CONTACT`.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Contacts => "CONTACT",
            Self::Companies => "COMPANY",
            Self::Deals => "DEAL",
            Self::Tickets => "TICKET",
            Self::Notes => "NOTE",
        }
    }

    /// The scopes of which any one allows reading.
    pub(crate) fn read_scopes(self) -> &'static [&'static str] {
        match self {
            // Notes have no scopes of their own.
            Self::Contacts | Self::Notes => &["crm.objects.contacts.read"],
            Self::Companies => &["crm.objects.companies.read"],
            Self::Deals => &["crm.objects.deals.read"],
            Self::Tickets => &["tickets", "crm.objects.tickets.read"],
        }
    }

    /// The scopes of which any one allows writing.
    pub(crate) fn write_scopes(self) -> &'static [&'static str] {
        match self {
            Self::Contacts | Self::Notes => &["crm.objects.contacts.write"],
            Self::Companies => &["crm.objects.companies.write"],
            Self::Deals => &["crm.objects.deals.write"],
            Self::Tickets => &["tickets", "crm.objects.tickets.write"],
        }
    }

    /// The property that holds the time of creation.
    pub(crate) fn created_property(self) -> &'static str {
        if self == Self::Notes {
            "hs_createdate"
        } else {
            "createdate"
        }
    }

    /// The property that holds the time of the last change.
    pub(crate) fn modified_property(self) -> &'static str {
        if self == Self::Contacts {
            "lastmodifieddate"
        } else {
            "hs_lastmodifieddate"
        }
    }

    /// What an answer carries when the caller asks for no property by name, besides id and the two times.
    pub(crate) fn default_properties(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["email", "firstname", "lastname"],
            Self::Companies => &["domain", "name"],
            Self::Deals => &["amount", "closedate", "dealname", "dealstage", "pipeline"],
            Self::Tickets => &[
                "content",
                "hs_pipeline",
                "hs_pipeline_stage",
                "hs_ticket_category",
                "hs_ticket_priority",
                "subject",
            ],
            Self::Notes => &[],
        }
    }

    /// The properties that the `query` of a search looks into.
    pub(crate) fn searchable_properties(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &[
                "email",
                "firstname",
                "lastname",
                "phone",
                "company",
                "hs_object_id",
            ],
            Self::Companies => &["name", "domain", "website", "phone", "hs_object_id"],
            Self::Deals => &[
                "dealname",
                "pipeline",
                "dealstage",
                "description",
                "dealtype",
                "hs_object_id",
            ],
            Self::Tickets => &[
                "subject",
                "content",
                "hs_pipeline_stage",
                "hs_ticket_category",
                "hs_object_id",
            ],
            Self::Notes => &["hs_note_body"],
        }
    }

    /// What a new record must have.
    pub(crate) fn required(self) -> Required {
        match self {
            Self::Contacts => Required::AnyOf(&["email", "firstname", "lastname"]),
            Self::Companies => Required::AnyOf(&["domain", "name"]),
            Self::Deals => Required::All(&["dealname", "dealstage", "pipeline"]),
            Self::Tickets => Required::All(&["subject", "hs_pipeline", "hs_pipeline_stage"]),
            Self::Notes => Required::All(&["hs_timestamp"]),
        }
    }

    /// The id of the first record of this type, the same in every account on purpose: a call that reaches the wrong
    /// account then finds a record there instead of a telling 404.
    pub(crate) fn first_id(self) -> u64 {
        match self {
            Self::Contacts => 101,
            Self::Companies => 10_000_101,
            Self::Deals => 20_000_101,
            Self::Tickets => 30_000_101,
            Self::Notes => 40_000_101,
        }
    }
}

/// What a new record must have.
pub(crate) enum Required {
    /// At least one of these.
    AnyOf(&'static [&'static str]),
    /// Every one of these.
    All(&'static [&'static str]),
}
