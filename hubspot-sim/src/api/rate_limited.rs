//! 429: the bodies that HubSpot sends when a limit is reached.

use serde_json::json;

use crate::errors::Problem;
use crate::limits::Policy;

/// The refusal of a limit. Unlike other refusals it has no `category`.
pub(crate) fn problem(policy: Policy, portal_id: u64, app_id: u64, request_id: &str) -> Problem {
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
    let group = format!("publicapi:private_app-api-calls-ten-secondly:{portal_id}:{app_id}");
    problem.with("groupName", json!(group))
}
