//! What an operation is in OCSF's words for the activity of an API.

use hubkeep_proto::audit::v1::Operation;

/// `activity_id` of API Activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Create = 1,
    Read = 2,
    Update = 3,
    Delete = 4,
    /// `activity_name` says which.
    Other = 99,
}

impl Activity {
    pub(super) const fn number(self) -> i64 {
        self as i64
    }

    pub(super) const fn caption(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Other => "Other",
        }
    }

    /// By the last word of the operation's name: each says what is done.
    pub(super) fn of(operation: Operation) -> Self {
        let name = operation.as_str_name();
        match name.rsplit('_').next().unwrap_or_default() {
            "CREATE" | "ONBOARD" | "IMPORT" | "ISSUE" | "RESERVE" | "REGISTER" => Self::Create,
            "GET" | "LIST" | "SEARCH" | "READ" | "STREAM" | "WATCH" | "CHECK" | "INTROSPECT" | "EXPORT"
            | "CHECKPOINT" | "PROOF" | "STATUS" | "RUN" | "PROBE" | "VERIFY" => Self::Read,
            "UPDATE" | "UPSERT" | "MERGE" | "PUT" | "NARROW" | "SWITCH" | "ROTATE" | "RENEW" | "SUSPEND"
            | "RESUME" | "REFRESH" | "ACKNOWLEDGE" | "CONTAIN" | "LIFT" => Self::Update,
            "ARCHIVE" | "ERASE" | "REMOVE" | "REVOKE" | "DELETE" | "SWEEP" | "TOMBSTONE" => Self::Delete,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_a_crm_are_what_their_names_say() {
        let table = [
            (Operation::ObjectGet, Activity::Read),
            (Operation::ObjectBatchCreate, Activity::Create),
            (Operation::ObjectUpsert, Activity::Update),
            (Operation::ContactErase, Activity::Delete),
            (Operation::AssociationRemove, Activity::Delete),
            (Operation::HandleRedeem, Activity::Other),
        ];
        for (operation, activity) in table {
            assert_eq!(Activity::of(operation), activity, "{operation:?}");
        }
    }
}
