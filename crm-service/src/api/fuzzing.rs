//! What HubSpot answered, written into messages, for the fuzz targets in `tests/fuzz`. A door for them alone: no build of
//! the product has it.

use hubkeep_hubspot::{objects, owners};
use hubkeep_proto::crm::v1::{Object, Owner};

use super::write;

/// A record, as callers are given it.
pub fn object(object: objects::Object) -> Object {
    write::object(object)
}

/// An owner, as callers are given it.
pub fn owner(owner: owners::Owner) -> Owner {
    write::owner(owner)
}
