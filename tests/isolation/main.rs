//! Isolation at full size: `make test-isolation`, or by hand with other numbers of portals and calls:
//! `cargo test --release -p hubkeep-tests --features isolation --test isolation -- 1000 1000000`

use std::time::Duration;

use hubkeep_tests::support::isolation::{Size, nothing_foreign};

#[expect(
    clippy::disallowed_methods,
    reason = "how long it took is told, and decides nothing"
)]
fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"));
    let (portals, calls) = (
        numbers.next().unwrap_or(1_000),
        numbers.next().unwrap_or(1_000_000),
    );
    let size = Size {
        portals: u32::try_from(portals).expect("not so many portals"),
        calls,
        in_flight: 64,
        pace: Duration::from_millis(100),
    };
    let began = std::time::Instant::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let summary = runtime.block_on(nothing_foreign(size));
    println!(
        "{size:?}: {summary:#?}\n0 foreign requests, in {} s",
        began.elapsed().as_secs()
    );
}
