//! Deliveries, to receivers that behave and to receivers that do not.

use std::time::Duration;

use hubkeep_core::{clock::SystemClock, random::SystemRandom};
use hubkeep_webhook::{Config, Delivered, Error, Message, Secret, Sender};

use crate::receiver::{Answer, Receiver};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn sender() -> Sender {
    let config = Config {
        attempt_timeout: Duration::from_millis(300),
        first_wait: Duration::from_millis(1),
        ..Config::default()
    };
    Sender::new(&config, SystemClock::shared()).expect("a sender")
}

fn message() -> Message {
    Message {
        id: "0199f3a0-0000-7000-8000-000000000001".to_owned(),
        body: r#"{"type":"rotation.switched","data":{"client_slug":"acme"}}"#.into(),
    }
}

async fn deliver(receiver: &Receiver) -> Result<Delivered, Error> {
    let secret = Secret::parse(SECRET).expect("valid");
    sender().deliver(&receiver.address, &secret, &message()).await
}

#[tokio::test]
async fn another_implementation_verifies_what_was_signed_here() {
    let receiver = Receiver::start(SECRET, []).await;
    let delivered = deliver(&receiver).await.expect("taken");
    assert_eq!((delivered.status, delivered.attempts), (204, 1));
    let received = receiver.received();
    assert_eq!((received.len(), received[0].verified), (1, true));
    assert_eq!(received[0].id, message().id);
    assert_eq!(received[0].body.as_bytes(), message().body);
    assert!(
        received[0]
            .timestamp
            .parse::<i64>()
            .is_ok_and(|second| second > 1_700_000_000)
    );
}

#[tokio::test]
async fn a_receiver_with_another_secret_finds_the_signature_wrong() {
    let other = Secret::make(&*SystemRandom::shared()).expect("random").reveal();
    let receiver = Receiver::start(secrecy::ExposeSecret::expose_secret(&other), []).await;
    deliver(&receiver).await.expect("taken");
    assert!(
        !receiver.received()[0].verified,
        "it would be believed by anybody"
    );
}

#[tokio::test]
async fn what_fails_in_passing_is_sent_again_under_the_same_id_and_signed_anew() {
    let answers = [Answer::Status(503), Answer::Status(429), Answer::Silence];
    let receiver = Receiver::start(SECRET, answers).await;
    let delivered = deliver(&receiver).await.expect("taken at last");
    assert_eq!(delivered.attempts, 4);
    let received = receiver.received();
    assert!(received.iter().all(|one| one.id == message().id && one.verified));
    assert_eq!(received.len(), 4);
}

#[tokio::test]
async fn a_receiver_that_says_no_is_not_asked_again() {
    let receiver = Receiver::start(SECRET, [Answer::Status(410)]).await;
    let refused = deliver(&receiver).await;
    assert_eq!(
        refused,
        Err(Error::Refused {
            status: 410,
            attempts: 1
        })
    );
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(SECRET, []).await;
    let target = elsewhere.address.as_str().to_owned();
    let receiver = Receiver::start(SECRET, [Answer::Redirect(target)]).await;
    assert_eq!(
        deliver(&receiver).await,
        Err(Error::Refused {
            status: 307,
            attempts: 1
        })
    );
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let endless = std::iter::repeat_n(Answer::Endless, 4);
    let receiver = Receiver::start(SECRET, endless).await;
    let Err(Error::Failed { attempts, detail }) = deliver(&receiver).await else {
        panic!("an endless answer is no answer")
    };
    assert_eq!(
        (attempts, detail.as_str()),
        (4, "the answer is larger than max_answer_bytes")
    );
}

#[tokio::test]
async fn a_receiver_that_never_answers_and_one_that_is_not_there_are_given_up() {
    let receiver = Receiver::start(SECRET, std::iter::repeat_n(Answer::Silence, 4)).await;
    let silent = deliver(&receiver).await.expect_err("never answered");
    assert_eq!(silent.attempts(), 4);
    let secret = Secret::parse(SECRET).expect("valid");
    // Port 9 is for what is thrown away; nobody listens there.
    let nowhere = "http://127.0.0.1:9/?key=s3cret".parse().expect("valid");
    let gone = sender()
        .deliver(&nowhere, &secret, &message())
        .await
        .expect_err("nobody");
    for error in [silent, gone] {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("whsec"), "{shown}");
    }
}
