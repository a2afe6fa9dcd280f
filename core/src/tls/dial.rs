//! Connections to a service over TLS, of which each that was refused says why.
//!
//! In TLS 1.3 a client has done its part before the other side looks at its certificate: it may have sent its first
//! request when it hears that it is refused, and what the HTTP/2 library then says of the request may be anything. What
//! was read of the connection itself is kept here. A service that lets somebody in says something before it reads any
//! request: where nothing was heard but a refusal, nothing that was sent has been read.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use super::refused::failed_handshake;

/// What opens connections with one certificate. Clones know the same.
#[derive(Clone, Debug)]
pub struct Dialer {
    config: Arc<ClientConfig>,
    refused: Arc<Mutex<Option<String>>>,
}

impl Dialer {
    pub(super) fn new(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            config: Arc::new(config),
            refused: Arc::default(),
        }
    }

    /// A channel to the service at this `https://` address, which opens its connection with the first call. `with` adds
    /// what else holds for it.
    ///
    /// # Errors
    /// If the address has no host.
    pub fn channel(
        &self,
        address: &Uri,
        with: impl FnOnce(Endpoint) -> Endpoint,
    ) -> Result<Channel, http::Error> {
        // The certificate is looked at here: for the library below it is a connection like any other.
        let authority = address.authority().map_or("", |authority| authority.as_str());
        let plain = Uri::builder()
            .scheme("http")
            .authority(authority)
            .path_and_query("/")
            .build()?;
        let endpoint = with(Endpoint::from(plain)).origin(address.clone());
        Ok(endpoint.connect_with_connector_lazy(self.clone()))
    }

    /// Why the last connection was refused, in a sentence, if it was.
    pub fn refused(&self) -> Option<String> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, why: Option<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    async fn dial(self, to: Uri) -> io::Result<TokioIo<Dialled>> {
        self.note(None);
        let host = to.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let stream = TcpStream::connect((host.as_str(), to.port_u16().unwrap_or(443))).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let connected = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await;
        let stream = connected.inspect_err(|error| self.note(failed_handshake(error)))?;
        Ok(TokioIo::new(Dialled {
            stream,
            heard: false,
            dialer: self,
        }))
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Dialled>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().dial(to))
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Dialled {
    stream: TlsStream<TcpStream>,
    /// Whether the other side has said anything, and so has let us in.
    heard: bool,
    dialer: Dialer,
}

impl AsyncRead for Dialled {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut this.stream).poll_read(context, buffer));
        match &read {
            Ok(()) => this.heard |= buffer.filled().len() > before,
            Err(error) if !this.heard => this.dialer.note(failed_handshake(error)),
            Err(_) => {}
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
