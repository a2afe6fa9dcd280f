//! Passes gRPC calls on, and holds the answers of one method back until it is told to let them go.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{Response, StatusCode},
    response::{IntoResponse as _, Response as Answer},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    body::Body,
    codegen::Service as _,
    service::Routes,
    transport::{Channel, Server},
};
use url::Url;

/// A relay on a free loopback port. Dropping it cuts everything.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    gate: Arc<Gate>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Gate {
    method: &'static str,
    shut: watch::Sender<bool>,
    held: watch::Sender<usize>,
}

#[derive(Clone)]
struct Passing {
    target: Channel,
    gate: Arc<Gate>,
}

impl Relay {
    /// A relay to this address, open to every answer.
    pub async fn to(target: SocketAddr, method: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let gate = Arc::new(Gate {
            method,
            shut: watch::Sender::new(false),
            held: watch::Sender::new(0),
        });
        let endpoint = Channel::from_shared(format!("http://{target}")).expect("valid");
        let passing = Passing {
            target: endpoint.connect_lazy(),
            gate: gate.clone(),
        };
        let routes = Routes::from(Router::new().fallback(pass).with_state(passing));
        let task = tokio::spawn(async move {
            let incoming = TcpListenerStream::new(listener);
            let served = Server::builder().add_routes(routes);
            served.serve_with_incoming(incoming).await.expect("served");
        });
        Self { address, gate, task }
    }

    /// Where to connect.
    pub fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.address)).expect("valid")
    }

    /// Answers of the method are held from now on.
    pub fn shut(&self) {
        self.gate.shut.send_replace(true);
    }

    /// Answers are let go, those that were held first.
    pub fn open(&self) {
        self.gate.shut.send_replace(false);
    }

    /// Waits until an answer is held.
    pub async fn holds_one(&self) {
        let mut held = self.gate.held.subscribe();
        held.wait_for(|held| *held > 0).await.expect("the relay runs");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(mut passing): State<Passing>, request: Request) -> Answer {
    match passing.on(request).await {
        Ok(answer) => answer.into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Passing {
    async fn on(&mut self, request: Request) -> Result<Response<Body>, tonic::transport::Error> {
        let is_held = request.uri().path().ends_with(self.gate.method);
        std::future::poll_fn(|context| self.target.poll_ready(context)).await?;
        let answer = self.target.call(request.map(Body::new)).await?;
        if is_held && *self.gate.shut.borrow() {
            self.gate.held.send_modify(|held| *held += 1);
            let mut shut = self.gate.shut.subscribe();
            shut.wait_for(|shut| !shut).await.expect("the gate is there");
            self.gate.held.send_modify(|held| *held -= 1);
        }
        Ok(answer)
    }
}
