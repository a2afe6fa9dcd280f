//! Configuration: defaults, then a TOML file, then the environment. Every fault is reported at once, and a key that
//! nothing reads is a fault.

mod layers;

use std::{collections::BTreeMap, path::Path};

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// The environment a process was started with, read once in `main`.
pub type Environment = BTreeMap<String, String>;

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key, with dots: "handles.max_lifetime". Empty for the file as a whole.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Fault {
    /// This is wrong with this key.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            problem: problem.into(),
        }
    }
}

/// A configuration that cannot be used; `Display` lists every fault, one a line.
#[derive(Debug, Error)]
#[error("the configuration cannot be used:{}", lines(.0))]
pub struct InvalidConfig(pub Vec<Fault>);

fn lines(faults: &[Fault]) -> String {
    faults.iter().fold(String::new(), |all, fault| {
        let separator = if fault.key.is_empty() { "" } else { ": " };
        format!("{all}\n  {}{separator}{}", fault.key, fault.problem)
    })
}

/// A variable that others know by this name.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// The variable: "HUBSPOT_CLIENT_ID".
    pub variable: &'static str,
    /// The key that it sets: "hubspot.app.client_id".
    pub key: &'static str,
    /// Whether it is a secret, which does not stand in a file.
    pub secret: bool,
}

/// A configuration that can check what types alone cannot.
pub trait Validate {
    /// Variables by whose own names the environment may set keys beside `HUBKEEP__…`, which goes over them.
    const ALIASES: &'static [Alias] = &[];

    /// Adds a fault for everything that is not as it must be.
    fn validate(&self, faults: &mut Vec<Fault>);
}

/// Reads a configuration: `C::default()`, over it the file, over it variables such as
/// `HUBKEEP__HANDLES__MAX_LIFETIME=10m`.
///
/// # Errors
/// With every fault found: unreadable file, unknown keys, wrong types, and what [`Validate`] adds.
pub fn load<C>(file: Option<&Path>, environment: &Environment) -> Result<C, InvalidConfig>
where
    C: Default + Serialize + DeserializeOwned + Validate,
{
    let mut faults = Vec::new();
    let defaults = layers::from_defaults::<C>(&mut faults);
    let from_file = match file {
        Some(path) => layers::from_file(path, &mut faults),
        None => toml::Table::new(),
    };
    for alias in C::ALIASES.iter().filter(|alias| alias.secret) {
        if layers::has(&from_file, alias.key) {
            let problem = format!(
                "does not stand in a file: name a file of its own, or set {}",
                alias.variable
            );
            faults.push(Fault::new(alias.key, problem));
        }
    }
    let by_alias = layers::from_aliases(C::ALIASES, environment);
    let from_environment = layers::merged(by_alias, layers::from_environment(environment));
    let merged = layers::merged(layers::merged(defaults, from_file), from_environment);
    let config: C = layers::read(merged, &mut faults);
    config.validate(&mut faults);
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(InvalidConfig(faults))
    }
}

/// A configuration as TOML, for `config print`. Secrets are never in it: they are named by the file they lie in.
///
/// # Errors
/// If a value cannot be written as TOML, which is a defect of the configuration's type.
pub fn print<C: Serialize>(config: &C) -> Result<String, toml::ser::Error> {
    toml::to_string_pretty(config)
}

#[cfg(test)]
mod tests;
