//! Rotations, as operators and consumers ask for them, and traffic that must not notice them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hubkeep_proto::credential::v1::{
    AcknowledgeRotationRequest, AcknowledgeRotationResponse, CancelRotationRequest, GetRotationRequest,
    GetRotationResponse, RegisterConsumerRequest, RegisterConsumerResponse, RotateCredentialRequest,
    Rotation, consumer_service_client::ConsumerServiceClient, rotation_service_client::RotationServiceClient,
};
use tokio::task::JoinHandle;
use tonic::{Status, transport::Channel};

use super::{
    crm::Crm,
    hubkeep::{Hubkeep, Service},
    portals::OPERATOR,
};

/// The rotation of a portal's first credential to this token.
pub fn wish(client_slug: &str, token: &str) -> RotateCredentialRequest {
    RotateCredentialRequest {
        client_slug: client_slug.to_owned(),
        portal_token: token.to_owned(),
        ..RotateCredentialRequest::default()
    }
}

/// A consumer of all portals that watches.
pub fn consumer(name: &str) -> RegisterConsumerRequest {
    RegisterConsumerRequest {
        consumer_name: name.to_owned(),
        client_slugs: vec!["*".to_owned()],
        ..RegisterConsumerRequest::default()
    }
}

impl Hubkeep {
    /// The operator's client of rotations.
    pub fn rotations(&self) -> RotationServiceClient<Channel> {
        RotationServiceClient::new(self.door(Service::Credential).of(OPERATOR))
    }

    /// Mints a second token at HubSpot, which lets the old one expire later, and puts it in force.
    pub async fn rotate(&self, client_slug: &str, old: &str, new: &str) -> Rotation {
        let minted = self.hubspot.rotate_token(old, new, hubspot_sim::Expire::Later);
        minted.expect("minted");
        self.try_rotate(client_slug, new).await.expect("rotated")
    }

    /// Puts a token in force.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn try_rotate(&self, client_slug: &str, token: &str) -> Result<Rotation, Status> {
        let request = self
            .door(Service::Credential)
            .request(OPERATOR, wish(client_slug, token));
        let answer = self.rotations().rotate_credential(request).await?;
        Ok(answer.into_inner().rotation.expect("told"))
    }

    /// A rotation as it stands now, with its tasks.
    pub async fn rotation(&self, rotation_id: &str) -> GetRotationResponse {
        let request = GetRotationRequest {
            rotation_id: rotation_id.to_owned(),
        };
        let request = self.door(Service::Credential).request(OPERATOR, request);
        self.rotations()
            .get_rotation(request)
            .await
            .expect("there")
            .into_inner()
    }

    /// Puts the old token of a rotation back in force.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn cancel_rotation(&self, rotation_id: &str) -> Result<Rotation, Status> {
        let request = CancelRotationRequest {
            rotation_id: rotation_id.to_owned(),
            reason: "cancelled at HubSpot".to_owned(),
        };
        let request = self.door(Service::Credential).request(OPERATOR, request);
        let answer = self.rotations().cancel_rotation(request).await?;
        Ok(answer.into_inner().rotation.expect("told"))
    }

    /// Registers a consumer.
    pub async fn register_consumer(&self, request: RegisterConsumerRequest) -> RegisterConsumerResponse {
        let request = self.door(Service::Credential).request(OPERATOR, request);
        let answer = self.rotations().register_consumer(request).await;
        answer.expect("registered").into_inner()
    }

    /// Acknowledges a rotation as a consumer who runs on this token and has the newest store.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn acknowledge(
        &self,
        consumer: &str,
        rotation: &Rotation,
        token: &str,
    ) -> Result<AcknowledgeRotationResponse, Status> {
        let door = self.door(Service::Credential);
        let request = AcknowledgeRotationRequest {
            rotation_id: rotation.rotation_id.clone(),
            token_fingerprint: hubspot_sim::fingerprint(token),
            store_version: rotation.store_version,
        };
        let mut client = ConsumerServiceClient::new(door.of(consumer));
        let answer = client
            .acknowledge_rotation(door.request(consumer, request))
            .await?;
        Ok(answer.into_inner())
    }
}

/// Callers who read and write at a steady pace until they are stopped.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<Vec<Result<(), String>>>>,
}

impl Traffic {
    /// Each of these callers makes a call every `pace`, a read and a write in turn.
    pub fn start(callers: Vec<Crm>, pace: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let callers = callers
            .into_iter()
            .map(|crm| tokio::spawn(steady(crm, pace, stop.clone())));
        Self {
            callers: callers.collect(),
            stop,
        }
    }

    /// Stops it; gives how many calls were made, and what failed.
    pub async fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Release);
        let mut calls = Vec::new();
        for caller in self.callers {
            calls.extend(caller.await.expect("callers survive"));
        }
        let made = calls.len();
        (made, calls.into_iter().filter_map(Result::err).collect())
    }
}

/// A pace of real time, which is what the traffic is about.
async fn steady(crm: Crm, pace: Duration, stop: Arc<AtomicBool>) -> Vec<Result<(), String>> {
    let mut ticks = tokio::time::interval(pace);
    let mut calls = Vec::new();
    while !stop.load(Ordering::Acquire) {
        ticks.tick().await;
        let answer = if calls.len() % 2 == 0 {
            crm.get("contacts", "101").await.map(drop)
        } else {
            let value = calls.len().to_string();
            crm.update("contacts", "101", &[("firstname", &value)])
                .await
                .map(drop)
        };
        calls.push(answer.map_err(|status| format!("{status:?}")));
    }
    calls
}
