//! What HubSpot fixes about each object type: names, scopes, default, searchable and required properties, first ids.

use super::kind::ObjectType;

/// What HubSpot fixes about an object type.
#[derive(Debug)]
pub(crate) struct Standard {
    /// `0-1`.
    pub(crate) type_id: &'static str,
    /// The name in paths.
    pub(crate) plural: &'static str,
    /// The name in associations.
    pub(crate) singular: &'static str,
    /// The scopes of which any one allows reading records.
    pub(crate) read: &'static [&'static str],
    /// The scopes of which any one allows writing records.
    pub(crate) write: &'static [&'static str],
    /// The scopes of which any one allows reading properties and pipelines.
    pub(crate) schema_read: &'static [&'static str],
    /// The scopes of which any one allows writing properties and pipelines.
    pub(crate) schema_write: &'static [&'static str],
    /// The property that holds the time of creation.
    pub(crate) created: &'static str,
    /// The property that holds the time of the last change.
    pub(crate) modified: &'static str,
    /// What an answer carries when the caller asks for no property by name, besides id and the two times.
    pub(crate) defaults: &'static [&'static str],
    /// The properties that the `query` of a search looks into.
    pub(crate) searchable: &'static [&'static str],
    /// What a new record must have.
    pub(crate) required: Required,
    /// The id of the first record.
    pub(crate) first_id: u64,
}

/// What a new record must have.
#[derive(Debug)]
pub(crate) enum Required {
    /// At least one of these.
    AnyOf(&'static [&'static str]),
    /// Every one of these.
    All(&'static [&'static str]),
}

/// What is fixed about this type. All custom types share theirs.
pub(super) fn facts(kind: ObjectType) -> &'static Standard {
    match kind {
        ObjectType::Contacts => &CONTACTS,
        ObjectType::Companies => &COMPANIES,
        ObjectType::Deals => &DEALS,
        ObjectType::Tickets => &TICKETS,
        ObjectType::Notes => &NOTES,
        ObjectType::Tasks => &TASKS,
        ObjectType::Calls => &CALLS,
        ObjectType::Emails => &EMAILS,
        ObjectType::Meetings => &MEETINGS,
        ObjectType::LineItems => &LINE_ITEMS,
        ObjectType::Products => &PRODUCTS,
        ObjectType::Quotes => &QUOTES,
        ObjectType::Custom(_) => &CUSTOM,
    }
}

const CONTACTS: Standard = Standard {
    type_id: "0-1",
    plural: "contacts",
    singular: "contact",
    read: &["crm.objects.contacts.read"],
    write: &["crm.objects.contacts.write"],
    schema_read: &["crm.schemas.contacts.read", "crm.objects.contacts.read"],
    schema_write: &["crm.schemas.contacts.write"],
    created: "createdate",
    modified: "lastmodifieddate",
    defaults: &["email", "firstname", "lastname"],
    searchable: &[
        "email",
        "firstname",
        "lastname",
        "phone",
        "company",
        "hs_object_id",
    ],
    required: Required::AnyOf(&["email", "firstname", "lastname"]),
    first_id: 101,
};

const COMPANIES: Standard = Standard {
    type_id: "0-2",
    plural: "companies",
    singular: "company",
    read: &["crm.objects.companies.read"],
    write: &["crm.objects.companies.write"],
    schema_read: &["crm.schemas.companies.read", "crm.objects.companies.read"],
    schema_write: &["crm.schemas.companies.write"],
    modified: "hs_lastmodifieddate",
    defaults: &["domain", "name"],
    searchable: &["name", "domain", "website", "phone", "hs_object_id"],
    required: Required::AnyOf(&["domain", "name"]),
    first_id: 10_000_101,
    ..CONTACTS
};

const DEALS: Standard = Standard {
    type_id: "0-3",
    plural: "deals",
    singular: "deal",
    read: &["crm.objects.deals.read"],
    write: &["crm.objects.deals.write"],
    schema_read: &["crm.schemas.deals.read", "crm.objects.deals.read"],
    schema_write: &["crm.schemas.deals.write"],
    modified: "hs_lastmodifieddate",
    defaults: &["amount", "closedate", "dealname", "dealstage", "pipeline"],
    searchable: &[
        "dealname",
        "pipeline",
        "dealstage",
        "description",
        "dealtype",
        "hs_object_id",
    ],
    required: Required::All(&["dealname", "dealstage", "pipeline"]),
    first_id: 20_000_101,
    ..CONTACTS
};

const TICKETS: Standard = Standard {
    type_id: "0-5",
    plural: "tickets",
    singular: "ticket",
    read: &["tickets", "crm.objects.tickets.read"],
    write: &["tickets", "crm.objects.tickets.write"],
    schema_read: &["tickets", "crm.schemas.tickets.read", "crm.objects.tickets.read"],
    schema_write: &["tickets", "crm.schemas.tickets.write"],
    modified: "hs_lastmodifieddate",
    defaults: &[
        "content",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_ticket_category",
        "hs_ticket_priority",
        "subject",
    ],
    searchable: &[
        "subject",
        "content",
        "hs_pipeline_stage",
        "hs_ticket_category",
        "hs_object_id",
    ],
    required: Required::All(&["subject", "hs_pipeline", "hs_pipeline_stage"]),
    first_id: 30_000_101,
    ..CONTACTS
};

/// Notes, and what all entries of the timeline share: they have no scopes of their own.
const NOTES: Standard = Standard {
    type_id: "0-46",
    plural: "notes",
    singular: "note",
    created: "hs_createdate",
    modified: "hs_lastmodifieddate",
    defaults: &[],
    searchable: &["hs_note_body"],
    required: Required::All(&["hs_timestamp"]),
    first_id: 40_000_101,
    ..CONTACTS
};

const TASKS: Standard = Standard {
    type_id: "0-27",
    plural: "tasks",
    singular: "task",
    searchable: &["hs_task_subject", "hs_task_body"],
    first_id: 50_000_101,
    ..NOTES
};

const CALLS: Standard = Standard {
    type_id: "0-48",
    plural: "calls",
    singular: "call",
    searchable: &["hs_call_title", "hs_call_body"],
    first_id: 60_000_101,
    ..NOTES
};

const EMAILS: Standard = Standard {
    type_id: "0-49",
    plural: "emails",
    singular: "email",
    // What somebody wrote is read with a scope of its own.
    read: &["sales-email-read"],
    searchable: &["hs_email_subject"],
    required: Required::All(&["hs_timestamp", "hs_email_direction"]),
    first_id: 70_000_101,
    ..NOTES
};

const MEETINGS: Standard = Standard {
    type_id: "0-47",
    plural: "meetings",
    singular: "meeting",
    searchable: &["hs_meeting_title", "hs_meeting_body"],
    first_id: 80_000_101,
    ..NOTES
};

const LINE_ITEMS: Standard = Standard {
    type_id: "0-8",
    plural: "line_items",
    singular: "line_item",
    read: &["e-commerce", "crm.objects.line_items.read"],
    write: &["e-commerce", "crm.objects.line_items.write"],
    schema_read: &[
        "e-commerce",
        "crm.schemas.line_items.read",
        "crm.objects.line_items.read",
    ],
    schema_write: &["e-commerce", "crm.schemas.line_items.write"],
    created: "createdate",
    modified: "hs_lastmodifieddate",
    defaults: &["amount", "hs_product_id", "quantity"],
    searchable: &["name", "description"],
    required: Required::AnyOf(&["name", "hs_product_id"]),
    first_id: 90_000_101,
};

const PRODUCTS: Standard = Standard {
    type_id: "0-7",
    plural: "products",
    singular: "product",
    read: &["e-commerce", "crm.objects.products.read"],
    write: &["e-commerce", "crm.objects.products.write"],
    schema_read: &["e-commerce", "crm.objects.products.read"],
    schema_write: &["e-commerce", "crm.objects.products.write"],
    defaults: &["description", "name", "price"],
    searchable: &["name", "description", "price", "hs_sku"],
    required: Required::All(&["name"]),
    first_id: 100_000_101,
    ..LINE_ITEMS
};

const QUOTES: Standard = Standard {
    type_id: "0-14",
    plural: "quotes",
    singular: "quote",
    read: &["crm.objects.quotes.read"],
    write: &["crm.objects.quotes.write"],
    schema_read: &["crm.schemas.quotes.read", "crm.objects.quotes.read"],
    schema_write: &["crm.schemas.quotes.write"],
    created: "hs_createdate",
    defaults: &["hs_expiration_date", "hs_status", "hs_title"],
    searchable: &["hs_title", "hs_proposal_domain"],
    required: Required::All(&["hs_title", "hs_expiration_date"]),
    first_id: 110_000_101,
    ..LINE_ITEMS
};

/// What all custom types share. What differs between them is in the account.
const CUSTOM: Standard = Standard {
    type_id: "",
    plural: "",
    singular: "",
    read: &["crm.objects.custom.read"],
    write: &["crm.objects.custom.write"],
    schema_read: &["crm.schemas.custom.read", "crm.objects.custom.read"],
    schema_write: &["crm.schemas.custom.write"],
    created: "hs_createdate",
    modified: "hs_lastmodifieddate",
    defaults: &[],
    searchable: &[],
    required: Required::All(&[]),
    first_id: 200_000_101,
};
