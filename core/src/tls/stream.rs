//! A connection whose other side has proven who it is.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use super::{Certificate, UnusableName};
use crate::{clock::Timestamp, id::CallerName};

/// Who is on the other side of a connection, as its certificate says.
#[derive(Debug)]
pub struct Peer {
    pub(crate) name: Result<CallerName, UnusableName>,
    pub(crate) thumbprint: Arc<[u8]>,
    pub(crate) not_after: Timestamp,
}

/// A connection after its handshake.
pub(crate) struct Secured {
    stream: TlsStream<TcpStream>,
    peer: Arc<Peer>,
}

impl Secured {
    /// The connection, with the certificate that was verified in its handshake; `None` if that cannot be read, which
    /// the handshake would not have let pass.
    pub(super) fn new(stream: TlsStream<TcpStream>, trust_domain: &str) -> Option<Self> {
        let leaf = stream.get_ref().1.peer_certificates()?.first()?;
        let certificate = Certificate::read(leaf)?;
        let peer = Peer {
            name: certificate.caller(trust_domain),
            thumbprint: certificate.thumbprint().into(),
            not_after: certificate.not_after(),
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
