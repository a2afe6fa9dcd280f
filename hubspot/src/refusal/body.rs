//! The body of a refusal. Every field of it is optional, each may be of a form that nobody expects, and some bodies are not
//! JSON at all: what cannot be read is taken for absent, and never takes the rest with it.

use serde_json::{Map, Value};

/// The most parts of a refusal that are looked at.
const MAX_DETAILS: usize = 32;
/// What HubSpot writes before it repeats, as JSON in a sentence, what is wrong with each property.
const EMBEDDED: &str = "Property values were not valid:";

/// What HubSpot says beside the status.
#[derive(Default)]
pub(super) struct Body {
    pub(super) message: String,
    pub(super) category: String,
    pub(super) correlation_id: String,
    pub(super) policy_name: String,
    pub(super) errors: Vec<Detail>,
    pub(super) context: Context,
}

/// One of the things that are wrong.
#[derive(Default)]
pub(super) struct Detail {
    pub(super) message: String,
    pub(super) code: Option<String>,
    pub(super) place: Option<String>,
    pub(super) context: Context,
}

/// What a refusal is about: lists of words, by name.
#[derive(Default)]
pub(super) struct Context(Map<String, Value>);

impl Body {
    /// Reads the bytes of a body.
    pub(super) fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes)
            .map(|json: Value| Self::of(&json))
            .unwrap_or_default()
    }

    /// Reads a body, or a row of one.
    pub(super) fn of(json: &Value) -> Self {
        let text = |key: &str| text(json.get(key));
        let errors = json.get("errors").and_then(Value::as_array);
        let mut errors: Vec<Detail> = errors
            .into_iter()
            .flatten()
            .take(MAX_DETAILS)
            .map(Detail::of)
            .collect();
        let message = text("message");
        if errors.is_empty() {
            errors = embedded(&message);
        }
        Self {
            category: Some(text("category"))
                .filter(|category| !category.is_empty())
                .unwrap_or_else(|| text("errorType")),
            correlation_id: text("correlationId"),
            policy_name: text("policyName"),
            context: Context::of(json.get("context")),
            errors,
            message,
        }
    }

    /// The part of it that says most: the first with a code, or else the first.
    pub(super) fn detail(&self) -> Option<&Detail> {
        let with_code = self.errors.iter().find(|detail| detail.code.is_some());
        with_code.or_else(|| self.errors.first())
    }

    /// The contexts of all its parts, and its own.
    pub(super) fn contexts(&self) -> impl Iterator<Item = &Context> {
        let parts = self.errors.iter().map(|detail| &detail.context);
        parts.chain([&self.context])
    }

    /// What of its sentences has this in it.
    pub(super) fn sentence_with(&self, part: &str) -> Option<&str> {
        let sentences = self.errors.iter().map(|detail| &detail.message);
        let mut all = [&self.message].into_iter().chain(sentences);
        all.find(|sentence| sentence.contains(part)).map(String::as_str)
    }
}

impl Detail {
    fn of(json: &Value) -> Self {
        Self {
            message: text(json.get("message")),
            code: some_text(json.get("code")),
            place: some_text(json.get("in")),
            context: Context::of(json.get("context")),
        }
    }

    /// From the JSON in a sentence, where the words are others.
    fn of_embedded(json: &Value) -> Self {
        Self {
            message: text(json.get("message")),
            code: some_text(json.get("error")),
            place: some_text(json.get("name")),
            context: Context::default(),
        }
    }
}

impl Context {
    fn of(json: Option<&Value>) -> Self {
        Self(json.and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// All its words, under whatever names.
    pub(super) fn all_words(&self) -> Vec<String> {
        self.0.keys().flat_map(|key| self.words(key)).collect()
    }

    /// The words under this name: a list, or one alone.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        let word = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match self.0.get(key) {
            Some(Value::Array(items)) => items.iter().filter_map(word).collect(),
            Some(alone) => word(alone).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

/// "Property values were not valid: [{"message": …, "error": "PROPERTY_DOESNT_EXIST", "name": …}]"
fn embedded(message: &str) -> Vec<Detail> {
    let Some((_, list)) = message.split_once(EMBEDDED) else {
        return Vec::new();
    };
    let details: Vec<Value> = serde_json::from_str(list.trim()).unwrap_or_default();
    details
        .iter()
        .take(MAX_DETAILS)
        .map(Detail::of_embedded)
        .collect()
}

fn text(json: Option<&Value>) -> String {
    some_text(json).unwrap_or_default()
}

fn some_text(json: Option<&Value>) -> Option<String> {
    json.and_then(Value::as_str).map(str::to_owned)
}
