//! A search, held to HubSpot's limits before a call is spent on it.

use hubkeep_hubspot::objects;

use super::{
    bounds::Within,
    error::{Error, Faults},
    limits::{
        MAX_FILTER_GROUPS, MAX_FILTER_VALUES, MAX_FILTERS, MAX_FILTERS_IN_GROUP, MAX_SEARCH_CHARS,
        MAX_SEARCH_RESULTS,
    },
    names::{ObjectType, PropertyName, PropertyNames},
};

/// The property that is a record's own id.
const RECORD_ID: &str = "hs_object_id";

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The property compared.
    pub property: PropertyName,
    /// HubSpot's operator.
    pub operator: &'static str,
    /// What with, for operators that take one value.
    pub value: Option<String>,
    /// The upper end of BETWEEN.
    pub high_value: Option<String>,
    /// The values of IN and NOT_IN.
    pub values: Option<Vec<String>>,
}

/// A search.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Search {
    /// The records' type.
    pub object_type: ObjectType,
    /// Any group, all of its conditions.
    pub groups: Vec<Vec<Condition>>,
    /// Words to look for.
    pub query: Option<String>,
    /// The properties wanted.
    pub properties: PropertyNames,
    /// Property, and whether the largest comes first.
    pub sort: Option<(PropertyName, bool)>,
    /// The page's size.
    pub limit: u32,
    /// How many results come before this page.
    pub offset: u64,
}

impl Search {
    /// Notes each of HubSpot's limits that this search breaks.
    pub fn check(&self, faults: &mut Faults) {
        if self.groups.len() > MAX_FILTER_GROUPS {
            faults.add("filter_groups", format!("at most {MAX_FILTER_GROUPS} groups"));
        }
        for (place, group) in self.groups.iter().enumerate() {
            self.check_group(place, group, faults);
        }
        if self.groups.iter().map(Vec::len).sum::<usize>() > MAX_FILTERS {
            faults.add(
                "filter_groups",
                format!("at most {MAX_FILTERS} filters in all groups together"),
            );
        }
        if self.offset.saturating_add(u64::from(self.limit)) > MAX_SEARCH_RESULTS {
            faults.add(
                "page_size",
                format!("HubSpot gives the first {MAX_SEARCH_RESULTS} results only: narrow the search"),
            );
        }
        if self.is_too_long() {
            faults.add("query", format!("HubSpot takes at most {MAX_SEARCH_CHARS} characters of filters, properties and query together"));
        }
    }

    /// The search, if HubSpot takes it with the properties that are wanted now: they may have been added to it.
    ///
    /// # Errors
    /// If it has become too long.
    pub fn still_fits(&self) -> Result<(), Error> {
        let mut faults = Faults::default();
        if self.is_too_long() {
            faults.add(
                "properties",
                format!(
                    "with the properties that the handle covers, the search has more than the {MAX_SEARCH_CHARS} \
                     characters that HubSpot takes: name those that are wanted"
                ),
            );
        }
        faults.resolve(Some(()))
    }

    /// The same among the records inside these bounds: what the bounds ask stands in every group.
    ///
    /// # Errors
    /// If the conditions are more than HubSpot takes then.
    pub fn within(&self, within: &Within) -> Result<Self, Error> {
        let conditions = within.conditions();
        let (taken, mut faults) = (conditions.len(), Faults::default());
        let mut groups = self.groups.clone();
        if groups.is_empty() {
            groups.push(Vec::new());
        }
        for (place, group) in groups.iter_mut().enumerate() {
            group.extend(conditions.iter().cloned());
            if group.len() > MAX_FILTERS_IN_GROUP {
                faults.add(
                    format!("filter_groups[{place}].filters"),
                    format!("the handle's own limits take {taken} of the {MAX_FILTERS_IN_GROUP} filters of each group"),
                );
            }
        }
        if groups.iter().map(Vec::len).sum::<usize>() > MAX_FILTERS {
            faults.add(
                "filter_groups",
                format!(
                    "the handle's own limits take {taken} filters of each group, and HubSpot takes {MAX_FILTERS} in all \
                     groups together"
                ),
            );
        }
        let bounded = Self {
            groups,
            ..self.clone()
        };
        if bounded.is_too_long() {
            faults.add(
                "filter_groups",
                format!(
                    "the handle's own limits take {taken} filters of each group, and with them the search has more than \
                     the {MAX_SEARCH_CHARS} characters that HubSpot takes"
                ),
            );
        }
        faults.resolve(Some(bounded))
    }

    fn is_too_long(&self) -> bool {
        self.to_hubspot().body().to_string().chars().count() > MAX_SEARCH_CHARS
    }

    fn check_group(&self, place: usize, group: &[Condition], faults: &mut Faults) {
        let field = format!("filter_groups[{place}].filters");
        if group.is_empty() || group.len() > MAX_FILTERS_IN_GROUP {
            faults.add(
                &field,
                format!("must hold 1 to {MAX_FILTERS_IN_GROUP} filters; split them over groups"),
            );
        }
        for (inner, condition) in group.iter().enumerate() {
            if condition
                .values
                .as_ref()
                .is_some_and(|values| values.is_empty() || values.len() > MAX_FILTER_VALUES)
            {
                faults.add(
                    format!("{field}[{inner}].values"),
                    format!("must hold 1 to {MAX_FILTER_VALUES} values"),
                );
            }
        }
    }

    /// The same among the records with a greater id than this, in the order of their ids: so a walk goes on where the
    /// results of one search end.
    #[must_use]
    pub fn beyond(&self, id: u64) -> Self {
        let later = Condition {
            property: PropertyName::known(RECORD_ID),
            operator: "GT",
            value: Some(id.to_string()),
            high_value: None,
            values: None,
        };
        let mut groups = self.groups.clone();
        if groups.is_empty() {
            groups.push(Vec::new());
        }
        for group in &mut groups {
            group.push(later.clone());
        }
        Self {
            groups,
            sort: Some((PropertyName::known(RECORD_ID), false)),
            ..self.clone()
        }
    }

    /// Every property that decides which records are found, or in which order. The id is none: it is told with each record.
    pub fn deciding_properties(&self) -> impl Iterator<Item = &PropertyName> {
        let compared = self.groups.iter().flatten().map(|condition| &condition.property);
        let all = compared.chain(self.sort.as_ref().map(|(property, _)| property));
        all.filter(|property| property.as_str() != RECORD_ID)
    }

    /// The same in HubSpot's words.
    pub fn to_hubspot(&self) -> objects::Search {
        objects::Search {
            filter_groups: self
                .groups
                .iter()
                .map(|group| group.iter().map(Condition::to_hubspot).collect())
                .collect(),
            query: self.query.clone(),
            properties: self
                .properties
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect(),
            sort: self
                .sort
                .as_ref()
                .map(|(property, descending)| (property.as_str().to_owned(), *descending)),
            limit: self.limit,
            after: (self.offset > 0).then(|| self.offset.to_string()),
        }
    }
}

impl Condition {
    fn to_hubspot(&self) -> objects::Filter {
        objects::Filter {
            property: self.property.as_str().to_owned(),
            operator: self.operator,
            value: self.value.clone(),
            high_value: self.high_value.clone(),
            values: self.values.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::error::ServiceError as _;

    use super::{super::bounds::Bounds, *};

    fn search(groups: &[usize]) -> Search {
        let condition = Condition {
            property: PropertyName::known("amount"),
            operator: "HAS_PROPERTY",
            value: None,
            high_value: None,
            values: None,
        };
        Search {
            object_type: ObjectType::read("deals").expect("a type"),
            groups: groups
                .iter()
                .map(|count| vec![condition.clone(); *count])
                .collect(),
            query: None,
            properties: PropertyNames::new(),
            sort: None,
            limit: 10,
            offset: 0,
        }
    }

    fn bounded(groups: &[usize]) -> Result<Search, Error> {
        let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let bounds = Bounds::read(&list(&["a", "b"]), &list(&["7"]));
        let within = bounds.of(&ObjectType::read("deals").expect("a type"));
        search(groups).within(&within.expect("possible"))
    }

    #[test]
    fn what_the_bounds_ask_stands_in_every_group_and_in_one_where_there_was_none() {
        for (groups, lengths) in [(&[][..], &[2][..]), (&[1, 4], &[3, 6])] {
            let bounded = bounded(groups).expect("it fits");
            let found: Vec<usize> = bounded.groups.iter().map(Vec::len).collect();
            assert_eq!(found, lengths);
            for group in &bounded.groups {
                let asked: Vec<_> = group
                    .iter()
                    .rev()
                    .take(2)
                    .map(|condition| (condition.property.as_str(), condition.operator))
                    .collect();
                assert_eq!(asked, [("hubspot_owner_id", "EQ"), ("pipeline", "IN")]);
            }
        }
    }

    #[test]
    fn bounds_that_leave_no_room_for_the_filters_are_told_as_a_fault_of_the_search() {
        for (groups, field) in [
            (&[5][..], "filter_groups[0].filters"),
            (&[3, 3, 3, 3], "filter_groups"),
        ] {
            let refused = bounded(groups).expect_err("too many");
            let violation = refused.field_violations().remove(0);
            assert_eq!(violation.field, field);
            assert!(
                violation.description.contains("own limits take 2"),
                "{violation:?}"
            );
        }
    }
}
