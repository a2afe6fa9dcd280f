//! 429: the bodies that HubSpot sends when a limit is reached.

use serde_json::json;

use crate::errors::Problem;
use crate::limits::Policy;

/// Whose window is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) portal_id: u64,
    pub(crate) app_id: u64,
    /// Whether it is the one of the associations API.
    pub(crate) of_associations: bool,
}

/// The refusal of a limit. Unlike other refusals it has no `category`.
pub(crate) fn problem(policy: Policy, window: Window, request_id: &str) -> Problem {
    let (message, name) = match policy {
        Policy::TenSecondlyRolling => (
            "You have reached your ten_secondly_rolling limit.",
            "TEN_SECONDLY_ROLLING",
        ),
        Policy::Daily => ("You have reached your daily limit.", "DAILY"),
        Policy::Secondly => ("You have reached your secondly limit.", "SECONDLY"),
    };
    let problem = Problem::new(429, message)
        .with("errorType", json!("RATE_LIMIT"))
        .with("policyName", json!(name))
        .with("requestId", json!(request_id));
    if policy != Policy::TenSecondlyRolling {
        return problem;
    }
    let Window {
        portal_id,
        app_id,
        of_associations,
    } = window;
    let calls = if of_associations {
        "associations-api-calls"
    } else {
        "private_app-api-calls"
    };
    let group = format!("publicapi:{calls}-ten-secondly:{portal_id}:{app_id}");
    problem.with("groupName", json!(group))
}
