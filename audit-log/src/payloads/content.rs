//! What goes into a payload, and how much of it at most.

use std::{fmt, mem};

use hubkeep_proto::audit::v1::{PayloadCondition, PayloadRecord, PayloadValue, SealedPayload};
use prost::Message as _;
use zeroize::{Zeroize as _, Zeroizing};

/// The most bytes of one value, of the path and of the words of a search.
const MOST_OF_ONE: usize = 1_024;
/// The most bytes of all texts together, the path and the end user left out.
const MOST: usize = 16 * 1_024;
/// What a record, a value or a condition takes beside its texts.
const EACH: usize = 16;

/// What is to be sealed beside an entry. It is bounded by itself: what is too much is cut, or left out and counted. Wiped when
/// dropped, never printed.
#[derive(Clone, Default)]
pub struct Payload {
    message: SealedPayload,
    taken: usize,
}

impl Payload {
    /// On whose behalf the caller asks; 128 bytes of it at most.
    pub fn end_user(&mut self, end_user: &str) {
        self.message.end_user = start_of(end_user, 128).to_owned();
    }

    /// The exact path; 1,024 bytes of it at most.
    pub(crate) fn path(&mut self, path: &str) {
        self.message.path = start_of(path, MOST_OF_ONE).to_owned();
    }

    /// The words that a search looks for.
    pub fn query(&mut self, words: &str) {
        self.message.query = start_of(words, MOST_OF_ONE).to_owned();
    }

    /// A record that is named, by an id or by the value of a unique property. What is written to it follows by
    /// [`value`](Self::value).
    pub fn record(&mut self, object_type: &str, object_id: &str, id_property: Option<&str>) {
        let id_property = id_property.unwrap_or_default();
        let texts = [object_type, object_id, id_property];
        if !self.takes(texts.iter().map(|text| text.len()).sum()) {
            self.message.records_left_out = self.message.records_left_out.saturating_add(1);
            return;
        }
        self.message.records.push(PayloadRecord {
            object_type: object_type.to_owned(),
            object_id: object_id.to_owned(),
            id_property: id_property.to_owned(),
            values: Vec::new(),
        });
    }

    /// A value that is written to the record named last. Where that one was left out, so is this.
    pub fn value(&mut self, name: &str, value: &str) {
        let start = start_of(value, MOST_OF_ONE);
        let is_full = self.message.records_left_out > 0;
        if is_full || !self.takes(name.len().saturating_add(start.len())) {
            self.message.values_left_out = self.message.values_left_out.saturating_add(1);
            return;
        }
        if let Some(record) = self.message.records.last_mut() {
            record.values.push(PayloadValue {
                name: name.to_owned(),
                value: start.to_owned(),
                cut: start.len() < value.len(),
            });
        }
    }

    /// What a search compares.
    pub fn condition<'a>(
        &mut self,
        property: &str,
        operator: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) {
        let mut cut = false;
        let mut kept = Vec::new();
        for value in values {
            let start = start_of(value, MOST_OF_ONE);
            cut |= start.len() < value.len();
            kept.push(start);
        }
        let texts: usize = kept.iter().map(|value| value.len().saturating_add(EACH)).sum();
        if !self.takes(
            texts
                .saturating_add(property.len())
                .saturating_add(operator.len()),
        ) {
            self.message.values_left_out = self.message.values_left_out.saturating_add(1);
            return;
        }
        self.message.conditions.push(PayloadCondition {
            property: property.to_owned(),
            operator: operator.to_owned(),
            values: kept.into_iter().map(str::to_owned).collect(),
            cut,
        });
    }

    /// Whether it says nothing but, perhaps, the path.
    pub(crate) fn is_empty(&self) -> bool {
        let SealedPayload {
            end_user,
            records,
            conditions,
            query,
            ..
        } = &self.message;
        end_user.is_empty() && records.is_empty() && conditions.is_empty() && query.is_empty()
    }

    /// What is sealed.
    pub(crate) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        // In a buffer of its size from the start: growing it would leave a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.message.encoded_len()));
        // Cannot fail: there is room.
        let encoded = self.message.encode(&mut *bytes);
        debug_assert!(encoded.is_ok());
        bytes
    }

    /// Whether so much more goes in; then it is counted.
    fn takes(&mut self, bytes: usize) -> bool {
        let taken = self.taken.saturating_add(bytes).saturating_add(EACH);
        let fits = taken <= MOST;
        if fits {
            self.taken = taken;
        }
        fits
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        wipe(&mut self.message);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload([redacted])")
    }
}

/// Wipes every text.
fn wipe(message: &mut SealedPayload) {
    message.end_user.zeroize();
    message.path.zeroize();
    message.query.zeroize();
    for mut record in mem::take(&mut message.records) {
        record.object_id.zeroize();
        for mut value in record.values {
            value.value.zeroize();
        }
    }
    for condition in mem::take(&mut message.conditions) {
        for mut value in condition.values {
            value.zeroize();
        }
    }
}

/// The first `most` bytes, or a few less where a character would be cut in two.
fn start_of(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &Payload) -> SealedPayload {
        SealedPayload::decode(payload.bytes().as_slice()).expect("a payload")
    }

    #[test]
    fn a_long_value_is_cut_between_characters_and_marked() {
        let mut payload = Payload::default();
        payload.record("contacts", "7", None);
        payload.value("note", &format!("x{}", "é".repeat(600)));
        payload.value("email", "ann@acme.test");
        let read = read(&payload);
        let values = &read.records[0].values;
        assert_eq!((values[0].value.len(), values[0].cut), (1_023, true));
        assert_eq!(
            (values[1].value.as_str(), values[1].cut),
            ("ann@acme.test", false)
        );
    }

    #[test]
    fn however_much_a_call_writes_its_payload_stays_small_and_says_what_it_leaves_out() {
        let mut payload = Payload::default();
        payload.end_user(&"u".repeat(5_000));
        payload.path(&"p".repeat(5_000));
        payload.query(&"q".repeat(5_000));
        for _ in 0..100 {
            payload.condition("email", "IN", ["x"; 100]);
        }
        for number in 0..100 {
            payload.record("contacts", &number.to_string(), None);
            for _ in 0..100 {
                payload.value("note", &"n".repeat(2_000));
            }
        }
        let sealed = read(&payload);
        assert!(payload.bytes().len() < 20 * 1_024, "{}", payload.bytes().len());
        let kept: usize = sealed.records.iter().map(|record| record.values.len()).sum();
        let values = u32::try_from(kept + sealed.conditions.len()).expect("few") + sealed.values_left_out;
        assert_eq!(values, 100 + 100 * 100);
        let records = u32::try_from(sealed.records.len()).expect("few") + sealed.records_left_out;
        assert_eq!(records, 100);
    }

    #[test]
    fn what_is_left_out_of_a_record_never_stands_in_another() {
        let mut payload = Payload::default();
        payload.record("contacts", "1", None);
        payload.record("contacts", &"9".repeat(MOST), None);
        payload.value("email", "of the second");
        let sealed = read(&payload);
        assert!(sealed.records[0].values.is_empty());
        assert_eq!((sealed.records_left_out, sealed.values_left_out), (1, 1));
    }

    #[test]
    fn printing_one_shows_nothing() {
        let mut payload = Payload::default();
        payload.record("contacts", "4711", Some("email"));
        payload.value("email", "ann@acme.test");
        let printed = format!("{payload:?} {:?}", read(&payload));
        assert!(
            !printed.contains("4711") && !printed.contains("ann@"),
            "{printed}"
        );
    }
}
