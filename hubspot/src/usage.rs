//! How many calls an account has made today: asked of HubSpot where the headers of its answers do not say so.

use serde::{Deserialize, de::Error as _};

use crate::{answer::Decoded, config::ApiVersion, path::Path, request::Ask, wire, wire::JsonObject};

/// HubSpot's name for the limit that all private apps of an account share.
const PRIVATE_APPS: &str = "private-apps-api-calls-daily";
/// What HubSpot says of a number that it has just counted, or not long ago.
const COUNTED: [&str; 2] = ["SUCCESS", "CACHED"];

/// The calls of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyUsage {
    /// Calls that all apps of the account may make in a day.
    pub limit: u64,
    /// Calls that they have made today.
    pub used: u64,
}

/// Asks how many calls were made today. HubSpot may answer from a count that is some minutes old.
pub fn daily(version: ApiVersion) -> Ask<DailyUsage> {
    Ask::get(Path::daily_usage(version), usage)
}

#[derive(Deserialize)]
struct Body {
    results: Vec<JsonObject<Usage>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    name: String,
    #[serde(default)]
    fetch_status: String,
    usage_limit: Option<u64>,
    current_usage: Option<u64>,
}

fn usage(body: &[u8]) -> Result<Decoded<DailyUsage>, serde_json::Error> {
    let body: Body = wire::object(body)?;
    let counted = body.results.into_iter().find_map(|JsonObject(usage)| {
        let known = usage.name == PRIVATE_APPS && COUNTED.contains(&usage.fetch_status.as_str());
        let (limit, used) = usage.usage_limit.zip(usage.current_usage)?;
        known.then_some(DailyUsage { limit, used })
    });
    counted
        .map(Decoded::one)
        .ok_or_else(|| serde_json::Error::custom("no count of today's calls"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_count_that_hubspot_has_made_is_one() {
        let body = |status: &str| {
            format!(
                r#"{{"results":[{{"name":"other","usageLimit":1,"currentUsage":1,"fetchStatus":"SUCCESS"}},
                {{"name":"private-apps-api-calls-daily","usageLimit":250000,"currentUsage":77,
                "collectedAt":"2026-11-22T10:00:00Z","fetchStatus":"{status}","resetsAt":"2026-11-23T05:00:00Z"}}]}}"#
            )
        };
        let counted = usage(body("SUCCESS").as_bytes()).expect("reads").value;
        assert_eq!((counted.limit, counted.used), (250_000, 77));
        assert!(usage(body("CACHED").as_bytes()).is_ok());
        for status in ["FAILURE", "NOTFOUND", "TIMEOUT", ""] {
            assert!(usage(body(status).as_bytes()).is_err(), "{status}");
        }
        assert!(usage(br#"{"results":[]}"#).is_err());
        let array = br#"{"results":[["private-apps-api-calls-daily","SUCCESS",250000,77]]}"#;
        assert!(usage(array).is_err(), "an array is no count");
    }
}
