//! Whether a record matches one filter of a search.

use std::cmp::Ordering;

use super::kind::ObjectType;
use super::properties::PropertyKind;
use crate::clock::parse_millis;

/// One filter, understood.
#[derive(Debug)]
pub(crate) struct Filter {
    /// The property it looks at.
    pub(crate) property: String,
    /// What kind of values that property holds.
    pub(crate) kind: PropertyKind,
    /// What it asks of the value.
    pub(crate) test: Test,
    /// For `associations.<type>`: the type whose ids it looks at instead.
    pub(crate) partner: Option<ObjectType>,
}

/// What a filter asks of a value.
#[derive(Debug)]
pub(crate) enum Test {
    /// EQ.
    Equal(String),
    /// NEQ: has a value, and another one.
    NotEqual(String),
    /// LT, LTE, GT, GTE: the orderings that pass.
    Compare(&'static [Ordering], String),
    /// BETWEEN, both ends included.
    Between(String, String),
    /// IN.
    In(Vec<String>),
    /// NOT_IN: has a value, and none of these.
    NotIn(Vec<String>),
    /// HAS_PROPERTY.
    Known,
    /// NOT_HAS_PROPERTY.
    Unknown,
    /// CONTAINS_TOKEN.
    Contains(String),
    /// NOT_CONTAINS_TOKEN; also true of a record without value.
    ContainsNot(String),
}

impl Test {
    /// Whether ids of associated records can be asked this.
    pub(crate) fn fits_partners(&self) -> bool {
        use Test::{Equal, In, Known, NotEqual, NotIn, Unknown};
        matches!(self, Equal(_) | NotEqual(_) | In(_) | NotIn(_) | Known | Unknown)
    }
}

impl Filter {
    /// Whether a record with this value passes; `None` is a property without value.
    pub(crate) fn passes(&self, value: Option<&str>) -> bool {
        let Some(value) = value else {
            return matches!(self.test, Test::Unknown | Test::ContainsNot(_));
        };
        match &self.test {
            Test::Equal(wanted) => self.equal(value, wanted),
            Test::NotEqual(unwanted) => !self.equal(value, unwanted),
            Test::Compare(orderings, bound) => orderings.contains(&compare(self.kind, value, bound)),
            Test::Between(low, high) => {
                compare(self.kind, value, low).is_ge() && compare(self.kind, value, high).is_le()
            }
            Test::In(list) => list.iter().any(|one| self.listed(value, one)),
            Test::NotIn(list) => !list.iter().any(|one| self.listed(value, one)),
            Test::Known => true,
            Test::Unknown => false,
            Test::Contains(token) => contains_token(value, token),
            Test::ContainsNot(token) => !contains_token(value, token),
        }
    }

    /// Whether a record passes that is associated with these.
    pub(crate) fn passes_partners(&self, ids: &[String]) -> bool {
        match &self.test {
            Test::Equal(wanted) => ids.contains(wanted),
            Test::NotEqual(unwanted) => !ids.contains(unwanted),
            Test::In(list) => ids.iter().any(|id| list.contains(id)),
            Test::NotIn(list) => !ids.iter().any(|id| list.contains(id)),
            Test::Known => !ids.is_empty(),
            Test::Unknown => ids.is_empty(),
            _ => false,
        }
    }

    fn equal(&self, value: &str, wanted: &str) -> bool {
        match self.kind {
            PropertyKind::Text => value.to_lowercase() == wanted.to_lowercase(),
            PropertyKind::Choice | PropertyKind::Bool => value == wanted,
            PropertyKind::Number | PropertyKind::Time => compare(self.kind, value, wanted).is_eq(),
        }
    }

    /// Lists compare text with its lower-case form as it is, so an upper-case entry never matches. HubSpot does this.
    fn listed(&self, value: &str, entry: &str) -> bool {
        if self.kind == PropertyKind::Text {
            value.to_lowercase() == entry
        } else {
            self.equal(value, entry)
        }
    }
}

/// Orders two values of one property.
pub(crate) fn compare(kind: PropertyKind, a: &str, b: &str) -> Ordering {
    let by_text = || a.to_lowercase().cmp(&b.to_lowercase());
    match kind {
        PropertyKind::Number => match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => by_text(),
        },
        PropertyKind::Time => match (parse_millis(a), parse_millis(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => by_text(),
        },
        PropertyKind::Text | PropertyKind::Choice | PropertyKind::Bool => by_text(),
    }
}

/// Whether the value, or one of its words, fits a pattern in which `*` stands for anything.
fn contains_token(value: &str, pattern: &str) -> bool {
    let (value, pattern) = (value.to_lowercase(), pattern.to_lowercase());
    let mut words = value
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    fits(&value, &pattern) || words.any(|word| fits(word, &pattern))
}

fn fits(text: &str, pattern: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let Some(rest) = text.strip_prefix(head) else {
        return false;
    };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| rest.get(at..).is_some_and(|rest| fits(rest, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(contains_token("jane@acme.example", "*@acme.example"));
        assert!(contains_token("Jane Doe", "doe"));
        assert!(contains_token("Jane Doe", "j*e"));
        assert!(!contains_token("Jane Doe", "jan"));
    }

    #[test]
    fn times_compare_across_notations() {
        assert!(compare(PropertyKind::Time, "1970-01-01T00:00:01Z", "1000").is_eq());
        assert!(compare(PropertyKind::Time, "1970-01-02", "1000").is_gt());
    }
}
