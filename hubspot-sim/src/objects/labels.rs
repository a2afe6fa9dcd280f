//! What an association can be called: HubSpot's own types, and the labels that an account has defined.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::kind::ObjectType;
use super::kind::ObjectType::{
    Calls, Companies, Contacts, Deals, Emails, LineItems, Meetings, Notes, Quotes, Tasks, Tickets,
};

/// Who has defined a type of association. Numbers are told apart only together with it: an account's own begin at 1 again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Category {
    HubSpot,
    User,
}

impl Category {
    /// The category of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "HUBSPOT_DEFINED" => Some(Self::HubSpot),
            "USER_DEFINED" => Some(Self::User),
            _ => None,
        }
    }

    /// `HUBSPOT_DEFINED`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HubSpot => "HUBSPOT_DEFINED",
            Self::User => "USER_DEFINED",
        }
    }
}

/// A type of association.
pub(crate) type TypeId = (Category, u32);

/// A type of association, as one of its two sides sees it.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// Its number from this side.
    pub(crate) id: TypeId,
    /// Its number from the other side.
    pub(crate) inverse: TypeId,
    /// What people see; the plain association has none.
    pub(crate) label: Option<String>,
    /// The internal name: `contact_to_company`.
    pub(crate) name: String,
    /// Whether the record on this side can have only one.
    pub(crate) only_one: bool,
}

impl Label {
    /// As answers show it.
    pub(crate) fn render(&self) -> Value {
        json!({ "category": self.id.0.name(), "typeId": self.id.1, "label": self.label })
    }
}

/// Every type of association in one account, by the types on its two sides.
#[derive(Debug)]
pub(crate) struct Labels {
    pairs: BTreeMap<(ObjectType, ObjectType), Vec<Label>>,
    /// The number of the label that was defined last.
    last_user_type: u32,
    /// The number of the association that a custom type was last given.
    last_plain_type: u32,
}

impl Labels {
    /// HubSpot's own.
    pub(crate) fn standard() -> Self {
        let mut labels = Self {
            pairs: BTreeMap::new(),
            last_user_type: 0,
            last_plain_type: 10_000,
        };
        for &(a, b, there, back) in PLAIN {
            labels.pair(a, b, Named::plain(there), Named::plain(back), false);
        }
        for &(a, b, there, back) in PRIMARY {
            labels.pair(
                a,
                b,
                Named::called(there, "Primary"),
                Named::called(back, "Primary"),
                true,
            );
        }
        let (child, parent) = (
            Named::called(13, "Child Company"),
            Named::called(14, "Parent Company"),
        );
        labels.pair(Companies, Companies, child, parent, false);
        let companies = (Companies, Companies);
        labels.rename(companies, (Category::HubSpot, 13), "parent_to_child_company");
        labels.rename(companies, (Category::HubSpot, 14), "child_to_parent_company");
        labels
    }

    /// All types between two types of records, the plain one first.
    pub(crate) fn between(&self, from: ObjectType, to: ObjectType) -> &[Label] {
        self.pairs.get(&(from, to)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The plain association between two types of records, if they can be associated.
    pub(crate) fn plain(&self, from: ObjectType, to: ObjectType) -> Option<&Label> {
        self.between(from, to).iter().find(|label| label.label.is_none())
    }

    /// One type of association.
    pub(crate) fn find(&self, from: ObjectType, to: ObjectType, id: TypeId) -> Option<&Label> {
        self.between(from, to).iter().find(|label| label.id == id)
    }

    /// The type of records that a type of association leads to.
    pub(crate) fn leads_to(&self, from: ObjectType, id: TypeId) -> Option<ObjectType> {
        let mut pairs = self.pairs.iter().filter(|((side, _), _)| *side == from);
        let found = pairs.find(|(_, labels)| labels.iter().any(|label| label.id == id));
        found.map(|((_, to), _)| *to)
    }

    /// Shows a label in other words. Says whether there is such a label.
    pub(crate) fn relabel(
        &mut self,
        (from, to): (ObjectType, ObjectType),
        id: TypeId,
        label: &str,
        inverse: Option<&str>,
    ) -> bool {
        let found = self.find(from, to, id).filter(|found| found.label.is_some());
        let Some(back) = found.map(|found| found.inverse) else {
            return false;
        };
        self.show((from, to), id, label);
        if let Some(inverse) = inverse {
            self.show((to, from), back, inverse);
        }
        true
    }

    /// Lets a custom type be associated with every type there is, itself included.
    pub(crate) fn admit(&mut self, custom: ObjectType, others: &[ObjectType]) {
        for other in others {
            if self.plain(custom, *other).is_some() {
                continue;
            }
            let there = self.last_plain_type + 1;
            let back = if custom == *other { there } else { there + 1 };
            self.last_plain_type = back;
            self.pair(
                custom,
                *other,
                Named::user(there, None),
                Named::user(back, None),
                false,
            );
        }
    }

    /// Defines a label, and the one that the other side sees. Gives both as they are numbered.
    pub(crate) fn define(
        &mut self,
        (from, to): (ObjectType, ObjectType),
        name: &str,
        label: &str,
        inverse: Option<&str>,
    ) -> Vec<Label> {
        let there = self.last_user_type + 1;
        // Within one type a label without an inverse of its own is its own inverse.
        let back = if from == to && inverse.is_none() {
            there
        } else {
            there + 1
        };
        self.last_user_type = back;
        let (first, second) = (
            Named::user(there, Some(label)),
            Named::user(back, Some(inverse.unwrap_or(label))),
        );
        self.pair(from, to, first, second, false);
        let (there, back) = ((Category::User, there), (Category::User, back));
        self.rename((from, to), there, name);
        self.rename((to, from), back, name);
        let both = [self.find(from, to, there), self.find(to, from, back)];
        let mut both: Vec<Label> = both.into_iter().flatten().cloned().collect();
        both.dedup_by(|a, b| a.id == b.id);
        both
    }

    /// Takes away a label that the account has defined, from both sides. Says whether there was one.
    pub(crate) fn remove(&mut self, from: ObjectType, to: ObjectType, number: u32) -> bool {
        let id = (Category::User, number);
        let Some(label) = self
            .find(from, to, id)
            .filter(|label| label.label.is_some())
            .cloned()
        else {
            return false;
        };
        for (pair, id) in [((from, to), id), ((to, from), label.inverse)] {
            self.pairs.entry(pair).or_default().retain(|label| label.id != id);
        }
        true
    }

    fn show(&mut self, pair: (ObjectType, ObjectType), id: TypeId, label: &str) {
        let labels = self.pairs.entry(pair).or_default().iter_mut();
        labels
            .filter(|one| one.id == id)
            .for_each(|one| one.label = Some(label.to_owned()));
    }

    fn rename(&mut self, pair: (ObjectType, ObjectType), id: TypeId, name: &str) {
        let labels = self.pairs.entry(pair).or_default().iter_mut();
        labels
            .filter(|label| label.id == id)
            .for_each(|label| name.clone_into(&mut label.name));
    }

    fn pair(&mut self, a: ObjectType, b: ObjectType, there: Named, back: Named, only_one: bool) {
        let name = |from: ObjectType, to: ObjectType| format!("{}_to_{}", singular(from), singular(to));
        let side = |one: &Named, other: &Named, name: String, only_one| Label {
            id: one.id,
            inverse: other.id,
            label: one.label.clone(),
            name,
            only_one,
        };
        let first = side(&there, &back, name(a, b), only_one);
        self.pairs.entry((a, b)).or_default().push(first);
        if a != b || there.id != back.id {
            let second = side(&back, &there, name(b, a), false);
            self.pairs.entry((b, a)).or_default().push(second);
        }
        // Where there is a primary one, the plain one is called otherwise.
        if only_one {
            for pair in [(a, b), (b, a)] {
                let labels = self.pairs.entry(pair).or_default();
                let plain = labels.iter_mut().find(|label| label.label.is_none());
                plain
                    .into_iter()
                    .for_each(|label| label.name.push_str("_unlabeled"));
            }
        }
    }
}

/// One side of a type of association.
struct Named {
    id: TypeId,
    label: Option<String>,
}

impl Named {
    fn plain(number: u32) -> Self {
        let id = (Category::HubSpot, number);
        Self { id, label: None }
    }

    fn called(number: u32, label: &str) -> Self {
        let label = Some(label.to_owned());
        Self {
            label,
            ..Self::plain(number)
        }
    }

    fn user(number: u32, label: Option<&str>) -> Self {
        let id = (Category::User, number);
        let label = label.map(str::to_owned);
        Self { id, label }
    }
}

fn singular(kind: ObjectType) -> String {
    match kind {
        ObjectType::Custom(_) => kind.type_id().replace('-', "_"),
        standard => standard.facts().singular.to_owned(),
    }
}

/// The plain associations: from, to, number there, number back.
const PLAIN: &[(ObjectType, ObjectType, u32, u32)] = &[
    (Contacts, Companies, 279, 280),
    (Contacts, Deals, 4, 3),
    (Contacts, Tickets, 15, 16),
    (Companies, Deals, 342, 341),
    (Companies, Tickets, 340, 339),
    (Deals, Tickets, 27, 28),
    (Contacts, Contacts, 449, 449),
    (Companies, Companies, 450, 450),
    (Deals, Deals, 451, 451),
    (Tickets, Tickets, 452, 452),
    (Notes, Contacts, 202, 201),
    (Notes, Companies, 190, 189),
    (Notes, Deals, 214, 213),
    (Notes, Tickets, 228, 227),
    (Tasks, Contacts, 204, 203),
    (Tasks, Companies, 192, 191),
    (Tasks, Deals, 216, 215),
    (Tasks, Tickets, 230, 229),
    (Calls, Contacts, 194, 193),
    (Calls, Companies, 182, 181),
    (Calls, Deals, 206, 205),
    (Calls, Tickets, 220, 219),
    (Emails, Contacts, 198, 197),
    (Emails, Companies, 186, 185),
    (Emails, Deals, 210, 209),
    (Emails, Tickets, 224, 223),
    (Meetings, Contacts, 200, 199),
    (Meetings, Companies, 188, 187),
    (Meetings, Deals, 212, 211),
    (Meetings, Tickets, 226, 225),
    (Deals, LineItems, 19, 20),
    (Quotes, LineItems, 67, 68),
    (Quotes, Deals, 64, 63),
    (Quotes, Contacts, 69, 70),
    (Quotes, Companies, 71, 72),
];

/// The associations of which the first side can have only one.
const PRIMARY: &[(ObjectType, ObjectType, u32, u32)] = &[
    (Contacts, Companies, 1, 2),
    (Deals, Companies, 5, 6),
    (Tickets, Companies, 26, 25),
];
