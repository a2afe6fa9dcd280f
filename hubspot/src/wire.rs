//! How HubSpot writes things: ids as text or numbers, times in ISO 8601, pages with a cursor.

use std::{collections::BTreeMap, fmt, marker::PhantomData, str::FromStr};

use http::HeaderMap;
use hubkeep_core::clock::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::Error as _,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    answer::{Decoded, MayBeRecord, ids},
    objects::Page,
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

/// A JSON object whose keys are names, each once. Of a name that stands there twice nobody knows which value holds.
pub(crate) struct Named<T>(pub(crate) BTreeMap<String, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachOnce(PhantomData))
    }
}

struct EachOnce<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EachOnce<T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut named = BTreeMap::new();
        while let Some((name, value)) = fields.next_entry()? {
            if named.insert(name, value).is_some() {
                return Err(de::Error::custom("a name stands there twice"));
            }
        }
        Ok(Named(named))
    }
}

/// Some JSON objects, or none where HubSpot writes null.
pub(crate) type Several<T> = Option<Vec<JsonObject<T>>>;

/// What the braces hold.
pub(crate) fn each<T, U: From<T>>(several: Several<T>) -> Vec<U> {
    let objects = several.unwrap_or_default().into_iter();
    objects.map(|JsonObject(object)| object.into()).collect()
}

/// Reads a body that must be one JSON object.
pub(crate) fn object<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body).map(|JsonObject(object)| object)
}

/// Reads one thing.
pub(crate) fn one<W: DeserializeOwned, T: From<W> + MayBeRecord>(
    body: &[u8],
) -> Result<Decoded<T>, serde_json::Error> {
    let wire: W = object(body)?;
    let one: T = wire.into();
    Ok(Decoded {
        record_ids: ids([&one]),
        ..Decoded::one(one)
    })
}

/// Reads a page of things.
pub(crate) fn page<W: DeserializeOwned, T: From<W> + MayBeRecord>(
    body: &[u8],
) -> Result<Decoded<Page<T>>, serde_json::Error> {
    let wire: WirePage<W> = object(body)?;
    let page: Page<T> = wire.into();
    Ok(Decoded {
        record_count: count(page.items.len()),
        record_ids: ids(&page.items),
        ..Decoded::one(page)
    })
}

/// The same of the page after a cursor: one whose next page is itself is none, for nobody would ever come to its end.
pub(crate) fn page_after<W: DeserializeOwned, T: From<W> + MayBeRecord>(
    after: Option<&str>,
) -> impl Fn(&[u8]) -> Result<Decoded<Page<T>>, serde_json::Error> + Send + Sync + 'static {
    let asked = after.map(str::to_owned);
    move |body| {
        let page = page::<W, T>(body)?;
        match page.value.after.is_some() && page.value.after == asked {
            true => Err(serde_json::Error::custom("the next page is the same one")),
            false => Ok(page),
        }
    }
}

/// Reads things that HubSpot gives all at once.
pub(crate) fn all<W: DeserializeOwned, T: From<W> + MayBeRecord>(
    body: &[u8],
) -> Result<Decoded<Vec<T>>, serde_json::Error> {
    let wire: WirePage<W> = object(body)?;
    let items: Vec<T> = wire.results().map(T::from).collect();
    Ok(Decoded {
        record_count: count(items.len()),
        record_ids: ids(&items),
        ..Decoded::one(items)
    })
}

/// Reads the answer to what leaves nothing to say: none, or a JSON object. A page of HTML is no such answer, whoever wrote it.
pub(crate) fn nothing(body: &[u8]) -> Result<Decoded<()>, serde_json::Error> {
    if !body.is_empty() {
        let _: IgnoredAny = object(body)?;
    }
    Ok(Decoded::one(()))
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

impl<W, T: From<W>> From<WirePage<W>> for Page<T> {
    fn from(wire: WirePage<W>) -> Self {
        let (after, total) = (wire.after(), wire.total);
        Self {
            items: wire.results().map(T::from).collect(),
            after,
            total,
        }
    }
}

impl Paging {
    /// The cursor of the next page.
    pub(crate) fn after(&self) -> Option<String> {
        let JsonObject(next) = self.next.as_ref()?;
        Some(next.after.0.clone())
    }
}

impl<T> WirePage<T> {
    /// What is on it.
    pub(crate) fn results(self) -> impl ExactSizeIterator<Item = T> {
        self.results.into_iter().map(|JsonObject(result)| result)
    }

    /// The cursor of the next page.
    pub(crate) fn after(&self) -> Option<String> {
        let JsonObject(paging) = self.paging.as_ref()?;
        paging.after()
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
