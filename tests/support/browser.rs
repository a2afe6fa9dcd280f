//! A browser as far as tests need one: HTTP/1.1 by bytes, so that a test says every header and sees every byte.

use std::{fmt, io, net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use tokio::{
    io::{
        AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufReader,
    },
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{certificates::Holder, hubkeep::Hubkeep};

impl Hubkeep {
    /// Where the pages of crm-service are.
    pub fn viewer_address(&self) -> SocketAddr {
        let address = self.crm.as_ref().and_then(|crm| crm.web_address());
        address.expect("it was set up with pages")
    }

    /// A browser on this machine, without a certificate.
    pub fn browser(&self) -> Browser {
        Browser::at(self.viewer_address())
    }

    /// A browser with this operator's certificate.
    pub fn browser_of(&self, caller: &str) -> Browser {
        let holder = self.certificates().of(caller);
        self.browser().over_tls(self.certificates().ca(), Some(&holder))
    }
}

trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// A browser that shows the pages at one address.
#[derive(Clone)]
pub struct Browser {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Browser({})", self.address)
    }
}

/// What came in answer.
#[derive(Debug)]
pub struct Page {
    /// The status.
    pub status: u16,
    /// The head in small letters.
    pub head: String,
    /// The head as it came: for what is told apart by its letters.
    pub exact: String,
    /// The body.
    pub body: String,
}

impl Page {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The value of a header, letter by letter.
    pub fn exactly(&self, name: &str) -> Option<&str> {
        let lines = self.exact.lines().filter_map(|line| line.split_once(": "));
        let found = lines
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The values of all cookies that it sets, by name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.exact.lines().filter_map(|line| line.split_once(": "));
        let set = lines.filter(|(known, _)| known.eq_ignore_ascii_case("set-cookie"));
        let pairs = set.filter_map(|(_, value)| value.split(';').next()?.split_once('='));
        pairs
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Whether it says this, as it would be read.
    pub fn says(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// How many lines its table of entries has.
    pub fn lines(&self) -> usize {
        self.body.matches("<td class=\"time\">").count()
    }

    /// The page, if it was shown; panics with what it says if not.
    pub fn shown(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }
}

impl Browser {
    /// At this address, without TLS.
    pub const fn at(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// The same over TLS: whom it trusts, and its certificate, if it has one.
    #[must_use]
    pub fn over_tls(mut self, ca: &str, holder: Option<&Holder>) -> Self {
        self.tls = Some(Arc::new(tls(ca, holder)));
        self
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Page {
        self.get_with(path, &[]).await
    }

    /// The same with further headers; one that is always sent is replaced.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        self.request("GET", path, headers).await.expect("an answer")
    }

    /// Any request.
    ///
    /// # Errors
    /// If there is no connection, or no whole answer.
    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> io::Result<Page> {
        self.send(method, path, headers, "").await
    }

    /// Any request, with a body.
    ///
    /// # Errors
    /// If there is no connection, or no whole answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Page> {
        let mut connection = BufReader::new(self.open(method, path, (headers, body), "close").await?);
        let exact = head(&mut connection).await?;
        let head = exact.to_lowercase();
        let mut page = Page {
            status: status(&head)?,
            head,
            exact,
            body: String::new(),
        };
        if page.header("transfer-encoding") == Some("chunked") {
            while let Some(piece) = piece(&mut connection).await? {
                page.body.push_str(&piece);
            }
        } else {
            connection.read_to_string(&mut page.body).await?;
        }
        Ok(page)
    }

    /// Follows what comes; gives the page that came in place of it, if it was refused.
    ///
    /// # Errors
    /// If there is no connection.
    pub async fn follow(&self, path: &str, headers: &[(&str, &str)]) -> io::Result<Result<Follow, u16>> {
        let mut connection = BufReader::new(self.open("GET", path, (headers, ""), "keep-alive").await?);
        let head = head(&mut connection).await?.to_lowercase();
        let status = status(&head)?;
        if status != 200 {
            return Ok(Err(status));
        }
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        Ok(Ok(Follow {
            connection,
            read: String::new(),
        }))
    }

    async fn open(
        &self,
        method: &str,
        path: &str,
        (headers, body): (&[(&str, &str)], &str),
        after: &str,
    ) -> io::Result<Box<dyn Connection>> {
        let stream = TcpStream::connect(self.address).await?;
        let mut connection: Box<dyn Connection> = match &self.tls {
            None => Box::new(stream),
            Some(config) => {
                let name = ServerName::from(self.address.ip());
                Box::new(
                    TlsConnector::from(Arc::clone(config))
                        .connect(name, stream)
                        .await?,
                )
            }
        };
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: {after}\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request.push_str(&format!("host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        connection.write_all(request.as_bytes()).await?;
        connection.flush().await?;
        Ok(connection)
    }
}

/// As browsers offer it, HTTP/2 first.
fn tls(ca: &str, holder: Option<&Holder>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).expect("PEM");
    roots.add(ca).expect("a CA");
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match holder {
        None => builder.with_no_client_auth(),
        Some(holder) => {
            let chain = CertificateDer::from_pem_slice(holder.certificate().as_bytes()).expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(holder.key().as_bytes()).expect("PEM");
            builder.with_client_auth_cert(vec![chain], key).expect("fitting")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

async fn head(connection: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if connection.read_line(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head.replace('\r', ""))
}

fn status(head: &str) -> io::Result<u16> {
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other(head.to_owned()))
}

/// The next piece of a body that comes in pieces; `None` at its end.
async fn piece(connection: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut size = String::new();
    if connection.read_line(&mut size).await? == 0 {
        return Ok(None);
    }
    let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
    // With the line's end behind it.
    let mut bytes = vec![0; size + 2];
    connection.read_exact(&mut bytes).await?;
    bytes.truncate(size);
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    Ok((size > 0).then_some(text))
}

/// What comes, message by message.
pub struct Follow {
    connection: BufReader<Box<dyn Connection>>,
    read: String,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The position that it reaches.
    pub id: Option<u64>,
    /// What it is: "entry", "reached" or "ended".
    pub name: String,
    /// What it says.
    pub data: Value,
}

impl Follow {
    /// The next message; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((message, rest)) = self.read.split_once("\n\n") {
                let (message, rest) = (parsed(message), rest.to_owned());
                self.read = rest;
                if message.is_some() {
                    return message;
                }
            }
            let piece = piece(&mut self.connection).await.ok().flatten()?;
            self.read.push_str(&piece);
        }
    }

    /// The next entry.
    pub async fn entry(&mut self) -> Option<Message> {
        loop {
            let message = self.next().await?;
            if message.name == "entry" {
                return Some(message);
            }
        }
    }
}

fn parsed(message: &str) -> Option<Message> {
    let field = |name: &str| {
        let mut lines = message.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    Some(Message {
        name: field("event")?,
        id: field("id").map(|id| id.parse().expect("a position")),
        data: serde_json::from_str(&field("data").unwrap_or_default()).expect("JSON"),
    })
}
