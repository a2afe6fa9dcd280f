//! How a server stops without losing a call.
//!
//! 1. Its health turns NOT_SERVING at once, so that balancers look elsewhere.
//! 2. For as long as `grpc.linger` it goes on serving: balancers need a moment to notice.
//! 3. Then every connection is told to go away, no new one is taken, and a request that still comes over an old one is
//!    refused with STOPPING: nothing of it was done, and it may be sent elsewhere at once. Streams that would go on for
//!    ever end with the same reason.
//! 4. Requests in flight end (`places`), within `grpc.drain`.
//! 5. Connections whose other side does not close them are cut after [`CLOSING`].

use std::time::Duration;

use tonic_health::{ServingStatus, server::HealthReporter};

/// How long an idle connection may take to close. One round trip is enough for whoever still listens.
pub(super) const CLOSING: Duration = Duration::from_secs(1);

/// What answers whether the server is up.
#[derive(Clone, Debug)]
pub(super) struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

/// The name under which the health of the whole server is asked for.
const WHOLE: &str = "";

impl Health {
    /// The health of these services, and of the whole: they serve.
    pub(super) async fn serving(reporter: HealthReporter, services: &[&'static str]) -> Self {
        let services = services.iter().copied().chain([WHOLE]).collect();
        let health = Self { reporter, services };
        health.tell(ServingStatus::Serving).await;
        health
    }

    /// From now on they do not.
    pub(super) async fn not_serving(&self) {
        self.tell(ServingStatus::NotServing).await;
    }

    async fn tell(&self, status: ServingStatus) {
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
