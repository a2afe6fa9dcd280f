//! OAuth: apps, the accounts that have installed them, the page on which somebody consents, and the endpoints that turn codes
//! and refresh tokens into access tokens.

mod apps;
mod codes;
mod consent;
mod endpoint;
mod page;

pub(crate) use apps::{Apps, Install};
pub(crate) use consent::{Asked, consent};
pub(crate) use endpoint::{OAuthAction, answer};
