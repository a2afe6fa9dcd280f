//! The layers of a configuration, and how they are laid over each other.

use std::{fs, path::Path};

use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value};

use super::{Alias, Environment, Fault};

const PREFIX: &str = "HUBKEEP__";
const SEPARATOR: &str = "__";

/// No configuration has more keys than this; a bound on how often a faulty one is read again.
const MAX_FAULTS: usize = 64;

/// The defaults as a table, so that what a file says of one entry of a map leaves the others.
pub(super) fn from_defaults<C: Default + Serialize>(faults: &mut Vec<Fault>) -> Table {
    Table::try_from(C::default()).unwrap_or_else(|error| {
        faults.push(Fault {
            key: String::new(),
            problem: format!("the defaults: {error}"),
        });
        Table::new()
    })
}

pub(super) fn from_file(path: &Path, faults: &mut Vec<Fault>) -> Table {
    let parsed = fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|text| text.parse::<Table>().map_err(|error| at_line(&text, &error)));
    parsed.unwrap_or_else(|problem| {
        faults.push(Fault {
            key: String::new(),
            problem: format!("{}: {problem}", path.display()),
        });
        Table::new()
    })
}

/// What is wrong with a file, and in which line.
fn at_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
        None => error.message().to_owned(),
    }
}

/// `HUBKEEP__A__B=v` becomes `a.b = v`; the value is read as TOML where it is TOML, else as text.
pub(super) fn from_environment(environment: &Environment) -> Table {
    let mut table = Table::new();
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let keys: Vec<String> = path.split(SEPARATOR).map(str::to_lowercase).collect();
        insert(&mut table, &keys, value_of(text));
    }
    table
}

/// What the environment says by names that others know. It is text, whatever it looks like.
pub(super) fn from_aliases(aliases: &[Alias], environment: &Environment) -> Table {
    let mut table = Table::new();
    for alias in aliases {
        if let Some(text) = environment.get(alias.variable).filter(|text| !text.is_empty()) {
            let keys: Vec<String> = alias.key.split('.').map(str::to_owned).collect();
            insert(&mut table, &keys, Value::String(text.clone()));
        }
    }
    table
}

/// Whether a table says anything of a key.
pub(super) fn has(table: &Table, key: &str) -> bool {
    match key.split_once('.') {
        None => table.contains_key(key),
        Some((first, rest)) => match table.get(first) {
            Some(Value::Table(inner)) => has(inner, rest),
            _ => false,
        },
    }
}

fn value_of(text: &str) -> Value {
    let as_toml = format!("value = {text}").parse::<Table>().ok();
    as_toml
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn insert(table: &mut Table, keys: &[String], value: Value) {
    match keys {
        [] => {}
        [key] => {
            table.insert(key.clone(), value);
        }
        [key, rest @ ..] => {
            let inner = table
                .entry(key.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

pub(super) fn merged(mut below: Table, above: Table) -> Table {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => {
                *below = merged(std::mem::take(below), above);
            }
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
    below
}

/// Reads the table over the defaults. A value that does not fit is noted and left at its default, and the rest is
/// read again, so that one fault does not hide the next.
pub(super) fn read<C>(mut table: Table, faults: &mut Vec<Fault>) -> C
where
    C: Default + Serialize + DeserializeOwned,
{
    for _ in 0..MAX_FAULTS {
        let mut unknown = Vec::new();
        let whole = Value::Table(table.clone());
        let result: Result<C, _> = serde_path_to_error::deserialize(serde_ignored::Deserializer::new(
            whole,
            &mut |path: serde_ignored::Path<'_>| unknown.push(path.to_string()),
        ));
        match result {
            Ok(config) => {
                let note = |key| Fault {
                    key,
                    problem: "no such key".to_owned(),
                };
                faults.extend(unknown.into_iter().map(note));
                return config;
            }
            Err(error) => {
                let key = error.path().to_string();
                let problem = error.inner().to_string().trim().replace('\n', " ");
                // The key stands before it.
                let problem = problem.trim_end_matches(&format!(" in `{key}`")).to_owned();
                let removed = remove(&mut table, &key);
                faults.push(Fault { key, problem });
                if !removed {
                    break;
                }
            }
        }
    }
    C::default()
}

fn remove(table: &mut Table, key: &str) -> bool {
    match key.split_once('.') {
        None => table.remove(key).is_some(),
        Some((first, rest)) => match table.get_mut(first) {
            Some(Value::Table(inner)) => remove(inner, rest) || table.remove(first).is_some(),
            Some(_) => table.remove(first).is_some(),
            None => false,
        },
    }
}
