//! What a record that was read says of a write.
//!
//! HubSpot's clock and ours may differ. What stands there since after the write was begun, by our clock, is its doing; that it
//! is not there is believed only if nothing changed since a minute before.

use std::time::Duration;

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::objects::{Object, PastValue};

use crate::crm::{ADDRESSES, Answer, PropertyName, PropertyValues};

/// HubSpot's clock and ours differ by no more than this.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
/// HubSpot's word for values that an app has written.
const BY_AN_APP: &str = "INTEGRATION";

/// What became of a write, as far as reading can tell.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// HubSpot carried it out: this would have been the answer.
    Done(Box<Answer>),
    /// HubSpot did not carry it out, or has not yet.
    NotDone,
    /// It cannot be told.
    Open,
}

impl Verdict {
    pub(super) fn done(answer: Answer) -> Self {
        Self::Done(Box::new(answer))
    }
}

/// The same of one record, without its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Done,
    NotDone,
    Open,
}

/// What a record's histories say of values that were written since `begun`. Our write is proven where an app wrote one of them
/// since, and each of the others was written since too, or stands there: HubSpot writes all values of a call, or none, and
/// another app may have written one that is the same. That none was written is proven where nothing was changed by anybody since, and
/// something is not as it was to be.
pub(super) fn of_values(object: &Object, values: &PropertyValues, begun: Timestamp) -> Found {
    let since = to_millis(begun);
    let wrote = |(name, value): (&PropertyName, &String)| {
        let past = past(object, name);
        past.iter()
            .any(|past| past.since.is_some_and(|at| at >= since) && by_us(past) && is(past, name, value))
    };
    let stands = |(name, value): (&PropertyName, &String)| stands(object, name, value);
    let is_there = |one: (&PropertyName, &String)| wrote(one) || stands(one);
    if values.iter().any(wrote) && values.iter().all(is_there) {
        return Found::Done;
    }
    let untouched = |name: &PropertyName| {
        let quiet_since = since.minus(CLOCKS_DIFFER);
        let told = object.history.contains_key(name.as_str());
        told && past(object, name)
            .iter()
            .all(|past| past.since.is_some_and(|at| at < quiet_since))
    };
    match values.keys().all(untouched) && !values.iter().all(stands) {
        true => Found::NotDone,
        false => Found::Open,
    }
}

/// What a record that has the unique value of one that was to be made says of that. It is ours if it is new and was made with each
/// of the values, or has them all: a unique value alone may be that of a record that somebody else has made since. One that was
/// there before is in its way: HubSpot has refused to make another.
pub(super) fn of_creation(object: &Object, values: &PropertyValues, begun: Timestamp) -> Found {
    let quiet_since = to_millis(begun).minus(CLOCKS_DIFFER);
    if object.created.is_some_and(|created| created < quiet_since) {
        return Found::NotDone;
    }
    match was_made_with(object, values, begun) {
        true => Found::Done,
        false => of_record_in_the_way(object, values, begun),
    }
}

/// What the time of a change says of one that was begun at another: whether it is since, or was before, with clocks that differ.
pub(super) fn by_time(changed: Option<Timestamp>, begun: Timestamp) -> Found {
    let since = to_millis(begun);
    match changed {
        Some(at) if at >= since => Found::Done,
        Some(at) if at < since.minus(CLOCKS_DIFFER) => Found::NotDone,
        _ => Found::Open,
    }
}

/// What a record that HubSpot names as the reason not to make another says of that: it is ours if it was made since, an app has
/// written one of the values, and each of the others was written too, or stands there.
pub(super) fn of_record_in_the_way(object: &Object, values: &PropertyValues, begun: Timestamp) -> Found {
    match is_new(object, begun) && of_values(object, values, begun) == Found::Done {
        true => Found::Done,
        false => Found::Open,
    }
}

/// Whether a record that has been found was made by a write of these values that was begun at a time, and not by somebody else
/// before that came to it: it is new since, and an app has made it with each of them. HubSpot's own word for that (`new`) was in the
/// answer that is lost.
pub(super) fn was_made_with(object: &Object, values: &PropertyValues, begun: Timestamp) -> bool {
    let is_first = |(name, value): (&PropertyName, &String)| match past(object, name).last() {
        Some(oldest) => by_us(oldest) && is(oldest, name, value),
        None => stands(object, name, value),
    };
    // That values stand there says nothing of who wrote them.
    let is_witness = |name: &PropertyName| !past(object, name).is_empty();
    is_new(object, begun) && values.iter().all(is_first) && values.keys().any(is_witness)
}

/// Whether a property has this value now. Where there is no history, as of those that are more than HubSpot tells, the value says it.
fn stands(object: &Object, name: &PropertyName, value: &str) -> bool {
    match past(object, name).first() {
        Some(newest) => is(newest, name, value),
        None => {
            let there = object.properties.get(name.as_str());
            is_alike(there.map_or("", String::as_str), name, value)
        }
    }
}

fn is_new(object: &Object, begun: Timestamp) -> bool {
    object.created.is_some_and(|created| created >= to_millis(begun))
}

fn past<'a>(object: &'a Object, name: &PropertyName) -> &'a [PastValue] {
    object.history.get(name.as_str()).map_or(&[], Vec::as_slice)
}

fn by_us(past: &PastValue) -> bool {
    past.source_type == BY_AN_APP
}

fn is(past: &PastValue, name: &PropertyName, value: &str) -> bool {
    is_alike(past.value.as_deref().unwrap_or_default(), name, value)
}

/// Whether a value that stands there is the one that was written. HubSpot keeps addresses in lower case, and other values as they
/// are given.
fn is_alike(there: &str, name: &PropertyName, value: &str) -> bool {
    let (there, value) = (there.trim(), value.trim());
    match ADDRESSES.contains(&name.as_str()) {
        true => there.eq_ignore_ascii_case(value),
        false => there == value,
    }
}

/// HubSpot tells times in milliseconds.
fn to_millis(time: Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_micros().div_euclid(1_000).saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: Timestamp = Timestamp::from_micros(1_000_000_000_456);

    fn name() -> PropertyName {
        PropertyName::read("firstname").expect("a name")
    }

    fn at(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_micros(
            BEGUN.as_micros() / 1_000 * 1_000 + seconds * 1_000_000,
        ))
    }

    /// A value, since when in seconds after the write was begun, and by what.
    type Past = (&'static str, i64, &'static str);

    fn record(past: &[Past]) -> Object {
        let past = past.iter().map(|(value, seconds, source)| PastValue {
            value: Some((*value).to_owned()),
            since: at(*seconds),
            source_type: (*source).to_owned(),
            source_id: String::new(),
            source_label: String::new(),
            user_id: None,
        });
        Object {
            history: [("firstname".to_owned(), past.collect())].into(),
            ..Object::default()
        }
    }

    #[test]
    fn a_value_is_ours_only_if_an_app_wrote_it_since() {
        let table: [(&[Past], Found); 9] = [
            (&[("Ann", 0, BY_AN_APP), ("Bob", -900, "CRM_UI")], Found::Done),
            // Written over since: it was there.
            (&[("Cy", 5, "CRM_UI"), ("Ann", 1, BY_AN_APP)], Found::Done),
            // By its value alone nobody can say who wrote it.
            (&[("Ann", 1, "CRM_UI"), ("Bob", -900, "CRM_UI")], Found::Open),
            (&[("Ann", -900, BY_AN_APP)], Found::Open),
            // Clocks differ.
            (&[("Ann", -1, BY_AN_APP), ("Bob", -900, "CRM_UI")], Found::Open),
            (&[("Cy", -1, BY_AN_APP), ("Bob", -900, "CRM_UI")], Found::Open),
            // Somebody changed it since: it would be written over.
            (&[("Cy", 1, "CRM_UI"), ("Bob", -900, "CRM_UI")], Found::Open),
            (&[("Bob", -900, "CRM_UI")], Found::NotDone),
            (&[], Found::NotDone),
        ];
        let values: PropertyValues = [(name(), "Ann".to_owned())].into();
        for (past, found) in table {
            assert_eq!(of_values(&record(past), &values, BEGUN), found, "{past:?}");
        }
        let untold = Object::default();
        assert_eq!(
            of_values(&untold, &values, BEGUN),
            Found::Open,
            "no history was told"
        );
    }

    #[test]
    fn another_case_is_another_value_except_of_an_address() {
        let wanted = |name: &str, value: &str| -> PropertyValues {
            [(PropertyName::read(name).expect("a name"), value.to_owned())].into()
        };
        let of = |name: &str, past: &[Past]| {
            let mut object = record(past);
            let past = object.history.remove("firstname").expect("told");
            object.history.insert(name.to_owned(), past);
            object
        };
        let before: &[Past] = &[("ann@x.example", -900, "CRM_UI")];
        let since: &[Past] = &[("ann@x.example", 1, BY_AN_APP), ("", -900, "CRM_UI")];
        let table = [
            ("jobtitle", before, Found::NotDone),
            ("jobtitle", since, Found::Open),
            // HubSpot would keep the same.
            ("email", before, Found::Open),
            ("email", since, Found::Done),
            ("hs_additional_emails", since, Found::Done),
        ];
        for (name, past, found) in table {
            let values = wanted(name, " Ann@X.example ");
            assert_eq!(
                of_values(&of(name, past), &values, BEGUN),
                found,
                "{name} {past:?}"
            );
        }
    }

    #[test]
    fn one_value_that_another_app_wrote_too_is_no_proof_of_the_others() {
        let other = PropertyName::read("lastname").expect("a name");
        let values: PropertyValues = [(name(), "Ann".to_owned()), (other, "Lee".to_owned())].into();
        let both = |first: &[Past], last: &[Past]| {
            let mut object = record(first);
            let last = record(last).history.remove("firstname").expect("told");
            object.history.insert("lastname".to_owned(), last);
            object
        };
        let lee: &[Past] = &[("Lee", 1, BY_AN_APP), ("Poe", -900, "CRM_UI")];
        let table: [(&[Past], Found); 4] = [
            (&[("Bob", -900, "CRM_UI")], Found::Open),
            (&[("Ann", 1, BY_AN_APP), ("Bob", -900, "CRM_UI")], Found::Done),
            (&[("Cy", 5, "CRM_UI"), ("Ann", 1, BY_AN_APP)], Found::Done),
            // It was so before, and HubSpot keeps no change that is none.
            (&[("Ann", -900, "CRM_UI")], Found::Done),
        ];
        for (first, found) in table {
            assert_eq!(of_values(&both(first, lee), &values, BEGUN), found, "{first:?}");
        }
    }

    #[test]
    fn a_record_is_of_the_write_that_made_it_also_in_the_millisecond_in_which_that_was_begun() {
        let values: PropertyValues = [(name(), "Ann".to_owned())].into();
        let made = |created, past: &[Past]| Object {
            created: at(created),
            ..record(past)
        };
        // BEGUN lies within the millisecond that HubSpot tells.
        let ours = made(0, &[("Ann", 0, BY_AN_APP)]);
        assert!(was_made_with(&ours, &values, BEGUN));
        let written_over = made(1, &[("Cy", 5, "CRM_UI"), ("Ann", 1, BY_AN_APP)]);
        assert!(was_made_with(&written_over, &values, BEGUN));
        let there_before = made(-1, &[("Ann", 0, BY_AN_APP)]);
        assert!(!was_made_with(&there_before, &values, BEGUN));
        // Somebody else made it meanwhile, and ours has changed it.
        let changed = made(1, &[("Ann", 2, BY_AN_APP), ("Bob", 1, BY_AN_APP)]);
        assert!(!was_made_with(&changed, &values, BEGUN));
        let by_hand = made(1, &[("Ann", 1, "CRM_UI")]);
        assert!(!was_made_with(&by_hand, &values, BEGUN));
    }

    #[test]
    fn a_record_that_was_there_before_is_in_the_way_of_a_new_one() {
        let values: PropertyValues = [(name(), "Ann".to_owned())].into();
        let made = |seconds| Object {
            created: at(seconds),
            ..record(&[("Ann", seconds, BY_AN_APP)])
        };
        assert_eq!(of_creation(&made(0), &values, BEGUN), Found::Done);
        assert_eq!(of_creation(&made(-900), &values, BEGUN), Found::NotDone);
        assert_eq!(of_creation(&made(-1), &values, BEGUN), Found::Open);
        let by_hand = Object {
            created: at(1),
            ..record(&[("Ann", 1, "CRM_UI")])
        };
        assert_eq!(of_creation(&by_hand, &values, BEGUN), Found::Open);
    }

    #[test]
    fn a_new_record_that_has_no_more_than_the_unique_value_is_somebody_elses() {
        let job = PropertyName::read("jobtitle").expect("a name");
        let values: PropertyValues = [(name(), "Ann".to_owned()), (job, "Cook".to_owned())].into();
        let made = |job: Option<&[Past]>, stands: Option<&str>| {
            let mut object = Object {
                created: at(1),
                ..record(&[("Ann", 1, BY_AN_APP)])
            };
            if let Some(job) = job {
                let past = record(job).history.remove("firstname").expect("told");
                object.history.insert("jobtitle".to_owned(), past);
            }
            let stands = stands.map(|stands| ("jobtitle".to_owned(), stands.to_owned()));
            object.properties.extend(stands);
            object
        };
        // A history of the job's title, the title itself, and what becomes of it.
        type Case = (Option<&'static [Past]>, Option<&'static str>, Found);
        let table: [Case; 8] = [
            (Some(&[]), None, Found::Open),
            (Some(&[("Poet", 1, BY_AN_APP)]), Some("Poet"), Found::Open),
            (Some(&[("Cook", 1, BY_AN_APP)]), Some("Cook"), Found::Done),
            // Changed since: it was made so.
            (
                Some(&[("Poet", 9, "CRM_UI"), ("Cook", 1, BY_AN_APP)]),
                Some("Poet"),
                Found::Done,
            ),
            // Made by somebody else, and then all is as it was to be.
            (
                Some(&[("Cook", 9, "CRM_UI"), ("Poet", 1, BY_AN_APP)]),
                Some("Cook"),
                Found::Done,
            ),
            // More histories than HubSpot tells.
            (None, Some("Cook"), Found::Done),
            (None, Some("Poet"), Found::Open),
            (None, None, Found::Open),
        ];
        for (job, stands, found) in table {
            let there = made(job, stands);
            assert_eq!(of_creation(&there, &values, BEGUN), found, "{job:?} {stands:?}");
        }
        let silent = Object {
            created: at(1),
            properties: [("firstname", "Ann"), ("jobtitle", "Cook")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Object::default()
        };
        assert_eq!(
            of_creation(&silent, &values, BEGUN),
            Found::Open,
            "nothing says who made it"
        );
    }
}
