//! Those whose handshake fails: told why as well as they can be told, and let go.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
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

/// The bytes with which every HTTP/2 client begins, and the kinds of frames that are spoken of here.
const PREFACE: usize = 24;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

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
pub(super) async fn tell(stream: &mut TcpStream, clock: &SharedClock) {
    let mut first = [0; 3];
    let spoken = stream.peek(&mut first).await;
    // Who does not listen has been told.
    let _ = if matches!(spoken, Ok(3)) && &first == b"PRI" {
        clock.timeout(LINGER, go_away(stream)).await
    } else {
        clock.timeout(LINGER, bad_request(stream)).await
    };
}

async fn bad_request(stream: &mut TcpStream) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n",
        TLS_ONLY.len()
    );
    stream
        .write_all(&[head.as_bytes(), TLS_ONLY.as_bytes()].concat())
        .await
}

/// SETTINGS, and after the first request GOAWAY with the reason INADEQUATE_SECURITY (RFC 9113, 6.5, 6.8 and 7): sent
/// before, clients would know that they have no connection, but not why.
async fn go_away(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).await?;
    first_request(&mut stream.take(LINGER_BYTES)).await?;
    let length = u8::try_from(8 + TLS_ONLY.len()).unwrap_or(u8::MAX);
    let head = [0, 0, length, GOAWAY, 0, 0, 0, 0, 0];
    let last_stream_and_reason = [0, 0, 0, 0, 0, 0, 0, 0x0c];
    stream
        .write_all(&[&head[..], &last_stream_and_reason, TLS_ONLY.as_bytes()].concat())
        .await
}

/// Reads up to the head of the first request.
async fn first_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    stream.read_exact(&mut [0; PREFACE]).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        tokio::io::copy(&mut (&mut *stream).take(length.into()), &mut tokio::io::sink()).await?;
        if kind == HEADERS {
            return Ok(());
        }
    }
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
