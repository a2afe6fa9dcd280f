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

use super::{Identity, refused::failed_handshake};

/// What opens connections with one certificate. Clones know the same.
#[derive(Clone, Debug)]
pub struct Dialer {
    source: Source,
    /// Whom the other side must show itself as; by default the host that is called.
    expected: Option<Arc<str>>,
    refused: Arc<Mutex<Option<String>>>,
}

/// Where the certificate comes from that is shown.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Read once.
    Files(Arc<ClientConfig>),
    /// A service's own, as it is when a connection is opened.
    Service(Identity),
}

impl Source {
    fn now(&self) -> Arc<ClientConfig> {
        match self {
            Self::Files(config) => Arc::clone(config),
            Self::Service(identity) => identity.client(),
        }
    }
}

impl Dialer {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            expected: None,
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
        let endpoint = with(plain(address)?).origin(address.clone());
        Ok(endpoint.connect_with_connector_lazy(self.clone()))
    }

    /// A channel whose connection to this `https://` address is open, where whoever answers must have a certificate for
    /// `host`, whatever host the address has.
    ///
    /// # Errors
    /// If nobody answers, or no connection comes through its handshake.
    pub async fn connected_to(
        &self,
        host: Arc<str>,
        address: &Uri,
    ) -> Result<Channel, tonic::transport::Error> {
        let dialer = Self {
            expected: Some(host),
            ..self.clone()
        };
        let endpoint = plain(address).unwrap_or_else(|_| Endpoint::from(address.clone()));
        endpoint
            .origin(address.clone())
            .connect_with_connector(dialer)
            .await
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
        let expected = self.expected.as_deref().map_or(host, str::to_owned);
        let name = ServerName::try_from(expected).map_err(io::Error::other)?;
        let connected = TlsConnector::from(self.source.now()).connect(name, stream).await;
        let stream = connected.inspect_err(|error| self.note(failed_handshake(error)))?;
        Ok(TokioIo::new(Dialled {
            stream,
            heard: false,
            dialer: self,
        }))
    }
}

/// The certificate is looked at here: for the library below it is a connection like any other.
fn plain(address: &Uri) -> Result<Endpoint, http::Error> {
    let authority = address.authority().map_or("", |authority| authority.as_str());
    let plain = Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query("/")
        .build()?;
    Ok(Endpoint::from(plain))
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
