//! A grant: who may have handles, for which portals, and how wide.

use std::time::Duration;

use hubkeep_core::{
    clock::Timestamp,
    id::{CallerName, GrantId, PersonId},
};

use super::{Budget, Person, Scope, Selection};

/// The shortest life of a handle that a grant can name.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// The longest. No deployment allows more.
pub const LONGEST: Duration = Duration::from_secs(900);

/// Who has a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantee {
    /// One caller.
    Caller(CallerName),
    /// Every caller whose name begins with this one and a '/'.
    Below(CallerName),
    /// Every caller that has a certificate: not those who sign in.
    Everyone,
    /// Every caller that is this person.
    Person(PersonId),
}

impl Grantee {
    /// Who is named by a caller's name, "<name>/*", or "*"; `None` if that is none of these.
    pub fn of_callers(text: &str) -> Option<Self> {
        match text.strip_suffix("/*") {
            _ if text == "*" => Some(Self::Everyone),
            Some(above) => above.parse().ok().map(Self::Below),
            None => text.parse().ok().map(Self::Caller),
        }
    }

    /// The callers as text; `None` for a person.
    pub fn callers(&self) -> Option<String> {
        match self {
            Self::Caller(name) => Some(name.to_string()),
            Self::Below(above) => Some(format!("{above}/*")),
            Self::Everyone => Some("*".to_owned()),
            Self::Person(_) => None,
        }
    }

    /// Whether this caller, who is this person if anybody, is meant.
    pub fn is(&self, caller: &CallerName, person: Option<&PersonId>) -> bool {
        match self {
            Self::Caller(name) => name == caller,
            Self::Below(above) => is_below(caller.as_str(), above),
            Self::Everyone => !caller.is_user(),
            Self::Person(meant) => Some(meant) == person,
        }
    }

    /// Whether everybody whom the other means is meant, as long as people's names are what they are: `person` says whose
    /// the caller is that the other names.
    fn includes(&self, other: &Self, person: Option<&Person>) -> bool {
        match (self, other) {
            (Self::Everyone, Self::Everyone) => true,
            (Self::Everyone, Self::Below(above)) => above.as_str() != "user" && !above.is_user(),
            // A person may have signed in.
            (Self::Everyone, Self::Person(_)) | (_, Self::Everyone) => false,
            (Self::Below(above), Self::Below(other)) => above == other || is_below(other.as_str(), above),
            (_, Self::Caller(caller)) => self.is(caller, person.map(|person| &person.person_id)),
            (Self::Person(one), Self::Person(other)) => one == other,
            (Self::Caller(_) | Self::Below(_) | Self::Person(_), Self::Below(_) | Self::Person(_)) => false,
        }
    }
}

fn is_below(name: &str, above: &CallerName) -> bool {
    name.strip_prefix(above.as_str())
        .is_some_and(|rest| rest.starts_with('/'))
}

/// What somebody may have handles for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub grant_id: GrantId,
    /// Who has it.
    pub grantee: Grantee,
    /// For which portals.
    pub portals: Selection,
    /// The most that a handle may allow.
    pub scope: Scope,
    /// The longest life of a handle; `None` for what the deployment allows.
    pub max_lifetime: Option<Duration>,
    /// The most that one handle may do.
    pub budget: Budget,
    /// Whether writes are proposed, and made when a human has approved them.
    pub writes_need_approval: bool,
}

impl Grant {
    /// Whether it allows all that the other does. `person` is the person of the caller that the other names, if it names
    /// one and there is one.
    pub(super) fn is_nowhere_narrower(&self, other: &Self, person: Option<&Person>) -> bool {
        let lifetime = |grant: &Self| grant.max_lifetime.unwrap_or(LONGEST);
        self.grantee.includes(&other.grantee, person)
            && self.portals.includes(&other.portals)
            && other.scope.beyond(&self.scope).is_none()
            && lifetime(self) >= lifetime(other)
            && other.budget.is_within(self.budget)
            && (!self.writes_need_approval || other.writes_need_approval || !other.scope.writes())
    }
}

/// A grant that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The grant.
    pub grant: Grant,
    /// Which revision this is.
    pub revision: u64,
    /// The oldest revision under which handles live: no later one was narrower anywhere.
    pub living_from: u64,
    /// When it was put.
    pub update_time: Timestamp,
    /// By whom.
    pub updated_by: CallerName,
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::{Named, Operation},
        *,
    };

    pub(in super::super) fn scope(operations: &[Operation], properties: &[&str]) -> Scope {
        Scope::new(Named {
            operations: operations.iter().copied().collect(),
            object_types: BTreeSet::from(["contacts".to_owned()]),
            properties: properties.iter().map(|name| (*name).to_owned()).collect(),
            ..Named::default()
        })
        .expect("valid")
    }

    pub(in super::super) fn grant(grant_id: &str, callers: &str, slugs: &[&str]) -> Grant {
        Grant {
            grant_id: grant_id.parse().expect("valid"),
            grantee: Grantee::of_callers(callers).expect("valid"),
            portals: Selection {
                client_slugs: slugs.iter().map(|slug| slug.parse().expect("valid")).collect(),
                ..Selection::default()
            },
            scope: scope(&[Operation::Get, Operation::Update], &[]),
            max_lifetime: None,
            budget: Budget::default(),
            writes_need_approval: false,
        }
    }

    #[test]
    fn callers_are_named_exactly_by_what_stands_above_them_or_all_at_once() {
        let is = |who: &str, caller: &str| {
            let grantee = Grantee::of_callers(who).expect("valid");
            assert_eq!(grantee.callers().as_deref(), Some(who));
            grantee.is(&caller.parse().expect("valid"), None)
        };
        assert!(is("sync", "sync") && !is("sync", "sync/eu") && !is("sync", "syncs"));
        assert!(is("jobs/*", "jobs/eu") && is("jobs/*", "jobs/eu/1"));
        assert!(!is("jobs/*", "jobs") && !is("jobs/*", "jobsite/eu"));
        assert!(is("*", "anybody") && !is("*", "user/0f"));
        assert!(is("user/*", "user/0f") && !is("user/*", "users/0f"));
        for none in ["", "*/", "a*", "a/**", "/*", "a b"] {
            assert_eq!(Grantee::of_callers(none), None, "{none}");
        }
    }

    #[test]
    fn each_way_of_being_narrower_is_seen() {
        let old = Grant {
            portals: Selection {
                tags: BTreeSet::from(["eu".to_owned()]),
                ..grant("a", "jobs/*", &["acme"]).portals
            },
            max_lifetime: Some(Duration::from_secs(300)),
            budget: Budget {
                max_calls: Some(10),
                max_records: None,
            },
            ..grant("a", "jobs/*", &["acme"])
        };
        let wider = Grant {
            grantee: Grantee::Everyone,
            portals: Selection {
                all: true,
                ..Selection::default()
            },
            max_lifetime: None,
            budget: Budget::default(),
            ..old.clone()
        };
        assert!(old.is_nowhere_narrower(&old, None));
        assert!(wider.is_nowhere_narrower(&old, None));
        assert!(!old.is_nowhere_narrower(&wider, None));
        type Change = fn(&mut Grant);
        let narrower: [(&str, Change); 7] = [
            ("who", |grant| {
                grant.grantee = Grantee::of_callers("jobs/eu").expect("valid")
            }),
            ("portals", |grant| grant.portals.tags.clear()),
            ("scope", |grant| grant.scope = scope(&[Operation::Get], &[])),
            ("properties", |grant| {
                grant.scope = scope(&[Operation::Get, Operation::Update], &["email"]);
            }),
            ("lifetime", |grant| {
                grant.max_lifetime = Some(Duration::from_secs(299))
            }),
            ("budget", |grant| grant.budget.max_records = Some(1_000)),
            ("approval", |grant| grant.writes_need_approval = true),
        ];
        for (what, narrow) in narrower {
            let mut new = old.clone();
            narrow(&mut new);
            assert!(!new.is_nowhere_narrower(&old, None), "{what}");
        }
    }

    #[test]
    fn a_person_includes_the_callers_that_are_theirs() {
        let ann = Person {
            person_id: "ann".parse().expect("valid"),
            certificate_names: BTreeSet::new(),
            oidc_subjects: BTreeSet::new(),
            slack_users: BTreeSet::new(),
            hubspot_emails: BTreeSet::new(),
        };
        let (caller, person) = (
            Grantee::of_callers("operator/ann").expect("valid"),
            Grantee::Person(ann.person_id.clone()),
        );
        assert!(person.includes(&caller, Some(&ann)));
        assert!(!person.includes(&caller, None));
        assert!(
            !caller.includes(&person, Some(&ann)),
            "a person may sign in otherwise"
        );
        assert!(!Grantee::Everyone.includes(&person, None), "likewise");
    }
}
