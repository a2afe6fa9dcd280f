//! A search, as HubSpot takes it.

use serde_json::{Value, json};

use super::set;

/// A search, in HubSpot's own words. It has no `Debug`: what is looked for may be personal data.
#[derive(Clone, Default)]
pub struct Search {
    /// Groups of conditions: any group, all of its conditions.
    pub filter_groups: Vec<Vec<Filter>>,
    /// Words to look for.
    pub query: Option<String>,
    /// The properties wanted; none for HubSpot's default ones.
    pub properties: Vec<String>,
    /// Property, and whether the largest comes first.
    pub sort: Option<(String, bool)>,
    /// At most this many, up to 200.
    pub limit: u32,
    /// Where the page begins.
    pub after: Option<String>,
}

/// One condition of a search.
#[derive(Clone)]
pub struct Filter {
    /// The property.
    pub property: String,
    /// HubSpot's operator: "EQ", "BETWEEN", …
    pub operator: &'static str,
    /// The value, for operators that take one.
    pub value: Option<String>,
    /// The upper end of BETWEEN.
    pub high_value: Option<String>,
    /// The values of IN and NOT_IN.
    pub values: Option<Vec<String>>,
}

impl Search {
    /// The body that is sent.
    pub fn body(&self) -> Value {
        let groups = self
            .filter_groups
            .iter()
            .map(|group| json!({ "filters": group.iter().map(Filter::body).collect::<Vec<_>>() }));
        let mut body = json!({ "filterGroups": groups.collect::<Vec<_>>(), "limit": self.limit });
        set(&mut body, "query", self.query.clone().map(Value::from));
        set(&mut body, "after", self.after.clone().map(Value::from));
        let properties = (!self.properties.is_empty()).then(|| Value::from(self.properties.clone()));
        set(&mut body, "properties", properties);
        let sorts = self.sort.as_ref().map(|(property, descending)| {
            let direction = if *descending { "DESCENDING" } else { "ASCENDING" };
            json!([{ "propertyName": property, "direction": direction }])
        });
        set(&mut body, "sorts", sorts);
        body
    }
}

impl Filter {
    fn body(&self) -> Value {
        let mut body = json!({ "propertyName": self.property, "operator": self.operator });
        set(&mut body, "value", self.value.clone().map(Value::from));
        set(&mut body, "highValue", self.high_value.clone().map(Value::from));
        set(&mut body, "values", self.values.clone().map(Value::from));
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_written_as_hubspot_takes_it() {
        let filter = Filter {
            property: "email".to_owned(),
            operator: "IN",
            value: None,
            high_value: None,
            values: Some(vec!["a".to_owned()]),
        };
        let search = Search {
            filter_groups: vec![vec![filter]],
            sort: Some(("x".to_owned(), true)),
            limit: 5,
            ..Search::default()
        };
        let expected = json!({
            "filterGroups": [{"filters": [{"propertyName": "email", "operator": "IN", "values": ["a"]}]}],
            "sorts": [{"propertyName": "x", "direction": "DESCENDING"}],
            "limit": 5
        });
        assert_eq!(search.body(), expected);
    }
}
