//! Whoever is slow, consumer or portal, keeps nobody else waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hubkeep_proto::credential::v1::{
    ListRotationsRequest, RegisterConsumerRequest, RotateCredentialRequest, Rotation, TokenStanding,
};
use hubspot_sim::{Fault, FaultRule, TokenSpec};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    consumers::{consumer, register},
    harness::*,
    rotation::{get, rotate, rotations, to},
};

const STEP: Duration = Duration::from_millis(500);
/// Far more looks than anything here takes.
const LOOKS: usize = 5_000;

/// Where a consumer is told: it takes what it is told, or reads it and never answers.
struct Receiver {
    address: String,
    told: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/rotated", listener.local_addr().expect("bound"));
        let told = Arc::new(AtomicUsize::new(0));
        let count = told.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = [0; 8_192];
                if !stream.read(&mut heard).await.is_ok_and(|length| length > 0) {
                    continue;
                }
                count.fetch_add(1, Ordering::SeqCst);
                if answers {
                    let taken = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                    stream.write_all(taken).await.ok();
                } else {
                    open.push(stream);
                }
            }
        });
        Self { address, told }
    }

    fn told(&self) -> usize {
        self.told.load(Ordering::SeqCst)
    }

    async fn register(&self, bench: &Bench, name: &str) {
        let request = RegisterConsumerRequest {
            webhook_url: self.address.clone(),
            ..consumer(name, &["*"])
        };
        register(bench, request).await.expect("registers");
    }
}

async fn two_portals() -> Bench {
    let bench = Bench::start().await;
    for (slug, token, portal) in [("acme", ACME_TOKEN, ACME), ("globex", GLOBEX_TOKEN, GLOBEX)] {
        bench.onboard(slug, token, portal).await.expect("onboards");
    }
    bench
}

/// Globex, with another token in force.
async fn globex_rotated(bench: &Bench, token: &str) -> Rotation {
    let spec = TokenSpec::private_app(token);
    bench.hubspot.add_token(GLOBEX, spec).expect("added");
    let request = RotateCredentialRequest {
        client_slug: "globex".to_owned(),
        ..to(token)
    };
    let rotated = rotate(bench, request).await.expect("rotates");
    rotated.rotation.expect("told")
}

/// Looks until it is so; the clock goes on by `step` between the looks.
async fn becomes(bench: &Bench, step: Duration, is_so: impl AsyncFn() -> bool) -> bool {
    for _ in 0..LOOKS {
        if is_so().await {
            return true;
        }
        bench.clock.advance(step);
        // The service answers somebody else meanwhile, so that what is under way gets on.
        rotations(bench)
            .list_rotations(ListRotationsRequest::default())
            .await
            .expect("listed");
    }
    false
}

#[tokio::test]
async fn a_consumer_that_hangs_keeps_no_other_waiting_and_is_told_one_thing_at_a_time() {
    let bench = two_portals().await;
    let (dead, healthy) = (Receiver::start(false).await, Receiver::start(true).await);
    dead.register(&bench, "dead").await;
    healthy.register(&bench, "healthy").await;
    rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect("rotates");
    // The clock stands: no attempt to tell the dead one ends.
    assert!(
        becomes(&bench, Duration::ZERO, async || dead.told() == 1
            && healthy.told() == 1)
        .await
    );
    for (number, token) in ["pat-na1-globex-2", "pat-na1-globex-3"].iter().enumerate() {
        let rotation = globex_rotated(&bench, token).await;
        let healthy_was_told = async || {
            let tasks = get(&bench, &rotation).await.tasks;
            tasks
                .iter()
                .any(|task| task.consumer_name == "healthy" && task.told_time.is_some())
        };
        assert!(becomes(&bench, Duration::ZERO, healthy_was_told).await, "{token}");
        assert_eq!(healthy.told(), number + 2);
    }
    assert_eq!(dead.told(), 1, "one thing at a time");
}

#[tokio::test]
async fn a_consumer_that_takes_nothing_is_put_off_with_all_that_it_should_be_told() {
    let bench = two_portals().await;
    let dead = Receiver::start(false).await;
    dead.register(&bench, "dead").await;
    let first = rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect("rotates");
    let first = first.rotation.expect("told");
    // The clock stands, so which of two would be told first is nobody's promise: this one is under way.
    assert!(becomes(&bench, Duration::ZERO, async || dead.told() == 1).await);
    let second = globex_rotated(&bench, "pat-na1-globex-2").await;
    let failed = async || {
        let mut failed = Vec::new();
        for rotation in [&first, &second] {
            failed.push(get(&bench, rotation).await.tasks[0].failed_deliveries);
        }
        failed
    };
    assert!(becomes(&bench, STEP, async || failed().await == [1, 0]).await);
    // Not for half a minute, and then the one that was tried before.
    bench.clock.advance(Duration::from_secs(20));
    for _ in 0..50 {
        assert_eq!(failed().await, [1, 0]);
    }
    let tried = dead.told();
    assert!(becomes(&bench, STEP, async || failed().await == [2, 0]).await);
    assert!(dead.told() > tried);
}

#[tokio::test]
async fn a_portal_for_which_hubspot_is_slow_keeps_no_other_waiting() {
    let bench = two_portals().await;
    rotate(&bench, to(ACME_SECOND_TOKEN)).await.expect("rotates");
    bench.clock.advance(Duration::from_secs(8));
    let globex = globex_rotated(&bench, "pat-na1-globex-2").await;
    let slow = FaultRule::new(Fault::HoldUntilReleased).portal(ACME);
    let slow = bench.hubspot.inject(slow);
    bench.clock.advance(Duration::from_secs(8));
    assert!(becomes(&bench, Duration::ZERO, async || bench.hubspot.held() == 1).await);
    // No more than 15 s after its own switch, and while the answer about acme is held.
    bench.clock.advance(Duration::from_secs(8));
    let asked = async || {
        let globex = get(&bench, &globex).await.rotation.expect("there");
        globex.probe_time.is_some() && globex.old_token() == TokenStanding::Accepted
    };
    assert!(becomes(&bench, Duration::ZERO, asked).await);
    assert_eq!(bench.hubspot.held(), 1, "of one portal one question at a time");
    bench.hubspot.release(slow);
}
