//! What the simulator promises, tried over HTTP.

mod accounts;
mod auth;
mod batch;
mod caller;
mod control;
mod faults;
mod journal;
mod limits;
mod records;
mod rotation;
mod search;
