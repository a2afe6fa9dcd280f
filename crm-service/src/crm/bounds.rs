//! Which records somebody may touch, where not all: by the pipeline they are in, and by the owner they have.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    kinds::{OWNER, pipeline_property, stage_property},
    names::{ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId},
    search::Condition,
};

/// The longest id of a pipeline or an owner, in characters. HubSpot's own are shorter.
const MAX_ID: usize = 128;

/// What records are limited by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedBy {
    /// The pipeline they are in.
    Pipelines,
    /// The owner they have.
    OwnerIds,
}

impl LimitedBy {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pipelines => "pipelines",
            Self::OwnerIds => "owner_ids",
        }
    }
}

/// The records that may be touched: those in one of these pipelines, and of one of these owners. `None` for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pipelines: Option<BTreeSet<String>>,
    owner_ids: Option<BTreeSet<String>>,
}

impl Bounds {
    /// The bounds that these lists draw; an empty one draws none. A list of ids of which none can be one leaves no record
    /// inside, rather than all.
    pub fn read(pipelines: &[String], owner_ids: &[String]) -> Self {
        let read = |ids: &[String]| {
            let known = ids.iter().filter(|id| is_id(id)).cloned().collect();
            (!ids.is_empty()).then_some(known)
        };
        Self {
            pipelines: read(pipelines),
            owner_ids: read(owner_ids),
        }
    }

    /// Whether every record is inside.
    pub const fn are_none(&self) -> bool {
        self.pipelines.is_none() && self.owner_ids.is_none()
    }

    /// The pipelines that records must be in; empty for any.
    pub fn pipelines(&self) -> Vec<String> {
        self.pipelines.iter().flatten().cloned().collect()
    }

    /// The owners that records must have; empty for any.
    pub fn owner_ids(&self) -> Vec<String> {
        self.owner_ids.iter().flatten().cloned().collect()
    }

    /// The bounds as text, equal for equal ones; empty where there are none.
    pub fn to_text(&self) -> String {
        let ids = |ids: &Option<BTreeSet<String>>| match ids {
            // No id has a comma, nor a bar.
            Some(ids) => ids.iter().map(|id| format!("{id},")).collect(),
            None => "*".to_owned(),
        };
        match self.are_none() {
            true => String::new(),
            false => format!("{}|{}", ids(&self.pipelines), ids(&self.owner_ids)),
        }
    }

    /// Whether every record may be touched, looked at or not.
    ///
    /// # Errors
    /// With what forbids it.
    pub const fn allow_all_records(&self) -> Result<(), LimitedBy> {
        self.allow_all_owners()
    }

    /// Whether an owner may be read: an owner is in no pipeline, so that only a list of owners can allow it.
    ///
    /// # Errors
    /// With what forbids it.
    pub fn allow_owner(&self, id: &RecordId) -> Result<(), LimitedBy> {
        match &self.owner_ids {
            Some(ids) if ids.contains(id.as_str()) => Ok(()),
            Some(_) => Err(LimitedBy::OwnerIds),
            None => self.allow_all_owners(),
        }
    }

    /// Whether all owners may be read.
    ///
    /// # Errors
    /// With what forbids it.
    pub const fn allow_all_owners(&self) -> Result<(), LimitedBy> {
        match (&self.owner_ids, &self.pipelines) {
            (Some(_), _) => Err(LimitedBy::OwnerIds),
            (None, Some(_)) => Err(LimitedBy::Pipelines),
            (None, None) => Ok(()),
        }
    }

    /// The same for the records of one type.
    ///
    /// # Errors
    /// With the limit that no record of the type can be inside of: the type has no pipelines, or nothing is listed that
    /// could be one.
    pub fn of(&self, object_type: &ObjectType) -> Result<Within, LimitedBy> {
        let mut bounds = Vec::new();
        if let Some(inside) = &self.pipelines {
            let by = LimitedBy::Pipelines;
            let property = pipeline_property(object_type).filter(|_| !inside.is_empty());
            bounds.push(Bound {
                by,
                property: PropertyName::known(property.ok_or(by)?),
                inside: inside.clone(),
            });
        }
        if let Some(inside) = &self.owner_ids {
            let by = LimitedBy::OwnerIds;
            if inside.is_empty() {
                return Err(by);
            }
            bounds.push(Bound {
                by,
                property: PropertyName::known(OWNER),
                inside: inside.clone(),
            });
        }
        let stage = self
            .pipelines
            .is_some()
            .then(|| stage_property(object_type))
            .flatten();
        Ok(Within { bounds, stage })
    }
}

fn is_id(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(letter)
}

/// One bound: the property that decides, and the values that are inside.
#[derive(Clone, Debug)]
struct Bound {
    by: LimitedBy,
    property: PropertyName,
    inside: BTreeSet<String>,
}

impl Bound {
    fn holds(&self, value: Option<&String>) -> bool {
        value.is_some_and(|value| self.inside.contains(value))
    }

    /// The condition that only records inside pass.
    fn condition(&self) -> Condition {
        let mut values: Vec<String> = self.inside.iter().cloned().collect();
        let (operator, value, values) = match values.len() {
            1 => ("EQ", values.pop(), None),
            _ => ("IN", None, Some(values)),
        };
        Condition {
            property: self.property.clone(),
            operator,
            value,
            high_value: None,
            values,
        }
    }
}

/// Why a record, or what it would become, is outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Of which limit.
    pub by: LimitedBy,
    /// The property that must be named with a value that is inside, where it can be.
    pub property: PropertyName,
}

/// Bounds on the records of one type.
#[derive(Clone, Debug)]
pub struct Within {
    bounds: Vec<Bound>,
    /// The property whose value is one pipeline's, where pipelines are a bound.
    stage: Option<&'static str>,
}

impl Within {
    /// The limit that is told where it is not one record that is outside.
    pub fn by(&self) -> LimitedBy {
        self.bounds.first().map_or(LimitedBy::Pipelines, |bound| bound.by)
    }

    /// The properties that say whether a record is inside.
    pub fn deciding(&self) -> PropertyNames {
        self.bounds.iter().map(|bound| bound.property.clone()).collect()
    }

    /// Whether a record with these values is inside.
    ///
    /// # Errors
    /// With the first limit that it is outside of.
    pub fn hold(&self, values: &BTreeMap<String, String>) -> Result<(), Outside> {
        self.each(|property| values.get(property.as_str()))
    }

    /// Whether a record that is made of these values is inside.
    ///
    /// # Errors
    /// With the first limit that it is outside of, or whose property is not named.
    pub fn hold_new(&self, values: &PropertyValues) -> Result<(), Outside> {
        self.each(|property| values.get(property))
    }

    /// Whether a record that is inside stays there if it is given these values. A stage is one pipeline's, and may take
    /// the record there with it: where pipelines are a bound, it is to be named together with its pipeline.
    ///
    /// # Errors
    /// With the first limit that it would be outside of.
    pub fn hold_changed(&self, values: &PropertyValues) -> Result<(), Outside> {
        let staged = self
            .stage
            .is_some_and(|stage| values.contains_key(&PropertyName::known(stage)));
        for bound in &self.bounds {
            let must_be_named = staged && bound.by == LimitedBy::Pipelines;
            let value = values.get(&bound.property);
            if (value.is_some() || must_be_named) && !bound.holds(value) {
                return Err(bound.outside());
            }
        }
        Ok(())
    }

    /// The conditions that only records inside pass.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        self.bounds.iter().map(Bound::condition).collect()
    }

    fn each<'a>(&self, value: impl Fn(&PropertyName) -> Option<&'a String>) -> Result<(), Outside> {
        let outside = self
            .bounds
            .iter()
            .find(|bound| !bound.holds(value(&bound.property)));
        outside.map_or(Ok(()), |bound| Err(bound.outside()))
    }
}

impl Bound {
    fn outside(&self) -> Outside {
        Outside {
            by: self.by,
            property: self.property.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn bounds(pipelines: &[&str], owner_ids: &[&str]) -> Bounds {
        Bounds::read(&list(pipelines), &list(owner_ids))
    }

    fn object_type(name: &str) -> ObjectType {
        ObjectType::read(name).expect("a type")
    }

    fn values(pairs: &[(&str, &str)]) -> PropertyValues {
        let pair =
            |(name, value): &(&str, &str)| (PropertyName::read(name).expect("a name"), (*value).to_owned());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn ids_that_cannot_be_ones_leave_nothing_inside() {
        let odd = bounds(&["not an id", ""], &[]);
        assert!(!odd.are_none());
        assert_eq!(odd.of(&object_type("deals")).err(), Some(LimitedBy::Pipelines));
        assert!(bounds(&[], &[]).are_none());
    }

    #[test]
    fn a_type_without_pipelines_has_no_record_in_one() {
        let renewals = bounds(&["renewals"], &[]);
        for name in ["contacts", "0-1", "companies", "notes", "tasks", "0-99"] {
            let refused = renewals.of(&object_type(name));
            assert_eq!(refused.err(), Some(LimitedBy::Pipelines), "{name}");
        }
        let mine = bounds(&[], &["7"]);
        assert!(mine.of(&object_type("contacts")).is_ok(), "contacts have owners");
    }

    #[test]
    fn a_record_is_inside_only_if_every_limit_holds() {
        let within = bounds(&["a", "b"], &["7"])
            .of(&object_type("deals"))
            .expect("possible");
        let held = |pairs: &[(&str, &str)]| {
            let values = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            within.hold(&values.collect()).map_err(|outside| outside.by)
        };
        assert_eq!(held(&[("pipeline", "b"), ("hubspot_owner_id", "7")]), Ok(()));
        assert_eq!(
            held(&[("pipeline", "c"), ("hubspot_owner_id", "7")]),
            Err(LimitedBy::Pipelines)
        );
        assert_eq!(held(&[("pipeline", "a")]), Err(LimitedBy::OwnerIds), "no owner");
        assert_eq!(
            held(&[("hs_pipeline", "a"), ("hubspot_owner_id", "7")]),
            Err(LimitedBy::Pipelines),
            "of deals it is the property \"pipeline\" that decides"
        );
    }

    #[test]
    fn a_new_record_must_say_where_it_is() {
        let within = bounds(&["a"], &["7"])
            .of(&object_type("tickets"))
            .expect("possible");
        let made = |pairs: &[(&str, &str)]| within.hold_new(&values(pairs)).map_err(|outside| outside.by);
        assert_eq!(made(&[("hs_pipeline", "a"), ("hubspot_owner_id", "7")]), Ok(()));
        assert_eq!(made(&[("hs_pipeline", "a")]), Err(LimitedBy::OwnerIds));
        assert_eq!(made(&[("hubspot_owner_id", "7")]), Err(LimitedBy::Pipelines));
    }

    #[test]
    fn a_change_must_not_take_a_record_outside() {
        let within = bounds(&["a"], &["7"])
            .of(&object_type("deals"))
            .expect("possible");
        let changed =
            |pairs: &[(&str, &str)]| within.hold_changed(&values(pairs)).map_err(|outside| outside.by);
        assert_eq!(changed(&[("amount", "5")]), Ok(()));
        assert_eq!(changed(&[("pipeline", "a"), ("dealstage", "won")]), Ok(()));
        assert_eq!(changed(&[("pipeline", "b")]), Err(LimitedBy::Pipelines));
        assert_eq!(
            changed(&[("dealstage", "of-another-pipeline")]),
            Err(LimitedBy::Pipelines),
            "a stage takes its record to its own pipeline"
        );
        assert_eq!(changed(&[("hubspot_owner_id", "")]), Err(LimitedBy::OwnerIds));
    }

    #[test]
    fn owners_are_read_one_by_one_and_only_those_that_are_listed() {
        let id = |id: &str| RecordId::read(id).expect("an id");
        let mine = bounds(&["a"], &["7"]);
        assert_eq!(mine.allow_owner(&id("7")), Ok(()));
        assert_eq!(mine.allow_owner(&id("8")), Err(LimitedBy::OwnerIds));
        assert_eq!(mine.allow_all_owners(), Err(LimitedBy::OwnerIds));
        let renewals = bounds(&["a"], &[]);
        assert_eq!(renewals.allow_owner(&id("7")), Err(LimitedBy::Pipelines));
        assert_eq!(bounds(&[], &[]).allow_all_owners(), Ok(()));
    }
}
