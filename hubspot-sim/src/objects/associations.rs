//! Which records belong together. Each association is kept from both sides, with the numbers that each side knows it by.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::ObjectType;
use super::labels::{Category, Label, Labels, TypeId};

/// A record, named from outside its table.
pub(crate) type Named = (ObjectType, u64);

/// The records of one type that one record is associated with, and how.
type Partners = BTreeMap<u64, BTreeSet<TypeId>>;

/// The associations of one account.
#[derive(Debug)]
pub(crate) struct Associations {
    /// What they can be called.
    pub(crate) labels: Labels,
    links: BTreeMap<(Named, ObjectType), Partners>,
}

impl Associations {
    /// None yet.
    pub(crate) fn none() -> Self {
        Self {
            labels: Labels::standard(),
            links: BTreeMap::new(),
        }
    }

    /// The first of these that is no type of association from one type of records to another.
    pub(crate) fn unknown(&self, from: ObjectType, to: ObjectType, types: &[TypeId]) -> Option<TypeId> {
        let known = |id: &&TypeId| self.labels.find(from, to, **id).is_some();
        types.iter().find(|id| !known(id)).copied()
    }

    /// Associates two records in these ways and no others. The plain association is always among them.
    pub(crate) fn set(&mut self, from: Named, to: Named, types: &[TypeId]) {
        let plain = self.labels.plain(from.0, to.0).map(|label| label.id);
        let wanted: Vec<Label> = types
            .iter()
            .chain(&plain)
            .filter_map(|id| self.labels.find(from.0, to.0, *id).cloned())
            .collect();
        for label in &wanted {
            self.make_room(from, to, label);
        }
        self.put(from, to, wanted.iter().map(|label| label.id).collect());
        self.put(to, from, wanted.iter().map(|label| label.inverse).collect());
    }

    /// Associates two records plainly. What they are called besides stays.
    pub(crate) fn add_plain(&mut self, from: Named, to: Named) {
        let have = self
            .links
            .get(&(from, to.0))
            .and_then(|partners| partners.get(&to.1));
        let types: Vec<TypeId> = have.into_iter().flatten().copied().collect();
        self.set(from, to, &types);
    }

    /// Takes some labels off. Without the plain association nothing is left.
    pub(crate) fn take_off(&mut self, from: Named, to: Named, types: &[TypeId]) {
        let plain = self.labels.plain(from.0, to.0).map(|label| label.id);
        if plain.is_some_and(|plain| types.contains(&plain)) {
            return self.cut(from, to);
        }
        for id in types {
            let Some(label) = self.labels.find(from.0, to.0, *id).cloned() else {
                continue;
            };
            self.drop_type(from, to, &label);
        }
    }

    /// Ends every association between two records.
    pub(crate) fn cut(&mut self, from: Named, to: Named) {
        for (from, to) in [(from, to), (to, from)] {
            if let Some(partners) = self.links.get_mut(&(from, to.0)) {
                partners.remove(&to.1);
            }
        }
    }

    /// The records of one type that a record is associated with, by id, with how they are.
    pub(crate) fn of(&self, from: Named, to: ObjectType) -> Vec<(u64, Vec<&Label>)> {
        let partners = self.links.get(&(from, to)).into_iter().flatten();
        let labels = |types: &BTreeSet<TypeId>| -> Vec<&Label> {
            let all = self.labels.between(from.0, to).iter();
            all.filter(|label| types.contains(&label.id)).collect()
        };
        partners.map(|(id, types)| (*id, labels(types))).collect()
    }

    /// Ends every association of a record that is no more.
    pub(crate) fn forget(&mut self, gone: Named) {
        for (to, _) in self.all_of(gone) {
            self.cut(gone, to);
        }
    }

    /// What one record was associated with, another of its type is from now on.
    pub(crate) fn hand_over(&mut self, kind: ObjectType, from: u64, to: u64) {
        for (partner, types) in self.all_of((kind, from)) {
            self.cut((kind, from), partner);
            if partner == (kind, to) {
                continue;
            }
            let have = self
                .links
                .get(&((kind, to), partner.0))
                .and_then(|partners| partners.get(&partner.1));
            let mut types: Vec<TypeId> = types
                .into_iter()
                .chain(have.into_iter().flatten().copied())
                .collect();
            // What it has a primary one of already, it keeps that.
            let taken = |id: &TypeId| {
                let label = self.labels.find(kind, partner.0, *id);
                label.is_some_and(|label| label.only_one) && self.has_one((kind, to), partner.0, *id)
            };
            types.retain(|id| !taken(id) || have.is_some_and(|have| have.contains(id)));
            self.set((kind, to), partner, &types);
        }
    }

    /// No record keeps a label that is no more.
    pub(crate) fn forget_label(&mut self, from: ObjectType, to: ObjectType, number: u32) -> bool {
        let id = (Category::User, number);
        let inverse = self.labels.find(from, to, id).map(|label| label.inverse);
        if !self.labels.remove(from, to, number) {
            return false;
        }
        for (((side, _), other), partners) in &mut self.links {
            for types in partners.values_mut() {
                if (*side, *other) == (from, to) {
                    types.remove(&id);
                }
                if (*side, *other) == (to, from) {
                    inverse.map(|inverse| types.remove(&inverse));
                }
            }
        }
        true
    }

    /// A record that can have only one of this sort gives up the one it has.
    fn make_room(&mut self, from: Named, to: Named, label: &Label) {
        let back = self.labels.find(to.0, from.0, label.inverse);
        if label.only_one {
            self.clear_type(from, to.0, &label.clone());
        } else if let Some(back) = back.filter(|back| back.only_one).cloned() {
            self.clear_type(to, from.0, &back);
        }
    }

    fn clear_type(&mut self, from: Named, to: ObjectType, label: &Label) {
        for (id, _) in self
            .all_of(from)
            .into_iter()
            .filter_map(|(named, types)| (named.0 == to).then_some((named.1, types)))
        {
            self.drop_type(from, (to, id), label);
        }
    }

    fn has_one(&self, from: Named, to: ObjectType, id: TypeId) -> bool {
        let partners = self.links.get(&(from, to)).into_iter().flatten();
        partners.into_iter().any(|(_, types)| types.contains(&id))
    }

    fn drop_type(&mut self, from: Named, to: Named, label: &Label) {
        for (from, to, id) in [(from, to, label.id), (to, from, label.inverse)] {
            let partners = self.links.get_mut(&(from, to.0));
            if let Some(types) = partners.and_then(|partners| partners.get_mut(&to.1)) {
                types.remove(&id);
            }
        }
    }

    fn put(&mut self, from: Named, to: Named, types: BTreeSet<TypeId>) {
        self.links.entry((from, to.0)).or_default().insert(to.1, types);
    }

    /// Everything that a record is associated with.
    fn all_of(&self, from: Named) -> Vec<(Named, BTreeSet<TypeId>)> {
        // Contacts are the first of all types.
        let own = self.links.range((from, ObjectType::Contacts)..);
        own.take_while(|((side, _), _)| *side == from)
            .flat_map(|((_, to), partners)| partners.iter().map(|(id, types)| ((*to, *id), types.clone())))
            .collect()
    }
}
