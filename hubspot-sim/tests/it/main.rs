//! What the simulator promises, tried over HTTP.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where its promise is broken"
)]

mod accounts;
mod association_batch;
mod associations;
mod auth;
mod bad_answers;
mod batch;
mod caller;
mod consent;
mod control;
mod custom_objects;
mod faults;
mod journal;
mod labels;
mod limits;
mod merge;
mod oauth;
mod pipelines;
mod properties;
mod records;
mod rotation;
mod search;
