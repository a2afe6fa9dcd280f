//! Which callers may use which gRPC service: by configuration, and nobody unless named.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{config::Fault, id::CallerName};

/// For each gRPC service the callers that may use it: names, "prefix/*", or "*" for any known caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccessRules(BTreeMap<String, Vec<String>>);

/// Open to every caller of every server: they reveal only what the `.proto` files say, and whether it is up.
const OPEN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

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

    /// Notes each service named here that `known` does not name: a rule for nothing is a rule with a typo.
    pub fn check(&self, known: &Self, faults: &mut Vec<Fault>) {
        for service in self.services().filter(|service| !known.0.contains_key(*service)) {
            let problem = format!("{service} is not a service of this server");
            faults.push(Fault {
                key: "access".to_owned(),
                problem,
            });
        }
    }

    /// The services named.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a service is open to every caller of every server: health and reflection.
    pub(super) fn is_open(service: &str) -> bool {
        OPEN.contains(&service)
    }

    pub(super) fn allow(&self, caller: &CallerName, service: &str) -> bool {
        let listed = self
            .0
            .get(service)
            .is_some_and(|patterns| patterns.iter().any(|p| matches(p, caller.as_str())));
        listed || Self::is_open(service)
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_use_what_no_rule_names() {
        let rules = AccessRules::new([("a.S", ["operator/*", "sync"].as_slice())]);
        let caller = |name: &str| name.parse::<CallerName>().expect("valid");
        assert!(rules.allow(&caller("operator/ann"), "a.S"));
        assert!(rules.allow(&caller("sync"), "a.S"));
        assert!(!rules.allow(&caller("sync2"), "a.S"));
        assert!(!rules.allow(&caller("operator/ann"), "b.S"));
        assert!(rules.allow(&caller("anyone"), "grpc.health.v1.Health"));
    }
}
