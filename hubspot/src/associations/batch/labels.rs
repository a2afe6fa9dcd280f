//! Labels that are taken off many pairs. HubSpot says nothing of what it has done, only of what it has refused.

use http::Method;
use serde_json::{Value, json};

use super::{BatchSize, Labelled, MAX_ARCHIVE, Pair, key, keys_of, path, with_types};
use crate::{
    answer::Decoded,
    config::ApiVersion,
    refusal::{RowRefusal, WireRow},
    request::{Ask, Bucket, Repeat},
    rows::{self, Row, Rows, Sent},
};

/// What HubSpot calls it that a record is not there.
const NOT_THERE: &str = "INVALID_OBJECT_IDS";

/// Takes labels off pairs of records: of each pair those that are named, and with the association without a label all of them.
/// HubSpot answers with nothing where all went well.
///
/// # Errors
/// [`BatchSize`] if there are no pairs, or more than [`MAX_ARCHIVE`].
pub fn archive_labels(
    version: ApiVersion,
    (from_type, to_type): (&str, &str),
    labelled: &[Labelled],
) -> Result<Ask<Vec<Row<()>>>, BatchSize> {
    BatchSize::check(labelled.len(), MAX_ARCHIVE)?;
    let body = json!({ "inputs": labelled.iter().map(with_types).collect::<Vec<Value>>() });
    let pairs: Vec<Pair> = labelled.iter().map(|one| one.pair.clone()).collect();
    let path = path(version, from_type, to_type, "labels").then("archive");
    Ok(Ask::get(path, move |body| taken_off(body, &pairs))
        .with_body(Repeat::SameState, Method::POST, &body)
        .from(Bucket::Associations))
}

/// HubSpot names those that it has refused, and no other: where each of these is told by its pair, the rest is done.
fn taken_off(body: &[u8], pairs: &[Pair]) -> Result<Decoded<Vec<Row<()>>>, serde_json::Error> {
    let refusals = match body.is_empty() {
        true => Vec::new(),
        false => rows::refusals(body)?,
    };
    let sent = pairs.iter().map(|pair| Sent {
        trace: None,
        key: Some(key(&pair.from_id, &pair.to_id)),
    });
    let mut rows = Rows::of(&sent.collect::<Vec<_>>());
    let refused = refusals.into_iter().map(|refusal| {
        let mut keys = keys_of(&refusal, pairs);
        if keys.is_empty() {
            keys = keys_of_missing(&refusal, pairs);
        }
        (refusal, keys)
    });
    rows.place(Vec::new(), refused.collect());
    rows.put_the_last_refusal_to_the_last();
    if rows.stray_refusals.is_empty() {
        let open: Vec<usize> = (0..pairs.len()).filter(|row| rows.is_open(*row)).collect();
        rows.say(&open, &Ok(()));
    }
    let value = rows.end(&RowRefusal::Unknown);
    Ok(Decoded::rows(value, Vec::new()))
}

/// The pairs of which a record is not there. HubSpot tells its id under the name of its type; where records of both sides have
/// that id, nobody can say which is meant.
fn keys_of_missing(refusal: &WireRow, pairs: &[Pair]) -> Vec<String> {
    if !refusal.sub_category.ends_with(NOT_THERE) {
        return Vec::new();
    }
    let missing = refusal.all_words();
    let of = |side: fn(&Pair) -> &String| {
        let about = pairs.iter().filter(|pair| missing.contains(side(pair)));
        about
            .map(|pair| key(&pair.from_id, &pair.to_id))
            .collect::<Vec<_>>()
    };
    match (of(|pair| &pair.from_id), of(|pair| &pair.to_id)) {
        (keys, others) | (others, keys) if others.is_empty() => keys,
        _ => Vec::new(),
    }
}
