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
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
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

/// SETTINGS, and after the first request its answer, which every gRPC client shows: UNAVAILABLE, and why. Then GOAWAY with
/// the reason INADEQUATE_SECURITY (RFC 9113, 6.5, 6.8 and 7); alone, or before a request, many would show none of it.
async fn go_away(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).await?;
    let request = first_request(&mut stream.take(LINGER_BYTES)).await?;
    let answer = answer();
    let go_away = [&request[..], &[0, 0, 0, 0x0c], TLS_ONLY.as_bytes()].concat();
    let frames = [
        frame(HEADERS, END_STREAM | END_HEADERS, request, &answer),
        frame(GOAWAY, 0, [0; 4], &go_away),
    ];
    stream.write_all(&frames.concat()).await
}

fn frame(kind: u8, flags: u8, stream: [u8; 4], payload: &[u8]) -> Vec<u8> {
    // None here is longer than a few hundred bytes.
    let [high, low] = u16::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [&[0, high, low, kind, flags], &stream[..], payload].concat()
}

/// The head of an answer that has no body (RFC 7541): `:status` 200 from the table, then names and values as they are.
fn answer() -> Vec<u8> {
    let mut head = vec![0x88];
    let fields = [
        ("content-type", "application/grpc"),
        ("grpc-status", "14"),
        ("grpc-message", TLS_ONLY),
    ];
    for (name, value) in fields {
        head.push(0);
        for text in [name, value] {
            // All are shorter than 127 bytes, so that one byte says their length.
            head.push(u8::try_from(text.len()).unwrap_or_default());
            head.extend_from_slice(text.as_bytes());
        }
    }
    head
}

/// Reads up to the head of the first request; gives the number of its stream.
async fn first_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; 4]> {
    stream.read_exact(&mut [0; PREFACE]).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, _, number @ ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        tokio::io::copy(&mut (&mut *stream).take(length.into()), &mut tokio::io::sink()).await?;
        if kind == HEADERS {
            return Ok(number);
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
