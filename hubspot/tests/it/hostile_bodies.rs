//! Whatever stands in an answer: it is read, or refused with a reason; it is bounded; and a write that it leaves open is said
//! to be open.

use hubkeep_audit_log::{CallResult, Cause};
use hubkeep_hubspot::Error;

use crate::{
    bench::{ATTEMPT, Bench, MAX_ANSWER, a_read, a_write, all_that_is_said, an_archiving, is_lost},
    double::{Script, answer, everything_is_read, head_of_chunks, json},
};

/// `{"id":"1"}`, compressed.
const COMPRESSED: [u8; 30] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 76, 81, 178, 82, 50, 84, 170, 5, 0, 243, 200, 24, 246, 10,
    0, 0, 0,
];

/// A read is told that there is no answer and a write that its outcome is not known, by an answer that says this.
async fn tells_nothing(script: &Script, because: &str) {
    for ask in [a_read(), a_write()] {
        let bench = Bench::of(script.clone()).await;
        let result = bench.call(ask).await;
        assert!(is_lost(&result), "{because}: {result:?}");
        let outcome = bench.outcome().await;
        assert_eq!(outcome.result(), CallResult::Unknown, "{because}");
        assert_eq!(outcome.cause(), Cause::ConnectionLost, "{because}");
        assert_eq!(outcome.status_code, 200, "{because}");
        let said = all_that_is_said(&result);
        assert!(!said.contains("12345") && !said.contains("pat-na1"), "{said}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_hubspots_is_no_answer() {
    let deep = format!(r#"{{"id":"1","properties":{}"#, r#"{"a":"#.repeat(50_000));
    let table = [
        (r#"{"id":"1","properties":{"email":"a@b.exa"#, "cut short"),
        (r#"{"id":"1"} {"id":"2"}"#, "two bodies in one"),
        (r#"{"id":"1","id":"2"}"#, "two ids"),
        (
            r#"{"id":"1","properties":{"email":"a","email":"b"}}"#,
            "two values of one property",
        ),
        (r#"["1"]"#, "an array"),
        ("null", "null"),
        ("", "nothing"),
        (r#"{"status":"error"}"#, "an error that calls itself a success"),
        (&deep, "nested without end"),
    ];
    for (body, because) in table {
        tells_nothing(&json(200, body), because).await;
    }
}

/// Repeatable chance.
fn random_bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()[0]
    };
    let length = usize::from(next()) * 16;
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn random_bytes_are_no_answer_whatever_they_call_themselves() {
    const BEGINNING: &[u8] = br#"{"id":"12345","properties":{"email":"#;
    for seed in 1..=24 {
        let noise = random_bytes(seed);
        // Half of them begin as an answer would.
        let body = match seed % 2 {
            0 => [BEGINNING, &noise].concat(),
            _ => noise,
        };
        let kind = [
            "application/json",
            "application/json;charset=utf-8",
            "application/problem+json",
        ];
        let headers = format!("content-type: {}\r\n", kind[seed as usize % kind.len()]);
        let script = Script::Say(answer(200, &headers, &body));
        tells_nothing(&script, &format!("random bytes, seed {seed}")).await;
    }
}

#[tokio::test]
async fn a_page_of_html_is_no_answer_even_if_it_reads_as_one() {
    let page = answer(
        200,
        "content-type: text/html; charset=utf-8\r\n",
        br#"{"id":"1"}"#,
    );
    tells_nothing(&Script::Say(page), "it says that it is HTML").await;
    let page = b"<html>Sign in to the wireless network</html>";
    let page = Script::Say(answer(200, "content-type: text/html\r\n", page));
    let bench = Bench::of(page).await;
    let result = bench.call(an_archiving()).await;
    assert!(
        matches!(result, Err(Error::OutcomeUnknown { .. })),
        "it proves no archiving: {result:?}"
    );
}

#[tokio::test]
async fn json_by_another_name_or_by_none_is_read() {
    for kind in [
        "content-type: application/json;charset=utf-8\r\n",
        "content-type: Application/Problem+JSON\r\n",
        "",
    ] {
        let bench = Bench::of(Script::Say(answer(200, kind, br#"{"id":"1"}"#))).await;
        let object = bench.call(a_read()).await.expect("an answer").value;
        assert_eq!(object.id, "1", "{kind}");
    }
}

#[tokio::test]
async fn nothing_compressed_is_asked_for_or_unpacked() {
    let headers = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let script = Script::Say(answer(200, headers, &COMPRESSED));
    tells_nothing(&script, "compressed").await;
    let bench = Bench::of(script).await;
    let result = bench.call(a_read()).await;
    assert!(all_that_is_said(&result).contains("compressed"));
    let asked = &bench.double.asked()[0];
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert_eq!(asked.header("accept"), Some("application/json"));
}

#[tokio::test]
async fn a_body_of_a_hundred_megabytes_is_refused_before_it_is_read() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n";
    let bench = Bench::of(Script::SayAndHold(head.as_bytes().to_vec())).await;
    // Nothing of the body is ever sent: its length alone is enough.
    let time_passes = async {
        bench.double.has_spoken().await;
        everything_is_read().await;
        bench.clock.advance(ATTEMPT);
    };
    let (result, ()) = tokio::join!(bench.call(a_read()), time_passes);
    assert!(is_lost(&result), "{result:?}");
    assert!(all_that_is_said(&result).contains("max_answer_bytes"));
}

#[tokio::test]
async fn a_body_that_never_ends_is_read_up_to_the_limit_and_counted() {
    let piece = format!("2000\r\n{}\r\n", " ".repeat(0x2000)).into_bytes();
    for ask in [a_read(), a_write()] {
        let bench = Bench::of(Script::SayWithoutEnd(head_of_chunks(200), piece.clone())).await;
        let result = bench.call(ask).await;
        assert!(is_lost(&result), "{result:?}");
        let outcome = bench.outcome().await;
        let read = usize::try_from(outcome.response_bytes).expect("a number");
        assert!((MAX_ANSWER / 2..=MAX_ANSWER).contains(&read), "{read} bytes");
        // What the machine keeps of a connection in between is all that was sent beyond.
        assert!(bench.double.said_bytes() < 32 * 1024 * 1024);
    }
}

#[tokio::test]
async fn a_body_of_just_the_largest_size_is_read() {
    let body = |length: usize| {
        let rest = length - r#"{"id":"1","x":""}"#.len();
        format!(r#"{{"id":"1","x":"{}"}}"#, "a".repeat(rest))
    };
    let bench = Bench::of(json(200, &body(MAX_ANSWER))).await;
    bench.call(a_read()).await.expect("it fits");
    tells_nothing(&json(200, &body(MAX_ANSWER + 1)), "one byte too many").await;
}

#[tokio::test]
async fn what_is_lost_never_repeats_what_was_said() {
    let body = r#"{"id":"1","properties":{"email":"person@secret.example"#;
    let bench = Bench::of(json(200, body)).await;
    let result = bench.call(a_read()).await;
    assert!(!all_that_is_said(&result).contains("secret"));
}
