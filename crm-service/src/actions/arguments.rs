//! What was given to an action, taken apart. Who writes it is a model more often than a program: an id may come as a number, and what
//! is left out as null.

use serde_json::{Map, Value};

use crate::crm::Faults;

/// The arguments of one action, of which each is taken once.
pub(super) struct Arguments {
    given: Map<String, Value>,
    within: String,
    pub(super) faults: Faults,
}

/// The longest text that an argument may be.
const MOST_CHARS: usize = 3_000;

impl Arguments {
    pub(super) fn new(given: Map<String, Value>) -> Self {
        Self::inside(given, String::new())
    }

    /// Those of an argument that is an object itself.
    pub(super) fn inside(given: Map<String, Value>, within: String) -> Self {
        Self {
            given,
            within,
            faults: Faults::default(),
        }
    }

    /// How an argument is called in what is told about it.
    fn called(&self, name: &str) -> String {
        match self.within.is_empty() {
            true => name.to_owned(),
            false => format!("{}.{name}", self.within),
        }
    }

    /// An argument; `None` where it is left out.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.given.remove(name).filter(|value| !value.is_null())
    }

    fn taken<T>(&mut self, name: &str, rule: &str, read: impl FnOnce(Value) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let read = read(value);
        if read.is_none() {
            let called = self.called(name);
            self.faults.add(called, rule);
        }
        read
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.taken(
            name,
            "must be text of at most 3,000 characters",
            |value| match value {
                Value::String(text) if text.chars().count() <= MOST_CHARS => Some(text),
                _ => None,
            },
        )
    }

    /// Text, or a number or truth value that stands for it.
    pub(super) fn value(&mut self, name: &str) -> Option<String> {
        self.taken(name, "must be text, a number, true or false", |value| {
            as_text(&value)
        })
    }

    pub(super) fn values(&mut self, name: &str) -> Option<Vec<String>> {
        self.taken(name, "must be a list of texts, numbers, true or false", |value| {
            value.as_array()?.iter().map(as_text).collect()
        })
    }

    /// An id, as text or as a number.
    pub(super) fn id(&mut self, name: &str) -> Option<String> {
        self.taken(name, "must be HubSpot's id: digits", |value| match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => number.as_u64().map(|number| number.to_string()),
            _ => None,
        })
    }

    /// A size; 0 where it is left out.
    pub(super) fn size(&mut self, name: &str) -> i32 {
        let read = self.taken(name, "must be a number", |value| match value {
            Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        });
        read.unwrap_or_default()
    }

    pub(super) fn truth(&mut self, name: &str) -> bool {
        let read = self.taken(name, "must be true or false", |value| value.as_bool());
        read.unwrap_or_default()
    }

    /// A list of names.
    pub(super) fn names(&mut self, name: &str) -> Vec<String> {
        let read = self.taken(name, "must be a list of names", |value| {
            let names = value.as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect()
        });
        read.unwrap_or_default()
    }

    /// A list of objects.
    pub(super) fn objects(&mut self, name: &str) -> Vec<Map<String, Value>> {
        let read = self.taken(name, "must be a list of objects", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_object().cloned())
                .collect()
        });
        read.unwrap_or_default()
    }

    pub(super) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        self.taken(name, "must be an object", |value| value.as_object().cloned())
    }

    /// Every fault, with one for each argument that nobody has taken.
    pub(super) fn end(mut self) -> Faults {
        let unknown: Vec<String> = self.given.keys().take(8).cloned().collect();
        for name in unknown {
            let short: String = name.chars().take(64).collect();
            let called = self.called(&short);
            self.faults.add(called, "is not an argument of this action");
        }
        self.faults
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.chars().count() <= MOST_CHARS => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}
