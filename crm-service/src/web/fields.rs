//! Every field of an entry, by its name on the wire.

use hubkeep_audit_log::{Entry, ObjectRef, Pruning};

use super::{times, words};

/// The fields that an entry has, in the order of the wire; what says nothing is left out.
pub(super) fn of(entry: &Entry) -> Vec<(&'static str, String)> {
    let quota = entry.quota_left.unwrap_or_default();
    let left = |left: Option<i64>| left.map(|left| left.to_string()).unwrap_or_default();
    let fields = [
        ("entry_id", entry.entry_id.clone()),
        (
            "entry_time",
            entry.entry_time.map(times::exact).unwrap_or_default(),
        ),
        ("phase", words::phase(entry.phase()).to_owned()),
        ("operation", words::operation(entry.operation()).to_owned()),
        ("call_id", entry.call_id.clone()),
        ("attempt", number(entry.attempt.into())),
        ("portal_id", number(entry.portal_id)),
        ("client_slug", entry.client_slug.clone()),
        ("caller", entry.caller.clone()),
        ("handle_id", entry.handle_id.clone()),
        ("purpose_code", entry.purpose_code.clone()),
        ("credential_version", number(entry.credential_version)),
        ("object_type", entry.object_type.clone()),
        ("object_ref", entry.object_ref.clone()),
        ("http_method", entry.http_method.clone()),
        ("path_template", entry.path_template.clone()),
        ("status_code", number(entry.status_code.into())),
        ("result", words::result(entry.result()).to_owned()),
        ("cause", words::cause(entry.cause()).to_owned()),
        ("reason", words::reason(entry).to_owned()),
        ("duration", entry.duration.map(times::took).unwrap_or_default()),
        ("record_count", number(entry.record_count.into())),
        ("request_bytes", number(entry.request_bytes)),
        ("response_bytes", number(entry.response_bytes)),
        ("hubspot_correlation_id", entry.hubspot_correlation_id.clone()),
        ("quota_left.daily", left(quota.daily)),
        ("quota_left.interval", left(quota.interval)),
        ("occurrence_count", number(entry.occurrence_count.into())),
        ("token_fingerprint", entry.token_fingerprint.clone()),
        ("request_id", entry.request_id.clone()),
        ("grpc_method", entry.grpc_method.clone()),
        ("physical_id", entry.physical_id.clone()),
        ("record_refs", refs(entry)),
        ("payload_sha256", hex::encode(&entry.payload_sha256)),
        ("actor_ref", entry.actor_ref.clone()),
        ("trace_id", entry.trace_id.clone()),
        ("instance", entry.instance.clone()),
        ("subject", entry.subject.clone()),
        (
            "pruning.entries",
            entry.pruning.as_deref().map(pruned).unwrap_or_default(),
        ),
        (
            "severity (follows from the others)",
            words::severity(entry.severity()).to_owned(),
        ),
    ];
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn number(number: u64) -> String {
    match number {
        0 => String::new(),
        number => number.to_string(),
    }
}

/// What goes, by index, and the checkpoint that covers it.
fn pruned(pruning: &Pruning) -> String {
    format!(
        "{} to before {}; checkpoint of {} with the root {}",
        pruning.from_index,
        pruning.below_index,
        pruning.checkpoint_size,
        hex::encode(&pruning.checkpoint_root)
    )
}

fn refs(entry: &Entry) -> String {
    let refs = entry.record_refs.chunks(ObjectRef::BYTES).map(hex::encode);
    refs.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::DESCRIPTOR_SET;
    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// The names of the fields of the message on the wire.
    fn on_the_wire() -> Vec<String> {
        let files = FileDescriptorSet::decode(DESCRIPTOR_SET).expect("descriptors");
        let messages = files.file.into_iter().flat_map(|file| file.message_type);
        let mut entries = messages.filter(|message| message.name() == "Entry");
        let entry = entries.next().expect("an entry");
        entry.field.iter().map(|field| field.name().to_owned()).collect()
    }

    #[test]
    fn every_field_of_the_wire_is_shown() {
        let full = Entry {
            entry_time: Some(prost_types::Timestamp::default()),
            phase: 1,
            operation: 1,
            attempt: 1,
            portal_id: 1,
            credential_version: 1,
            status_code: 1,
            result: 1,
            cause: 1,
            reason: 1,
            duration: Some(prost_types::Duration::default()),
            record_count: 1,
            request_bytes: 1,
            response_bytes: 1,
            quota_left: Some(hubkeep_audit_log::QuotaLeft {
                daily: Some(0),
                interval: Some(0),
            }),
            occurrence_count: 1,
            record_refs: vec![7; 32],
            payload_sha256: vec![7; 32],
            pruning: Some(Box::default()),
            ..texts("x")
        };
        let shown: Vec<&str> = of(&full).into_iter().map(|(name, _)| name).collect();
        for name in on_the_wire() {
            let found = shown
                .iter()
                .any(|shown| shown.split('.').next() == Some(name.as_str()));
            assert!(found, "{name} in {shown:?}");
        }
        assert_eq!(of(&Entry::default()).len(), 1, "nothing but the severity");
    }

    fn texts(text: &str) -> Entry {
        let text = || text.to_owned();
        Entry {
            entry_id: text(),
            call_id: text(),
            client_slug: text(),
            caller: text(),
            handle_id: text(),
            purpose_code: text(),
            object_type: text(),
            object_ref: text(),
            http_method: text(),
            path_template: text(),
            hubspot_correlation_id: text(),
            token_fingerprint: text(),
            request_id: text(),
            grpc_method: text(),
            physical_id: text(),
            subject: text(),
            actor_ref: text(),
            trace_id: text(),
            instance: text(),
            ..Entry::default()
        }
    }
}
