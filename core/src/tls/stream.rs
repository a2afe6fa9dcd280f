//! A connection whose other side has proven who it is.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
};

use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::{Certificate, Identity, UnusableName, material::Material};
use crate::{clock::Timestamp, id::CallerName};

/// Who is on the other side of a connection, as its certificate says.
#[derive(Debug)]
pub struct Peer {
    pub(crate) name: Result<CallerName, UnusableName>,
    pub(crate) thumbprint: Arc<[u8]>,
    pub(crate) not_after: Timestamp,
    chain: Vec<CertificateDer<'static>>,
    judged: Mutex<Judged>,
}

/// What a certificate was last held against, and what came of it.
struct Judged {
    /// Weak: what is gone by no more goes, with its key, however long a connection says nothing.
    by: Weak<Material>,
    keeps_out: Option<String>,
}

impl fmt::Debug for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Judged({:?})", self.keeps_out)
    }
}

impl Peer {
    /// Why a request on this connection is refused, whose certificate was in order in the handshake: the service has
    /// other CAs now, or knows of more that is revoked. In a sentence; `None` if it is not.
    pub(crate) fn kept_out(&self, identity: &Identity, now: Timestamp) -> Option<String> {
        let current = identity.current();
        if current.trust.lets_nobody_in(now) {
            return Some(
                "the service's list of revoked certificates is too old to let anybody in".to_owned(),
            );
        }
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        let by = Arc::downgrade(&current);
        if !judged.by.ptr_eq(&by) {
            let keeps_out = identity.keeps_out(&self.chain);
            *judged = Judged { by, keeps_out };
        }
        judged.keeps_out.clone()
    }
}

/// A connection after its handshake.
pub(crate) struct Secured {
    stream: TlsStream<TcpStream>,
    peer: Arc<Peer>,
}

impl Secured {
    /// The connection, with the certificate that was verified in its handshake; `None` if that cannot be read, which
    /// the handshake would not have let pass.
    pub(super) fn new(stream: TlsStream<TcpStream>, by: Weak<Material>, trust_domain: &str) -> Option<Self> {
        let chain = stream.get_ref().1.peer_certificates()?;
        let certificate = Certificate::read(chain.first()?)?;
        let peer = Peer {
            name: certificate.caller(trust_domain),
            thumbprint: certificate.thumbprint().into(),
            not_after: certificate.not_after(),
            chain: chain.to_vec(),
            judged: Mutex::new(Judged { by, keeps_out: None }),
        };
        Some(Self {
            stream,
            peer: Arc::new(peer),
        })
    }

    pub(super) fn peer(&self) -> &Peer {
        &self.peer
    }
}

impl Connected for Secured {
    type ConnectInfo = Arc<Peer>;

    fn connect_info(&self) -> Arc<Peer> {
        Arc::clone(&self.peer)
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
