//! The query of a request.

use crate::errors::{self, Problem};
use crate::objects::record::Wanted;

/// The query of a request, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes what follows the `?`.
    pub(crate) fn parse(raw: &str) -> Self {
        Self(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A list: comma-joined, repeated, or both.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','));
        values
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// `true` only when it says so, in any case: HubSpot's own Python client sends `True`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `limit`, between 1 and `max`.
    pub(crate) fn limit(&self, default: usize, max: usize) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else {
            return Ok(default);
        };
        let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
        limit
            .ok_or_else(|| errors::invalid(format!("limit must be a number from 1 to {max}, not \"{text}\"")))
    }

    /// The cursor, which is the id of the last record seen.
    pub(crate) fn after(&self) -> Result<Option<u64>, Problem> {
        match self.get("after") {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| errors::invalid(format!("Invalid cursor: {text}"))),
        }
    }

    /// The properties asked for.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted {
            properties: self.list("properties"),
            with_history: self.list("propertiesWithHistory"),
        }
    }
}
