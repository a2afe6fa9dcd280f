//! Which events are wanted, as the command line says it.

use clap::Args;
use hubkeep_proto::audit::v1::{EventFilter, Operation, Phase, Result as EntryResult, Severity};
use jiff::Timestamp;

use crate::{
    commands::{
        report::record,
        time::{moment, on_the_wire},
    },
    errors::Error,
};

/// Unset options exclude nothing; set ones must all hold.
#[derive(Args, Debug)]
pub(super) struct Which {
    /// Only this portal's entries, by its slug.
    #[arg(long, value_name = "SLUG")]
    portal: Option<String>,
    /// Only what this caller did.
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Only these phases: intent, outcome, denied, admin.
    #[arg(long, value_delimiter = ',', value_parser = phase, value_name = "PHASE,…")]
    phase: Vec<Phase>,
    /// Only these operations: object-get, handle-issue, portal-import, …
    #[arg(long, value_delimiter = ',', value_parser = operation, value_name = "OPERATION,…")]
    operation: Vec<Operation>,
    /// All entries of one logical call.
    #[arg(long, value_name = "CALL-ID")]
    call: Option<String>,
    /// Only this log, by its full name: "<deployment>/<service>/<portal id>" or ".../system".
    #[arg(long, value_name = "NAME")]
    log: Option<String>,
    /// Only these results: ok, refused, failed, unknown.
    #[arg(long, value_delimiter = ',', value_parser = result, value_name = "RESULT,…")]
    result: Vec<EntryResult>,
    /// Only what is as severe as this, or more: informational, low, medium, high, critical.
    #[arg(long, value_parser = severity, value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// Only what was recorded from then on: a day, or a time such as 2026-11-29T08:00:00Z.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Only what was recorded before: a day, or a time.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Only CRM objects of this type: contacts, deals, …
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "object")]
    object_type: Option<String>,
    /// Only entries about this record, or that name it among others. Needs --portal, and crm-service alone.
    #[arg(long, value_parser = record, value_name = "TYPE/ID", requires = "portal")]
    object: Option<(String, String)>,
    /// The same by the keyed hash that stands in entries.
    #[arg(long, value_name = "HASH", conflicts_with = "object")]
    object_ref: Option<String>,
}

impl Which {
    pub(super) fn into_filter(self) -> EventFilter {
        let (object_type, object_id) = self.object.unzip();
        EventFilter {
            client_slug: self.portal.unwrap_or_default(),
            caller: self.caller.unwrap_or_default(),
            phases: self.phase.into_iter().map(Into::into).collect(),
            operations: self.operation.into_iter().map(Into::into).collect(),
            call_id: self.call.unwrap_or_default(),
            log: self.log.unwrap_or_default(),
            results: self.result.into_iter().map(Into::into).collect(),
            min_severity: self.severity.unwrap_or_default().into(),
            start_time: self.since.map(on_the_wire),
            end_time: self.until.map(on_the_wire),
            object_type: object_type.or(self.object_type).unwrap_or_default(),
            object_id: object_id.unwrap_or_default(),
            object_ref: self.object_ref.unwrap_or_default(),
        }
    }

    /// The portal, where nothing but a portal may be asked for.
    pub(super) fn portal_alone(self) -> Result<String, Error> {
        let filter = self.into_filter();
        let alone = EventFilter {
            client_slug: filter.client_slug.clone(),
            ..EventFilter::default()
        };
        if filter.client_slug.is_empty() || filter != alone {
            let why =
                "a bundle is a portal's whole log: name --portal, and nothing else of which entries you want";
            return Err(Error::Usage(why.to_owned()));
        }
        Ok(filter.client_slug)
    }
}

/// "object-get", "object_get" and "OBJECT_GET" are the same word.
fn wire_word(prefix: &str, text: &str) -> String {
    format!("{prefix}{}", text.to_uppercase().replace(['-', '.'], "_"))
}

fn phase(text: &str) -> Result<Phase, String> {
    Phase::from_str_name(&wire_word("PHASE_", text))
        .filter(|phase| *phase != Phase::Unspecified)
        .ok_or_else(|| "expected intent, outcome, denied or admin".to_owned())
}

fn result(text: &str) -> Result<EntryResult, String> {
    EntryResult::from_str_name(&wire_word("RESULT_", text))
        .filter(|result| *result != EntryResult::Unspecified)
        .ok_or_else(|| "expected ok, refused, failed or unknown".to_owned())
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::from_str_name(&wire_word("SEVERITY_", text))
        .filter(|severity| *severity != Severity::Unspecified)
        .ok_or_else(|| "expected informational, low, medium, high or critical".to_owned())
}

fn operation(text: &str) -> Result<Operation, String> {
    Operation::from_str_name(&wire_word("OPERATION_", text))
        .filter(|operation| *operation != Operation::Unspecified)
        .ok_or_else(|| {
            let all = (1..=200).filter_map(|number| Operation::try_from(number).ok());
            let words: Vec<String> = all.map(super::line::operation).collect();
            format!("expected one of {}", words.join(", "))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_wire_in_any_case() {
        assert_eq!(phase("intent"), Ok(Phase::Intent));
        assert_eq!(operation("object-get"), Ok(Operation::ObjectGet));
        assert_eq!(operation("OBJECT_GET"), Ok(Operation::ObjectGet));
        assert_eq!(result("unknown"), Ok(EntryResult::Unknown));
        assert_eq!(severity("high"), Ok(Severity::High));
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        assert!(phase("unspecified").is_err());
        assert!(result("done").is_err() && severity("bad").is_err());
        let told = operation("fetch").expect_err("unknown");
        assert!(
            told.contains("object-get") && told.contains("handle-redeem") && told.contains("other"),
            "{told}"
        );
    }
}
