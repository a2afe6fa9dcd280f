//! What a call gave, written into messages.

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{objects, owners};
use hubkeep_proto::crm::v1::{Object, Owner, QuotaLeft, Reply as WireReply};

use crate::call::Reply;

pub(super) fn about(reply: &Reply) -> WireReply {
    let left = reply.limits.quota_left();
    WireReply {
        portal_id: reply.portal.portal_id().get(),
        client_slug: reply.portal.client_slug().to_string(),
        call_id: reply.call_id.to_string(),
        audit_position: reply.outcome.get(),
        attempt_count: reply.attempts,
        quota_left: left.map(|left| QuotaLeft {
            daily: left.daily,
            interval: left.interval,
        }),
    }
}

pub(super) fn object(object: objects::Object) -> Object {
    Object {
        object_id: object.id,
        properties: object.properties,
        create_time: object.created.map(Timestamp::into),
        update_time: object.updated.map(Timestamp::into),
        archived: object.archived,
    }
}

pub(super) fn owner(owner: owners::Owner) -> Owner {
    Owner {
        owner_id: owner.id,
        user_id: owner.user_id,
        email: owner.email,
        first_name: owner.first_name,
        last_name: owner.last_name,
        archived: owner.archived,
        create_time: owner.created.map(Timestamp::into),
        update_time: owner.updated.map(Timestamp::into),
    }
}
