//! HubSpot's scopes, as far as handles need them: which let read or write records of a type, or change how they are made, and
//! which only read.
//!
//! Source: HubSpot's OpenAPI documents of version 2026-09 (`security` of each operation) and its page of scopes. A type
//! that is not named here, such as a custom object's, is left to HubSpot's own judgement.

/// What stands between a handle and the records of one type: one scope of each list suffices.
struct Rule {
    object_type: &'static str,
    read: &'static [&'static str],
    write: &'static [&'static str],
    schema: &'static [&'static str],
}

const RULES: [Rule; 7] = [
    Rule {
        object_type: "contacts",
        read: &["crm.objects.contacts.read"],
        write: &["crm.objects.contacts.write"],
        schema: &["crm.schemas.contacts.write"],
    },
    Rule {
        object_type: "companies",
        read: &["crm.objects.companies.read"],
        write: &["crm.objects.companies.write"],
        schema: &["crm.schemas.companies.write"],
    },
    Rule {
        object_type: "deals",
        read: &["crm.objects.deals.read"],
        write: &["crm.objects.deals.write"],
        schema: &["crm.schemas.deals.write"],
    },
    // The documents name `tickets`, which older tokens have; newer ones have the pair.
    Rule {
        object_type: "tickets",
        read: &["tickets", "crm.objects.tickets.read"],
        write: &["tickets", "crm.objects.tickets.write"],
        schema: &["tickets", "crm.schemas.tickets.write"],
    },
    // Engagements go by the scopes of contacts: there are no scopes of their own.
    Rule {
        object_type: "notes",
        read: &["crm.objects.contacts.read"],
        write: &["crm.objects.contacts.write"],
        schema: &["crm.schemas.contacts.write"],
    },
    Rule {
        object_type: "tasks",
        read: &["crm.objects.contacts.read"],
        write: &["crm.objects.contacts.write"],
        schema: &["crm.schemas.contacts.write"],
    },
    // Owners cannot be written.
    Rule {
        object_type: "owners",
        read: &["crm.objects.owners.read"],
        write: &[],
        schema: &[],
    },
];

/// Scopes that change nothing, though their names do not end in `.read`.
const READ_ONLY: [&str; 3] = ["oauth", "crm.export", "sales-email-read"];

/// What a handle needs of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// One list for each right that is needed; one scope of each suffices.
    any_of: Vec<&'static [&'static str]>,
    /// Whether it may write.
    writes: bool,
    /// Whether it is of whatever types there are: then none of them is needed.
    of_all: bool,
}

impl Need {
    /// What it takes to read or write records of these types; `*` stands for every type that is known here.
    pub fn new<'a>(types: impl IntoIterator<Item = &'a str>, reads: bool, writes: bool) -> Self {
        let named: Vec<&str> = types.into_iter().collect();
        let wanted = |rule: &&Rule| named.iter().any(|name| *name == "*" || *name == rule.object_type);
        let lists = RULES.iter().filter(wanted).flat_map(|rule| {
            let (read, write) = (reads.then_some(rule.read), writes.then_some(rule.write));
            read.into_iter().chain(write)
        });
        Self {
            any_of: lists.filter(|list| !list.is_empty()).collect(),
            of_all: named.contains(&"*"),
            writes,
        }
    }

    /// The same, and what it takes to change how records of these types are made.
    #[must_use]
    pub fn and_schemas<'a>(mut self, types: impl IntoIterator<Item = &'a str>) -> Self {
        let named: Vec<&str> = types.into_iter().collect();
        let wanted = |rule: &&Rule| named.iter().any(|name| *name == "*" || *name == rule.object_type);
        let lists = RULES.iter().filter(wanted).map(|rule| rule.schema);
        self.any_of.extend(lists.filter(|list| !list.is_empty()));
        self.writes = true;
        self
    }

    /// Whether it is a need to write.
    pub const fn writes(&self) -> bool {
        self.writes
    }

    /// How many of the rights that are needed these scopes do not give.
    pub fn missing_from(&self, scopes: &[String]) -> usize {
        self.lacking(scopes).count()
    }

    /// What these scopes plainly lack, each as the newest of HubSpot's names for it: nothing if the need is of whatever
    /// types there are.
    pub fn plainly_missing(&self, scopes: &[String]) -> Vec<&'static str> {
        let lacking = self.lacking(scopes).filter(|_| !self.of_all);
        lacking.filter_map(|list| list.last().copied()).collect()
    }

    fn lacking<'a>(&'a self, scopes: &'a [String]) -> impl Iterator<Item = &'static [&'static str]> + 'a {
        let lists = self.any_of.iter().copied();
        lists.filter(|list| !scopes.iter().any(|scope| list.contains(&scope.as_str())))
    }
}

/// Whether a token with these scopes may change something. A scope that is not known to read only is taken to write.
pub(super) fn may_write(scopes: &[String]) -> bool {
    let reads_only = |scope: &String| scope.ends_with(".read") || READ_ONLY.contains(&scope.as_str());
    !scopes.iter().all(reads_only)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_type_needs_its_own_scopes_and_one_of_several_suffices() {
        let read = Need::new(["contacts", "tickets", "unicorns"], true, false);
        let both = scopes(&["crm.objects.contacts.read", "crm.objects.tickets.read"]);
        assert_eq!(read.missing_from(&both), 0);
        assert_eq!(
            read.missing_from(&scopes(&["crm.objects.contacts.read", "tickets"])),
            0
        );
        assert_eq!(read.missing_from(&scopes(&["crm.objects.contacts.write"])), 2);
        assert_eq!(Need::new(["owners"], false, true).missing_from(&[]), 0);
        assert_eq!(Need::new(["*"], true, false).missing_from(&[]), RULES.len());
    }

    #[test]
    fn who_changes_how_records_are_made_needs_a_scope_for_that_and_none_for_the_records() {
        let need = Need::new(["deals"], false, false).and_schemas(["deals"]);
        assert!(need.writes());
        let records = scopes(&["crm.objects.deals.write"]);
        assert_eq!(need.plainly_missing(&records), ["crm.schemas.deals.write"]);
        assert_eq!(need.missing_from(&scopes(&["crm.schemas.deals.write"])), 0);
    }

    #[test]
    fn what_is_not_known_to_read_only_is_taken_to_write() {
        assert!(!may_write(&scopes(&[
            "oauth",
            "crm.objects.deals.read",
            "sales-email-read"
        ])));
        for scope in ["crm.objects.deals.write", "tickets", "automation", "content"] {
            assert!(may_write(&scopes(&[scope])), "{scope}");
        }
    }
}
