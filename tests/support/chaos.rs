//! A connection between two parties that can be cut, frozen and mended while they talk.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Forward,
    Frozen,
    Cut,
}

/// A TCP proxy on a free loopback port. Dropping it cuts everything.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    target: watch::Sender<Option<SocketAddr>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy that does not lead anywhere yet: whoever connects waits.
    pub async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (mode, target) = (watch::Sender::new(Mode::Forward), watch::Sender::new(None));
        let task = tokio::spawn(accept(listener, target.subscribe(), mode.subscribe()));
        Self {
            address,
            mode,
            target,
            task,
        }
    }

    /// Leads to this address from now on.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(Some(target));
    }

    /// Where to connect.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection, and new ones as soon as they come.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Lets not a byte through any more, and closes nothing: the other side is silent.
    pub fn freeze(&self) {
        self.mode.send_replace(Mode::Frozen);
    }

    /// Forwards again, also what waited.
    pub fn restore(&self) {
        self.mode.send_replace(Mode::Forward);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    target: watch::Receiver<Option<SocketAddr>>,
    mode: watch::Receiver<Mode>,
) {
    while let Ok((incoming, _)) = listener.accept().await {
        if *mode.borrow() != Mode::Cut {
            tokio::spawn(carry(incoming, target.clone(), mode.clone()));
        }
    }
}

async fn carry(
    incoming: TcpStream,
    mut target: watch::Receiver<Option<SocketAddr>>,
    mut mode: watch::Receiver<Mode>,
) {
    let mut cut = mode.clone();
    let both = async {
        let Some(address) = target
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|found| *found)
        else {
            return;
        };
        // Not even a connection is made through a frozen proxy.
        let _ = mode.wait_for(|mode| *mode != Mode::Frozen).await;
        let Ok(outgoing) = TcpStream::connect(address).await else {
            return;
        };
        let _ = (incoming.set_nodelay(true), outgoing.set_nodelay(true));
        let (from_caller, to_caller) = incoming.into_split();
        let (from_server, to_server) = outgoing.into_split();
        // Whichever side ends first ends both.
        tokio::select! {
            () = pump(from_caller, to_server, mode.clone()) => {}
            () = pump(from_server, to_caller, mode.clone()) => {}
        }
    };
    tokio::select! {
        () = both => {}
        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let _ = mode.wait_for(|mode| *mode != Mode::Frozen).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
