//! A connection that falls silent: nothing arrives any more, either way, and nothing is closed.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// A way to an address that can be silenced.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    silent: CancellationToken,
}

impl Proxy {
    /// A way to this address.
    ///
    /// # Errors
    /// If no port is free.
    pub(super) async fn to(target: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, silent) = (listener.local_addr()?, CancellationToken::new());
        let silenced = silent.clone();
        tokio::spawn(async move {
            while let Ok((incoming, _)) = listener.accept().await {
                tokio::spawn(carry(incoming, target, silenced.clone()));
            }
        });
        Ok(Self { address, silent })
    }

    /// From now on nothing arrives, over old connections and new ones.
    pub(super) fn go_silent(&self) {
        self.silent.cancel();
    }
}

async fn carry(mut incoming: TcpStream, target: SocketAddr, silent: CancellationToken) {
    let Ok(mut outgoing) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (incoming.set_nodelay(true), outgoing.set_nodelay(true));
    let carried = silent.run_until_cancelled(copy_bidirectional(&mut incoming, &mut outgoing));
    if carried.await.is_none() {
        // Both sides stay open, and hear nothing.
        std::future::pending::<()>().await;
    }
}
