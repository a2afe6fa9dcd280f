//! Which of HubSpot's scopes what was done needs.
//!
//! Source: HubSpot's OpenAPI documents of version 2026-09 (`security` of each operation) and its page of scopes.

/// What is done with a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Read,
    Write,
    ReadSchema,
    WriteSchema,
}

/// A type, and the scopes by which it may be used: one of each list suffices.
struct Rule {
    object_type: &'static str,
    read: &'static [&'static str],
    write: &'static [&'static str],
    read_schema: &'static [&'static str],
    write_schema: &'static [&'static str],
}

/// The rule of a type whose scopes are named after it.
macro_rules! rule {
    ($name:literal) => {
        rule!($name, $name, [])
    };
    ($name:literal, $of:literal, [$($also:literal),*]) => {
        Rule {
            object_type: $name,
            read: &[$($also,)* concat!("crm.objects.", $of, ".read")],
            write: &[$($also,)* concat!("crm.objects.", $of, ".write")],
            read_schema: &[
                $($also,)*
                concat!("crm.schemas.", $of, ".read"),
                concat!("crm.objects.", $of, ".read"),
            ],
            write_schema: &[$($also,)* concat!("crm.schemas.", $of, ".write")],
        }
    };
}

/// What the names of a portal's own types begin with.
const CUSTOM: &str = "2-";

const RULES: [Rule; 13] = [
    rule!("contacts"),
    rule!("companies"),
    rule!("deals"),
    rule!("quotes"),
    // What is sold goes by a scope of its own, and newer tokens by one of each type.
    rule!("products", "products", ["e-commerce"]),
    rule!("line_items", "line_items", ["e-commerce"]),
    // All types that a portal has made itself.
    rule!("2-", "custom", []),
    // The documents name `tickets`, which older tokens have; newer ones have the pair.
    rule!("tickets", "tickets", ["tickets"]),
    // Engagements go by the scopes of contacts.
    rule!("notes", "contacts", []),
    rule!("tasks", "contacts", []),
    rule!("calls", "contacts", []),
    rule!("meetings", "contacts", []),
    // Owners cannot be written, and are of no schema.
    Rule {
        object_type: "owners",
        read: &["crm.objects.owners.read"],
        write: &[],
        read_schema: &[],
        write_schema: &[],
    },
];

/// Scopes by one of which an operation of the log with records of this type is allowed. Empty where none is needed; `None` where it is
/// not known.
pub(super) fn needed(operation: &str, object_type: &str) -> Option<&'static [&'static str]> {
    // What every token may ask of its account.
    if matches!(operation, "QUOTA_GET" | "ACCOUNT_READ") {
        return Some(&[]);
    }
    let right = right(operation)?;
    let name = match object_type.strip_prefix(CUSTOM) {
        Some(_) => CUSTOM,
        None => object_type,
    };
    let rule = RULES.iter().find(|rule| rule.object_type == name)?;
    let scopes = match right {
        Right::Read => rule.read,
        Right::Write => rule.write,
        Right::ReadSchema => rule.read_schema,
        Right::WriteSchema => rule.write_schema,
    };
    Some(scopes).filter(|scopes| !scopes.is_empty())
}

/// Whether it is a scope of which it is known what it is for.
pub(super) fn is_known(scope: &str) -> bool {
    let lists = |rule: &Rule| [rule.read, rule.write, rule.read_schema, rule.write_schema];
    RULES.iter().flat_map(lists).any(|list| list.contains(&scope))
}

fn right(operation: &str) -> Option<Right> {
    Some(match operation {
        "OBJECT_GET"
        | "OBJECT_LIST"
        | "OBJECT_SEARCH"
        | "OBJECT_BATCH_READ"
        | "OWNER_GET"
        | "OWNER_LIST"
        | "ASSOCIATION_LIST"
        | "ASSOCIATION_BATCH_READ" => Right::Read,
        "OBJECT_CREATE"
        | "OBJECT_UPDATE"
        | "OBJECT_ARCHIVE"
        | "OBJECT_MERGE"
        | "OBJECT_UPSERT"
        | "OBJECT_BATCH_CREATE"
        | "OBJECT_BATCH_UPDATE"
        | "OBJECT_BATCH_ARCHIVE"
        | "CONTACT_ERASE"
        | "ASSOCIATION_CREATE"
        | "ASSOCIATION_REMOVE"
        | "ASSOCIATION_BATCH_CREATE"
        | "ASSOCIATION_BATCH_REMOVE"
        | "ASSOCIATION_LABEL_BATCH_REMOVE" => Right::Write,
        "PROPERTY_GET" | "PROPERTY_LIST" | "PIPELINE_GET" | "PIPELINE_LIST" => Right::ReadSchema,
        "PROPERTY_CREATE"
        | "PROPERTY_UPDATE"
        | "PROPERTY_ARCHIVE"
        | "PIPELINE_CREATE"
        | "PIPELINE_UPDATE"
        | "PIPELINE_ARCHIVE"
        | "PIPELINE_STAGE_CREATE"
        | "PIPELINE_STAGE_UPDATE"
        | "PIPELINE_STAGE_ARCHIVE" => Right::WriteSchema,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_needs_the_scope_of_its_type_and_what_is_not_known_is_not_guessed() {
        for (operation, object_type, scopes) in [
            ("OBJECT_GET", "contacts", Some(&["crm.objects.contacts.read"][..])),
            ("OBJECT_UPDATE", "notes", Some(&["crm.objects.contacts.write"])),
            (
                "OBJECT_ARCHIVE",
                "tickets",
                Some(&["tickets", "crm.objects.tickets.write"]),
            ),
            ("PROPERTY_CREATE", "deals", Some(&["crm.schemas.deals.write"])),
            ("QUOTA_GET", "", Some(&[])),
            ("OBJECT_SEARCH", "2-7", Some(&["crm.objects.custom.read"])),
            ("OBJECT_GET", "unicorns", None),
            ("OBJECT_UPDATE", "owners", None),
            ("OTHER", "contacts", None),
        ] {
            assert_eq!(
                needed(operation, object_type),
                scopes,
                "{operation} {object_type}"
            );
        }
        assert!(is_known("crm.objects.deals.write") && !is_known("automation"));
    }
}
