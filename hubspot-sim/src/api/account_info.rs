//! What an account tells about itself: details and calls used today.

use serde_json::{Value, json};

use super::Call;
use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::reply::Reply;

/// Account details. They need no scope.
pub(super) fn details(call: &Call<'_>, with_name: bool) -> Result<Reply, Problem> {
    only_get(call)?;
    let details = lock(&call.portal.details).clone();
    let mut body = json!({
        "portalId": call.portal.id,
        "accountType": details.account_type,
        "timeZone": details.time_zone,
        "companyCurrency": details.company_currency,
        "additionalCurrencies": details.additional_currencies,
        "utcOffset": offset(details.utc_offset_milliseconds),
        "utcOffsetMilliseconds": details.utc_offset_milliseconds,
        "uiDomain": details.ui_domain,
        "dataHostingLocation": details.data_hosting_location,
    });
    if let Some(fields) = body.as_object_mut().filter(|_| with_name) {
        fields.insert("portalName".to_owned(), json!(details.portal_name));
        fields.insert("createdAt".to_owned(), json!(details.created_at));
    }
    Ok(Reply::json(200, &body))
}

/// Calls used today by all apps of the account together.
pub(super) fn api_usage(call: &Call<'_>) -> Result<Reply, Problem> {
    only_get(call)?;
    let offset = call.portal.utc_offset_ms();
    let mut meter = lock(&call.portal.meter);
    let (used, resets_at) = meter.today(call.now, offset);
    let usage: Value = json!({
        "name": "private-apps-api-calls-daily",
        "usageLimit": meter.limits.daily,
        "currentUsage": used,
        "collectedAt": iso(call.now),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(resets_at),
    });
    Ok(Reply::json(200, &json!({ "results": [usage] })))
}

fn only_get(call: &Call<'_>) -> Result<(), Problem> {
    if call.method == "GET" {
        Ok(())
    } else {
        Err(errors::method_not_allowed())
    }
}

/// `-05:00`.
fn offset(millis: i64) -> String {
    let minutes = millis.abs() / 60_000;
    let sign = if millis < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}
