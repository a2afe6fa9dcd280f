//! The names of reasons as they stand in `google.rpc.ErrorInfo`.

use crate::error::v1::ErrorReason;

const PREFIX: &str = "ERROR_REASON_";

impl ErrorReason {
    /// The name as it is sent in `ErrorInfo.reason`: "HANDLE_INVALID".
    pub fn wire_name(self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix(PREFIX).unwrap_or(name)
    }

    /// The reason with this wire name, if there is one.
    pub fn from_wire_name(name: &str) -> Option<Self> {
        Self::from_str_name(&format!("{PREFIX}{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_survives_the_wire() {
        let reason = ErrorReason::HandleInvalid;
        assert_eq!(reason.wire_name(), "HANDLE_INVALID");
        assert_eq!(ErrorReason::from_wire_name("HANDLE_INVALID"), Some(reason));
    }

    #[test]
    fn an_unknown_name_is_no_reason() {
        assert_eq!(ErrorReason::from_wire_name("NO_SUCH_THING"), None);
    }
}
