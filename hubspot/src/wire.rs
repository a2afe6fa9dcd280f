//! How HubSpot writes things: ids as text or numbers, times in ISO 8601, pages with a cursor.

use std::{fmt, marker::PhantomData, str::FromStr};

use http::HeaderMap;
use hubkeep_core::clock::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// 0001-01-01T00:00:00Z, in seconds since 1970: the first time that `google.protobuf.Timestamp` has.
const YEAR_ONE: i64 = -62_135_596_800;

/// An id, which HubSpot writes as text in some answers and as a number in others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireId(pub(crate) String);

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
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

/// A JSON object. What serde derives for a struct also takes an array, its fields in their order: `[1]` would pass for the
/// account with the id 1.
pub(crate) struct JsonObject<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InBraces(PhantomData))
    }
}

struct InBraces<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InBraces<T> {
    type Value = JsonObject<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(JsonObject)
    }
}

/// Reads a body that must be one JSON object.
pub(crate) fn object<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body).map(|JsonObject(object)| object)
}

/// A page of an answer.
#[derive(Deserialize)]
pub(crate) struct WirePage<T> {
    results: Vec<JsonObject<T>>,
    #[serde(default)]
    pub(crate) paging: Option<JsonObject<Paging>>,
    #[serde(default)]
    pub(crate) total: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Paging {
    #[serde(default)]
    next: Option<JsonObject<NextPage>>,
}

#[derive(Deserialize)]
struct NextPage {
    after: WireId,
}

impl<T> WirePage<T> {
    /// What is on it.
    pub(crate) fn results(self) -> impl ExactSizeIterator<Item = T> {
        self.results.into_iter().map(|JsonObject(result)| result)
    }

    /// The cursor of the next page.
    pub(crate) fn after(&self) -> Option<String> {
        let JsonObject(paging) = self.paging.as_ref()?;
        let JsonObject(next) = paging.next.as_ref()?;
        Some(next.after.0.clone())
    }
}

/// A time in ISO 8601; `None` for what is not one, and for a time before year 1, which is none on the wire.
pub(crate) fn time(text: Option<&String>) -> Option<Timestamp> {
    let time: jiff::Timestamp = text?.parse().ok()?;
    let on_the_wire = time.as_second() >= YEAR_ONE;
    on_the_wire.then(|| Timestamp::from_micros(time.as_microsecond()))
}

/// The number in a header: digits and nothing else. What Rust takes beside them, a sign, is no number of HubSpot's.
pub(crate) fn number<N: FromStr>(headers: &HeaderMap, name: &str) -> Option<N> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// How many, as it is recorded.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
