//! What HubSpot refuses is known by its status: what becomes of its body afterwards changes nothing of that.

use std::time::Duration;

use hubkeep_audit_log::CallResult;
use hubkeep_core::error::{ErrorReason, ServiceError as _};
use hubkeep_hubspot::{Error, Refusal, RefusalKind};

use crate::{
    bench::{Bench, TOKEN, a_read, a_write, all_that_is_said},
    double::{Double, Script, answer, everything_is_read, head_of_chunks, json},
};

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal, _)) => *refusal,
        other => panic!("a refusal, not {other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_is_a_refusal_and_no_token_goes_where_it_points() {
    let elsewhere = Double::start(json(200, r#"{"id":"1"}"#)).await;
    let location = format!("location: {}\r\n", elsewhere.url());
    let by = |status| Bench::of(Script::Say(answer(status, &location, b"{}")));
    for status in [301, 302, 307, 308] {
        for ask in [a_read(), a_write()] {
            let bench = by(status).await;
            let result = bench.call(ask).await;
            let said = all_that_is_said(&result);
            assert!(said.contains("never followed"), "{said}");
            assert_eq!(refusal(result).status, status);
            assert_eq!(bench.outcome().await.result(), CallResult::Refused);
        }
    }
    // It says where the answer to what was done is to be read.
    assert_eq!(refusal(by(303).await.call(a_read()).await).status, 303);
    let bench = by(303).await;
    let unknown = bench.call(a_write()).await.expect_err("nobody knows");
    assert_eq!(unknown.reason(), ErrorReason::OutcomeUnknown);
    assert_eq!(bench.outcome().await.result(), CallResult::Unknown);
    assert!(elsewhere.asked().is_empty(), "somebody else was asked");
}

#[tokio::test]
async fn a_refusal_whose_body_is_cut_or_never_ends_is_one_all_the_same() {
    let cut = b"HTTP/1.1 409 Conflict\r\ncontent-length: 500\r\n\r\n{\"message\":\"Contact".to_vec();
    let piece = format!("2000\r\n{}\r\n", "{".repeat(0x2000)).into_bytes();
    let table = [
        Script::Say(cut),
        Script::SayWithoutEnd(head_of_chunks(409), piece),
        Script::Say(answer(409, "content-encoding: gzip\r\n", &[31, 139, 8, 0])),
    ];
    for script in table {
        let bench = Bench::of(script).await;
        let refused = refusal(bench.call(a_write()).await);
        assert_eq!(refused.kind, RefusalKind::Conflict(None));
        assert_eq!(bench.outcome().await.result(), CallResult::Refused);
    }
}

#[tokio::test]
async fn the_body_of_a_refusal_is_waited_for_a_few_seconds_and_no_more() {
    let bench = Bench::of(Script::SayAndHold(head_of_chunks(429))).await;
    let time_passes = async {
        bench.double.has_spoken().await;
        // Far from the attempt's own time, and each time only after what has arrived was read.
        for _ in 0..15 {
            everything_is_read().await;
            bench.clock.advance(Duration::from_secs(6));
        }
    };
    let result = tokio::select! {
        result = bench.call(a_read()) => result,
        () = time_passes => panic!("it is waited for as long as an answer"),
    };
    assert!(matches!(refusal(result).kind, RefusalKind::RateLimited { .. }));
}

#[tokio::test]
async fn html_from_something_in_between_leaves_a_write_open_and_is_not_repeated() {
    let page = b"<html>Bad gateway: upstream 10.0.0.7</html>";
    for status in [500, 502, 503, 504, 521, 522, 523, 524, 525, 526] {
        let script = Script::Say(answer(status, "content-type: text/html\r\n", page));
        let bench = Bench::of(script.clone()).await;
        let result = bench.call(a_read()).await;
        assert!(!all_that_is_said(&result).contains("10.0.0.7"));
        assert_eq!(refusal(result).kind, RefusalKind::ServerFailed, "{status}");

        let bench = Bench::of(script).await;
        let result = bench.call(a_write()).await;
        assert!(
            matches!(result, Err(Error::OutcomeUnknown { .. })),
            "{status}: {result:?}"
        );
        assert_eq!(bench.outcome().await.result(), CallResult::Unknown);
        assert_eq!(bench.double.asked().len(), 1, "{status}: a write is sent once");
    }
}

#[tokio::test]
async fn a_migration_says_how_long_it_takes() {
    let script = Script::Say(answer(477, "retry-after: 5400\r\n", b"{}"));
    let bench = Bench::of(script).await;
    let refused = refusal(bench.call(a_write()).await);
    assert_eq!(refused.kind, RefusalKind::Migrating(Duration::from_secs(5_400)));
}

#[tokio::test]
async fn the_token_is_sent_and_never_said_even_if_the_refusal_repeats_it() {
    let far = format!("{}{TOKEN}", "x".repeat(270));
    let table = [
        (401, format!(r#"{{"message":"no","category":"{TOKEN}"}}"#)),
        (
            400,
            format!(r#"{{"message":"token {TOKEN} may not","category":"VALIDATION_ERROR"}}"#),
        ),
        (400, format!(r#"{{"message":"{far}"}}"#)),
        (
            400,
            format!(r#"{{"errors":[{{"message":"m","code":"{TOKEN}"}}]}}"#),
        ),
        (
            403,
            format!(r#"{{"category":"MISSING_SCOPES","context":{{"requiredScopes":["{TOKEN}"]}}}}"#),
        ),
        (429, format!(r#"{{"policyName":"{TOKEN}"}}"#)),
        (404, format!(r#"{{"correlationId":"{TOKEN}"}}"#)),
    ];
    for (status, body) in table {
        let bench = Bench::of(json(status, &body)).await;
        let result = bench.call(a_read()).await;
        let bearer = format!("Bearer {TOKEN}");
        let asked = &bench.double.asked()[0];
        assert_eq!(asked.header("authorization"), Some(bearer.as_str()));
        let said = all_that_is_said(&result);
        assert!(!said.contains("pat-na1"), "{said}");
        assert_eq!(refusal(result).status, status);
    }
}
