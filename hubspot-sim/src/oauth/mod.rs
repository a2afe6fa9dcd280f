//! OAuth: apps, the accounts that have installed them, and the endpoints that turn a refresh token into access tokens.

mod apps;
mod endpoint;

pub(crate) use apps::{Apps, Install};
pub(crate) use endpoint::{OAuthAction, answer};
