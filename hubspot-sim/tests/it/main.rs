//! What the simulator promises, tried over HTTP.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where its promise is broken"
)]

mod accounts;
mod auth;
mod batch;
mod caller;
mod control;
mod faults;
mod journal;
mod limits;
mod oauth;
mod records;
mod rotation;
mod search;
