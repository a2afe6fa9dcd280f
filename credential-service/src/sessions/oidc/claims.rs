//! What an ID token says, as far as anybody asks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The claims of an ID token whose signature holds.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: OneOrMany,
    pub(super) azp: Option<String>,
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) nbf: Option<i64>,
    pub(super) nonce: Option<String>,
    pub(super) email: Option<String>,
    pub(super) email_verified: Option<Flag>,
    pub(super) auth_time: Option<i64>,
    pub(super) acr: Option<String>,
    pub(super) amr: Option<Vec<String>>,
    /// Everything else: the claim of an organisation is among it.
    #[serde(flatten)]
    pub(super) others: BTreeMap<String, Value>,
}

/// A text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::One(one) => one == text,
            Self::Many(many) => many.iter().any(|one| one == text),
        }
    }

    pub(super) const fn is_several(&self) -> bool {
        matches!(self, Self::Many(many) if many.len() > 1)
    }
}

/// Yes or no; some providers write it as text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Flag {
    Bool(bool),
    Text(String),
}

impl Flag {
    pub(super) fn is_set(&self) -> bool {
        match self {
            Self::Bool(set) => *set,
            Self::Text(text) => text == "true",
        }
    }
}

impl Claims {
    /// Whether a claim has one of these values, as a text or in a list of texts. Case does not matter: organisations are domains.
    pub(super) fn names_one_of<'a>(
        &self,
        claim: &str,
        mut allowed: impl Iterator<Item = &'a String> + Clone,
    ) -> bool {
        let is_one = |value: &Value| {
            let text = value.as_str();
            text.is_some_and(|text| allowed.clone().any(|one| one.eq_ignore_ascii_case(text)))
        };
        match self.others.get(claim) {
            Some(Value::Array(values)) => values.iter().any(is_one),
            Some(value) => {
                let text = value.as_str();
                text.is_some_and(|text| allowed.any(|one| one.eq_ignore_ascii_case(text)))
            }
            None => false,
        }
    }
}
