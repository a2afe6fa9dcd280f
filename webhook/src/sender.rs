//! One delivery: signed anew for each attempt, tried again where that may help, and never for longer than agreed. Where the
//! address itself is the secret, as an incoming webhook of a chat is, it is not signed.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use bytes::Bytes;
use hubkeep_core::clock::SharedClock;
use reqwest::{StatusCode, header};

use crate::{Address, Config, Error, Secret, StartError, secret::second};

/// What is delivered.
#[derive(Clone, Debug)]
pub struct Message {
    /// Tells it from all others, and is the same however often it is sent. Without dots, control characters or spaces.
    pub id: String,
    /// JSON.
    pub body: Bytes,
}

/// A delivery that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The status by which it was: 200 to 299.
    pub status: u16,
    /// How often it was tried.
    pub attempts: u32,
}

/// What became of one attempt that was not taken.
enum Missed {
    /// It is of no use to try again.
    Refused(u16),
    /// It may help.
    Failed(String),
}

/// Makes deliveries. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender {
    http: reqwest::Client,
    clock: SharedClock,
    attempt_timeout: Duration,
    attempts: u32,
    first_wait: Duration,
    max_answer_bytes: usize,
}

impl Sender {
    /// A sender that works by this clock.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one HTTP client of deliveries; nothing of HubSpot's is reached by it"
    )]
    pub fn new(config: &Config, clock: SharedClock) -> Result<Self, StartError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("hubkeep-webhook/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            // A redirect would carry the delivery to an address that nobody registered.
            .redirect(reqwest::redirect::Policy::none())
            // A proxy that the environment names would read deliveries that nobody meant for it.
            .no_proxy()
            // Attempts are counted here.
            .retry(reqwest::retry::never())
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            http,
            clock,
            attempt_timeout: config.attempt_timeout,
            attempts: config.attempts.max(1),
            first_wait: config.first_wait,
            max_answer_bytes: config.max_answer_bytes,
        })
    }

    /// Delivers a message: done when the receiver answers with a status from 200 to 299. Ends within the time of all
    /// attempts and the waits between them.
    ///
    /// # Errors
    /// If no attempt was taken. The receiver may have it nevertheless: its answer may have been lost.
    pub async fn deliver(
        &self,
        address: &Address,
        secret: &Secret,
        message: &Message,
    ) -> Result<Delivered, Error> {
        self.insist(address, Some(secret), message).await
    }

    /// The same without a signature: for receivers that know who sends by the address alone.
    ///
    /// # Errors
    /// As [`deliver`](Self::deliver).
    pub async fn deliver_unsigned(&self, address: &Address, message: &Message) -> Result<Delivered, Error> {
        self.insist(address, None, message).await
    }

    async fn insist(
        &self,
        address: &Address,
        secret: Option<&Secret>,
        message: &Message,
    ) -> Result<Delivered, Error> {
        let mut waits = ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            .with_jitter()
            .with_max_times(usize::try_from(self.attempts.saturating_sub(1)).unwrap_or(usize::MAX))
            .build();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let detail = match self.attempt(address, secret, message).await {
                Ok(status) => return Ok(Delivered { status, attempts }),
                Err(Missed::Refused(status)) => return Err(Error::Refused { status, attempts }),
                Err(Missed::Failed(detail)) => detail,
            };
            let Some(wait) = waits.next() else {
                return Err(Error::Failed { attempts, detail });
            };
            self.clock.sleep(wait).await;
        }
    }

    async fn attempt(
        &self,
        address: &Address,
        secret: Option<&Secret>,
        message: &Message,
    ) -> Result<u16, Missed> {
        let sent = self
            .clock
            .timeout(self.attempt_timeout, self.send(address, secret, message));
        let status = sent
            .await
            .unwrap_or_else(|| Err(Missed::Failed("no whole answer in time".to_owned())))?;
        if status.is_success() {
            return Ok(status.as_u16());
        }
        let again = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
            );
        if again {
            Err(Missed::Failed(format!("status {}", status.as_u16())))
        } else {
            Err(Missed::Refused(status.as_u16()))
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that delivers")]
    async fn send(
        &self,
        address: &Address,
        secret: Option<&Secret>,
        message: &Message,
    ) -> Result<StatusCode, Missed> {
        let now = second(self.clock.now());
        let mut request = self
            .http
            .post(address.url().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(message.body.clone());
        if let Some(secret) = secret {
            request = request
                .header("webhook-id", &message.id)
                .header("webhook-timestamp", now.to_string())
                .header("webhook-signature", secret.sign(&message.id, now, &message.body));
        }
        let mut response = request.send().await.map_err(|error| lost(&error))?;
        let mut read = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
            read += chunk.len();
            if read > self.max_answer_bytes {
                return Err(Missed::Failed(
                    "the answer is larger than max_answer_bytes".to_owned(),
                ));
            }
        }
        Ok(response.status())
    }
}

/// What became of an attempt without a whole answer, without the address: its query may hold a secret.
fn lost(error: &reqwest::Error) -> Missed {
    let what = match (error.is_connect(), error.is_timeout()) {
        (true, _) => "no connection",
        (_, true) => "timed out",
        _ => "the exchange failed",
    };
    Missed::Failed(what.to_owned())
}
