//! Takes connections and brings each through its handshake, on a task of its own and within a time of its own: what
//! hangs, lies or speaks no TLS holds up nobody else.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Identity,
    stranger::{self, Opening},
    stream::Secured,
    why_refused,
};
use crate::clock::SharedClock;

/// The longest that a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes under way at once; further connections are closed.
const MAX_HANDSHAKES: usize = 1_024;
/// How long nothing is accepted after the system could give no connection, as when files have run out.
const PAUSE: Duration = Duration::from_millis(50);

/// The connections that came through their handshakes. Dropping it closes the listener and whatever is under way.
pub(crate) fn incoming(
    listener: TcpListener,
    identity: Identity,
    clock: SharedClock,
) -> ReceiverStream<io::Result<Secured>> {
    let (ready, incoming) = mpsc::channel(1);
    tokio::spawn(accept(listener, Arc::new(Handshakes { identity, clock }), ready));
    ReceiverStream::new(incoming)
}

async fn accept(
    listener: TcpListener,
    handshakes: Arc<Handshakes>,
    ready: mpsc::Sender<io::Result<Secured>>,
) {
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = ready.closed() => return,
            accepted = listener.accept() => match accepted {
                Ok((_, peer)) if under_way.len() >= MAX_HANDSHAKES => {
                    tracing::warn!(%peer, "refused: too many handshakes are under way");
                }
                Ok((stream, peer)) => {
                    let (handshakes, ready) = (Arc::clone(&handshakes), ready.clone());
                    under_way.spawn(async move {
                        if let Some(secured) = handshakes.bring_through(stream, peer).await {
                            // Nobody takes it any more once the server stops.
                            let _ = ready.send(Ok(secured)).await;
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    handshakes.clock.sleep(PAUSE).await;
                }
            },
            Some(_) = under_way.join_next() => {}
        }
    }
}

struct Handshakes {
    identity: Identity,
    clock: SharedClock,
}

impl Handshakes {
    async fn bring_through(&self, stream: TcpStream, peer: SocketAddr) -> Option<Secured> {
        let ended = self.clock.timeout(HANDSHAKE, self.handshake(stream, peer)).await;
        ended.unwrap_or_else(|| {
            tracing::warn!(%peer, reason = "it took longer than 10 s", "a TLS handshake failed");
            None
        })
    }

    async fn handshake(&self, mut stream: TcpStream, peer: SocketAddr) -> Option<Secured> {
        // Answers are small: held back to be sent together, each would wait for an acknowledgement.
        stream.set_nodelay(true).ok()?;
        match stranger::opening(&stream).await {
            Opening::Tls => {}
            Opening::Plain => {
                tracing::warn!(%peer, reason = "it does not speak TLS", "a TLS handshake failed");
                stranger::tell(&mut stream, &self.clock).await;
                stranger::let_go(stream, &self.clock).await;
                return None;
            }
            Opening::Nothing => {
                tracing::debug!(%peer, "a connection was closed before its TLS handshake");
                return None;
            }
        }
        let acceptor = TlsAcceptor::from(self.identity.server());
        match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => self.known(stream, peer),
            Err((error, stream)) => {
                tracing::warn!(%peer, reason = reason(&error), "a TLS handshake failed");
                stranger::let_go(stream, &self.clock).await;
                None
            }
        }
    }

    fn known(
        &self,
        stream: tokio_rustls::server::TlsStream<TcpStream>,
        address: SocketAddr,
    ) -> Option<Secured> {
        let Some(secured) = Secured::new(stream, self.identity.trust_domain()) else {
            tracing::error!(peer = %address, "a certificate came through the handshake and cannot be read");
            return None;
        };
        if let Err(error) = &secured.peer().name {
            tracing::warn!(peer = %address, reason = %error, "a trusted certificate names no caller");
        }
        Some(secured)
    }
}

fn reason(error: &io::Error) -> String {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    tls.map_or_else(|| error.to_string(), why_refused)
}
