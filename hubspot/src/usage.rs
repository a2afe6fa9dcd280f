//! How many calls an account has made today: asked of HubSpot where the headers of its answers do not say so.

use hubkeep_core::clock::Timestamp;
use serde::{Deserialize, de::Error as _};

use crate::{
    answer::Decoded,
    config::ApiVersion,
    path::Path,
    request::Ask,
    wire::{self, JsonObject, time},
};

/// HubSpot's name for the limit that all private apps of an account share.
const PRIVATE_APPS: &str = "private-apps-api-calls-daily";

/// The calls of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyUsage {
    /// Calls that all apps of the account may make in a day.
    pub limit: u64,
    /// Calls that they have made today.
    pub used: u64,
}

/// How HubSpot came by a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was counted just now.
    Counted,
    /// It was counted some minutes ago.
    Kept,
    /// It could not be counted: HubSpot failed, found nothing, or took too long.
    NotCounted,
}

/// What HubSpot says of the calls of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyReport {
    /// The calls; `None` if they could not be counted.
    pub usage: Option<DailyUsage>,
    /// How HubSpot came by the number.
    pub fetched: Fetched,
    /// When they were counted.
    pub collected: Option<Timestamp>,
    /// When the day ends: midnight where the account is.
    pub resets: Option<Timestamp>,
}

/// Asks how many calls were made today. HubSpot may answer from a count that is some minutes old. An answer without a count
/// is none.
pub fn daily(version: ApiVersion) -> Ask<DailyUsage> {
    Ask::get(Path::daily_usage(version), usage)
}

/// Asks the same, and takes what HubSpot says of the count itself, also where there is none.
pub fn daily_report(version: ApiVersion) -> Ask<DailyReport> {
    Ask::get(Path::daily_usage(version), |body| {
        let report = report(body)?;
        report
            .map(Decoded::one)
            .ok_or_else(|| serde_json::Error::custom("nothing of today's calls"))
    })
}

#[derive(Deserialize)]
struct Body {
    results: Vec<JsonObject<Usage>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    fetch_status: Option<String>,
    usage_limit: Option<u64>,
    current_usage: Option<u64>,
    collected_at: Option<String>,
    resets_at: Option<String>,
}

impl From<Usage> for DailyReport {
    fn from(wire: Usage) -> Self {
        let fetched = match wire.fetch_status.as_deref() {
            Some("SUCCESS") => Fetched::Counted,
            Some("CACHED") => Fetched::Kept,
            _ => Fetched::NotCounted,
        };
        let counts = wire.usage_limit.zip(wire.current_usage);
        let usage = counts.map(|(limit, used)| DailyUsage { limit, used });
        Self {
            usage: usage.filter(|_| fetched != Fetched::NotCounted),
            fetched,
            collected: time(wire.collected_at.as_ref()),
            resets: time(wire.resets_at.as_ref()),
        }
    }
}

/// What is said of the limit that counts: the first that has a count, or else the first.
fn report(body: &[u8]) -> Result<Option<DailyReport>, serde_json::Error> {
    let body: Body = wire::object(body)?;
    let results = body.results.into_iter().map(|JsonObject(usage)| usage);
    let ours = results.filter(|usage| usage.name.as_deref() == Some(PRIVATE_APPS));
    let reports: Vec<DailyReport> = ours.map(DailyReport::from).collect();
    let counted = reports.iter().find(|report| report.usage.is_some());
    Ok(counted.or_else(|| reports.first()).copied())
}

fn usage(body: &[u8]) -> Result<Decoded<DailyUsage>, serde_json::Error> {
    let counted = report(body)?.and_then(|report| report.usage);
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

    #[test]
    fn a_report_says_how_old_the_count_is_and_when_the_day_ends_also_without_a_count() {
        let read = |status: &str| {
            let body = format!(
                r#"{{"results":[{{"name":"private-apps-api-calls-daily","usageLimit":250000,"currentUsage":77,
                "collectedAt":"2026-11-22T10:00:00Z","fetchStatus":"{status}","resetsAt":"2026-11-23T05:00:00Z"}}]}}"#
            );
            let report = (daily_report(ApiVersion::V2026_09).decode)(body.as_bytes());
            report.expect("reads").value
        };
        let counted = read("SUCCESS");
        let day = counted
            .resets
            .expect("a time")
            .since(counted.collected.expect("a time"));
        assert_eq!((counted.fetched, day.as_secs()), (Fetched::Counted, 19 * 3_600));
        assert_eq!(read("CACHED").fetched, Fetched::Kept);
        let without = read("TIMEOUT");
        assert_eq!((without.fetched, without.usage), (Fetched::NotCounted, None));
        assert!(without.resets.is_some());
        assert!((daily_report(ApiVersion::V3).decode)(br#"{"results":[]}"#).is_err());
    }
}
