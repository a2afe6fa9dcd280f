//! Which events are wanted, as the command line says it.

use clap::Args;
use hubkeep_proto::audit::v1::{EventFilter, Operation, Phase};

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
}

impl Which {
    pub(super) fn into_filter(self) -> EventFilter {
        EventFilter {
            client_slug: self.portal.unwrap_or_default(),
            caller: self.caller.unwrap_or_default(),
            phases: self.phase.into_iter().map(Into::into).collect(),
            operations: self.operation.into_iter().map(Into::into).collect(),
            call_id: self.call.unwrap_or_default(),
        }
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
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_known_ones() {
        assert!(phase("unspecified").is_err());
        let told = operation("fetch").expect_err("unknown");
        assert!(
            told.contains("object-get") && told.contains("handle-redeem") && told.contains("other"),
            "{told}"
        );
    }
}
