//! A consumer of rotations, from messages into the words of its room and back.

use std::{collections::BTreeSet, time::Duration};

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{self as wire, RegisterConsumerRequest};
use hubkeep_webhook::{Address, InvalidAddress, InvalidSecret, Secret};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Error, fields};
use crate::{
    portals::{WORDS, are_words},
    rotation::{ConsumerPortals, DEFAULT_DEADLINE, Listed, Registration},
};

/// The most slugs that one consumer may name.
const MAX_SLUGS: usize = 1_000;
/// The shortest and the longest time for a rotation.
const DEADLINES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(30 * 24 * 3_600));

/// Takes the secret out of the request first: it is wiped from memory whatever else is wrong.
pub(super) fn registration(request: RegisterConsumerRequest) -> Result<Registration, Error> {
    let secret = SecretString::from(request.webhook_secret);
    Ok(Registration {
        name: fields::name("consumer_name", &request.consumer_name)?,
        tags: tags(&request.tags, &request.client_slugs)?,
        portals: portals(&request.client_slugs, &request.tags)?,
        webhook: webhook(&request.webhook_url, &secret)?,
        deadline: deadline(request.deadline)?,
    })
}

/// Further portals by their tags: sorted, each once.
fn tags(tags: &[String], slugs: &[String]) -> Result<Vec<String>, Error> {
    if !tags.is_empty() && slugs.iter().any(|slug| slug == "*") {
        return Err(Error::field(
            "tags",
            "are of no use beside \"*\", which stands for all portals",
        ));
    }
    if !are_words(tags) {
        return Err(Error::field("tags", WORDS));
    }
    let tags: BTreeSet<&String> = tags.iter().collect();
    Ok(tags.into_iter().cloned().collect())
}

fn portals(slugs: &[String], tags: &[String]) -> Result<ConsumerPortals, Error> {
    match slugs {
        [all] if all == "*" => Ok(ConsumerPortals::All),
        [] if !tags.is_empty() => Ok(ConsumerPortals::Only(Vec::new())),
        [] => Err(Error::field(
            "client_slugs",
            "must name at least one portal, or be \"*\" alone for all of them; or give tags",
        )),
        many if many.len() > MAX_SLUGS => Err(Error::field("client_slugs", "must be at most 1,000")),
        many => {
            let slugs: Result<BTreeSet<ClientSlug>, Error> = many
                .iter()
                .map(|slug| fields::name("client_slugs", slug))
                .collect();
            Ok(ConsumerPortals::Only(slugs?.into_iter().collect()))
        }
    }
}

fn webhook(url: &str, secret: &SecretString) -> Result<Option<(Address, Option<Secret>)>, Error> {
    let secret = secret.expose_secret();
    if url.is_empty() {
        if secret.is_empty() {
            return Ok(None);
        }
        return Err(Error::field("webhook_secret", "is of no use without webhook_url"));
    }
    let address = url
        .parse()
        .map_err(|error: InvalidAddress| Error::field("webhook_url", error.rule()))?;
    let given = (!secret.is_empty()).then(|| Secret::parse(secret)).transpose();
    let given = given.map_err(|error: InvalidSecret| Error::field("webhook_secret", error.to_string()))?;
    Ok(Some((address, given)))
}

fn deadline(wire: Option<prost_types::Duration>) -> Result<Duration, Error> {
    let Some(wire) = wire else {
        return Ok(DEFAULT_DEADLINE);
    };
    let deadline = fields::duration("deadline", wire)?;
    let (shortest, longest) = DEADLINES;
    if (shortest..=longest).contains(&deadline) {
        Ok(deadline)
    } else {
        Err(Error::field("deadline", "must be from 1 minute to 30 days"))
    }
}

pub(super) fn to_wire(listed: &Listed) -> wire::Consumer {
    let consumer = &listed.consumer;
    let client_slugs = match &consumer.portals {
        ConsumerPortals::All => vec!["*".to_owned()],
        ConsumerPortals::Only(slugs) => slugs.iter().map(ToString::to_string).collect(),
    };
    let address = listed.address.as_ref().map(Address::as_str).unwrap_or_default();
    wire::Consumer {
        consumer_name: consumer.name.to_string(),
        client_slugs,
        webhook_url: address.split('?').next().unwrap_or_default().to_owned(),
        deadline: fields::to_wire(consumer.deadline),
        register_time: Some(consumer.register_time.into()),
        tags: listed.tags.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(request: RegisterConsumerRequest) -> String {
        registration(request).expect_err("refused").to_string()
    }

    fn request() -> RegisterConsumerRequest {
        RegisterConsumerRequest {
            consumer_name: "billing".to_owned(),
            client_slugs: vec!["acme".to_owned()],
            webhook_url: "https://example.com/rotated".to_owned(),
            ..RegisterConsumerRequest::default()
        }
    }

    #[test]
    fn a_registration_that_leaves_out_what_it_may_gets_a_day_and_a_new_secret() {
        let read = registration(request()).expect("valid");
        assert_eq!(read.deadline, DEFAULT_DEADLINE);
        assert!(matches!(read.webhook, Some((_, None))));
    }

    #[test]
    fn each_field_is_held_to_its_rule_and_no_secret_is_repeated() {
        let faults = [
            (
                "consumer_name",
                fault(RegisterConsumerRequest {
                    consumer_name: "a b".to_owned(),
                    ..request()
                }),
            ),
            (
                "client_slugs",
                fault(RegisterConsumerRequest {
                    client_slugs: Vec::new(),
                    ..request()
                }),
            ),
            (
                "client_slugs",
                fault(RegisterConsumerRequest {
                    client_slugs: vec!["*".to_owned(), "acme".to_owned()],
                    ..request()
                }),
            ),
            (
                "tags",
                fault(RegisterConsumerRequest {
                    tags: vec!["a\nb".to_owned()],
                    ..request()
                }),
            ),
            (
                "tags",
                fault(RegisterConsumerRequest {
                    client_slugs: vec!["*".to_owned()],
                    tags: vec!["emea".to_owned()],
                    ..request()
                }),
            ),
            (
                "webhook_url",
                fault(RegisterConsumerRequest {
                    webhook_url: "http://example.com/?s3cret".to_owned(),
                    ..request()
                }),
            ),
            (
                "webhook_secret",
                fault(RegisterConsumerRequest {
                    webhook_secret: "s3cret".to_owned(),
                    ..request()
                }),
            ),
            (
                "deadline",
                fault(RegisterConsumerRequest {
                    deadline: fields::to_wire(Duration::from_secs(59)),
                    ..request()
                }),
            ),
        ];
        for (field, told) in faults {
            assert!(told.contains(&format!("valid: {field}: ")), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
