//! Services of others that keep keys, secrets and anchors: how they are reached, who we are to them, and how they fail.
//!
//! | file | holds |
//! |---|---|
//! | `door` | the one place that sends: to protected addresses, with a bound on time and size |
//! | `error` | what can go wrong there |
//! | `text` | texts that are wiped |
//! | `vault` | Vault and OpenBao: a token from a file, a namespace |
//! | `google` | Google Cloud: access tokens, for a service account or from the metadata server |
//! | `aws` | AWS: the credentials that its own tools use |
//! | `configs` | where the latter two are |

#[cfg(feature = "aws")]
mod aws;
mod configs;
mod door;
mod error;
#[cfg(feature = "gcp")]
mod google;
mod text;
mod vault;

use std::time::Duration;

#[cfg(feature = "aws")]
pub use aws::{lost as aws_lost, settings as aws_settings};
pub use configs::{AwsConfig, GoogleConfig};
pub use door::{Answer, Ask, Door};
pub use error::RemoteError;
#[cfg(feature = "gcp")]
pub use google::Google;
pub use reqwest::Method;
pub use text::SecretText;
pub use vault::{Vault, VaultConfig};

/// How long an answer may take unless it is said otherwise.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
