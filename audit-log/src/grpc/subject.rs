//! What a request about payloads names: a reason, and a record.

use hubkeep_core::{error::ServiceError as _, id::ClientSlug};
use hubkeep_proto::audit::v1::PayloadSubject;

use super::error::Error;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 256;
/// As long as what entries keep of a type, in characters.
const LONGEST_TYPE: usize = 256;

/// A record that is named.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) client_slug: ClientSlug,
    pub(super) object_type: &'a str,
    pub(super) object_id: &'a str,
}

/// A reason, which must be stated.
pub(super) fn reason(text: &str) -> Result<&str, Error> {
    let reason = text.trim();
    if (1..=LONGEST_REASON).contains(&reason.chars().count()) {
        return Ok(reason);
    }
    Err(Error::field(
        "reason",
        "say why, in 1 to 256 characters: it is kept in the portal's log",
    ))
}

/// Reads it: each field must be stated.
pub(super) fn read(wire: &PayloadSubject) -> Result<Subject<'_>, Error> {
    let client_slug = wire.client_slug.parse();
    let client_slug = client_slug.map_err(|error: <ClientSlug as std::str::FromStr>::Err| {
        Error::field("subject.client_slug", &error.to_string())
    })?;
    if !(1..=LONGEST_TYPE).contains(&wire.object_type.chars().count()) {
        return Err(Error::field(
            "subject.object_type",
            "say of what type the record is, in at most 256 characters",
        ));
    }
    if wire.object_id.is_empty() {
        return Err(Error::field(
            "subject.object_id",
            "name the record by HubSpot's id",
        ));
    }
    Ok(Subject {
        client_slug,
        object_type: &wire.object_type,
        object_id: &wire.object_id,
    })
}

/// What is said of a filter's fields, of those of a subject.
pub(super) fn of_subject(error: Error) -> Error {
    let mut faults = error.field_violations();
    if faults.is_empty() {
        return error;
    }
    for fault in &mut faults {
        if let Some(field) = fault.field.strip_prefix("filter.") {
            fault.field = format!("subject.{field}");
        }
    }
    Error::InvalidField(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_must_be_stated_and_be_short() {
        assert_eq!(
            reason("  asked by the client ").expect("stated"),
            "asked by the client"
        );
        for refused in ["", "   ", &"x".repeat(257)] {
            assert!(reason(refused).is_err());
        }
    }

    #[test]
    fn every_field_of_a_subject_must_be_stated() {
        let named = PayloadSubject {
            client_slug: "acme".to_owned(),
            object_type: "contacts".to_owned(),
            object_id: "7".to_owned(),
        };
        assert!(read(&named).is_ok());
        for (field, without) in [
            (
                "subject.client_slug",
                PayloadSubject {
                    client_slug: String::new(),
                    ..named.clone()
                },
            ),
            (
                "subject.object_type",
                PayloadSubject {
                    object_type: String::new(),
                    ..named.clone()
                },
            ),
            (
                "subject.object_id",
                PayloadSubject {
                    object_id: String::new(),
                    ..named.clone()
                },
            ),
        ] {
            let refused = read(&without).expect_err("refused");
            assert_eq!(refused.field_violations()[0].field, field);
        }
    }

    #[test]
    fn a_fault_is_told_of_the_field_that_the_caller_has_set() {
        let told = of_subject(Error::field("filter.object_id", "must be a number"));
        assert_eq!(told.field_violations()[0].field, "subject.object_id");
        assert!(matches!(of_subject(Error::Stopping), Error::Stopping));
    }
}
