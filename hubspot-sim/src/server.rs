//! The server: accepts connections, on loopback or over TLS, and hands each request to the exchange.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::clock;
use crate::exchange;
use crate::state::State;

/// How long answers that are under way may take once the server stops.
const DRAIN: Duration = Duration::from_secs(1);
/// After a refused `accept` (no file descriptor left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A server that runs until it is told to stop.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    scheme: &'static str,
    stop: watch::Sender<Stop>,
    thread: Option<JoinHandle<()>>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    /// Finish what is under way.
    Gently,
    /// Drop everything.
    Now,
}

impl Server {
    /// Binds and serves. The server has a thread and a runtime of its own, so that a caller's paused clock or
    /// busy runtime does not reach it.
    pub(crate) fn start(state: Arc<State>, addr: SocketAddr, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let scheme = if tls.is_some() { "https" } else { "http" };
        if tls.is_none() && !addr.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "without a certificate the simulator listens on loopback only",
            ));
        }
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopping) = watch::channel(Stop::No);
        let serve = move || {
            runtime.block_on(async {
                // Without a listener there is nothing to serve; callers see a refused connection.
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    accept(listener, state, tls, stopping).await;
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("hubspot-sim".to_owned())
            .spawn(serve)?;
        Ok(Self {
            addr,
            scheme,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// "http" or "https".
    pub(crate) const fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Takes no more connections, finishes what is under way (one second at most), and ends.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(Stop::Gently);
        self.stop.closed().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(Stop::Now);
        if let Some(thread) = self.thread.take() {
            // It ends at its next turn; a panic in it has been reported on its own thread.
            drop(thread.join());
        }
    }
}

async fn accept(
    listener: tokio::net::TcpListener,
    state: Arc<State>,
    tls: Option<TlsAcceptor>,
    mut stopping: watch::Receiver<Stop>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(stream, tls.clone(), Arc::clone(&state), stopping.clone()))),
                Err(_) => clock::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopping.changed() => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = drained => {}
        () = clock::sleep(DRAIN) => {}
        _ = stopping.wait_for(|stop| *stop == Stop::Now) => {}
    }
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    stopping: watch::Receiver<Stop>,
) {
    // Without it small answers would wait for the caller's acknowledgement.
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, state, stopping).await,
        // Who fails the handshake has been told so by it.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                requests(stream, state, stopping).await;
            }
        }
    }
}

async fn requests<S>(stream: S, state: Arc<State>, mut stopping: watch::Receiver<Stop>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| exchange::answer(Arc::clone(&state), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // An error is a caller who hung up or a connection cut on purpose.
        _ = connection.as_mut() => return,
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
