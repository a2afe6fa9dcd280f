//! Every action, with the words by which somebody who has never seen it uses it rightly.

use serde_json::Value;

use super::{fields::Fields, schema};

/// The kinds of record that actions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// People.
    Contacts,
    /// Companies.
    Companies,
    /// Deals.
    Deals,
    /// Tickets.
    Tickets,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Contacts, Self::Companies, Self::Deals, Self::Tickets];

    /// HubSpot's name for the type.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Deals => "deals",
            Self::Tickets => "tickets",
        }
    }

    /// One of them.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Contacts => "contact",
            Self::Companies => "company",
            Self::Deals => "deal",
            Self::Tickets => "ticket",
        }
    }
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Pages through the records of a kind.
    List(Kind),
    /// Reads one record.
    Get(Kind),
    /// Finds records.
    Search(Kind),
    /// Pages through the owners.
    ListOwners,
}

/// An action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name: "list_contacts".
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// The schema of what goes in.
    pub input: Value,
    /// The schema of what comes out.
    pub output: Value,
    /// What it does.
    pub does: Does,
}

/// Every action.
pub(super) fn all(fields: &Fields) -> Vec<Action> {
    let of_kind = |kind: Kind| [list(kind, fields), get(kind), search(kind)];
    Kind::ALL
        .into_iter()
        .flat_map(of_kind)
        .chain([owners()])
        .collect()
}

fn list(kind: Kind, fields: &Fields) -> Action {
    let plural = kind.plural();
    Action {
        name: format!("list_{plural}"),
        title: format!("List {plural}"),
        description: format!(
            "Pages through the portal's {plural}, in no particular order. Fields unless asked otherwise: {}.",
            fields.defaults(kind).join(", ")
        ),
        input: schema::list_input(),
        output: schema::records_output(),
        does: Does::List(kind),
    }
}

fn get(kind: Kind) -> Action {
    let singular = kind.singular();
    Action {
        name: format!("get_{singular}"),
        title: format!("Get a {singular}"),
        description: format!("Reads one {singular} by its HubSpot id."),
        input: schema::get_input(),
        output: schema::record_output(),
        does: Does::Get(kind),
    }
}

fn search(kind: Kind) -> Action {
    let plural = kind.plural();
    Action {
        name: format!("search_{plural}"),
        title: format!("Search {plural}"),
        description: format!(
            "Finds {plural} by words (query), by filters that must all hold, or both. What is new or changed is found after some moments."
        ),
        input: schema::search_input(),
        output: schema::found_output(),
        does: Does::Search(kind),
    }
}

fn owners() -> Action {
    Action {
        name: "list_owners".to_owned(),
        title: "List owners".to_owned(),
        description: "Pages through the people and queues that records are assigned to: the id of an owner is what the field \
                      hubspot_owner_id holds."
            .to_owned(),
        input: schema::owners_input(),
        output: schema::owners_output(),
        does: Does::ListOwners,
    }
}
