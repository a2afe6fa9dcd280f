//! What of a call is personal, for what lies sealed beside its entries: whom it names, what it writes, by what it searches.

use hubkeep_audit_log::Payload;

use super::{Call, Counted};
use crate::crm::{
    Ask, AssociationAsk, Batch, BatchWork, Between, Condition, NewAssociation, ObjectType, OwnerKey, Pair,
    PropertyName, PropertyValues, RecordId, RecordKey, Search,
};

/// What is sealed beside the intents of a call.
pub(super) fn payload_of(call: &Call<Counted>) -> Payload {
    let mut payload = Payload::default();
    payload.end_user(call.authority.grant().end_user());
    note(&mut payload, &call.ask);
    payload
}

fn note(payload: &mut Payload, ask: &Ask) {
    match ask {
        Ask::GetObject { key, .. } | Ask::ArchiveObject { key } | Ask::EraseContact { key } => {
            named(payload, key);
        }
        Ask::UpdateObject { key, values } => {
            named(payload, key);
            written(payload, values);
        }
        Ask::CreateObject {
            object_type,
            values,
            associations,
        } => made(payload, object_type, values, associations),
        Ask::MergeObjects {
            object_type,
            primary,
            merged,
        } => many(payload, object_type, [primary, merged], None),
        Ask::SearchObjects(search) => searched(payload, search),
        Ask::ListOwners {
            email: Some(email), ..
        } => payload.condition("email", "EQ", [email.as_str()]),
        Ask::GetOwner { key, .. } => owner(payload, key),
        Ask::Batch(batch) => of_batch(payload, batch),
        Ask::Association(ask) => of_association(payload, ask),
        // Nobody is named.
        Ask::ListObjects { .. } | Ask::ListOwners { .. } | Ask::Schema(_) | Ask::ReadAccount => {}
    }
}

fn owner(payload: &mut Payload, key: &OwnerKey) {
    let (id, id_property) = match key {
        OwnerKey::Owner(id) => (id, None),
        OwnerKey::User(id) => (id, Some("userId")),
    };
    payload.record(ObjectType::owners().as_str(), id.as_str(), id_property);
}

fn named(payload: &mut Payload, key: &RecordKey) {
    many(payload, &key.object_type, [&key.id], key.id_property.as_ref());
}

fn many<'a>(
    payload: &mut Payload,
    object_type: &ObjectType,
    ids: impl IntoIterator<Item = &'a RecordId>,
    id_property: Option<&PropertyName>,
) {
    for id in ids {
        payload.record(
            object_type.as_str(),
            id.as_str(),
            id_property.map(PropertyName::as_str),
        );
    }
}

fn written(payload: &mut Payload, values: &PropertyValues) {
    for (name, value) in values {
        payload.value(name.as_str(), value);
    }
}

/// A record that is to be made, and those it is associated with.
fn made(payload: &mut Payload, object_type: &ObjectType, values: &PropertyValues, others: &[NewAssociation]) {
    payload.record(object_type.as_str(), "", None);
    written(payload, values);
    for other in others {
        many(payload, &other.object_type, [&other.id], None);
    }
}

fn searched(payload: &mut Payload, search: &Search) {
    if let Some(words) = &search.query {
        payload.query(words);
    }
    for condition in search.groups.iter().flatten() {
        let Condition {
            property,
            operator,
            value,
            high_value,
            values,
        } = condition;
        let one = value.iter().chain(high_value).map(String::as_str);
        let several = values.iter().flatten().map(String::as_str);
        payload.condition(property.as_str(), operator, one.chain(several));
    }
}

fn of_batch(payload: &mut Payload, batch: &Batch) {
    let object_type = &batch.object_type;
    match &batch.work {
        BatchWork::Read { ids, id_property, .. } => many(payload, object_type, ids, id_property.as_ref()),
        BatchWork::Archive(ids) => many(payload, object_type, ids, None),
        BatchWork::Create(inputs) => {
            for input in inputs {
                made(payload, object_type, &input.values, &input.associations);
            }
        }
        BatchWork::Update { changes, id_property } => {
            changed(payload, object_type, changes, id_property.as_ref());
        }
        BatchWork::Upsert { changes, id_property } => {
            changed(payload, object_type, changes, Some(id_property));
        }
    }
}

fn changed(
    payload: &mut Payload,
    object_type: &ObjectType,
    changes: &[(RecordId, PropertyValues)],
    id_property: Option<&PropertyName>,
) {
    for (id, values) in changes {
        many(payload, object_type, [id], id_property);
        written(payload, values);
    }
}

fn of_association(payload: &mut Payload, ask: &AssociationAsk) {
    match ask {
        AssociationAsk::List { end, .. } => many(payload, &end.object_type, [&end.id], None),
        AssociationAsk::Create { end, to, .. } | AssociationAsk::Remove { end, to } => {
            many(payload, &end.object_type, [&end.id], None);
            many(payload, &end.to_type, [to], None);
        }
        AssociationAsk::ReadMany { between, of } => {
            many(payload, &between.object_type, of.iter().map(|(id, _)| id), None);
        }
        AssociationAsk::CreateMany { between, pairs } | AssociationAsk::RemoveMany { between, pairs } => {
            for pair in pairs {
                both(payload, between, pair);
            }
        }
        AssociationAsk::LabelMany { between, pairs } | AssociationAsk::UnlabelMany { between, pairs } => {
            for (pair, _) in pairs {
                both(payload, between, pair);
            }
        }
        AssociationAsk::Labels { .. } => {}
    }
}

fn both(payload: &mut Payload, between: &Between, pair: &Pair) {
    many(payload, &between.object_type, [&pair.from], None);
    many(payload, &between.to_type, [&pair.to], None);
}
