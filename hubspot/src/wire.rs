//! How HubSpot writes things: ids as text or numbers, times in ISO 8601, pages with a cursor.

use std::fmt;

use hubkeep_core::clock::Timestamp;
use serde::{Deserialize, Deserializer, de};

/// An id, which HubSpot writes as text in some answers and as a number in others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireId(pub(crate) String);

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl de::Visitor<'_> for IdVisitor {
    type Value = WireId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id as text or number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<WireId, E> {
        Ok(WireId(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<WireId, E> {
        Ok(WireId(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<WireId, E> {
        Ok(WireId(number.to_string()))
    }
}

/// A page of an answer.
#[derive(Deserialize)]
pub(crate) struct WirePage<T> {
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
    #[serde(default)]
    pub(crate) total: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    next: Option<NextPage>,
}

#[derive(Deserialize)]
struct NextPage {
    after: WireId,
}

impl<T> WirePage<T> {
    /// The cursor of the next page.
    pub(crate) fn after(&self) -> Option<String> {
        let next = self.paging.as_ref().and_then(|paging| paging.next.as_ref());
        next.map(|next| next.after.0.clone())
    }
}

/// A time in ISO 8601; `None` for what is not one.
pub(crate) fn time(text: Option<&String>) -> Option<Timestamp> {
    let time: jiff::Timestamp = text?.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

/// How many, as it is recorded.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
