//! Fixes when the work must be done: the caller's deadline, or ours where it has none, less the time to answer.

use std::time::Duration;

use http::HeaderMap;

use crate::grpc::{Error, context::Deadline, tools::Tools};

/// Kept back from the deadline, so that a refusal still reaches a caller whose time is nearly up.
const TO_ANSWER: Duration = Duration::from_millis(20);
/// With less than this nothing useful can be done.
const LEAST: Duration = Duration::from_millis(5);

pub(super) fn granted(headers: &HeaderMap, tools: &Tools) -> Result<Deadline, Error> {
    let stated = grpc_timeout(headers);
    let asked = stated.unwrap_or(tools.limits.default_deadline);
    let granted = asked.min(tools.limits.max_deadline).saturating_sub(TO_ANSWER);
    if granted < LEAST {
        return Err(Error::DeadlineTooShort(granted));
    }
    let now = tools.clock.tick();
    Ok(Deadline {
        granted: now.plus(granted),
        stated: stated.map(|stated| now.plus(stated.saturating_sub(TO_ANSWER))),
    })
}

/// The header `grpc-timeout`: up to 8 digits and a unit.
pub(in crate::grpc) fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    // What Rust reads as a number beside digits, a sign, is none to gRPC.
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(amount.saturating_mul(60))),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_timeout_header_is_read_in_every_unit_and_nonsense_is_not_a_timeout() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_static(text));
            grpc_timeout(&headers)
        };
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(read("1500m"), Some(Duration::from_millis(1_500)));
        assert_eq!(read("1H"), Some(Duration::from_secs(3_600)));
        for nonsense in ["", "S", "-1S", "+5S", "123456789S", "5x"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
