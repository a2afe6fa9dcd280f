//! A receiver of signed webhooks, which keeps the checkpoints that it is sent.

use aws_lc_rs::digest;
use hubkeep_core::{clock::SharedClock, secret_file};
use hubkeep_webhook::{Address, Message, Secret, Sender};
use serde_json::json;

use super::{StartError, config::Webhook, error::NotAnchored};
use crate::proofs::Checkpoint;

/// What deliveries are called.
const KIND: &str = "audit.checkpoint";
const SECRET_FILE: &str = "audit.anchors.webhook.secret_file";

/// A receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    sender: Sender,
    address: Address,
    secret: Secret,
    name: String,
    place: String,
}

impl Receiver {
    pub(super) fn new(
        config: &Webhook,
        delivery: &hubkeep_webhook::Config,
        clock: SharedClock,
    ) -> Result<Self, StartError> {
        let unusable = |problem: String| StartError::SecretFile {
            key: SECRET_FILE,
            file: config.secret_file.clone(),
            problem,
        };
        let text = secret_file::read(&config.secret_file).map_err(unusable)?;
        let secret = Secret::parse(&text).map_err(|invalid| unusable(invalid.to_string()))?;
        let address: Address = config.url.parse()?;
        let (name, place) = names(&address);
        Ok(Self {
            sender: Sender::new(delivery, clock)?,
            name,
            place,
            address,
            secret,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Delivers it: the id is that of the checkpoint, however often it is sent.
    pub(super) async fn put(&self, checkpoint: &Checkpoint) -> Result<(), NotAnchored> {
        let made: prost_types::Timestamp = checkpoint.made_time.into();
        let body = json!({
            "type": KIND,
            "timestamp": made.to_string(),
            "data": { "log": checkpoint.log, "size": checkpoint.size, "note": checkpoint.note },
        });
        let message = Message {
            id: format!("checkpoint-{}", short_hash(checkpoint.note.as_bytes())),
            body: body.to_string().into(),
        };
        let delivered = self.sender.deliver(&self.address, &self.secret, &message).await;
        delivered.map_err(|error| NotAnchored::Failed(error.to_string()))?;
        Ok(())
    }
}

/// What people and what tables call it. Path and query may hold a secret: of these a hash tells receivers on one host apart.
fn names(address: &Address) -> (String, String) {
    let whole = address.as_str();
    let host = whole.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let name = format!("webhook {host}");
    let place = format!("{name} {}", short_hash(whole.as_bytes()));
    (name, place)
}

fn short_hash(bytes: &[u8]) -> String {
    let mut hash = hex::encode(digest::digest(&digest::SHA256, bytes));
    hash.truncate(32);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_address_and_says_nothing_of_its_path_and_query() {
        let of = |text: &str| names(&text.parse().expect("an address"));
        let (name, one) = of("https://a.example:8443/hook?key=s3cret");
        assert_eq!(name, "webhook https://a.example:8443");
        assert!(!one.contains("s3cret") && !one.contains("hook?"), "{one}");
        assert_ne!(one, of("https://a.example:8443/hook?key=other").1);
        assert_eq!(one, of("https://a.example:8443/hook?key=s3cret").1);
    }
}
