//! One address in front of several replicas: a TCP balancer that gives each new connection to the next of them.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A balancer on a free loopback port. Dropping it takes no new connections.
#[derive(Debug)]
pub struct Balancer {
    address: SocketAddr,
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// A balancer with nobody behind it yet.
    pub async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let replicas = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(accept(listener, replicas.clone()));
        Self {
            address,
            replicas,
            task,
        }
    }

    /// Where to connect.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go to this replica, too.
    pub fn add(&self, replica: SocketAddr) {
        self.replicas
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(replica);
    }

    /// No new connection goes to this replica. Those that are there stay.
    pub fn remove(&self, replica: SocketAddr) {
        let mut replicas = self.replicas.lock().unwrap_or_else(PoisonError::into_inner);
        replicas.retain(|other| *other != replica);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, replicas: Arc<Mutex<Vec<SocketAddr>>>) {
    while let Ok((incoming, _)) = listener.accept().await {
        let next = {
            let mut replicas = replicas.lock().unwrap_or_else(PoisonError::into_inner);
            if !replicas.is_empty() {
                replicas.rotate_left(1);
            }
            replicas.last().copied()
        };
        if let Some(replica) = next {
            tokio::spawn(carry(incoming, replica));
        }
    }
}

async fn carry(mut incoming: TcpStream, replica: SocketAddr) {
    let Ok(mut outgoing) = TcpStream::connect(replica).await else {
        return;
    };
    let _ = (incoming.set_nodelay(true), outgoing.set_nodelay(true));
    // Whatever ends the connection is seen by both sides.
    let _ = copy_bidirectional(&mut incoming, &mut outgoing).await;
}
