//! Takes connections and brings each through its handshake, on a task of its own and within a time of its own. Whoever
//! hangs, lies or speaks no TLS holds up nobody else: only so many are under way at once, and when one more comes, one
//! that says nothing has to go (`crowd`).

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Identity,
    complaints::Complaints,
    crowd::{Crowd, Spoken},
    material::Material,
    stranger::{self, Opening},
    stream::Secured,
    why_refused,
};
use crate::clock::SharedClock;

/// The longest until the first byte: a client sends it with the connection, or a round trip after that.
const FIRST_BYTE: Duration = Duration::from_secs(2);
/// The longest that a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long nothing is accepted after the system could give no connection, as when files have run out.
const PAUSE: Duration = Duration::from_millis(50);

/// Who is expected to call, and so what is spoken once the handshake is over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// Clients of gRPC: HTTP/2.
    Clients,
    /// Browsers: HTTP/1.1.
    Browsers,
}

/// The connections that came through their handshakes, of which at most so many are under way at once. Dropping it
/// closes the listener and whatever is under way.
pub(crate) fn incoming(
    listener: TcpListener,
    identity: Identity,
    expected: Expected,
    most: usize,
    clock: SharedClock,
) -> ReceiverStream<io::Result<Secured>> {
    let (ready, incoming) = mpsc::channel(1);
    let handshakes = Handshakes {
        identity,
        expected,
        complaints: Complaints::new(Arc::clone(&clock)),
        clock,
    };
    tokio::spawn(accept(listener, Arc::new(handshakes), most, ready));
    ReceiverStream::new(incoming)
}

async fn accept(
    listener: TcpListener,
    handshakes: Arc<Handshakes>,
    most: usize,
    ready: mpsc::Sender<io::Result<Secured>>,
) {
    let mut under_way = Crowd::of(most);
    loop {
        tokio::select! {
            () = ready.closed() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (spoken, ready) = (Spoken::default(), ready.clone());
                    let this = Arc::clone(&handshakes);
                    let one_went = under_way.add(spoken.clone(), async move {
                        if let Some(secured) = this.bring_through(stream, peer, &spoken).await {
                            // Nobody takes it any more once the server stops.
                            let _ = ready.send(Ok(secured)).await;
                        }
                    });
                    if one_went {
                        handshakes.complaints.failed(peer, "too many are under way: the one that was silent for longest is ended");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    handshakes.clock.sleep(PAUSE).await;
                }
            },
            Some(()) = under_way.next_ended() => {}
        }
    }
}

struct Handshakes {
    identity: Identity,
    expected: Expected,
    complaints: Complaints,
    clock: SharedClock,
}

impl Handshakes {
    async fn bring_through(&self, stream: TcpStream, peer: SocketAddr, spoken: &Spoken) -> Option<Secured> {
        let ended = self
            .clock
            .timeout(HANDSHAKE, self.handshake(stream, peer, spoken))
            .await;
        ended.unwrap_or_else(|| {
            self.complaints.failed(peer, "it took longer than 10 s");
            None
        })
    }

    async fn handshake(&self, mut stream: TcpStream, peer: SocketAddr, spoken: &Spoken) -> Option<Secured> {
        // Answers are small: held back to be sent together, each would wait for an acknowledgement.
        stream.set_nodelay(true).ok()?;
        let opening = self.clock.timeout(FIRST_BYTE, stranger::opening(&stream)).await;
        let Some(opening) = opening else {
            self.complaints.failed(peer, "nothing came within 2 s");
            return None;
        };
        match opening {
            Opening::Tls => spoken.now(),
            Opening::Plain => {
                spoken.now();
                self.complaints.failed(peer, "it does not speak TLS");
                stranger::tell(&mut stream, &self.clock).await;
                stranger::let_go(stream, &self.clock).await;
                return None;
            }
            Opening::Nothing => {
                tracing::debug!(%peer, "a connection was closed before its TLS handshake");
                return None;
            }
        }
        let current = self.identity.current();
        let acceptor = TlsAcceptor::from(Arc::clone(match self.expected {
            Expected::Clients => &current.server,
            Expected::Browsers => &current.pages,
        }));
        match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => self.known(stream, peer, Arc::downgrade(&current)),
            Err((error, stream)) => {
                self.complaints.failed(peer, &reason(&error));
                stranger::let_go(stream, &self.clock).await;
                None
            }
        }
    }

    fn known(
        &self,
        stream: tokio_rustls::server::TlsStream<TcpStream>,
        address: SocketAddr,
        by: Weak<Material>,
    ) -> Option<Secured> {
        let Some(secured) = Secured::new(stream, by, self.identity.trust_domain()) else {
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
