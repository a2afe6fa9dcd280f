//! A connection between two parties that goes wrong while they talk, and is mended again.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hubkeep_core::clock::SystemClock;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// What a proxy does with the bytes that come to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Forward,
    Frozen,
    AnswersFrozen,
    RequestsLost,
    AnswersLost,
    Silent,
    Slow(Duration),
    Cut,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Request,
    Answer,
}

/// What becomes of some bytes.
enum Fate {
    Forwarded,
    After(Duration),
    Held,
    Lost,
}

impl Mode {
    fn fate(self, way: Way) -> Fate {
        match (self, way) {
            (Self::Frozen, _) | (Self::AnswersFrozen, Way::Answer) => Fate::Held,
            (Self::RequestsLost, Way::Request) | (Self::AnswersLost, Way::Answer) | (Self::Silent, _) => {
                Fate::Lost
            }
            (Self::Slow(wait), _) => Fate::After(wait),
            _ => Fate::Forwarded,
        }
    }
}

/// A TCP proxy on a free loopback port. Dropping it cuts everything.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    target: watch::Sender<Option<SocketAddr>>,
    requested: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy that does not lead anywhere yet: whoever connects waits.
    pub async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (mode, target) = (watch::Sender::new(Mode::Forward), watch::Sender::new(None));
        let requested = Arc::default();
        let counter = Arc::clone(&requested);
        let task = tokio::spawn(accept(listener, target.subscribe(), mode.subscribe(), counter));
        Self {
            address,
            mode,
            target,
            requested,
            task,
        }
    }

    /// A proxy that leads to this address.
    pub async fn to(target: SocketAddr) -> Self {
        let proxy = Self::open().await;
        proxy.lead_to(target);
        proxy
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

    /// Lets requests through, and holds what comes back.
    pub fn freeze_answers(&self) {
        self.mode.send_replace(Mode::AnswersFrozen);
    }

    /// Half open: takes connections and what is sent over them, and nothing of it ever arrives anywhere.
    pub fn go_silent(&self) {
        self.mode.send_replace(Mode::Silent);
    }

    /// Loses what is sent one way; the other goes on.
    pub fn lose_requests(&self) {
        self.mode.send_replace(Mode::RequestsLost);
    }

    /// Loses what comes back; what is sent arrives.
    pub fn lose_answers(&self) {
        self.mode.send_replace(Mode::AnswersLost);
    }

    /// Forwards every piece only after this time, one after the other.
    pub fn slow_down(&self, each: Duration) {
        self.mode.send_replace(Mode::Slow(each));
    }

    /// Forwards again, also what was held. A connection that has lost something is closed: it can never be whole again.
    pub fn restore(&self) {
        self.mode.send_replace(Mode::Forward);
    }

    /// How many bytes have gone on from callers until now.
    pub fn requested(&self) -> usize {
        self.requested.load(Ordering::Relaxed)
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
    requested: Arc<AtomicUsize>,
) {
    while let Ok((incoming, _)) = listener.accept().await {
        if *mode.borrow() != Mode::Cut {
            tokio::spawn(carry(incoming, target.clone(), mode.clone(), requested.clone()));
        }
    }
}

async fn carry(
    incoming: TcpStream,
    mut target: watch::Receiver<Option<SocketAddr>>,
    mut mode: watch::Receiver<Mode>,
    requested: Arc<AtomicUsize>,
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
            () = pump(from_caller, to_server, Way::Request, mode.clone(), &requested) => {}
            () = pump(from_server, to_caller, Way::Answer, mode.clone(), &requested) => {}
        }
    };
    tokio::select! {
        () = both => {}
        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    mut mode: watch::Receiver<Mode>,
    requested: &AtomicUsize,
) {
    let (mut buffer, clock) = (vec![0; 16 * 1024], SystemClock::shared());
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let held = |mode: &Mode| matches!(mode.fate(way), Fate::Held);
        let _ = mode.wait_for(|mode| !held(mode)).await;
        let now = *mode.borrow();
        match now.fate(way) {
            Fate::Forwarded | Fate::Held => {}
            Fate::After(wait) => {
                // A mended connection makes nobody wait any longer.
                let _ = clock.timeout(wait, mode.wait_for(|mode| *mode != now)).await;
            }
            Fate::Lost => return lost(from, way, mode).await,
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        if way == Way::Request {
            requested.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// Takes in all that comes until the connection is mended; then it must end, for something is missing in it.
async fn lost(mut from: OwnedReadHalf, way: Way, mut mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    let swallowing = async { while let Ok(1..) = from.read(&mut buffer).await {} };
    let mended = mode.wait_for(|mode| !matches!(mode.fate(way), Fate::Lost));
    tokio::select! {
        () = swallowing => {}
        _ = mended => {}
    }
}
