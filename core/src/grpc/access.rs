//! Which callers may use which gRPC service: by configuration, and nobody unless named.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Roles;
use crate::{config::Fault, id::CallerName};

/// For each gRPC service the callers that may use it: names, "prefix/*", "role:<role>", or "*" for any known caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessRules(BTreeMap<String, Vec<String>>);

/// Who may do what on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Who may use which gRPC service.
    pub rules: AccessRules,
    /// Who has which role.
    pub roles: Roles,
}

/// Open to every caller of every server: they reveal only what the `.proto` files say, and whether it is up.
const OPEN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// What begins a rule that names a role.
const ROLE: &str = "role:";

impl AccessRules {
    /// Rules from pairs of service and callers.
    pub fn new<'a>(rules: impl IntoIterator<Item = (&'a str, &'a [&'a str])>) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self(
            rules
                .into_iter()
                .map(|(service, names)| (service.to_owned(), owned(names)))
                .collect(),
        )
    }

    /// The callers named for a service.
    pub fn callers_of(&self, service: &str) -> &[String] {
        self.0.get(service).map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes each service named here that `known` does not name, each role that there is not, and each name that
    /// could be no caller's: a rule for nothing is a rule with a typo.
    pub fn check(&self, known: &Self, roles: &Roles, faults: &mut Vec<Fault>) {
        for (service, patterns) in &self.0 {
            if !known.0.contains_key(service) {
                let problem = format!("{service} is not a service of this server");
                faults.push(Fault::new("access", problem));
            }
            let problems = patterns
                .iter()
                .filter_map(|pattern| match pattern.strip_prefix(ROLE) {
                    Some(role) if roles.knows(role) => None,
                    Some(role) => Some(format!("there is no role {role:?}: name it under [roles]")),
                    None => check_pattern(pattern),
                });
            faults.extend(problems.map(|problem| Fault::new(format!("access.\"{service}\""), problem)));
        }
    }

    /// The services named.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Access {
    /// Whether the caller has this role.
    pub fn has_role(&self, caller: &CallerName, role: &str) -> bool {
        self.roles.has(caller, role)
    }

    /// Whether the caller may have something by what it is, and not by a handle only: operators, and who has a role.
    pub(super) fn acts_by_itself(&self, caller: &CallerName) -> bool {
        caller.is_operator() || self.roles.has_any(caller)
    }

    /// Whether a rule or a role names this caller, by itself or by what its name begins with.
    pub(super) fn names(&self, caller: &CallerName) -> bool {
        let fits = |pattern: &String| pattern != "*" && matches(pattern, caller.as_str());
        self.rules.0.values().flatten().any(fits) || self.roles.members().any(fits)
    }

    /// Whether a service is open to every caller of every server: health and reflection.
    pub(super) fn is_open(service: &str) -> bool {
        OPEN.contains(&service)
    }

    /// The role that opens a service, where a rule names one.
    pub(super) fn role_for(&self, service: &str) -> Option<&str> {
        let mut patterns = self.rules.callers_of(service).iter();
        patterns.find_map(|pattern| pattern.strip_prefix(ROLE))
    }

    pub(super) fn allow(&self, caller: &CallerName, service: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_prefix(ROLE) {
            Some(role) => self.roles.has(caller, role),
            None => matches(pattern, caller.as_str()),
        };
        self.rules.callers_of(service).iter().any(fits) || Self::is_open(service)
    }
}

pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

/// What is wrong with a pattern of names; `None` if nothing is.
pub(super) fn check_pattern(pattern: &str) -> Option<String> {
    let name = pattern.strip_suffix("/*").unwrap_or(pattern);
    let sound = pattern == "*" || name.parse::<CallerName>().is_ok();
    (!sound).then(|| format!("{pattern:?} is neither a caller's name, nor \"<name>/*\", nor \"*\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> CallerName {
        name.parse().expect("valid")
    }

    #[test]
    fn nobody_may_use_what_no_rule_names() {
        let access = Access {
            rules: AccessRules::new([("a.S", ["operator/*", "sync"].as_slice())]),
            roles: Roles::default(),
        };
        assert!(access.allow(&caller("operator/ann"), "a.S"));
        assert!(access.allow(&caller("sync"), "a.S"));
        assert!(!access.allow(&caller("sync2"), "a.S"));
        assert!(!access.allow(&caller("operator/ann"), "b.S"));
        assert!(access.allow(&caller("anyone"), "grpc.health.v1.Health"));
    }

    #[test]
    fn who_is_named_is_told_from_whoever_may() {
        let access = Access {
            rules: AccessRules::new([("a.S", ["*", "sync", "role:fleet"].as_slice())]),
            roles: Roles::new([("fleet", ["operator/*"].as_slice())]),
        };
        for (name, named) in [
            ("sync", true),
            ("operator/bob", true),
            ("snyc", false),
            ("role", false),
        ] {
            assert_eq!(access.names(&caller(name)), named, "{name}");
        }
    }

    #[test]
    fn a_role_opens_a_service_to_those_who_have_it() {
        let access = Access {
            rules: AccessRules::new([("a.S", ["role:fleet"].as_slice())]),
            roles: Roles::new([("fleet", ["operator/ann", "onboarding/*"].as_slice())]),
        };
        assert!(access.allow(&caller("operator/ann"), "a.S"));
        assert!(access.allow(&caller("onboarding/eu"), "a.S"));
        assert!(!access.allow(&caller("operator/bob"), "a.S"));
        assert!(!access.allow(&caller("onboarding"), "a.S"));
        assert!(access.has_role(&caller("operator/ann"), "fleet"));
        assert!(!access.has_role(&caller("operator/ann"), "auditor"), "replaced");
        assert!(Roles::default().has(&caller("operator/bob"), "auditor"));
        assert!(!Roles::default().has(&caller("sync"), "auditor"));
    }

    #[test]
    fn every_rule_for_nothing_is_told_at_once() {
        let known = AccessRules::new([("a.S", ["*"].as_slice())]);
        let rules = AccessRules::new([
            (
                "a.S",
                ["role:flet", "oper*", "sync", "role:fleet", "a/*", "*"].as_slice(),
            ),
            ("b.S", ["*"].as_slice()),
        ]);
        let roles = Roles::new([("fleet", ["operator ann"].as_slice()), ("No", [].as_slice())]);
        let mut faults = Vec::new();
        rules.check(&known, &roles, &mut faults);
        roles.check(&mut faults);
        let told: Vec<String> = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.key, fault.problem))
            .collect();
        let expected = ["flet", "oper*", "b.S is not", "roles.No", "operator ann"];
        for (fault, part) in told.iter().zip(expected) {
            assert!(fault.contains(part), "{part} in {told:?}");
        }
        assert_eq!(told.len(), expected.len(), "{told:?}");
    }
}
