//! Those whose handshake fails: told why as well as they can be told, and let go.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::clock::SharedClock;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;
/// How long somebody who was refused may take to hear it.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes that are still taken from them meanwhile.
const LINGER_BYTES: u64 = 64 * 1024;

/// What somebody hears who calls without TLS.
pub(super) const TLS_ONLY: &str = "this address takes TLS only: call it by https://, with a certificate";

/// How a connection begins.
pub(super) enum Opening {
    Tls,
    Plain,
    /// The other side left before it said anything.
    Nothing,
}

/// Looks at the first byte without taking it.
pub(super) async fn opening(stream: &TcpStream) -> Opening {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [HANDSHAKE] => Opening::Tls,
        Ok(1) => Opening::Plain,
        _ => Opening::Nothing,
    }
}

/// Tells a client without TLS what this address takes, in HTTP/2 if that is what it speaks, else in HTTP/1.1.
pub(super) async fn tell(stream: &mut TcpStream) {
    let mut first = [0; 3];
    let spoken = stream.peek(&mut first).await;
    let answer = if matches!(spoken, Ok(3)) && &first == b"PRI" {
        go_away()
    } else {
        let head =
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ";
        [
            head.as_bytes(),
            TLS_ONLY.len().to_string().as_bytes(),
            b"\r\n\r\n",
            TLS_ONLY.as_bytes(),
        ]
        .concat()
    };
    // Who does not listen has been told.
    let _ = stream.write_all(&answer).await;
}

/// Empty SETTINGS, and GOAWAY with the reason INADEQUATE_SECURITY (RFC 9113, 6.5, 6.8 and 7).
fn go_away() -> Vec<u8> {
    let length = u8::try_from(8 + TLS_ONLY.len()).unwrap_or(u8::MAX);
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let head = [0, 0, length, 7, 0, 0, 0, 0, 0];
    let last_stream_and_reason = [0, 0, 0, 0, 0, 0, 0, 0x0c];
    [&settings[..], &head, &last_stream_and_reason, TLS_ONLY.as_bytes()].concat()
}

/// Ends a connection so that what was said last is heard: closed at once, with words of the other side unread, the
/// network would throw ours away too.
pub(super) async fn let_go(mut stream: TcpStream, clock: &SharedClock) {
    let heard = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    // Nothing depends on whether it was.
    let _ = clock.timeout(LINGER, heard).await;
}
