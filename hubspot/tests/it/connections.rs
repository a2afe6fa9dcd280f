//! Whatever becomes of the connection: an attempt ends in time, is told for what it was, and is made once.

use std::time::Duration;

use hubkeep_audit_log::Cause;
use hubkeep_hubspot::Error;
use tokio::join;

use crate::{
    bench::{ATTEMPT, Bench, a_read, a_write, is_lost},
    double::{Script, answer, head_of_chunks},
};

/// The cause of what was lost.
fn cause<T: std::fmt::Debug>(result: &Result<T, Error>) -> Cause {
    match result {
        Err(Error::NoAnswer { cause, .. }) => *cause,
        other => panic!("a read without an answer, not {other:?}"),
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_anywhere_is_lost_and_nothing_is_sent_twice() {
    let whole = answer(
        200,
        "content-type: application/json\r\n",
        br#"{"id":"1","properties":{}}"#,
    );
    let chunks = [&head_of_chunks(200)[..], b"5\r\n{\"id\"\r\n"].concat();
    let head = whole
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .expect("a head")
        + 4;
    let cut = |at: usize| whole[..at].to_vec();
    let table = [
        (Vec::new(), 0, "before a byte"),
        (cut(12), 0, "in the first line"),
        (cut(head - 2), 0, "in the headers"),
        (cut(head), 200, "after the headers"),
        (cut(head + 9), 200, "in the body"),
        (chunks, 200, "between two chunks"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), 0, "no HTTP at all"),
    ];
    for (bytes, status, cut) in table {
        for ask in [a_read(), a_write()] {
            let bench = Bench::of(Script::Say(bytes.clone())).await;
            let result = bench.call(ask).await;
            assert!(is_lost(&result), "{cut}: {result:?}");
            let outcome = bench.outcome().await;
            assert_eq!(outcome.status_code, status, "{cut}");
            assert_eq!(outcome.cause(), Cause::ConnectionLost, "{cut}");
            assert_eq!(bench.double.asked().len(), 1, "{cut}: sent once");
        }
    }
}

#[tokio::test]
async fn one_byte_a_second_does_not_hold_an_attempt_beyond_its_time() {
    let in_the_headers = b"HTTP/1.1 200 OK\r\nx-filler:".to_vec();
    let in_the_body =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{".to_vec();
    for (bytes, status) in [(in_the_headers, 0), (in_the_body, 200)] {
        let bench = Bench::of(Script::Drip(bytes)).await;
        let seconds = ATTEMPT.as_secs();
        let drops = async {
            bench.double.has_spoken().await;
            for _ in 0..seconds {
                bench.double.let_drop();
                bench.double.has_spoken().await;
                bench.clock.advance(Duration::from_secs(1));
            }
        };
        let (result, ()) = join!(bench.call(a_read()), drops);
        assert_eq!(cause(&result), Cause::Timeout, "{result:?}");
        assert_eq!(bench.outcome().await.status_code, status);
    }
}

#[tokio::test]
async fn silence_ends_with_the_attempts_time() {
    let bench = Bench::of(Script::SayAndHold(Vec::new())).await;
    let time_passes = async {
        bench.double.has_spoken().await;
        bench.clock.advance(ATTEMPT);
    };
    let (result, ()) = join!(bench.call(a_read()), time_passes);
    assert_eq!(cause(&result), Cause::Timeout);
}

#[tokio::test]
async fn a_flood_of_headers_ends_by_itself() {
    let begun = b"HTTP/1.1 200 OK\r\n".to_vec();
    let floods = [
        (
            b"x-flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec(),
            "many",
        ),
        (
            b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec(),
            "one without end",
        ),
    ];
    for (more, which) in floods {
        let bench = Bench::of(Script::SayWithoutEnd(begun.clone(), more.repeat(64))).await;
        let result = bench.call(a_read()).await;
        assert_eq!(cause(&result), Cause::ConnectionLost, "{which}: {result:?}");
        assert!(
            bench.double.said_bytes() < 32 * 1024 * 1024,
            "{which}: {} bytes",
            bench.double.said_bytes()
        );
    }
}

#[tokio::test]
async fn answers_that_only_announce_an_answer_end_with_the_attempts_time() {
    let early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n".to_vec();
    let bench = Bench::of(Script::SayAndHold(early.repeat(200))).await;
    let time_passes = async {
        bench.double.has_spoken().await;
        bench.clock.advance(ATTEMPT);
    };
    let (result, ()) = join!(bench.call(a_read()), time_passes);
    assert!(is_lost(&result), "{result:?}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let bench = Bench::with(Script::Say(Vec::new()), |config| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        config.api_base.set_port(Some(port)).expect("a port can be set");
    })
    .await;
    let result = bench.call(a_write()).await;
    assert!(matches!(result, Err(Error::NotSent(_))), "{result:?}");
}
