//! A server on loopback that says what it is told to say, byte for byte, and keeps what it was asked.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::AbortHandle,
};
use url::Url;

/// What the server does once it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// It says this and closes.
    Say(Vec<u8>),
    /// It says this, and then nothing, with the connection open.
    SayAndHold(Vec<u8>),
    /// It says this, and then that, again and again, until nobody listens.
    SayWithoutEnd(Vec<u8>, Vec<u8>),
    /// It says this, and then one byte each time it is let.
    Drip(Vec<u8>),
}

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Method, path and query, as they stand in the first line.
    pub(crate) line: String,
    /// The names of the headers in small letters, and their values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

struct Shared {
    script: Script,
    asked: Mutex<Vec<Asked>>,
    said_bytes: AtomicU64,
    said: Notify,
    drops: Semaphore,
}

/// The server. It ends with this.
pub(crate) struct Double {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer in JSON, with its length.
pub(crate) fn json(status: u16, body: &str) -> Script {
    Script::Say(answer(
        status,
        "content-type: application/json\r\n",
        body.as_bytes(),
    ))
}

/// An answer with these headers, each with its line's end, and its length.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// The head of an answer of which the body's length is not told.
pub(crate) fn head_of_chunks(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .into_bytes()
}

/// Ends when the runtime has looked at its sockets many times.
pub(crate) async fn everything_is_read() {
    let other = Double::start(json(200, "{}")).await;
    let address = other.url().socket_addrs(|| None).expect("an address")[0];
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("asked");
        stream.read_to_end(&mut Vec::new()).await.expect("answered");
    }
}

impl Double {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script,
            asked: Mutex::default(),
            said_bytes: AtomicU64::new(0),
            said: Notify::new(),
            drops: Semaphore::new(0),
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that hangs up ends its own exchange and nothing else.
                tokio::spawn(exchange(stream, Arc::clone(&serving)));
            }
        });
        Self {
            address,
            shared,
            task: task.abort_handle(),
        }
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).expect("a URL")
    }

    /// Everything it was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let asked = self.shared.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many bytes it has said.
    pub(crate) fn said_bytes(&self) -> u64 {
        self.shared.said_bytes.load(Ordering::SeqCst)
    }

    /// Ends when it has said what it says at once.
    pub(crate) async fn has_spoken(&self) {
        self.shared.said.notified().await;
    }

    /// Lets it say one byte more.
    pub(crate) fn let_drop(&self) {
        self.shared.drops.add_permits(1);
    }
}

async fn exchange(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let asked = read(&mut stream).await?;
    shared
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let say = async |stream: &mut TcpStream, bytes: &[u8]| {
        stream.write_all(bytes).await?;
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        shared.said_bytes.fetch_add(count, Ordering::SeqCst);
        Ok::<(), std::io::Error>(())
    };
    match &shared.script {
        Script::Say(bytes) => {
            say(&mut stream, bytes).await?;
            stream.shutdown().await?;
        }
        Script::SayAndHold(bytes) => {
            say(&mut stream, bytes).await?;
            shared.said.notify_one();
            // Until the other side hangs up.
            while stream.read(&mut [0; 64]).await? > 0 {}
        }
        Script::SayWithoutEnd(bytes, more) => {
            say(&mut stream, bytes).await?;
            shared.said.notify_one();
            loop {
                say(&mut stream, more).await?;
            }
        }
        Script::Drip(bytes) => {
            say(&mut stream, bytes).await?;
            shared.said.notify_one();
            while let Ok(permit) = shared.drops.acquire().await {
                permit.forget();
                say(&mut stream, b" ").await?;
                shared.said.notify_one();
            }
        }
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    let (head, rest) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (bytes[..end].to_vec(), bytes[end + 4..].to_vec());
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines
        .next()
        .unwrap_or_default()
        .trim_end_matches(" HTTP/1.1")
        .to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let mut asked = Asked {
        line,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = rest;
    while body.len() < length.unwrap_or(0) {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        body.extend_from_slice(&buffer[..count]);
    }
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(asked)
}
