//! Which further fields of records actions may show.

use std::collections::BTreeMap;

use hubkeep_core::config::{Fault, Validate};
use serde::{Deserialize, Serialize};

use super::catalogue::Kind;
use crate::crm::PropertyName;

/// Which further fields of records actions may show.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// For contacts, companies, deals and tickets the internal names of HubSpot properties that actions may show and compare beside
    /// those that they know: properties that accounts have made for themselves, above all.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// The most fields that a type may have in addition.
const MOST: usize = 200;

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        for (kind, names) in &self.fields {
            let key = format!("actions.fields.{kind}");
            if !Kind::ALL.iter().any(|known| known.plural() == kind) {
                faults.push(Fault::new(
                    &key,
                    "is not one of contacts, companies, deals and tickets",
                ));
            }
            if names.len() > MOST {
                faults.push(Fault::new(&key, format!("has more than {MOST} names")));
            }
            for name in names {
                if let Err(rule) = PropertyName::read(name) {
                    faults.push(Fault::new(&key, format!("{name:?} {rule}")));
                }
            }
        }
    }
}
