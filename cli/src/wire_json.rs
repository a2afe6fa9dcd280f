//! The services' messages as JSON: the field names of the `.proto` files, numbers as numbers, times in RFC 3339,
//! nothing left out. What a script reads is what the wire says.

use std::sync::LazyLock;

use hubkeep_proto::DESCRIPTOR_SET;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

use crate::errors::Error;

static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_SET).ok());

const OPTIONS: SerializeOptions = SerializeOptions::new()
    .stringify_64_bit_integers(false)
    .use_proto_field_name(true)
    .skip_default_fields(false);

/// The message, whose full name is `name`, as JSON.
///
/// # Errors
/// If `name` is not the message's name: a defect.
pub fn of<M: Message>(name: &str, message: &M) -> Result<Value, Error> {
    let defect = || Error::Failed(format!("{name} cannot be written as JSON"));
    let descriptor = POOL.as_ref().and_then(|pool| pool.get_message_by_name(name));
    let bytes = message.encode_to_vec();
    let dynamic = descriptor.and_then(|descriptor| DynamicMessage::decode(descriptor, bytes.as_slice()).ok());
    dynamic
        .and_then(|dynamic| {
            dynamic
                .serialize_with_options(serde_json::value::Serializer, &OPTIONS)
                .ok()
        })
        .ok_or_else(defect)
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::{
        audit::v1::{Entry, Event, Phase},
        credential::v1::Portal,
    };

    use super::*;

    #[test]
    fn names_are_those_of_the_proto_files_and_numbers_are_numbers() {
        let portal = Portal {
            client_slug: "acme".to_owned(),
            portal_id: 4_100_001,
            ..Portal::default()
        };
        let json = of("hubkeep.credential.v1.Portal", &portal).expect("serializes");
        assert_eq!(json["client_slug"], "acme");
        assert_eq!(json["portal_id"], 4_100_001);
        assert_eq!(json["account_type"], "ACCOUNT_TYPE_UNSPECIFIED");
    }

    #[test]
    fn enums_are_names_and_times_are_text() {
        let entry = Entry {
            phase: Phase::Intent.into(),
            entry_time: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 1_000_000,
            }),
            ..Entry::default()
        };
        let event = Event {
            entry: Some(entry),
            ..Event::default()
        };
        let json = of("hubkeep.audit.v1.Event", &event).expect("serializes");
        assert_eq!(json["entry"]["phase"], "PHASE_INTENT");
        assert_eq!(json["entry"]["entry_time"], "1970-01-01T00:00:00.001Z");
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(of("hubkeep.Nothing", &Portal::default()).is_err());
    }
}
