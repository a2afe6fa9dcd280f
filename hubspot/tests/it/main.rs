//! What the door to HubSpot promises, shown by a server on loopback that answers whatever it is told to, down to the byte.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its promise is broken"
)]

mod asked;
mod bench;
mod connections;
mod double;
mod hostile_bodies;
mod refusals;
