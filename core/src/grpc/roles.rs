//! What people may do beyond what every caller may: roles, and who has them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::access::{check_pattern, matches};
use crate::{config::Fault, id::CallerName};

/// The role of those who look after the portals: it may use credential-service's PortalService.
pub const FLEET: &str = "fleet";
/// The role of those who read the whole audit log, of every portal and of the service itself.
pub const AUDITOR: &str = "auditor";

/// For each role who has it: certificate names, "prefix/*", or "*". What is set here replaces the default of that role
/// and leaves those of others; a role that nobody has is one that nobody can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(BTreeMap<String, Vec<String>>);

impl Default for Roles {
    /// Every operator has every role.
    fn default() -> Self {
        let operators = || vec!["operator/*".to_owned()];
        Self([FLEET, AUDITOR].map(|role| (role.to_owned(), operators())).into())
    }
}

impl Roles {
    /// Roles from pairs of role and members.
    pub fn new<'a>(roles: impl IntoIterator<Item = (&'a str, &'a [&'a str])>) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self(
            roles
                .into_iter()
                .map(|(role, names)| (role.to_owned(), owned(names)))
                .collect(),
        )
    }

    /// Notes each role and member that breaks its rule.
    pub fn check(&self, faults: &mut Vec<Fault>) {
        for (role, members) in &self.0 {
            let key = format!("roles.{role}");
            let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if !(1..=63).contains(&role.len()) || !role.bytes().all(lower) {
                faults.push(Fault::new(&key, "a role's name is 1 to 63 of a-z, 0-9 and '-'"));
            }
            for problem in members.iter().filter_map(|member| check_pattern(member)) {
                faults.push(Fault::new(&key, problem));
            }
        }
    }

    /// Whether there is such a role.
    pub fn knows(&self, role: &str) -> bool {
        self.0.contains_key(role)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &String> {
        self.0.values().flatten()
    }

    pub(super) fn has_any(&self, caller: &CallerName) -> bool {
        self.0.keys().any(|role| self.has(caller, role))
    }

    pub(super) fn has(&self, caller: &CallerName, role: &str) -> bool {
        self.0
            .get(role)
            .is_some_and(|members| members.iter().any(|member| matches(member, caller.as_str())))
    }
}
